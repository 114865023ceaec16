//! What agents are told before they begin.

use super::*;

#[test]
fn priming() {
    let mut jerry = Jerry::with_items();
    jerry.run(Style::PLAIN, "prime");
    jerry.quietly("claim 3 --session s --lease 1h");
    for command in ["prime", "prime --for subagent", "prime --actor ann"] {
        jerry.run(Style::PLAIN, command);
    }
    jerry.json("prime");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn setting_up() {
    let mut jerry = Jerry::new();
    let folder = jerry.folder.path().join("project");
    #[expect(clippy::disallowed_methods, reason = "a folder for the test")]
    std::fs::create_dir(&folder).expect("made");
    let dir = folder.display().to_string();
    for command in ["cursor --check", "cursor", "cursor --check", "cursor --remove"] {
        jerry.run(Style::PLAIN, &format!("setup {command} --dir {dir}"));
    }
    jerry.json(&format!("setup agents-md --dir {dir}"));
    jerry.json(&format!("setup codex --check --dir {dir}"));
    jerry.json(&format!("setup claude --check --dir {dir}"));
    jerry.json(&format!("setup claude --dir {dir}/none"));
    insta::assert_snapshot!(jerry.transcript.replace(&dir, "FOLDER"));
}

#[test]
fn no_more_than_is_wanted() {
    let mut jerry = Jerry::with_items();
    for command in [
        "list --compact",
        "list --all --fields id,labels,parent,depends_on,claim,progress --sort id",
        "ready --fields id,title --limit 5",
        "show 6 --compact",
        "show 6 --fields id,acceptance_criteria,external_ref",
        "list --fields id,colour",
        "show 6 --fields ''",
    ] {
        jerry.run(Style::PLAIN, command);
        jerry.json(command);
    }
    jerry.run(TERMINAL, "list --compact");
    insta::assert_snapshot!(jerry.transcript);
}
