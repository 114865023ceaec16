//! A store that is committed: what git does to it, and what jerry does for git.

#![allow(clippy::disallowed_methods, reason = "tests look at files without jerry")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use jerry_domain::{Uid, WorkItem};
use jerry_tests::{Dice, Jerry, Outcome, git, git_outcome, list, skip, tool};

/// A repository whose items jerry merges, with these committed on `main`.
fn merging(titles: &[&str]) -> Option<Jerry> {
    let jerry = repository()?;
    jerry.ok(["setup", "git"]);
    for title in titles {
        jerry.create(title);
    }
    commit(&jerry, "base");
    Some(jerry)
}

fn commit(jerry: &Jerry, message: &str) {
    git(jerry, &["add", "-A"]);
    git(jerry, &["commit", "-q", "--allow-empty", "-m", message]);
}

/// The branch `name` as another clone has it, which shares nothing but what is committed.
fn other_clone(jerry: &Jerry, name: &str, from: &str) {
    git(jerry, &["checkout", "-q", "-B", name, from]);
    for derived in ["data/sequences.json", "data/index.json"] {
        let _ = fs::remove_file(jerry.path(derived));
    }
}

/// Merges two branches in both directions, checks that both make the same, and stays there.
fn merge_both_ways(jerry: &Jerry, ours: &str, theirs: &str) {
    let tree = |from: &str, other: &str, name: &str| {
        other_clone(jerry, name, from);
        let outcome = git_outcome(jerry, &["merge", "-q", "-m", "merge", other]);
        assert!(outcome.is_ok(), "{outcome}\n{}", git(jerry, &["status", "--short"]));
        git(jerry, &["rev-parse", "HEAD^{tree}"])
    };
    let back = tree(theirs, ours, "back");
    assert_eq!(tree(ours, theirs, "merged"), back, "{}", git(jerry, &["diff", "back", "merged"]));
}

/// Every item of the store, those beside others in one file included.
fn items_of(jerry: &Jerry) -> BTreeMap<Uid, WorkItem> {
    let parse = |id: String| -> WorkItem {
        serde_json::from_slice(&jerry.bytes(&id)).unwrap_or_else(|error| panic!("{id}: {error}"))
    };
    jerry.item_names().into_iter().flat_map(|id| parse(id).in_file()).collect()
}

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

#[test]
fn without_git_it_is_said_what_is_missing() {
    let jerry = Jerry::new();
    let outcome = Outcome::of(jerry.command(["--json", "setup", "git"]).env("PATH", "/nowhere"));
    let error = outcome.error(4);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("install git")), "{error}");
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

#[test]
fn of_two_that_claimed_an_item_on_two_branches_the_first_has_it() {
    let Some(jerry) = merging(&["one"]) else { return };
    other_clone(&jerry, "ours", "main");
    jerry.ok(["claim", "1", "--actor", "ann"]);
    commit(&jerry, "claimed");
    other_clone(&jerry, "theirs", "main");
    let late = jerry.ok(["claim", "1", "--actor", "bob", "--session", "b"]);
    jerry.ok(["note", "1", "bob is at it", "--actor", "bob", "--session", "b"]);
    commit(&jerry, "claimed too");
    merge_both_ways(&jerry, "ours", "theirs");

    let item = jerry.item("WORK-001");
    assert_eq!(item["claim"]["holder"], "ann");
    assert_eq!(item["assignee"], "ann");
    assert_eq!(item["notes"][0]["text"], "bob is at it");
    // Both branches had given out the fence 2: from now on it proves nothing.
    assert_eq!(
        (&late["item"]["claim"]["fence"], &item["claim"]["fence"]),
        (&2.into(), &item["version"])
    );
    let refused = |args: &[&str]| jerry.refused(5, args)["code"].clone();
    assert_eq!(refused(&["note", "1", "x", "--actor", "bob", "--session", "b"]), "claimed");
    assert_eq!(refused(&["note", "1", "x", "--actor", "bob", "--fence", "2"]), "stale_fence");
    let fence = item["claim"]["fence"].to_string();
    jerry.ok(["note", "1", "x", "--actor", "ann", "--fence", &fence]);
}

