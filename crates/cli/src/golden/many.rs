//! Commands on several items.

use super::*;

#[test]
fn several_items() {
    let mut jerry = Jerry::with_items();
    for command in ["note 3 6 'About both'", "start 3 6 99", "complete 5 99"] {
        jerry.json(command);
    }
    for command in [
        "block 3 6",
        "start 3 3",
        "start 6 99",
        "start 3 99",
        "release 3 6 --note 'Back'",
        "claim 3 6 --session s",
        "release 3 6 --session s",
        "label 3 6 add x,y",
        "label add 3 z",
        "label 3 6 remove x y",
        "cancel 3 6",
        "reopen 3 6 5",
        "delete 6 3 99",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn what_is_no_command_on_several_items() {
    let mut jerry = Jerry::with_items();
    for command in [
        "start 3 6 --if-version 1",
        "start 3 6 --fence 1",
        "start 3 nonsense",
        "note 3 without quotes",
        "note 3",
        "label 3 6",
        "label 3 6 add",
        "label add 3",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.run(Style::PLAIN, "list --fields id,version");
    insta::assert_snapshot!(jerry.transcript);
}
