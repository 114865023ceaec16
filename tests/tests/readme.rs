//! What the documents say is what the program does: README's tour is run as it stands there, the
//! item in the description of the files is read and written, and the tests that ARCHITECTURE.md
//! names exist.

#![allow(clippy::disallowed_methods, reason = "tests look at files as they are")]
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jerry_tests::{Jerry, Outcome, binary, skip, tool};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace").to_owned()
}

fn document(name: &str) -> String {
    let path = root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of the section under `heading`, without its sub-sections' headings.
fn section<'a>(document: &'a str, heading: &str) -> Vec<&'a str> {
    let after = document.lines().skip_while(|line| *line != heading).skip(1);
    after.take_while(|line| !line.starts_with("## ")).collect()
}

/// The contents of the code blocks of one language.
fn blocks(lines: &[&str], language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut found = Vec::new();
    let mut lines = lines.iter();
    while lines.any(|line| *line == fence) {
        let block = lines.by_ref().take_while(|line| **line != "```");
        found.push(block.fold(String::new(), |text, line| text + line + "\n"));
    }
    found
}

/// A command as a reader would type it, and what the document says that it prints.
struct Step {
    command: String,
    output: Vec<String>,
}

fn steps(blocks: &[String]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut continued = false;
    for line in blocks.iter().flat_map(|block| block.lines()) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), output: Vec::new() });
                continued = command.ends_with('\\');
            }
            (None, Some(step)) if continued => {
                step.command += "\n";
                step.command += line;
                continued = line.ends_with('\\');
            }
            (None, Some(step)) => step.output.push(line.to_owned()),
            (None, None) => panic!("'{line}' is no command's output"),
        }
    }
    steps
}

/// Runs all steps in one shell. Standard output and error of each, and its exit status.
fn run(steps: &[Step], home: &Path) -> Vec<(String, i32)> {
    let mut script = "exec 2>&1\n".to_owned();
    for step in steps {
        // The mark keeps the status, so that a step may ask for that of the one before.
        let mark = "(s=$?; printf '\\036%s\\036' $s; exit $s)";
        writeln!(script, "{}\n{mark}", step.command).expect("a string");
    }
    let bin = home.join("bin");
    fs::create_dir(&bin).expect("a folder");
    std::os::unix::fs::symlink(binary(), bin.join("jerry")).expect("a link");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(home).env_clear().stdin(Stdio::null());
    shell.env("PATH", format!("{}:{path}", bin.display())).env("HOME", home);
    shell.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = Outcome::of(&mut shell).stdout;
    let output = String::from_utf8(output).expect("UTF-8");
    let mut parts = output.split('\u{1e}');
    let mut ran = Vec::new();
    while let (Some(text), Some(status)) = (parts.next(), parts.next()) {
        ran.push((text.to_owned(), status.parse().expect("a status")));
    }
    ran
}

/// `text` with one word for every identity and one for every time.
fn normalised(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_uid = word.len() >= 17 && word.bytes().all(|b| b.is_ascii_digit());
        let is_time = word.len() >= 20 && word.as_bytes()[10] == b'T' && word.ends_with('Z');
        result += if is_uid {
            "UID"
        } else if is_time {
            "TIME"
        } else {
            word
        };
        let separator = after.chars().next().map_or(0, char::len_utf8);
        result += &after[..separator];
        rest = &after[separator..];
    }
    result
}

/// Whether `actual` is `expected`, of which a line `…` stands for any number of lines.
fn agrees(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], []) => true,
        (["…", rest @ ..], actual) => (0..=actual.len()).any(|at| agrees(rest, &actual[at..])),
        ([one, expected @ ..], [other, actual @ ..]) => one == other && agrees(expected, actual),
        _ => false,
    }
}

