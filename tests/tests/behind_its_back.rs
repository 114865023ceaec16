//! Other programs write to the store: editors, git, scripts. What a command shows is what the
//! items say now.

#![allow(clippy::disallowed_methods, reason = "tests write behind jerry's back on purpose")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use jerry_tests::strace::{can_inject, tampered};
use jerry_tests::{Jerry, Running, git, list, skip, tool};
use rstest::rstest;
use serde_json::Value;

/// The titles that `list` shows, by id.
fn titles(jerry: &Jerry) -> Vec<(String, String)> {
    let answer = jerry.ok(["list", "--all", "--limit", "0"]);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut titles: Vec<_> = list(&answer["items"])
        .iter()
        .map(|item| (text(&item["id"]), text(&item["title"])))
        .collect();
    titles.sort();
    titles
}

/// The titles that the files have, by id.
fn titles_in_files(jerry: &Jerry) -> Vec<(String, String)> {
    let items = jerry.items().into_iter();
    items.map(|(id, item)| (id, item["title"].as_str().expect("a title").to_owned())).collect()
}

/// Replaces `from` by `to` in an item's file, in place, as some editors do.
fn edit(jerry: &Jerry, id: &str, from: &str, to: &str) {
    let text = fs::read_to_string(jerry.item_path(id)).expect("readable");
    assert!(text.contains(from), "{text}");
    fs::write(jerry.item_path(id), text.replacen(from, to, 1)).expect("writable");
}

/// A store whose index has been written: the items in it have been left alone for long enough.
fn with_index() -> (Jerry, Vec<String>) {
    let jerry = Jerry::new();
    let titles: Vec<_> = (0..40).map(|number| format!("title {number:02}")).collect();
    let made = jerry.ok(["create"].into_iter().chain(titles.iter().map(String::as_str)));
    let text = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let ids = list(&made["items"]).iter().map(text).collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !jerry.path("data/index.json").try_exists().expect("readable") {
        assert!(Instant::now() < deadline, "no list ever wrote the index");
        jerry.ok(["list"]);
    }
    (jerry, ids)
}

#[test]
fn an_item_edited_by_hand_is_shown_as_it_is() {
    let (jerry, ids) = with_index();
    edit(&jerry, &ids[3], "title 03", "by hand!");
    assert_eq!(titles(&jerry)[3].1, "by hand!");
    assert_eq!(jerry.ok(["show", &ids[3]])["item"]["title"], "by hand!");
    jerry.ok(["note", &ids[3], "on top of it"]);
    assert_eq!(jerry.item(&ids[3])["title"], "by hand!");
    assert_eq!(titles(&jerry), titles_in_files(&jerry));
}

/// The same size and the same time of change: only the kernel's own time tells.
#[test]
#[cfg_attr(windows, ignore = "Windows has such a time, but not for every program to read")]
fn an_edit_that_hides_its_time_is_seen() {
    let (jerry, ids) = with_index();
    let path = jerry.item_path(&ids[7]);
    let time = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("known");
    edit(&jerry, &ids[7], "title 07", "TITLE 07");
    File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("mine");
    assert_eq!(titles(&jerry)[7].1, "TITLE 07");
}

/// Twice within the grain of the file system's clock, with a list between.
#[test]
fn two_edits_in_one_tick_are_both_seen() {
    let (jerry, ids) = with_index();
    for round in 0..20 {
        edit(&jerry, &ids[0], "title 00", "TITLE 00");
        assert_eq!(titles(&jerry)[0].1, "TITLE 00", "{round}");
        edit(&jerry, &ids[0], "TITLE 00", "title 00");
        assert_eq!(titles(&jerry)[0].1, "title 00", "{round}");
    }
}