#[test]
fn an_item_deleted_on_one_branch_and_changed_on_the_other_stays_deleted() {
    let Some(jerry) = merging(&["one", "two"]) else { return };
    other_clone(&jerry, "ours", "main");
    jerry.ok(["delete", "1"]);
    commit(&jerry, "deleted");
    other_clone(&jerry, "theirs", "main");
    jerry.ok(["note", "1", "last words"]);
    commit(&jerry, "noted");
    for (from, other) in [("ours", "theirs"), ("theirs", "ours")] {
        other_clone(&jerry, "merged", from);
        let outcome = git_outcome(&jerry, &["merge", "-q", other]);
        assert_eq!(outcome.code(), Some(1), "git asks nobody about a file that is gone: {outcome}");
        assert_eq!(jerry.refused(3, ["show", "1"])["code"], "deleted");
        assert_eq!(list(&jerry.ok(["list"])["items"]).len(), 1);
        jerry.ok(["doctor", "--fix"]);
        commit(&jerry, "merged");
        assert_eq!(git(&jerry, &["status", "--short"]), "");
        let kept = fs::read_to_string(jerry.path("local/backups/WORK-001.json.0")).expect("kept");
        assert!(kept.contains("last words"));
        fs::remove_file(jerry.path("local/backups/WORK-001.json.0")).expect("there");
    }
}

#[test]
fn what_both_branches_deleted_is_deleted_once() {
    let Some(jerry) = merging(&["one"]) else { return };
    for (branch, word) in [("ours", "ann"), ("theirs", "bob")] {
        other_clone(&jerry, branch, "main");
        jerry.ok(["note", "1", word]);
        jerry.ok(["create", word]);
        jerry.ok(["delete", "1", "--actor", word]);
        jerry.ok(["delete", "2", "--actor", word]);
        commit(&jerry, branch);
    }
    merge_both_ways(&jerry, "ours", "theirs");
    let stone = |id: &str| {
        let text = fs::read_to_string(jerry.path("data/tombstones").join(format!("{id}.json")));
        text.expect("left")
    };
    let (one, two) = (stone("WORK-001"), stone("WORK-002"));
    assert!(one.contains("\"deleted_by\": \"ann\""), "the first deletion counts");
    assert!(["ann", "bob"].iter().all(|word| one.contains(&format!("\"text\": \"{word}\""))));
    assert!(["ann", "bob"].iter().all(|word| two.contains(&format!("\"title\": \"{word}\""))));
    assert!(jerry.findings().is_empty(), "{:?}", jerry.findings());
    assert_eq!(jerry.create("three"), "WORK-003");
}

/// git may take a new item for a deleted one that was renamed, so much alike are their files.
#[test]
fn an_item_that_git_takes_for_another_is_not_lost() {
    let Some(jerry) = merging(&["one", "two"]) else { return };
    other_clone(&jerry, "ours", "main");
    fs::rename(jerry.item_path("WORK-001"), jerry.path("copy")).expect("there");
    let new = fs::read_to_string(jerry.path("copy")).expect("readable");
    let old = jerry_uid(&new);
    let new = new.replace("WORK-001", "WORK-007").replace(&old, "7");
    fs::write(jerry.item_path("WORK-007"), new).expect("writable");
    fs::remove_file(jerry.path("copy")).expect("there");
    commit(&jerry, "one went, seven came");
    other_clone(&jerry, "theirs", "main");
    jerry.ok(["note", "1", "do not lose this"]);
    commit(&jerry, "noted");
    merge_both_ways(&jerry, "ours", "theirs");

    assert_eq!(items_of(&jerry).len(), 3);
    jerry.ok(["doctor", "--fix"]);
    let items = jerry.items();
    assert_eq!(items.len(), 3, "{:?}", items.keys());
    assert_eq!(items["WORK-007"]["uid"], "7");
    let found = items.values().find(|item| item["uid"] == old.as_str()).expect("the old one");
    assert_eq!(found["notes"][0]["text"], "do not lose this");
}

fn jerry_uid(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).expect("an item");
    value["uid"].as_str().expect("a uid").to_owned()
}

