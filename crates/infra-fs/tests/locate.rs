//! Which store a command means, from where it runs.

#![allow(clippy::disallowed_methods, reason = "tests lay out folders")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jerry_infra_fs::{LocateError, Located, Reason, Whereabouts, locate, locate_new};
use rstest::rstest;
use tempfile::TempDir;

/// A folder whose path has no link in it, as git prints paths.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().canonicalize().expect("is there");
    (folder, path)
}

fn at(directory: &Path) -> Whereabouts {
    Whereabouts { directory: directory.to_owned(), ..Whereabouts::default() }
}

fn make(path: PathBuf) -> PathBuf {
    fs::create_dir_all(&path).expect("makes it");
    path
}

fn git(directory: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .current_dir(directory)
        .status();
    assert!(status.expect("git runs").success());
}

#[allow(clippy::print_stderr, reason = "a skipped test has to show")]
fn is_git_here() -> bool {
    let here = Command::new("git").arg("--version").output().is_ok();
    if !here {
        eprintln!("SKIPPED what is asked of git's own worktrees: git is missing");
    }
    here
}

#[test]
fn the_nearest_one_upwards_is_meant() {
    let (_keep, top) = folder();
    let root = make(top.join(".jerry"));
    let inner = make(top.join("a/b/c"));
    assert_eq!(locate(&at(&inner)).expect("found"), Located { root, reason: Reason::Upwards });
    let nearer = make(top.join("a/.jerry"));
    assert_eq!(locate(&at(&inner)).expect("found").root, nearer);
}

#[test]
fn without_one_the_search_says_where_it_began() {
    let (_keep, top) = folder();
    assert!(matches!(
        locate(&at(&top)),
        Err(LocateError::NotFound { directory }) if directory == top
    ));
    let new = locate_new(&at(&top)).expect("tells where");
    assert_eq!(new.root, top.join(".jerry"));
}

#[test]
fn a_flag_counts_before_the_environment_and_both_before_the_folder() {
    let (_keep, top) = folder();
    make(top.join(".jerry"));
    let flag = Whereabouts { flag: Some("x".into()), environment: Some("y".into()), ..at(&top) };
    let found = locate(&flag).expect("named");
    assert_eq!(found, Located { root: top.join("x/.jerry"), reason: Reason::Flag });
    let environment = Whereabouts { environment: Some("y/.jerry".into()), ..at(&top) };
    let found = locate(&environment).expect("named");
    assert_eq!(found, Located { root: top.join("y/.jerry"), reason: Reason::Environment });
}

#[test]
fn a_linked_worktree_shares_the_main_ones_store() {
    if !is_git_here() {
        return;
    }
    let (_keep, top) = folder();
    let main = make(top.join("main"));
    git(&main, &["init", "-q"]);
    let root = make(main.join(".jerry"));
    let inner_root = make(main.join("inner/.jerry"));
    for folder in [&root, &inner_root] {
        fs::write(folder.join("config.toml"), "").expect("writes");
    }
    git(&main, &["add", "-A"]);
    git(&main, &["commit", "-q", "-m", "x"]);
    git(&main, &["worktree", "add", "-q", "../linked"]);
    let linked = top.join("linked");
    assert!(fs::metadata(linked.join(".jerry")).is_ok(), "the checkout brings a copy");
    let reason = Reason::MainWorktree;
    for (directory, root) in [(linked.clone(), &root), (linked.join("inner"), &inner_root)] {
        let found = locate(&at(&directory)).expect("found");
        assert_eq!(found, Located { root: root.clone(), reason: reason.clone() });
    }
    let project = Whereabouts { project: Some("p".to_owned()), ..at(&linked) };
    let found = locate(&project).expect("named").root;
    assert_eq!(found, main.join("projects/p/.jerry"));
}

#[rstest]
#[case("../x")]
#[case("a/b")]
#[case("")]
#[case(".")]
#[case("/etc")]
fn a_project_is_one_folders_name(#[case] name: &str) {
    let (_keep, top) = folder();
    let project = Whereabouts { project: Some(name.to_owned()), ..at(&top) };
    assert!(matches!(locate(&project), Err(LocateError::ProjectName { .. })));
}
