//! A store that is committed: what git does to it, and what jerry does for git.

#![allow(clippy::disallowed_methods, reason = "tests look at files without jerry")]

use std::fs;
use std::path::PathBuf;

use jerry_tests::{Jerry, git, list, skip, tool};

/// A repository with a store, or nothing where git is missing.
fn repository() -> Option<Jerry> {
    if !tool("git") {
        skip("git is missing");
        return None;
    }
    let jerry = Jerry::new();
    git(&jerry, &["init", "-q"]);
    Some(jerry)
}

fn configuration(jerry: &Jerry) -> PathBuf {
    jerry.folder().join(".git/config")
}

#[test]
fn set_up_for_git_and_taken_back_leaves_no_trace() {
    let Some(jerry) = repository() else { return };
    let attributes = jerry.path(".gitattributes");
    let before = fs::read(configuration(&jerry)).expect("readable");
    let absent = jerry.refused_check();
    assert!(absent.iter().all(|state| state == "absent"), "{absent:?}");

    for _ in 0..2 {
        assert_eq!(jerry.ok(["setup", "git"])["set_up"], true);
    }
    assert_eq!(jerry.ok(["setup", "git", "--check"])["set_up"], true);
    let driver = git(&jerry, &["config", "merge.jerry.driver"]);
    assert!(driver.ends_with(" merge-driver %O %A %B %P\n"), "{driver}");
    let item = ".jerry/data/items/WORK-001.json";
    assert_eq!(git(&jerry, &["check-attr", "merge", item]), format!("{item}: merge: jerry\n"));
    let text = fs::read_to_string(&attributes).expect("written");
    assert_eq!(text.matches("begin").count(), 1, "{text}");

    git(&jerry, &["config", "merge.jerry.driver", "another"]);
    assert!(jerry.refused_check().contains(&"outdated".to_owned()));
    jerry.ok(["setup", "git"]);
    assert_eq!(git(&jerry, &["config", "merge.jerry.driver"]), driver);

    for _ in 0..2 {
        assert_eq!(jerry.ok(["setup", "git", "--remove"])["set_up"], false);
    }
    assert!(fs::symlink_metadata(&attributes).is_err(), "the file was made for it");
    assert_eq!(fs::read(configuration(&jerry)).expect("readable"), before);
}

#[test]
fn a_file_that_was_there_comes_back_byte_by_byte() {
    let Some(jerry) = repository() else { return };
    let attributes = jerry.path(".gitattributes");
    for text in ["", "*.png binary", "*.png binary\n", "a -text\r\nb -text\r\n"] {
        fs::write(&attributes, text).expect("writable");
        jerry.ok(["setup", "git"]);
        assert_ne!(fs::read_to_string(&attributes).expect("readable"), text);
        jerry.ok(["setup", "git", "--remove"]);
        assert_eq!(fs::read_to_string(&attributes).expect("readable"), text);
    }
}

#[test]
fn outside_a_repository_nothing_is_set_up() {
    if !tool("git") {
        return skip("git is missing");
    }
    let jerry = Jerry::new();
    let error = jerry.refused(4, ["setup", "git"]);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("git init")), "{error}");
    assert!(fs::symlink_metadata(jerry.path(".gitattributes")).is_err());
}

trait Check {
    fn refused_check(&self) -> Vec<String>;
}

impl Check for Jerry {
    /// The states of the parts that `setup git --check` finds wanting.
    fn refused_check(&self) -> Vec<String> {
        let outcome = self.json(["setup", "git", "--check"]);
        assert_eq!(outcome.code(), Some(4), "{outcome}");
        let answer = outcome.json();
        let state = |part: &serde_json::Value| part["is"].as_str().expect("a state").to_owned();
        list(&answer["parts"]).iter().map(state).collect()
    }
}
