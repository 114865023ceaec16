//! What only a whole process can show: exit statuses, standard output and error, pipes, shells.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run(folder.path(), ["init"]).status.code(), Some(0));
    folder
}

fn jerry(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jerry"));
    command.current_dir(folder).env_clear().env("JERRY_ACTOR", "tester").stdin(Stdio::null());
    command
}

fn run<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Output {
    jerry(folder).args(args).output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What a command complains of. That its file system's locks may lie is true of all commands there.
fn complaint(bytes: &[u8]) -> String {
    let said = text(bytes);
    said.split_inclusive('\n')
        .filter(|line| !line.starts_with("warning: the store is on "))
        .collect()
}

fn json(output: &Output) -> Value {
    let text = text(&output.stdout);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[rstest]
#[case::unknown_command(&["prioritise"])]
#[case::unknown_option(&["list", "--frobnicate"])]
#[case::unknown_status(&["list", "--status", "open"])]
#[case::missing_id(&["start"])]
#[case::no_command(&[])]
#[case::wrong_id(&["show", "../x"])]
#[case::filter_for_one_item(&["claim", "1", "--label", "x"])]
#[case::hostile(&["list", "--status", "\u{1b}[2J"])]
fn wrong_usage_is_2_in_text_and_json(#[case] args: &[&str]) {
    let folder = folder();
    let output = run(folder.path(), args);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(!said.is_empty() && !said.contains('\u{1b}'), "{said:?}");

    let output = run(folder.path(), args.iter().chain(&["--json"]));
    assert_eq!(output.status.code(), Some(2));
    let error = json(&output);
    assert_eq!((&error["kind"], &error["error"]["code"]), (&"error".into(), &"usage".into()));
    assert_eq!(complaint(&output.stderr), "");
}

#[test]
fn an_unknown_word_is_answered_with_the_right_one() {
    let folder = folder();
    let said = text(&run(folder.path(), ["lst"]).stderr);
    assert!(said.contains("'list'"), "{said}");
    let said = text(&run(folder.path(), ["create", "x", "--priority", "urgent"]).stderr);
    assert!(said.contains("critical, high, medium, low"), "{said}");
}

#[test]
fn without_a_store_the_way_to_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), ["list"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("jerry init"));
    assert_eq!(json(&run(folder.path(), ["list", "--json"]))["error"]["code"], "no_store");
}

#[test]
fn init_twice_changes_nothing() {
    let folder = folder();
    let config = folder.path().join(".jerry/config.toml");
    let before = fs::read(&config).expect("there");
    let again = json(&run(folder.path(), ["init", "--json"]));
    assert_eq!(again["created"], false);
    assert_eq!(fs::read(&config).expect("there"), before);
    assert_eq!(run(folder.path(), ["init", "--prefix", "AB"]).status.code(), Some(4));
    assert_eq!(run(folder.path(), ["init", "--lock-backend", "directory"]).status.code(), Some(4));
}

