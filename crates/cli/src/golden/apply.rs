//! Plans.

use super::*;

#[test]
fn plans() {
    let mut jerry = Jerry::with_items();
    let file = jerry.folder.path().join("plan.json");
    let plan = r#"{"items": [
        {"name": "build", "title": "Build it", "needs": ["draw", "3"], "labels": ["new"]},
        {"name": "draw", "title": "Draw it", "children": [{"title": "Find paper"}]},
        {"id": "6", "priority": "critical"}
    ]}"#;
    let write = |text: &str| {
        #[expect(clippy::disallowed_methods, reason = "a file for the test")]
        std::fs::write(&file, text).expect("written");
    };
    write(plan);
    let file = file.display().to_string();
    jerry.run(Style::PLAIN, &format!("apply {file} --dry-run"));
    jerry.json(&format!("apply {file} --request-id r-1"));
    jerry.run(Style::PLAIN, &format!("apply {file} --request-id r-1"));
    write(r#"[{"title": "a", "needs": ["nothing"]}]"#);
    jerry.json(&format!("apply {file}"));
    write(r#"[{"title": "a", "prio": "high"}]"#);
    jerry.run(Style::PLAIN, &format!("apply {file}"));
    insta::assert_snapshot!(jerry.transcript.replace(&file, "FILE"));
}
