//! The commands whose steps are recorded, and what lies in the store before.

#![expect(clippy::disallowed_methods, reason = "some stores are damaged before the commands run")]

use std::fs;
use std::io;
use std::path::Path;

use jerry_cli::exit::{Code, Failure};
use jerry_infra_fs::seam;

use super::check::{BEFORE, Bench};
use super::recorder::Recorder;
use super::trace::{Event, Promise, SEQUENCES, STORE, Trace};
use crate::command::call;

/// Some commands, one after the other, on a store that was there before.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What made the store, long before; separated by semicolons, words by
    /// spaces; a plus is a space within a word.
    base: &'static str,
    /// What happened to it since, without jerry.
    since: fn(&Path) -> io::Result<()>,
    /// The commands that are recorded; separated by semicolons.
    commands: &'static str,
    pub(super) promise: Promise,
}

const WHOLE: Promise = Promise { is_damaged: false, copies: &[] };

const fn damaged(copies: &'static [&'static str]) -> Promise {
    Promise { is_damaged: true, copies }
}

const SOME: &str =
    "init; create one; create two --label x --criterion done; create three --needs 1";

pub(super) fn all() -> Vec<Scenario> {
    let plain =
        |name, base, commands| Scenario { name, base, since: |_| Ok(()), commands, promise: WHOLE };
    let after =
        |name, base, since, commands, promise| Scenario { name, base, since, commands, promise };
    vec![
        plain("init", "", "init; create first"),
        plain("first create", "init", "create first; create second"),
        plain("create", SOME, "create four --description text --needs 2; q five"),
        plain("create many", SOME, "create number+four number+five number+six; create seven"),
        plain("create a batch", SOME, BATCH),
        plain(
            "update",
            SOME,
            "update 1 --title other --priority high; update 1 --description text",
        ),
        plain(
            "transitions",
            SOME,
            "start 1; block 1; start 1; release 1; start 1; complete 1; reopen 1",
        ),
        plain(
            "claim",
            SOME,
            "claim 1 --session s; note 1 text --session s; handoff 1 --to other --session s; \
             claim --next --session s; release 2 --session s",
        ),
        plain("undo", SOME, "update 2 --priority high; undo 2; undo; dep add 2 --needs 1; undo 2"),
        plain("cancel", SOME, "cancel 2; reopen 2"),
        plain("note", SOME, "note 1 first; note 1 second"),
        plain("check", SOME, "check 2 AC-002.1; label add 2 y; label remove 2 x"),
        plain("dep", SOME, "dep add 2 --needs 1 --related 3; dep remove 2 --needs 1"),
        plain("delete", SOME, "delete 3; create four; delete 2"),
        plain("locks clean", SOME, "locks clean; note 1 after"),
        plain("watch", SOME, "watch --once --timeout 0; note 1 after; watch --once --timeout 0"),
        plain("config", SOME, "config set actor someone; config set actor other"),
        plain(
            "export",
            SOME,
            "export --output {repository}/out.jsonl; note 1 after; export --output {repository}/out.jsonl",
        ),
        plain(
            "apply",
            SOME,
            "apply {plan} --request-id r; apply {plan} --request-id r; note 1 after",
        ),
        plain("import", SOME, "import --from beads {beads}; import --from beads {beads}"),
        after("a clone", SOME, clone, "create four; delete 3; note 2 text", WHOLE),
        after("another boot", SOME, reboot, "create four; note 1 text", WHOLE),
        after("lost sequences", SOME, lose_sequences, "create four", WHOLE),
        after(
            "corrupt sequences",
            SOME,
            corrupt_sequences,
            "doctor --fix; create four",
            damaged(&[SEQUENCES]),
        ),
        after("sequences behind", SOME, add_by_hand, "doctor --fix; create four", damaged(&[])),
        after("litter", SOME, leave_litter, "doctor --fix; note 1 after", damaged(&[])),
        after(
            "interrupted deletion",
            "init; create one; create two; delete 2",
            bring_back_deleted,
            "doctor --fix; create four",
            damaged(&[".jerry/data/items/WORK-002.json"]),
        ),
        after("misnamed", SOME, misname, "doctor --fix; create four", damaged(&[MISNAMED])),
        after(
            "two items of a number",
            SOME,
            two_of_a_number,
            "doctor --fix; create four",
            damaged(&[COPY]),
        ),
        after(
            "a damaged clone",
            SOME,
            |root| misname(root).and_then(|()| clone(root)),
            "doctor --fix",
            damaged(&[MISNAMED]),
        ),
        after(
            "interrupted deletion in a clone",
            "init; create one; create two; delete 2",
            |root| bring_back_deleted(root).and_then(|()| clone(root)),
            "doctor --fix",
            damaged(&[".jerry/data/items/WORK-002.json"]),
        ),
        after(
            "two items of a number in a clone",
            SOME,
            |root| two_of_a_number(root).and_then(|()| clone(root)),
            "doctor --fix",
            damaged(&[COPY]),
        ),
        after(
            "a number of two branches",
            SOME,
            share_a_number,
            "note 2 text; create four; delete 2",
            WHOLE,
        ),
        after(
            "a number of two branches in a clone",
            SOME,
            |root| share_a_number(root).and_then(|()| clone(root)),
            "doctor --fix; create four",
            damaged(&[".jerry/data/items/WORK-002.json"]),
        ),
        plain(
            "directory locks",
            "init --lock-backend directory; create one",
            "create two; note 1 text; delete 1; locks clean",
        ),
    ]
}