#[test]
fn references_follow_an_item_that_had_to_take_another_number() {
    let Some(jerry) = merging(&["one"]) else { return };
    for branch in ["ours", "theirs"] {
        other_clone(&jerry, branch, "main");
        jerry.ok(["create", branch]);
        let title = format!("needs {branch}");
        jerry.ok(["create", &title, "--needs", "2"]);
        commit(&jerry, branch);
    }
    merge_both_ways(&jerry, "ours", "theirs");
    let needs = |jerry: &Jerry| -> BTreeMap<String, String> {
        let answer = jerry.ok(["list"]);
        let items = list(&answer["items"]);
        let title = |id: &serde_json::Value| {
            let named: Vec<_> = items.iter().filter(|item| item["id"] == *id).collect();
            named[0]["title"].as_str().expect("a title").to_owned()
        };
        let waiting = items.iter().filter(|item| !list(&item["depends_on"]).is_empty());
        waiting.map(|item| (item["title"].to_string(), title(&item["depends_on"][0]))).collect()
    };
    assert_eq!(list(&jerry.ok(["ready"])["items"]).len(), 3);
    jerry.ok(["note", "2", "the next write"]);
    jerry.ok(["doctor", "--fix"]);
    let expected = ["ours", "theirs"].map(|name| (format!("\"needs {name}\""), name.to_owned()));
    assert_eq!(needs(&jerry), BTreeMap::from(expected));
}

#[test]
fn an_item_that_two_branches_gave_a_number_each_is_one_again() {
    let Some(jerry) = merging(&["one"]) else { return };
    for branch in ["ours", "theirs"] {
        other_clone(&jerry, branch, "main");
        jerry.ok(["create", branch]);
        commit(&jerry, branch);
    }
    merge_both_ways(&jerry, "ours", "theirs");
    for (branch, more) in [("left", 0), ("right", 2)] {
        other_clone(&jerry, branch, "merged");
        (0..more).for_each(|_| drop(jerry.create("another")));
        jerry.ok(["doctor", "--fix"]);
        let younger = if more == 0 { "WORK-003" } else { "WORK-005" };
        assert_eq!(jerry.item(younger)["title"], "theirs");
        jerry.ok(["note", younger, branch]);
        commit(&jerry, branch);
    }
    merge_both_ways(&jerry, "left", "right");
    let findings = jerry.json(["doctor"]).json();
    let ailments: Vec<_> = list(&findings["findings"]).iter().map(|it| &it["ailment"]).collect();
    assert!(ailments.iter().any(|ailment| **ailment == "duplicate_uid"), "{findings}");
    jerry.ok(["doctor", "--fix"]);
    let titles = jerry.items().into_values().map(|item| item["title"].to_string());
    assert_eq!(titles.filter(|title| title.contains("theirs")).count(), 1);
    let notes = jerry.items().into_values().map(|item| list(&item["notes"]).len()).max();
    assert_eq!(notes, Some(2));
    assert!(jerry.findings().is_empty(), "{:?}", jerry.findings());
}

#[test]
fn what_cannot_be_merged_is_a_conflict_and_ours_stays() {
    let Some(jerry) = merging(&["one"]) else { return };
    for (branch, text) in [("ours", "x"), ("theirs", "y")] {
        other_clone(&jerry, branch, "main");
        let newer = fs::read_to_string(jerry.item_path("WORK-001")).expect("readable");
        let newer = newer.replacen("\"schema\": 1", "\"schema\": 99", 1).replace("one", text);
        fs::write(jerry.item_path("WORK-001"), newer).expect("writable");
        commit(&jerry, branch);
    }
    let outcome = git_outcome(&jerry, &["merge", "-q", "ours"]);
    assert_eq!(outcome.code(), Some(1), "{outcome}");
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("upgrade jerry"), "{outcome}");
    assert_eq!(jerry.item("WORK-001")["title"], "y");
    assert!(
        git(&jerry, &["status", "--short"]).starts_with("AA")
            || git(&jerry, &["status", "--short"]).starts_with("UU")
    );
}

