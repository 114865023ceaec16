//! What agents and their programs are told of jerry, some of it in files that are not its own.

#![allow(clippy::disallowed_methods, reason = "tests look at files as they are")]

use std::fs;
#[cfg(unix)]
use std::path::Path;

use jerry_tests::{Jerry, Outcome};

const ALL: [&str; 5] = ["claude", "codex", "cursor", "gemini", "agents-md"];

/// Everything beside the store.
fn beside(jerry: &Jerry) -> Vec<String> {
    let names = fs::read_dir(jerry.folder())
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    names.filter(|name| name != ".jerry").collect()
}

#[test]
fn what_is_not_set_up_is_removed_without_a_trace() {
    let jerry = Jerry::new();
    for target in ALL {
        for _ in 0..2 {
            jerry.ok(["setup", target, "--remove"]);
            assert_eq!(beside(&jerry), [""; 0], "{target}");
        }
        jerry.ok(["setup", target]);
        assert_eq!(beside(&jerry).len(), 1, "{target}");
        for _ in 0..2 {
            jerry.ok(["setup", target, "--remove"]);
            assert_eq!(beside(&jerry), [""; 0], "{target}");
        }
    }
}

/// What cannot be written into is left as it is, and each is told what to do about it.
#[test]
fn what_is_no_text_file_is_left_alone() {
    let jerry = Jerry::new();
    let claude = jerry.folder().join("CLAUDE.md");
    let refused = |said: &str| {
        for mode in [None, Some("--check"), Some("--remove")] {
            let error = jerry.json(["setup", "claude"].into_iter().chain(mode));
            let status = error.code().expect("an exit status");
            let hint = error.error(status)["hint"].as_str().expect("text").to_owned();
            assert!(hint.contains(said), "{mode:?}: {hint}");
        }
    };
    fs::create_dir(&claude).expect("made");
    refused("move it away");
    fs::remove_dir(&claude).expect("removed");
    fs::write(&claude, b"caf\xe9\n").expect("written");
    refused("UTF-8");
    assert_eq!(fs::read(&claude).expect("readable"), b"caf\xe9\n");
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_file_that_it_points_at() {
    let jerry = Jerry::new();
    let claude = jerry.folder().join("CLAUDE.md");
    std::os::unix::fs::symlink("AGENTS.md", &claude).expect("made");
    let error = jerry.json(["setup", "claude"]).error(4);
    assert!(error["hint"].as_str().expect("text").contains("`jerry setup agents-md`"), "{error}");
    jerry.ok(["setup", "agents-md"]);
    assert!(fs::read_to_string(&claude).expect("through the link").contains("jerry prime"));
    assert!(fs::symlink_metadata(&claude).expect("there").is_symlink());
}

/// Who may replace a file may write into it, and its mode stays.
#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_its_bytes() {
    use std::os::unix::fs::PermissionsExt;

    let jerry = Jerry::new();
    let claude = jerry.folder().join("CLAUDE.md");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    for text in ["ours\n", "ours\r\nand theirs\r\n", "ours\r\nwithout an end"] {
        fs::write(&claude, text).expect("written");
        fs::set_permissions(&claude, fs::Permissions::from_mode(0o444)).expect("set");
        jerry.ok(["setup", "claude"]);
        assert_eq!(mode(&claude), 0o444);
        let with = fs::read_to_string(&claude).expect("readable");
        assert_eq!(with.contains("\r\n## Work items"), text.contains('\r'), "{with:?}");
        jerry.ok(["setup", "claude", "--remove"]);
        assert_eq!(
            (fs::read_to_string(&claude).expect("readable").as_str(), mode(&claude)),
            (text, 0o444)
        );
        fs::remove_file(&claude).expect("removed");
    }
}

/// Nobody is sent to work on what is not there.
#[test]
fn a_subagent_is_told_of_an_item_that_there_is() {
    let jerry = Jerry::new();
    let id = jerry.create("x");
    let prime = |item: &str| {
        let mut prime = jerry.command(["--json", "prime", "--for", "subagent"]);
        Outcome::of(prime.env("JERRY_ITEM", item))
    };
    let said = prime(&id).json()["text"].as_str().expect("text").to_owned();
    assert!(said.contains(&format!("You work on {id}")), "{said}");
    for (item, status) in [("99", 3), ("zz", 2)] {
        let error = prime(item).error(status);
        assert!(error["message"].as_str().expect("text").starts_with("JERRY_ITEM: "), "{error}");
    }
}
