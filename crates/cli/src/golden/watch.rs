//! What has changed, and what has not.

use super::*;

#[test]
fn changes() {
    let mut jerry = Jerry::with_items();
    jerry.json("watch --timeout 0 --once");
    jerry.quietly("note 3 'Something'");
    jerry.quietly("create 'A new one' -p high -m 'to see it'");
    jerry.quietly("delete 5 --force -m 'not needed'");
    for command in [
        "watch --since seen-1 --once",
        "watch --since seen-1 --once --limit 1",
        "watch --since seen-2 --timeout 0",
        "watch --since seen-9",
        "watch --since ../x",
        "watch --since seen-1 --status pending",
        "watch --parent 99",
    ] {
        jerry.json(command);
    }
    jerry.json("watch --once --timeout 0 --status pending -l proof");
    for command in ["watch --since seen-1 --once", "watch --since seen-2 --timeout 0"] {
        jerry.run(Style::PLAIN, command);
        jerry.run(TERMINAL, command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn an_item_that_the_filter_lets_through_no_longer_has_left() {
    let mut jerry = Jerry::with_items();
    jerry.json("watch --once --timeout 0 --status pending");
    jerry.quietly("start 3");
    jerry.json("watch --since seen-1 --once --status pending");
    jerry.quietly("note 3 'Nobody is told who asks for what is pending'");
    jerry.json("watch --since seen-2 --once --timeout 0 --status pending");
    jerry.quietly("release 3");
    jerry.json("watch --since seen-3 --once --status pending");
    insta::assert_snapshot!(jerry.transcript);
}