/// Does something to the store of one branch; answers a word that nobody else wrote and that must
/// never be lost, if it was not refused.
fn write(jerry: &Jerry, dice: &mut Dice, word: &str) -> Option<String> {
    let ids = jerry.item_names();
    let id = ids[dice.below(ids.len() as u64) as usize].clone();
    let id = id.as_str();
    let command: Vec<&str> = match dice.below(16) {
        0 | 1 => vec!["create", word],
        2 | 3 => vec!["note", id, word],
        4 => vec!["update", id, "--title", word],
        5 => vec!["update", id, "--phase", word],
        6 => vec!["update", id, "--external-ref", word],
        7 => vec!["label", id, "add", word],
        8 => vec!["check", id, "--add", word],
        9 => vec!["check", id, "--add-subtask", word],
        10 => vec!["update", id, "--finding", word],
        11 => vec!["claim", id, "--actor", word, "--session", word],
        12 => vec!["start", id, "-m", word],
        13 => vec!["complete", id, "-m", word],
        14 => vec!["dep", "add", id, "--related", "1", "--note", word],
        _ => vec!["update", id, "--priority", "low", "-m", word],
    };
    let insists = command[0] != "create" && dice.below(2) == 0;
    let outcome = jerry.json(command.iter().chain(insists.then_some(&"--force")));
    let refused = matches!(outcome.code(), Some(4 | 5));
    assert!(outcome.is_ok() || refused, "{command:?}: {outcome}");
    let unchanged = !String::from_utf8_lossy(&jerry.everything()).contains(word);
    (!refused && !unchanged).then(|| word.to_owned())
}

#[test]
fn two_hundred_random_histories_lose_nothing_whichever_way_they_are_merged() {
    let Some(jerry) = merging(&["one", "two", "three"]) else { return };
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut words = BTreeSet::new();
        let mut known = Vec::new();
        for branch in ["ours", "theirs"] {
            other_clone(&jerry, branch, "main");
            for count in 0..=dice.below(6) {
                words.extend(write(&jerry, &mut dice, &format!("w-{seed}-{branch}-{count}")));
            }
            known.push(items_of(&jerry));
            commit(&jerry, branch);
        }
        merge_both_ways(&jerry, "ours", "theirs");
        let merged = items_of(&jerry);
        for (uid, item) in known.iter().flatten() {
            let merged = merged.get(uid).unwrap_or_else(|| panic!("{seed}: {uid} is lost"));
            let is_known = merged.absorb(item).expect("mergeable").is_none();
            assert!(is_known, "{seed}: a version of {} is lost", item.id);
            for version in 1..merged.version {
                merged.at_version(version).unwrap_or_else(|error| panic!("{seed}: {error}"));
            }
        }
        let text = String::from_utf8(jerry.everything()).expect("text");
        let lost: Vec<_> = words.iter().filter(|word| !text.contains(*word)).collect();
        assert!(lost.is_empty(), "{seed}: {lost:?} are lost");

        // Readers show every one, and each gets a number of its own.
        let listed = |jerry: &Jerry| -> BTreeSet<String> {
            let answer = jerry.ok(["list", "--all", "--limit", "0"]);
            list(&answer["items"]).iter().map(|item| item["uid"].to_string()).collect()
        };
        let uids: BTreeSet<_> = merged.keys().map(|uid| format!("\"{uid}\"")).collect();
        assert_eq!(listed(&jerry), uids, "{seed}");
        jerry.ok(["doctor", "--fix"]);
        assert_eq!(listed(&jerry), uids, "{seed}");
        assert_eq!(jerry.item_names().len(), uids.len(), "{seed}");
        jerry.assert_sound();
        assert!(jerry.findings().is_empty(), "{seed}: {:?}", jerry.findings());
        git(&jerry, &["checkout", "-q", "-f", "main"]);
        git(&jerry, &["clean", "-q", "-f", "-d", ".jerry/data/items"]);
    }
}

trait Everything {
    fn everything(&self) -> Vec<u8>;
}

impl Everything for Jerry {
    /// The bytes of all items.
    fn everything(&self) -> Vec<u8> {
        self.item_names().iter().flat_map(|id| self.bytes(id)).collect()
    }
}
