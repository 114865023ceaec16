//! Working on items.

use super::*;

#[test]
fn working() {
    let mut jerry = Jerry::with_items();
    jerry.run(Style::PLAIN, "work 3 -- true");
    jerry.run(Style::PLAIN, "work --next --leave -- true");
    jerry.quietly("reopen 3");
    jerry.quietly("release 3");
    let (_, answer) = jerry.answer(Style::PLAIN, "--json work 3 -- sh -c 'exit 3'");
    schemas::check(&serde_json::from_str(&answer).expect("JSON"));
    jerry.run(Style::PLAIN, "--json work 99 -- true");
    jerry.run(Style::PLAIN, "show 3");
    insta::assert_snapshot!(jerry.transcript);
}