/// So many that the file system is synced once for all.
const BATCH: &str = "create item+a item+b item+c item+d item+e item+f item+g item+h item+i item+j \
                     item+k item+l item+m item+n item+o item+p item+q; create r";

const MISNAMED: &str = ".jerry/data/items/WORK-033.json";
const COPY: &str = ".jerry/data/items/WORK-002 2.json";

/// What a boot wrote in place does not count in the next one.
fn reboot(root: &Path) -> io::Result<()> {
    let sequences = root.join("data/sequences.json");
    let text = fs::read_to_string(&sequences)?;
    fs::write(&sequences, text.replace(BEFORE, "00000000-0000-4000-8000-000000000000"))
}

/// Git brings what is committed, and no empty folders.
fn clone(root: &Path) -> io::Result<()> {
    match fs::remove_dir(root.join("data/tombstones")) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => return Err(error),
        _ => {}
    }
    fs::remove_dir_all(root.join("local"))?;
    lose_sequences(root)
}

fn lose_sequences(root: &Path) -> io::Result<()> {
    fs::remove_file(root.join("data/sequences.json"))
}

fn corrupt_sequences(root: &Path) -> io::Result<()> {
    fs::write(root.join("data/sequences.json"), "{\"schema\": 1, \"prefi")
}

/// As after a merge: an item whose number the sequences of this clone do not know.
fn add_by_hand(root: &Path) -> io::Result<()> {
    let text = fs::read_to_string(root.join("data/items/WORK-002.json"))?;
    let text = other_uid(&text).replace("WORK-002", "WORK-900").replace("002.", "900.");
    fs::write(root.join("data/items/WORK-900.json"), text)
}

fn leave_litter(root: &Path) -> io::Result<()> {
    fs::write(root.join("data/items/.WORK-001.json.tmp"), "{\"half")?;
    fs::write(root.join("data/items/.WORK-007.json.3-0.tmp"), "")
}

fn bring_back_deleted(root: &Path) -> io::Result<()> {
    let tombstone = fs::read(root.join("data/tombstones/WORK-002.json"))?;
    let tombstone: serde_json::Value = serde_json::from_slice(&tombstone)?;
    fs::write(root.join("data/items/WORK-002.json"), serde_json::to_vec_pretty(&tombstone["item"])?)
}

fn misname(root: &Path) -> io::Result<()> {
    let items = root.join("data/items");
    fs::rename(items.join("WORK-003.json"), items.join("WORK-033.json"))
}

fn two_of_a_number(root: &Path) -> io::Result<()> {
    let text = fs::read_to_string(root.join("data/items/WORK-002.json"))?;
    fs::write(root.join("data/items/WORK-002 2.json"), other_uid(&text))
}

/// As after a merge of two branches that gave out the same number.
fn share_a_number(root: &Path) -> io::Result<()> {
    let path = root.join("data/items/WORK-002.json");
    let text = fs::read_to_string(&path)?;
    let mut elder: serde_json::Value = serde_json::from_str(&text)?;
    let younger: serde_json::Value = serde_json::from_str(&other_uid(&text))?;
    elder["displaced"] = vec![younger].into();
    fs::write(path, serde_json::to_vec_pretty(&elder)?)
}