#[test]
fn files_that_come_and_go_are_seen() {
    let (jerry, ids) = with_index();
    let parked = jerry.folder().join("parked");
    fs::rename(jerry.item_path(&ids[5]), &parked).expect("moved");
    assert_eq!(titles(&jerry).len(), 39);
    assert_eq!(jerry.refused(3, ["show", &ids[5]])["code"], "not_found");
    fs::rename(&parked, jerry.item_path(&ids[5])).expect("moved");
    assert_eq!(titles(&jerry), titles_in_files(&jerry));
    // Two files exchanged: same names, same sizes, other content.
    let (one, two) = (jerry.item_path(&ids[1]), jerry.item_path(&ids[2]));
    let (first, second) = (jerry.bytes(&ids[1]), jerry.bytes(&ids[2]));
    fs::write(&one, String::from_utf8(second).expect("text").replace(&ids[2], &ids[1]))
        .expect("written");
    fs::write(&two, String::from_utf8(first).expect("text").replace(&ids[1], &ids[2]))
        .expect("written");
    assert_eq!(titles(&jerry)[1].1, "title 02");
    assert_eq!(titles(&jerry), titles_in_files(&jerry));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Deleted,
    Empty,
    Truncated,
    Garbage,
    OlderCopy,
    OtherStores,
    ReadOnlyFolder,
    Folder,
}

#[rstest]
#[case(Harm::Deleted)]
#[case(Harm::Empty)]
#[case(Harm::Truncated)]
#[case(Harm::Garbage)]
#[case(Harm::OlderCopy)]
#[case(Harm::OtherStores)]
#[cfg_attr(windows, ignore = "a folder cannot be made read-only there")]
#[case(Harm::ReadOnlyFolder)]
#[case(Harm::Folder)]
fn an_index_that_was_harmed_changes_nothing(#[case] harm: Harm) {
    let (jerry, ids) = with_index();
    let path = jerry.path("data/index.json");
    let old = fs::read(&path).expect("readable");
    jerry.ok(["update", &ids[0], "--title", "updated"]);
    edit(&jerry, &ids[1], "title 01", "by hand");
    jerry.ok(["--yes", "delete", &ids[2]]);
    jerry.create("created since");
    titles(&jerry);
    match harm {
        Harm::Deleted => fs::remove_file(&path).expect("there"),
        Harm::Empty => fs::write(&path, "").expect("writable"),
        Harm::Truncated => fs::write(&path, &old[..old.len() / 2]).expect("writable"),
        Harm::Garbage => fs::write(&path, b"\x00\xff{]").expect("writable"),
        Harm::OlderCopy => fs::write(&path, &old).expect("writable"),
        Harm::OtherStores => {
            let (other, _) = with_index();
            fs::copy(other.path("data/index.json"), &path).expect("copied");
        }
        Harm::ReadOnlyFolder => {
            let status = Command::new("chmod").arg("a-w").arg(jerry.path("data")).status();
            assert!(status.expect("runs").success());
        }
        Harm::Folder => {
            fs::remove_file(&path).expect("there");
            fs::create_dir(&path).expect("made");
        }
    }
    let shown = titles(&jerry);
    assert_eq!(shown, titles_in_files(&jerry), "{harm:?}");
    assert_eq!(shown.len(), 40);
    assert_eq!(titles(&jerry), shown, "and again");
    if harm != Harm::ReadOnlyFolder {
        return;
    }
    let status = Command::new("chmod").arg("u+w").arg(jerry.path("data")).status();
    assert!(status.expect("runs").success());
}

/// An index that says of every file what the file system says of it, with another title. Such a
/// one is not made by chance, and its checksum is what tells.
#[test]
fn an_index_that_was_edited_is_not_believed() {
    let (jerry, _) = with_index();
    let path = jerry.path("data/index.json");
    let text = fs::read_to_string(&path).expect("readable");
    assert!(text.contains("title 09"));
    fs::write(&path, text.replace("title 09", "title 90")).expect("writable");
    assert_eq!(titles(&jerry), titles_in_files(&jerry));
}