#[test]
fn the_tour_is_what_the_program_prints() {
    if !tool("git") {
        return skip("git is not there");
    }
    let place = Jerry::without_store();
    let home = place.folder();
    let readme = document("README.md");
    let steps = steps(&blocks(&section(&readme, "## A tour"), "console"));
    assert!(steps.len() > 20, "the tour has {} commands", steps.len());
    let ran = run(&steps, home);
    for (step, (output, status)) in steps.iter().zip(&ran) {
        let output = output.replace(&home.display().to_string(), "/home/ada");
        let shown = normalised(&step.output.join("\n"));
        let printed = normalised(&output);
        assert!(
            agrees(&shown.lines().collect::<Vec<_>>(), &printed.lines().collect::<Vec<_>>()),
            "$ {}\nREADME says:\n{}\n\nit prints:\n{output}",
            step.command,
            step.output.join("\n")
        );
        let refused = step.output.iter().any(|line| line.starts_with("error: "));
        assert_eq!(*status != 0, refused, "$ {}: status {status}\n{output}", step.command);
    }
    assert_eq!(ran.len(), steps.len(), "the shell ended early");
}

#[test]
fn the_described_item_is_one() {
    let text = document("docs/on-disk-format.md");
    let described = blocks(&text.lines().collect::<Vec<_>>(), "json");
    let described = described.iter().find(|block| block.contains("\"history\"")).expect("an item");
    let jerry = Jerry::new();
    fs::write(jerry.item_path("WORK-003"), described).expect("written");

    let shown = jerry.ok(["show", "WORK-003"]);
    assert_eq!(shown["item"]["version"], 5);
    jerry.ok(["note", "WORK-003", "one more"]);
    let written = String::from_utf8(jerry.bytes("WORK-003")).expect("UTF-8");
    let changed = |line: &&str| line.contains("\"version\": 5,") || line.contains("updated_at");
    let mut rest = written.lines();
    for line in described.lines().filter(|line| !changed(line)) {
        // A comma may have come behind what was last in its list.
        let same = |other: &str| other == line || other == format!("{line},");
        assert!(rest.any(same), "'{line}' is not where the description has it:\n{written}");
    }
}

#[test]
fn the_described_fields_are_all_there_are() {
    let jerry = Jerry::new();
    let id = jerry.create("any");
    let text = document("docs/on-disk-format.md");
    let rows = section(&text, "## An item").into_iter().filter(|line| line.starts_with("| `"));
    let described: Vec<_> = rows
        .flat_map(|row| row.split('|').nth(1).expect("a first column").split(", "))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    let item = jerry.item(&id);
    let written: Vec<_> = item.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(described, written);
    for field in ["uid", "version"] {
        assert_ne!(item[field], Value::Null);
    }
}

#[test]
fn the_tests_that_the_architecture_names_exist() {
    let text = document("ARCHITECTURE.md");
    let rows = section(&text, "## Invariants").into_iter().filter(|line| line.starts_with("| "));
    let last = rows.skip(1).filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    assert_shown(&last.flat_map(quoted).collect::<Vec<_>>());
}

#[test]
fn what_is_said_to_hold_a_promise_exists() {
    let text = document("docs/reliability.md");
    let rows = section(&text, "## Promise by promise");
    let rows = rows.into_iter().filter(|line| line.starts_with("| "));
    assert_shown(&rows.flat_map(quoted).collect::<Vec<_>>());
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Each name is that of a test, or a command that runs the tests or a part of the proof.
fn assert_shown(names: &[&str]) {
    assert!(names.len() > 15, "{names:?}");
    let sources = sources(&root());
    for name in names {
        if let Some(arguments) = name.strip_prefix("cargo xtask ") {
            let part = arguments.split(' ').rfind(|word| !word.starts_with("--")).expect("a part");
            let module = root().join("proof/src").join(part.replace('-', "_"));
            let is_part = module.join("mod.rs").is_file() || module.with_extension("rs").is_file();
            assert!(is_part, "the proof has no part {part}");
        } else if *name != "cargo test" {
            let function = format!("fn {name}(");
            assert!(sources.iter().any(|it| it.contains(&function)), "there is no test {name}");
        }
    }
}

/// The links between documents lead somewhere.
#[test]
fn documents_are_linked_where_they_are() {
    let folders = ["", "docs", "docs/adr"].map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let files = files.map(|entry| entry.expect("an entry").path());
    for file in files.filter(|file| file.extension().is_some_and(|it| it == "md")) {
        let text = fs::read_to_string(&file).expect("readable");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let path = target.split('#').next().unwrap_or_default();
            let there = file.parent().expect("a folder").join(path);
            assert!(path.is_empty() || there.exists(), "{}: {target}", file.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(fs::read_to_string(&path).expect("readable"));
        }
    }
    found
}