/// The item with another uid, a millisecond younger: one that no item of that millisecond comes to.
fn other_uid(text: &str) -> String {
    let uid = text.split("\"uid\": \"").nth(1).and_then(|rest| rest.split('"').next());
    match uid.and_then(|uid| Some((uid, uid.parse::<u64>().ok()?))) {
        Some((uid, number)) => text.replace(uid, &((number + (1 << 22)) | 0xfff).to_string()),
        None => text.to_owned(),
    }
}

const BEADS: &str = r#"{"id":"bd-1","title":"one","description":"","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-16T07:21:09Z","updated_at":"2026-01-16T07:21:09Z"}
{"id":"bd-2","title":"two","description":"","status":"closed","priority":2,"issue_type":"bug","created_at":"2026-01-16T07:21:09Z","updated_at":"2026-01-16T07:21:09Z","closed_at":"2026-01-16T07:21:09Z"}
{"id":"bd-3","title":"three","description":"","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-16T07:21:09Z","updated_at":"2026-01-16T07:21:09Z","dependencies":[{"issue_id":"bd-3","depends_on_id":"bd-1","type":"blocks"}]}
"#;

/// Its new items are all there, or none.
const PLAN: &str = r#"[{"name": "a", "title": "planned a", "needs": ["b"]},
{"name": "b", "title": "planned b"}, {"id": "1", "needs": ["a"], "labels": ["planned"]}]"#;

impl Scenario {
    /// How many commands are recorded.
    pub(super) fn count(&self) -> usize {
        self.commands.split(';').count()
    }

    /// The kernel releases the locks of a dead process. A directory lock stays, and its owner is
    /// this process, which lives.
    pub(super) fn can_be_killed(&self) -> bool {
        !self.base.contains("--lock-backend directory")
    }
}

/// Runs a scenario and records it. With `steps`, the first command is killed after so many steps
/// before all of them are run, as by somebody who tries again; `None` when it came to its end
/// before that.
///
/// # Errors
/// When a command fails that must not.
pub(super) fn record(
    scenario: &Scenario,
    bench: &Bench,
    steps: Option<usize>,
) -> Result<Option<Trace>, String> {
    let failed = |error: io::Error| format!("{}: {error}", scenario.name);
    let repository = bench.clear().map_err(failed)?;
    let root = repository.join(STORE);
    let beads = bench.path().join("beads.jsonl");
    fs::write(&beads, BEADS).map_err(failed)?;
    let plan = bench.path().join("plan.json");
    fs::write(&plan, PLAN).map_err(failed)?;
    let filled_in = |word: &str| {
        let word = word.replace('+', " ").replace("{beads}", &beads.to_string_lossy());
        let word = word.replace("{plan}", &plan.to_string_lossy());
        word.replace("{repository}", &repository.to_string_lossy())
    };
    let run =
        |command: &str| call(&root, &command.split_whitespace().map(filled_in).collect::<Vec<_>>());
    let commands = |list: &'static str| list.split(';').map(str::trim).filter(|it| !it.is_empty());

    seam::set_boot(Some(BEFORE));
    for command in commands(scenario.base) {
        run(command)
            .map_err(|failure| format!("{}: {command}: {}", scenario.name, failure.message))?;
    }
    (scenario.since)(&root).map_err(failed)?;

    let (recorder, base) = Recorder::start(&repository)?;
    let mut events = Vec::new();
    let mut recorded = 0;
    let mut note = |happened: Option<Event>| {
        let ops = recorder.ops();
        events.extend(ops[recorded..].iter().cloned().map(Event::Step));
        events.extend(happened);
        recorded = ops.len();
    };
    if let Some(steps) = steps {
        let first = commands(scenario.commands).next().unwrap_or_default();
        if recorder.during(Some(steps), || run(first)).is_ok() {
            return Ok(None);
        }
        note(Some(Event::Killed));
    }
    for (place, command) in commands(scenario.commands).enumerate() {
        match recorder.during(None, || run(command)) {
            Ok(_) => note(Some(Event::Acknowledged)),
            // What the killed command did may be what the same command now finds done.
            Err(failure) if place == 0 && steps.is_some() && is_refusal(&failure) => note(None),
            Err(failure) => {
                return Err(format!("{}: {command}: {}", scenario.name, failure.message));
            }
        }
    }
    Ok(Some(Trace { base, events }))
}

fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.code, Code::InvalidTransition | Code::Deleted | Code::NotFound)
}
