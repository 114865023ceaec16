//! What can be begun, what waits, and why.

use super::*;

#[test]
fn who_has_what_and_how_far_the_parts_are() {
    let mut jerry = Jerry::new();
    jerry.quietly("create 'A plan' -t epic");
    jerry.quietly("create 'Part one' --parent 3");
    jerry.quietly("create 'Part two' --parent 3");
    jerry.quietly("start 5");
    jerry.quietly("complete 5");
    jerry.quietly("claim 6 --session s --lease 90s");
    for command in ["list", "ready", "show 3", "show 6"] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.run(TERMINAL, "list");
    for command in ["list", "ready", "show 3"] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn what_is_completed_has_no_unfinished_parts() {
    let mut jerry = Jerry::new();
    jerry.quietly("create 'A plan' -t epic");
    jerry.quietly("create 'Part one' --parent 3");
    jerry.quietly("create 'Part two' --parent 3");
    jerry.quietly("cancel 6");
    jerry.quietly("start 3");
    jerry.run(Style::PLAIN, "complete 3");
    jerry.json("complete 3");
    jerry.quietly("start 5");
    jerry.quietly("complete 5");
    for command in [
        "complete 3",
        "reopen 5",
        "create 'Part three' --parent 3",
        "create 'Part four' --parent 3 --force",
        "q 'Elsewhere'",
        "update 12 --parent 3",
        "update 12 --parent 3 --force",
        "reopen 3",
        "reopen 5",
        "update 3 -s completed --force -m 'The rest is for later'",
        "show 3",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.json("create 'Part five' --parent 3");
    insta::assert_snapshot!(jerry.transcript);
}

/// 3 is an epic with the parts 5 (done), 6 (claimed), 9 (blocked) and 11, which needs 6 and 9; 12
/// needs the epic and 6.
fn plan() -> Jerry {
    let mut jerry = Jerry::new();
    for command in [
        "create 'A plan' -t epic",
        "create 'Find out' --parent 3",
        "create 'Choose' --parent 3 --needs 5 -p high",
        "create 'Ask' --parent 3 --needs 5",
        "create 'Do it' --parent 3 --needs 6,9",
        "create 'Tell' --needs 3,6",
        "start 5",
        "complete 5 -m 'nothing to find'",
        "claim 6 --session s",
        "start 9",
        "block 9 -m 'nobody answers'",
    ] {
        jerry.quietly(command);
    }
    jerry
}

#[test]
fn why_items_stand_where_they_stand() {
    let mut jerry = plan();
    for item in [3, 5, 6, 9, 11, 12] {
        jerry.run(Style::PLAIN, &format!("why {item}"));
    }
    jerry.quietly("release 6 --session s");
    jerry.quietly("delete 9 --force");
    for command in ["why 12", "why 6", "why 9"] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.json("why 12");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn what_waits_and_what_is_ready_says_why() {
    let mut jerry = plan();
    for command in ["blocked", "blocked --limit 1", "ready --explain", "ready --explain -n 1"] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.run(TERMINAL, "ready --explain");
    for command in ["blocked", "ready --explain"] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn plans_as_trees_and_chains() {
    let mut jerry = plan();
    for command in [
        "dep tree 12",
        "dep tree 12 --parts",
        "dep tree 12 --parts --all",
        "dep tree 5 --reverse",
        "dep tree 5 --reverse --all",
        "dep critical-path",
        "dep critical-path 3",
        "dep critical-path 5",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    for command in ["dep tree 11", "dep critical-path 3", "dep tree 99", "dep critical-path 99"] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

/// Ann hands over what she has to bob, who is told what to do.
#[test]
fn what_was_handed_over_waits_for_one() {
    let mut jerry = Jerry::new();
    for command in [
        "create 'Half done'",
        "create 'Next' --needs 3",
        "--actor ann claim 3 --session s",
        "--actor ann note 3 'Not mine, as it seems'",
        "--actor ann handoff 3 --to bob --session s",
        "--actor bob ready",
        "--actor ann ready",
        "--actor bob ready --explain",
        "--actor ann ready --explain",
        "show 3",
        "why 5",
        "--actor bob note 3 'Mine'",
        "--actor bob claim 3",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.json("--actor bob why 3");
    insta::assert_snapshot!(jerry.transcript);
}