#[test]
fn an_empty_list_is_0() {
    let folder = folder();
    let output = run(folder.path(), ["list", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json(&output)["items"], Value::Array(Vec::new()));
}

/// More output than a pipe holds, and a reader that leaves after the first line.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = folder();
    let mut child = jerry(folder.path())
        .args(["create", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts");
    let titles = format!("{}\n", "long ".repeat(90)).repeat(400);
    child.stdin.take().expect("piped").write_all(titles.as_bytes()).expect("writes");
    assert!(child.wait().expect("ends").success());

    let mut child = jerry(folder.path())
        .args(["list", "--limit", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut first = String::new();
    let mut reader = BufReader::with_capacity(64, child.stdout.take().expect("piped"));
    reader.read_line(&mut first).expect("reads");
    drop(reader);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(complaint(&output.stderr), "");
    assert!(first.starts_with("WORK-001\t"), "{first}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_8() {
    let folder = folder();
    for args in [&["list", "--json"][..], &["q", "x"], &["--version"]] {
        let full = File::options().write(true).open("/dev/full").expect("opens");
        let output = jerry(folder.path()).args(args).stdout(full).output().expect("runs");
        assert_eq!(output.status.code(), Some(8), "{args:?}");
        assert!(text(&output.stderr).contains("standard output"), "{args:?}");
    }
}

#[test]
fn one_damaged_item_does_not_hide_the_others() {
    let folder = folder();
    for title in ["one", "two"] {
        assert!(run(folder.path(), ["q", title]).status.success());
    }
    let item = folder.path().join(".jerry/data/items/WORK-001.json");
    #[expect(clippy::disallowed_methods, reason = "damages the item")]
    fs::write(item, "{\n  \"schema\": 1,\n  oops\n}\n").expect("written");

    let output = run(folder.path(), ["list", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let list = json(&output);
    assert_eq!(list["items"][0]["id"], "WORK-002");
    let unreadable = &list["unreadable"][0];
    assert_eq!(unreadable["path"], "data/items/WORK-001.json");
    assert_eq!((&unreadable["line"], &unreadable["column"]), (&3.into(), &3.into()));
    assert!(text(&output.stderr).contains("WORK-001.json:3:3"));

    assert_eq!(run(folder.path(), ["show", "1"]).status.code(), Some(8));
    assert_eq!(run(folder.path(), ["doctor"]).status.code(), Some(8));
}

#[test]
fn text_comes_from_arguments_files_and_standard_input() {
    let folder = folder();
    let file = folder.path().join("text");
    #[expect(clippy::disallowed_methods, reason = "an argument")]
    fs::write(&file, "from a file\n").expect("written");
    assert!(run(folder.path(), ["create", "x", "--description-file", "text"]).status.success());
    assert!(run(folder.path(), ["note", "1", "--text-file", "text"]).status.success());
    let input = File::open(&file).expect("opens");
    let status = jerry(folder.path()).args(["note", "1", "-"]).stdin(input).status();
    assert!(status.expect("runs").success());
    let item = &json(&run(folder.path(), ["show", "1", "--json"]))["item"];
    assert_eq!(item["description"], "from a file\n");
    assert_eq!(item["notes"][1]["text"], "from a file");
    assert_eq!(run(folder.path(), ["note", "1", "--text-file", "none"]).status.code(), Some(2));
}

#[rstest]
#[case::option(&["--actor", "ann"], Some("bob"), "ann")]
#[case::environment(&[], Some("bob"), "bob")]
fn the_actor_is_who_says_so(
    #[case] args: &[&str],
    #[case] variable: Option<&str>,
    #[case] actor: &str,
) {
    let folder = folder();
    let mut command = jerry(folder.path());
    command.args(["create", "x", "--json"]).args(args);
    command.env("JERRY_ACTOR", variable.unwrap_or_default());
    let created = json(&command.output().expect("runs"));
    assert_eq!(created["item"]["history"][0]["actor"], actor);
}

#[test]
fn without_a_name_the_actor_is_user_at_host() {
    let folder = folder();
    let mut command = jerry(folder.path());
    command.args(["create", "x", "--json"]).env_remove("JERRY_ACTOR").env("USER", "ann");
    let created = json(&command.output().expect("runs"));
    let actor = created["item"]["history"][0]["actor"].as_str().expect("text").to_owned();
    assert!(actor.starts_with("ann@"), "{actor}");
}

#[test]
fn settings_come_from_the_first_layer_that_has_them() {
    let folder = folder();
    let origin = |command: &mut Command| {
        let output = command.args(["config", "get", "lock.timeout", "--json"]).output();
        let setting = json(&output.expect("runs"))["setting"].clone();
        let text = |key: &str| setting[key].as_str().expect("text").to_owned();
        (text("origin"), text("value"))
    };
    let set = |args: &[&str]| {
        let output = run(folder.path(), ["config", "set", "lock.timeout"].iter().chain(args));
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let expect = |origin: &str, value: &str| (origin.to_owned(), value.to_owned());
    assert_eq!(origin(&mut jerry(folder.path())), expect("default", "30s"));
    set(&["4s"]);
    assert_eq!(origin(&mut jerry(folder.path())), expect("file", "4s"));
    set(&["3s", "--local"]);
    assert_eq!(origin(&mut jerry(folder.path())), expect("file", "3s"));
    let mut command = jerry(folder.path());
    command.env("JERRY_LOCK_TIMEOUT", "2s");
    assert_eq!(origin(&mut command), expect("environment", "2s"));
    let mut command = jerry(folder.path());
    command.env("JERRY_LOCK_TIMEOUT", "2s").args(["--lock-timeout", "1s"]);
    assert_eq!(origin(&mut command), expect("flag", "1s"));
}

#[test]
fn a_shell_is_offered_live_ids() {
    let folder = folder();
    for title in ["Fix login", "Fix logout"] {
        assert!(run(folder.path(), ["q", title]).status.success());
    }
    let mut command = jerry(folder.path());
    command.env("JERRY_COMPLETE", "fish").args(["--", "jerry", "show", "WORK"]);
    let offered = text(&command.output().expect("runs").stdout);
    assert!(offered.contains("WORK-001\tFix login"), "{offered}");
    assert!(offered.contains("WORK-002\tFix logout"), "{offered}");
}

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
fn every_shell_gets_a_script_that_asks_jerry(#[case] shell: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = text(&run(folder.path(), ["completions", shell]).stdout);
    assert!(script.contains("JERRY_COMPLETE"), "{script}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = text(&run(folder.path(), ["--help"]).stdout);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for name in commands {
        let page = text(&run(folder.path(), ["man", name]).stdout);
        assert!(page.contains(".SH NAME"), "{name}: {page}");
        assert!(!page.contains("\\fR\n\n"), "{name} has an option without help: {page}");
    }
}

/// On standard output what people wrote is escaped, in JSON without loss; a file is to the letter.
#[test]
fn an_export_drives_no_terminal_and_loses_nothing() {
    let folder = folder();
    let evil = "a\u{9b}31m\u{202e}b\u{1b}[2J";
    assert!(run(folder.path(), ["create", "x", "-d", evil]).status.success());
    let hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    for args in [&["export"][..], &["export", "-f", "json"], &["show", "1", "-f", "md"]] {
        let said = text(&run(folder.path(), args).stdout);
        assert!(!said.is_empty() && !said.contains(hostile), "{args:?}: {said:?}");
    }
    let item: Value = serde_json::from_slice(&run(folder.path(), ["export"]).stdout).expect("JSON");
    assert_eq!(item["description"], evil);
    assert!(run(folder.path(), ["export", "1", "-f", "md", "-o", "x.md"]).status.success());
    let document = fs::read_to_string(folder.path().join("x.md")).expect("there");
    assert!(document.contains(evil), "{document:?}");
}

#[test]
fn an_init_that_asks_for_other_locks_names_them_as_the_flag_does() {
    let folder = folder();
    let refused = run(folder.path(), ["init", "--lock-backend", "directory"]);
    assert_eq!(refused.status.code(), Some(4));
    let said = text(&refused.stderr);
    assert!(said.contains("uses os locks, not directory"), "{said}");
}

/// `-` is standard input wherever a text is asked for; nothing on it is refused, so that a second
/// `-` cannot empty a field.
#[test]
fn a_dash_is_standard_input() {
    let folder = folder();
    let said = |args: &[&str], text: &str| {
        let mut input = tempfile::tempfile().expect("a file");
        input.write_all(text.as_bytes()).and_then(|()| input.rewind()).expect("written");
        jerry(folder.path()).args(args).stdin(input).output().expect("runs")
    };
    assert!(said(&["create", "-", "--criterion", "held"], "one\n").status.success());
    assert!(said(&["check", "1", "AC-001.1", "--evidence", "-"], "seen\n").status.success());
    assert!(said(&["start", "1", "-m", "-"], "my turn\n").status.success());
    let item = &json(&run(folder.path(), ["show", "1", "--json"]))["item"];
    assert_eq!(item["title"], "one");
    assert_eq!(item["acceptance_criteria"][0]["evidence"][0]["text"], "seen");
    assert_eq!(item["history"][2]["reason"], "my turn");

    assert!(said(&["update", "1", "-d", "kept"], "").status.success());
    for args in [&["update", "1", "-d", "-"][..], &["update", "1", "-d", "-", "-m", "-"]] {
        assert_eq!(said(args, "").status.code(), Some(2), "{args:?}");
    }
    assert_eq!(said(&["update", "1", "-d", "-", "-m", "-"], "both?").status.code(), Some(2));
    let shown = json(&run(folder.path(), ["show", "1", "--json"]));
    assert_eq!(shown["item"]["description"], "kept");
}

/// Readers of an earlier export keep theirs, its permissions stay, and a pipe is written to.
#[cfg(unix)]
#[test]
fn an_export_replaces_its_file_as_a_whole() {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder();
    let path = folder.path().join("out.jsonl");
    let export = |to: &str| run(folder.path(), ["export", "-o", to]);
    assert!(run(folder.path(), ["q", "first"]).status.success());
    assert!(export("out.jsonl").status.success());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
    let before = fs::read_to_string(&path).expect("there");
    let mut reader = fs::File::open(&path).expect("there");

    assert!(run(folder.path(), ["q", "second"]).status.success());
    assert!(export("out.jsonl").status.success());
    let mut read = String::new();
    reader.read_to_string(&mut read).expect("still open");
    assert_eq!(read, before);
    let after = fs::read_to_string(&path).expect("there");
    assert_eq!(after.lines().count(), 2);
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);

    symlink("out.jsonl", folder.path().join("link")).expect("made");
    File::create(&path).expect("emptied");
    assert!(export("link").status.success());
    assert_eq!(fs::read_to_string(&path).expect("there"), after);
    assert!(fs::symlink_metadata(folder.path().join("link")).expect("there").is_symlink());
    assert!(export("/dev/null").status.success());
    assert_eq!(export(".").status.code(), Some(8));
    assert_eq!(export("no/such").status.code(), Some(8));

    let left = fs::read_dir(folder.path()).expect("readable").flatten();
    let names: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
}

#[cfg(target_os = "linux")]
fn ignores_interrupts() -> bool {
    const INTERRUPT: u64 = 1 << (2 - 1);
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("there");
    u64::from_str_radix(ignored.trim(), 16).expect("a mask") & INTERRUPT != 0
}

/// A process that is interrupted ends by the signal, which a shell calls 130. With directory locks
/// there is a handler, which has to end it no less.
#[cfg(target_os = "linux")]
#[test]
fn interrupted_is_130_whatever_the_locks() {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    use jerry_domain::ports::LockName;
    use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};

    // A shell starts what it puts into the background so, and children inherit it.
    if ignores_interrupts() {
        eprintln!("SKIPPED interrupted_is_130_whatever_the_locks: interrupts are ignored here");
        return;
    }
    for (name, backend) in [("os", LockBackend::Os), ("directory", LockBackend::Directory)] {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(run(folder.path(), ["init", "--lock-backend", name]).status.success());
        assert!(run(folder.path(), ["q", "x"]).status.success());
        let locks = folder.path().join(".jerry/local/locks");
        let item = LockName::item(&"WORK-001".parse().expect("valid"));
        let ours = FsLocks::new(locks.clone(), backend, LockSettings::default());
        let held = ours.acquire(&item, None).expect("free");

        let mut child = jerry(folder.path())
            .args(["note", "1", "x", "--lock-timeout", "60s"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        until(|| waits(child.id(), &locks, backend));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("runs").success());
        let status = child.wait().expect("ends");
        assert_eq!(status.signal(), Some(2), "{name}: {status}");
        let mut said = Vec::new();
        child.stderr.take().expect("piped").read_to_end(&mut said).expect("reads");
        assert_eq!(complaint(&said), "", "{name}");
        drop(held);
        let shown = json(&run(folder.path(), ["show", "1", "--json"]));
        assert_eq!(shown["item"]["notes"], Value::Array(Vec::new()));
        assert!(run(folder.path(), ["note", "1", "goes on"]).status.success());
    }
}

/// Whether a process is where the signal shall meet it: it has the lock's file open, or, with
/// directory locks, the thread that listens for signals. Without the lock it gets no further.
#[cfg(target_os = "linux")]
fn waits(pid: u32, locks: &Path, backend: jerry_infra_fs::lock::LockBackend) -> bool {
    if backend == jerry_infra_fs::lock::LockBackend::Directory {
        return fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|tasks| tasks.count() > 1);
    }
    let lock = locks.join("WORK-001.lock");
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut targets = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| target == lock)
}

/// Looks again and again, for a minute at most.
#[cfg(target_os = "linux")]
fn until(mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "it never came to that");
        std::thread::yield_now();
    }
}
