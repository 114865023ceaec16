//! Input that means harm, or a cat on the keyboard. Each gets a clear error with its exit status,
//! nothing is lost, and nothing is drawn on the terminal.

#![allow(clippy::disallowed_methods, reason = "tests write behind jerry's back on purpose")]

use std::ffi::{OsStr, OsString};
use std::fs;

use jerry_tests::{Jerry, Outcome, list};
use rstest::rstest;

/// Nothing that a terminal would act on: no control character but line ends and tabs, none of the
/// marks that turn the direction of text.
fn assert_plain(outcome: &Outcome) {
    for bytes in [&outcome.stdout, &outcome.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("not UTF-8: {outcome}"));
        let acts = |c: &char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let found = text.chars().find(acts);
        assert_eq!(found, None, "{}", text.escape_debug());
    }
}

fn assert_clear(outcome: &Outcome, statuses: &[i32]) {
    let status = outcome.code().unwrap_or_else(|| panic!("killed: {outcome}"));
    assert!(statuses.contains(&status), "{outcome}");
    assert_plain(outcome);
    assert!(!outcome.to_string().contains("panicked"), "{outcome}");
}

const IDS: [&str; 16] = [
    "../x",
    "WORK-1/..",
    "/etc/passwd",
    "WORK-001.json",
    "..",
    ".",
    "",
    " ",
    "WORK-",
    "-1",
    "WORK-1234567890123",
    "WORK-٤٢",
    "WORK-1\u{1b}[2J",
    "WORK-001\n",
    "работа-1",
    "%2e%2e%2fx",
];

#[rstest]
#[case::show(&["show"], &[])]
#[case::note(&["note"], &["text"])]
#[case::start(&["start"], &[])]
#[case::update(&["update", "--title", "x"], &[])]
#[case::delete(&["--yes", "delete"], &[])]
#[case::label(&["label"], &["add", "x"])]
#[case::needs(&["create", "x", "--needs"], &[])]
#[case::parent(&["create", "x", "--parent"], &[])]
fn ids_that_are_no_ids(#[case] before: &[&str], #[case] after: &[&str]) {
    let jerry = Jerry::new();
    let id = jerry.create("unharmed");
    let bytes = jerry.bytes(&id);
    for hostile in IDS {
        for json in [&["--json"][..], &[]] {
            let outcome = jerry.run([json, before, &["--", hostile], after].concat());
            let outcome = if before.last().is_some_and(|last| last.starts_with("--")) {
                let joined = format!("{}={hostile}", before[before.len() - 1]);
                jerry.run([json, &before[..before.len() - 1], &[&joined], after].concat())
            } else {
                outcome
            };
            assert_clear(&outcome, &[2, 3]);
        }
    }
    assert_eq!(jerry.bytes(&id), bytes);
    assert_eq!(jerry.item_names(), [id]);
}

/// Ids like `--help` are words of the command line; a number without a sign is somebody's item.
#[test]
fn a_name_of_a_file_beside_the_store_reaches_nothing() {
    let jerry = Jerry::new();
    let id = jerry.create("unharmed");
    let secret = jerry.folder().join("secret.json");
    fs::copy(jerry.item_path(&id), &secret).expect("copied");
    for path in ["../../../secret", "../../secret.json", secret.to_str().expect("text")] {
        let outcome = jerry.json(["show", path]);
        assert_clear(&outcome, &[2, 3]);
        assert!(!outcome.to_string().contains("unharmed"), "{outcome}");
    }
}

const TITLES: [&str; 9] = [
    "",
    "   ",
    "\t\n",
    "two\nlines",
    "\u{1b}[2J\u{1b}[H",
    "bell\u{7}",
    "\u{9b}31m",
    "\u{7f}",
    "\r",
];

#[test]
fn titles_that_are_no_titles() {
    let jerry = Jerry::new();
    let id = jerry.create("unharmed");
    let bytes = jerry.bytes(&id);
    for title in TITLES {
        for json in [&["--json"][..], &[]] {
            for args in [&["create", title][..], &["update", &id, "--title", title]] {
                assert_clear(&jerry.run([json, args].concat()), &[2, 4]);
            }
        }
    }
    assert_eq!(jerry.bytes(&id), bytes);
    assert_eq!(jerry.item_names(), [id]);
}

