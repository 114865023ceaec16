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
