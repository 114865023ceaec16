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