/// Ten megabytes do not fit an argument; they come by file and by standard input.
#[test]
fn texts_of_ten_megabytes() {
    let jerry = Jerry::new();
    let id = jerry.create("unharmed");
    let bytes = jerry.bytes(&id);
    let huge = jerry.folder().join("huge");
    fs::write(&huge, "x".repeat(10 << 20)).expect("written");
    let huge = huge.to_str().expect("text");
    for args in [
        &["create", "x", "--description-file", huge][..],
        &["update", &id, "--description-file", huge],
        &["note", &id, "--text-file", huge],
    ] {
        let outcome = jerry.json(args);
        assert_clear(&outcome, &[2, 4]);
        assert!(outcome.stdout.len() + outcome.stderr.len() < 4096, "the text is not repeated");
    }
    let mut command = jerry.command(["--json", "create", "--stdin"]);
    let input = fs::File::open(huge).expect("readable");
    let output = command.stdin(input).output().expect("runs");
    let outcome = Outcome { status: output.status, stdout: output.stdout, stderr: output.stderr };
    assert_clear(&outcome, &[2, 4]);
    let longest = "x".repeat(100_000);
    assert_clear(&jerry.json(["create", &longest]), &[4]);
    assert_clear(&jerry.json(["create", "x", "--label", &longest]), &[4]);
    assert_clear(&jerry.json(["--actor", &longest, "create", "x"]), &[2, 4]);
    assert_eq!(jerry.bytes(&id), bytes);
    assert_eq!(jerry.item_names(), [id]);
}

/// What the system takes for a text and Unicode does not.
fn no_text() -> OsString {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(b"caf\xe9 \xff\xfe".to_vec());
    #[cfg(windows)]
    return std::os::windows::ffi::OsStringExt::from_wide(&[b'c'.into(), 0xd800, b'f'.into()]);
}

#[test]
fn invalid_utf_8_is_a_clear_error() {
    let jerry = Jerry::new();
    let id = jerry.create("unharmed");
    let bytes = jerry.bytes(&id);
    let broken = &*no_text();
    for args in [
        [OsStr::new("create"), broken, OsStr::new("--json")],
        [OsStr::new("show"), broken, OsStr::new("--json")],
        [OsStr::new("search"), broken, OsStr::new("--json")],
    ] {
        assert_clear(&jerry.run(args), &[2, 3, 4]);
    }
    let mut environment = jerry.command(["create", "x", "--json"]);
    environment.env("JERRY_ACTOR", broken);
    assert_clear(&Outcome::of(&mut environment), &[2, 4]);
    let file = jerry.folder().join("broken");
    fs::write(&file, b"caf\xe9").expect("written");
    let file = file.to_str().expect("text");
    assert_clear(&jerry.json(["note", &id, "--text-file", file]), &[2, 4, 8]);
    assert_eq!(jerry.bytes(&id), bytes);
    assert_eq!(jerry.item_names(), [id]);
}

/// What may be said is kept to the letter, and shown without effect.
#[test]
fn texts_that_would_drive_a_terminal_are_shown_escaped() {
    let jerry = Jerry::new();
    let id = jerry.create("\u{202e}gnp.exe");
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\u{8}\u{7f}\u{0085}\u{202e}\u{2066}";
    jerry.ok(["note", &id, evil]);
    jerry.ok(["update", &id, "--description", evil, "--finding", evil]);
    jerry.ok(["block", &jerry_start(&jerry, &id), "--reason", evil]);
    assert_eq!(jerry.item(&id)["description"], evil);
    assert_eq!(jerry.item(&id)["notes"][0]["text"], evil);
    for args in [
        &["show", &id][..],
        &["show", &id, "--format", "md"],
        &["list"],
        &["search", "gnp"],
        &["export"],
        &["doctor"],
    ] {
        for json in [&["--json"][..], &[]] {
            let outcome = jerry.run([json, args].concat());
            assert!(outcome.is_ok(), "{args:?}: {outcome}");
            assert_plain(&outcome);
        }
    }
    let shown = jerry.ok(["show", &id]);
    assert_eq!(shown["item"]["description"], evil, "JSON escapes, and loses nothing");
}

fn jerry_start(jerry: &Jerry, id: &str) -> String {
    jerry.ok(["start", id]);
    id.to_owned()
}

fn small_item(id: &str, fields: &str) -> String {
    format!(
        r#"{{"schema":1,"id":"{id}","uid":"7","version":1,"type":"task","title":"t",
        "status":"pending","priority":"low","created_at":"2024-01-01T00:00:00Z",
        "updated_at":"2024-01-01T00:00:00Z"{fields}}}"#
    )
}