#[test]
fn git_checkout_and_stash_are_followed() {
    if !tool("git") {
        return skip("git is missing");
    }
    let (jerry, ids) = with_index();
    git(&jerry, &["init", "-q"]);
    git(&jerry, &["add", "-A"]);
    git(&jerry, &["commit", "-qm", "one"]);
    let tracked = git(&jerry, &["ls-files"]);
    for derived in ["index.json", "sequences.json", "local/"] {
        assert!(!tracked.contains(derived), "{derived} is tracked:\n{tracked}");
    }
    assert!(tracked.contains(&format!("items/{}.json", ids[0])));

    jerry.ok(["update", &ids[0], "--title", "on the branch"]);
    let added = jerry.create("added on the branch");
    jerry.ok(["--yes", "delete", &ids[9]]);
    git(&jerry, &["checkout", "-qb", "branch"]);
    git(&jerry, &["add", "-A"]);
    git(&jerry, &["commit", "-qm", "two"]);
    assert_eq!(titles(&jerry)[0].1, "on the branch");

    git(&jerry, &["checkout", "-q", "main"]);
    let on_main = titles(&jerry);
    assert_eq!(on_main, titles_in_files(&jerry));
    assert_eq!((on_main.len(), on_main[0].1.as_str()), (40, "title 00"));
    assert_ne!(jerry.create("a number of its own"), added, "the number is known to be taken");

    jerry.ok(["update", &ids[1], "--title", "stashed away"]);
    git(&jerry, &["stash", "-q"]);
    assert_eq!(titles(&jerry)[1].1, "title 01");
    git(&jerry, &["stash", "pop", "-q"]);
    assert_eq!(titles(&jerry)[1].1, "stashed away");

    git(&jerry, &["checkout", "-q", "--", "."]);
    assert_eq!(titles(&jerry), titles_in_files(&jerry));
    git(&jerry, &["checkout", "-q", "branch"]);
    let on_branch = titles(&jerry);
    assert_eq!(on_branch, titles_in_files(&jerry));
    assert_eq!(on_branch[0].1, "on the branch");
    jerry.ok(["note", &ids[0], "on it goes"]);
}

/// Windows lets hardly anybody make links.
#[cfg(unix)]
#[rstest]
#[case::to_a_file_outside("outside")]
#[case::to_nowhere("nowhere")]
#[case::to_another_item("sibling")]
fn a_link_in_place_of_an_item_is_refused_and_left_alone(#[case] target: &str) {
    let (jerry, ids) = with_index();
    let target = match target {
        "outside" => {
            fs::copy(jerry.item_path(&ids[4]), jerry.folder().join("outside")).expect("copied");
            jerry.folder().join("outside")
        }
        "sibling" => jerry.item_path(&ids[5]),
        _ => jerry.folder().join("nowhere"),
    };
    let before = fs::read(&target).ok();
    let path = jerry.item_path(&ids[4]);
    fs::remove_file(&path).expect("there");
    std::os::unix::fs::symlink(&target, &path).expect("made");

    let outcome = jerry.json(["list", "--all", "--limit", "0"]);
    let listed = outcome.json();
    assert_eq!(list(&listed["items"]).len(), 39, "the rest is still shown");
    let unreadable = list(&listed["unreadable"]);
    assert_eq!(unreadable.len(), 1, "{listed}");
    assert!(unreadable[0].to_string().contains(&ids[4]), "{listed}");
    for args in [&["show", &ids[4]][..], &["note", &ids[4], "no"], &["--yes", "delete", &ids[4]]] {
        let error = jerry.refused(8, args);
        assert_eq!(error["code"], "malformed");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("symbolic link")));
    }
    assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
    assert_eq!(fs::read(&target).ok(), before);
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("runs").success());
}

fn make_folder(path: &Path) {
    fs::create_dir(path).expect("made");
}

/// A pipe would hang whoever opens it, a folder cannot be read.
#[rstest]
#[cfg_attr(windows, ignore = "no folder holds a pipe there")]
#[case::a_pipe(make_pipe)]
#[case::a_folder(make_folder)]
fn something_else_in_place_of_an_item_is_reported(#[case] make: fn(&Path)) {
    let jerry = Jerry::new();
    let (gone, there) = (jerry.create("gone"), jerry.create("there"));
    fs::remove_file(jerry.item_path(&gone)).expect("there");
    make(&jerry.item_path(&gone));
    let listed = jerry.json(["list"]).json();
    assert_eq!(listed["items"][0]["id"], there.as_str());
    assert_eq!(list(&listed["unreadable"]).len(), 1);
    assert!(!jerry.json(["show", &gone]).is_ok());
    assert!(!jerry.json(["note", &gone, "no"]).is_ok());
}

/// Somebody writes to the file between jerry's read and its rename: that is a conflict, and what
/// they wrote stays.
#[test]
fn a_foreign_write_during_an_update_is_a_conflict() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("written by two");
    let staged = jerry.path("data/items").join(format!(".{id}.json.tmp"));
    // The new text stands in the temporary file and waits long enough for a person to save.
    let args = ["--json", "note", &id, "by jerry"];
    let mut running =
        Running::start(&mut tampered(&jerry, "fsync", "delay_enter=1500000", "1", &args));
    while !staged.try_exists().expect("readable") {
        assert!(running.is_alive(), "it never staged anything");
        std::thread::yield_now();
    }
    edit(&jerry, &id, "written by two", "saved by a person");
    let error = running.end().error(5);
    assert_eq!(error["code"], "changed_outside");
    assert_eq!(jerry.item(&id)["title"], "saved by a person");
    assert_eq!(jerry.item(&id)["version"], 1);
    assert_eq!(jerry.litter(), [""; 0]);
    jerry.ok(["note", &id, "by jerry, after all"]);
    assert_eq!(jerry.item(&id)["title"], "saved by a person");
}

