//! Looking back, and taking back.

use std::time::Duration;

use super::*;

fn with_writes() -> Jerry {
    let mut jerry = Jerry::with_items();
    jerry.quietly("claim 3 --session s --lease 30m");
    jerry.quietly("note 3 'Half of it.' --session s");
    jerry.quietly("label 6 add more -m 'to find it'");
    jerry.quietly("delete 5 --force -m 'not needed'");
    jerry
}

#[test]
fn json_of_history() {
    let mut jerry = with_writes();
    for command in [
        "history -n 3",
        "history 3",
        "history 6 --since 4",
        "history --since 6m",
        "history --since 2999-01-01",
        "history 5 -n 2",
        "show 6 --at 1",
        "diff 6",
        "diff 6 --from 1 --to 3",
        "diff 3 --to 1",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn json_of_undo() {
    let mut jerry = with_writes();
    for command in [
        "undo 6",
        "undo",
        "undo 6 --if-version 9",
        "undo 6 --actor ann",
        "undo 6 --actor ann --force",
        "undo 3 --session s",
        "undo 3 --force",
        "undo 5",
        "undo --actor nobody",
        "undo 99",
        "show 6 --at 99",
        "show 6 --at 2001-01-01",
        "history --since 3",
        "update 6 -d Other",
        "update 6 -d Other --replace --if-version 1",
        "update 6 --append-description 'Some more.'",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn text_of_history() {
    let mut jerry = with_writes();
    jerry.memory.clock.advance(Duration::from_secs(3600));
    jerry.quietly("create Long -d 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine'");
    jerry.quietly(
        "update 9 -d 'ONE\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nNINE' --replace --if-version 1",
    );
    for command in [
        "history",
        "history 6 -n 1",
        "diff 9",
        "diff 6 --from 1",
        "diff 6",
        "diff 9 --to 1",
        "undo 9",
        "diff 9 --from 1",
        "release 3 --session s --note 'The rest.'",
        "undo 3 --session s",
        "undo",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    for command in ["history -n 4", "history --since 2999-01-01"] {
        jerry.run(TERMINAL, command);
    }
    jerry.run(COLOURED, "diff 9 --to 2");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn what_people_wrote_does_not_drive_the_terminal_later() {
    let mut jerry = Jerry::new();
    jerry.quietly("create Title -d 'a\u{1b}[2Jb\u{202e}c'");
    jerry.quietly("update 3 --append-description '\u{7}' -m 'c1\u{9b}2J' --actor 'x\u{202e}y'");
    for style in [Style::PLAIN, TERMINAL] {
        for command in ["history", "history 3", "diff 3", "diff 3 --json", "history --json"] {
            let (_, out) = jerry.answer(style, command);
            let hostile = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
            assert!(!out.contains(hostile), "{command}: {out:?}");
        }
    }
}