#[rstest]
#[case::deep(format!(",\"x\":{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes())]
#[case::deep_objects(format!(",\"x\":{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)).into_bytes())]
#[case::a_key_twice(b",\"title\":\"another\"".to_vec())]
#[case::an_unknown_key_twice(b",\"x\":1,\"x\":2".to_vec())]
#[case::a_hidden_key_twice(b",\"x\":{\"a\":1,\"\\u0061\":2}".to_vec())]
#[case::nul(b",\"x\":\"\0\"".to_vec())]
#[case::invalid_utf_8(b",\"x\":\"\xff\"".to_vec())]
#[case::half_a_surrogate(b",\"x\":\"\\ud800\"".to_vec())]
#[case::a_control_title(b",\"phase\":\"\\u001b[2J\"".to_vec())]
#[case::no_number(b",\"x\":NaN".to_vec())]
#[case::a_leading_zero(b",\"x\":007".to_vec())]
#[case::a_wrong_uid(b",\"parent\":{\"id\":\"WORK-002\",\"uid\":8}".to_vec())]
#[case::waits_for_itself(b",\"depends_on\":[\"WORK-001\"]".to_vec())]
fn files_that_mean_harm(#[case] fields: Vec<u8>) {
    let jerry = Jerry::new();
    let id = jerry.create("to be replaced");
    let good = jerry.create("good");
    let text = small_item(&id, "@");
    let (head, tail) = text.split_once('@').expect("one place");
    let file = [head.as_bytes(), &fields, tail.as_bytes()].concat();
    fs::write(jerry.item_path(&id), &file).expect("written");
    for json in [&["--json"][..], &[]] {
        for args in [&["show", &id][..], &["note", &id, "no"], &["--yes", "delete", &id]] {
            assert_clear(&jerry.run([json, args].concat()), &[8]);
        }
        let listed = jerry.run([json, &["list"]].concat());
        assert_plain(&listed);
        assert!(listed.to_string().contains("good"), "the rest is shown: {listed}");
    }
    assert_eq!(fs::read(jerry.item_path(&id)).expect("readable"), file);
    assert_eq!(list(&jerry.json(["list"]).json()["unreadable"]).len(), 1);
    jerry.ok(["note", &good, "goes on"]);
}

/// Larger than an item may be: neither read nor written.
#[test]
fn a_file_over_four_mebibytes_is_refused() {
    let jerry = Jerry::new();
    let id = jerry.create("to be replaced");
    let text = small_item(&id, &format!(",\"description\":\"{}\"", "x".repeat(4 << 20)));
    fs::write(jerry.item_path(&id), &text).expect("written");
    assert_clear(&jerry.json(["show", &id]), &[8]);
    assert_clear(&jerry.json(["note", &id, "no"]), &[8]);
    assert_eq!(fs::read_to_string(jerry.item_path(&id)).expect("readable"), text);
}

/// An item grows until it may grow no more; the write that would pass the limit is refused whole.
#[test]
fn an_item_that_would_pass_four_mebibytes_stays_as_it_is() {
    let jerry = Jerry::new();
    let id = jerry.create("grows");
    let chunk = jerry.folder().join("chunk");
    fs::write(&chunk, "x".repeat(1_500_000)).expect("written");
    let chunk = chunk.to_str().expect("text");
    jerry.ok(["note", &id, "--text-file", chunk]);
    jerry.ok(["note", &id, "--text-file", chunk]);
    let before = jerry.bytes(&id);
    let error = jerry.refused(4, ["note", &id, "--text-file", chunk]);
    assert_eq!(error["code"], "too_large");
    assert_eq!(jerry.bytes(&id), before);
    assert_eq!(jerry.litter(), [""; 0]);
}

#[test]
fn a_file_of_100_000_dependencies_is_read_at_once() {
    let jerry = Jerry::new();
    let id = jerry.create("to be replaced");
    let needs: Vec<_> = (2..100_002).map(|number| format!("\"WORK-{number:03}\"")).collect();
    let text = small_item(&id, &format!(",\"depends_on\":[{}]", needs.join(",")));
    fs::write(jerry.item_path(&id), text).expect("written");
    let item = jerry.ok(["show", &id]);
    assert_eq!(list(&item["item"]["depends_on"]).len(), 100_000);
    assert!(jerry.ok(["ready"])["items"].as_array().is_some_and(Vec::is_empty));
}

#[rstest]
#[case::unknown_command(&["frobnicate"])]
#[case::unknown_option(&["create", "x", "--frobnicate"])]
#[case::unknown_priority(&["create", "x", "--priority", "urgent"])]
#[case::unknown_type(&["create", "x", "--type", "\u{1b}[2J"])]
#[case::no_number(&["list", "--limit", "many"])]
#[case::a_negative_version(&["note", "1", "x", "--if-version", "-1"])]
#[case::no_time(&["--lock-timeout", "soon", "list"])]
#[case::nothing_to_change(&["update", "1"])]
fn wrong_usage_is_told_from_failure(#[case] args: &[&str]) {
    let jerry = Jerry::new();
    jerry.create("unharmed");
    for json in [&["--json"][..], &[]] {
        assert_clear(&jerry.run([json, args].concat()), &[2]);
    }
    assert_eq!(jerry.json(args).error(2)["code"], "usage");
}