/// A merge or an editor left one file broken: it is named with its place, the others are shown.
#[rstest]
#[case::conflict_markers("<<<<<<< HEAD\n")]
#[case::half_a_file("{\n  \"schema\": 1,\n  \"id\": ")]
#[case::empty("")]
#[case::a_byte_order_mark("\u{feff}{}")]
#[case::a_key_twice("{\"schema\":1,\"schema\":1}")]
#[case::another_thing("[]")]
fn a_broken_file_is_named_and_the_rest_is_shown(#[case] text: &str) {
    let jerry = Jerry::new();
    let (broken, whole) = (jerry.create("broken"), jerry.create("whole"));
    fs::write(jerry.item_path(&broken), text).expect("writable");
    let listed = jerry.json(["list"]).json();
    assert_eq!(list(&listed["items"]).len(), 1);
    assert_eq!(listed["items"][0]["id"], whole.as_str());
    assert_eq!(list(&listed["unreadable"]).len(), 1);
    let error = jerry.refused(8, ["note", &broken, "no"]);
    assert_eq!(error["code"], "malformed");
    assert!(error["context"]["path"].as_str().is_some_and(|path| path.contains(&broken)));
    assert_eq!(fs::read_to_string(jerry.item_path(&broken)).expect("readable"), text);
    jerry.ok(["note", &whole, "goes on"]);
}

/// Unknown fields and numbers beyond every machine type come from newer versions and from people.
#[test]
fn what_jerry_does_not_know_survives_every_command() {
    let jerry = Jerry::new();
    let id = jerry.create("with more than jerry knows");
    let unknown =
        "\"later\": [1.10, 1e400, 12345678901234567890123, -0, {\"é\": null}],\n  \"title\"";
    edit(&jerry, &id, "\"title\"", unknown);
    for args in [
        &["note", &id, "one"][..],
        &["start", &id],
        &["label", &id, "add", "a"],
        &["update", &id, "--title", "another"],
        &["complete", &id],
    ] {
        jerry.ok(args);
        let packed: String =
            String::from_utf8(jerry.bytes(&id)).expect("text").split_whitespace().collect();
        assert!(
            packed.contains("\"later\":[1.10,1e400,12345678901234567890123,-0,{\"é\":null}]"),
            "{packed}"
        );
    }
    jerry.assert_sound();
}

/// A store that lies in the future is read, and not written.
#[test]
fn a_newer_store_is_read_only() {
    let jerry = Jerry::new();
    let id = jerry.create("from the past");
    let format = jerry.path("data/format.json");
    let text = fs::read_to_string(&format).expect("readable");
    fs::write(&format, text.replace("\"format\": 1", "\"format\": 99")).expect("writable");
    let before = jerry.bytes(&id);
    assert_eq!(jerry.ok(["show", &id])["item"]["title"], "from the past");
    assert_eq!(jerry.refused(8, ["note", &id, "no"])["code"], "newer_format");
    assert_eq!(jerry.refused(8, ["create", "no"])["code"], "newer_format");
    assert_eq!(jerry.bytes(&id), before);
    assert_eq!(jerry.item_names().len(), 1);
}

/// Clocks are wrong at times; nothing may depend on them being right.
#[test]
fn items_from_the_future_are_items() {
    let (jerry, ids) = with_index();
    let future = SystemTime::now() + Duration::from_secs(86_400 * 365);
    let file = File::options().write(true).open(jerry.item_path(&ids[0])).expect("mine");
    file.set_modified(future).expect("mine");
    titles(&jerry);
    edit(&jerry, &ids[0], "title 00", "TITLE 00");
    File::options()
        .write(true)
        .open(jerry.item_path(&ids[0]))
        .and_then(|file| file.set_modified(future))
        .expect("mine");
    assert_eq!(titles(&jerry)[0].1, "TITLE 00");
}
