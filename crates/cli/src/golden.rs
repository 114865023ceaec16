//! Every shape of JSON and the main texts, as they are, over a store in memory. What changes here
//! changes the contract.

mod agents;
mod apply;
mod gates;
mod history;
mod many;
mod ready;
mod schemas;
mod watch;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use jerry_application::{Ports, Watch};
use jerry_conformance::{MemoryCursors, MemoryStore, deaf};
use jerry_domain::ports::{
    Ailment, BreakOutcome, Finding, Holder, LockName, LockState, MockLockAdmin, MockStoreCare,
    Repair, Repairs,
};
use jerry_domain::{Gates, Timestamp, WorkId};
use jerry_infra_fs::lock::LockBackend;
use jerry_infra_fs::{Located, Reason};
use serde_json::Value;

use crate::args::Cli;
use crate::composition::{self, Store};
use crate::exit::status;
use crate::output::{Json, Style};
use crate::session::Session;
use crate::settings::{Env, Files, Settings};

const TERMINAL: Style = Style { terminal: true, colour: false, width: 70 };
const COLOURED: Style = Style { terminal: true, colour: true, width: 70 };

struct Jerry {
    memory: MemoryStore,
    cursors: Arc<MemoryCursors>,
    gates: Gates,
    folder: tempfile::TempDir,
    transcript: String,
}

impl Jerry {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            memory: MemoryStore::new(),
            cursors: Arc::default(),
            gates: Gates::default(),
            folder,
            transcript: String::new(),
        }
    }

    /// A store with the items 3, 5 and 6 (the generator leaves gaps): the third waits for the first and is a part of the second, which is done.
    fn with_items() -> Self {
        let mut jerry = Self::new();
        jerry.quietly("q 'Find out'");
        jerry.quietly("q 'Old thing' -p low");
        jerry.quietly(
            "create 'Prove it' -t research -p critical -l proof,area/cli --phase PHASE-01 -a ann \
             --due 2026-02-01 -d 'At length.' --criterion 'It holds' --subtask Think \
             --needs 3 --parent 5",
        );
        jerry.quietly("start 5");
        jerry.quietly("complete 5 -m 'it was easy' --request-id r-1 --force");
        jerry.quietly("check 6 AC-006.1 --evidence seen --source 'page 1'");
        jerry.quietly("dep add 6 --related 5 --note 'much alike'");
        jerry.quietly("note 6 'First line.\nSecond line.'");
        jerry.quietly("update 6 --finding 'Locks lie.' --external-ref other:7");
        jerry
    }

    fn session(&self, cli: &Cli, style: Style) -> Session {
        let env = Box::new(|name: &str| (name == "JERRY_ACTOR").then(|| "bob".into()));
        let place = Located { root: PathBuf::from("/repo/.jerry"), reason: Reason::Upwards };
        Session::new(cli.global.clone(), style, env).over(place, self.store())
    }

    fn store(&self) -> Store {
        let MemoryStore { items, ids, locks, clock } = self.memory.clone();
        let env: Env = Box::new(|_: &str| None);
        let settings = Settings::load(&[], &env, &Files::default());
        let settings = settings.expect("the defaults");
        let cursors = self.cursors.clone();
        let lookout = items.clone();
        let gates = Arc::new(self.gates.clone());
        let ports = Ports { items, ids, locks, clock, gates };
        Store {
            watch: Watch::new(ports.clone(), lookout, deaf(), cursors),
            ports,
            care: Arc::new(care()),
            locks: Arc::new(lock_admin()),
            files: composition::files(self.folder.path(), &settings).expect("valid"),
            lock_backend: LockBackend::Os,
            warnings: Vec::new(),
        }
    }

    fn answer(&self, style: Style, command: &str) -> (u8, String) {
        self.memory.clock.advance(Duration::from_secs(60));
        let words = words(command);
        let cli = Cli::try_parse_from(std::iter::once("jerry".to_owned()).chain(words));
        let cli = cli.unwrap_or_else(|error| panic!("{command}: {error}"));
        let json = cli.global.json;
        let session = self.session(&cli, style);
        let mut out = Vec::new();
        let status = match pollster::block_on(cli.command.run(&session)) {
            Ok(answer) if json => {
                answer.json(Json::new(&mut out)).expect("in memory");
                answer.complaint().map_or(0, |failure| status(failure.code))
            }
            Ok(answer) => {
                answer.text(&mut out, style).expect("in memory");
                answer.complaint().map_or(0, |failure| status(failure.code))
            }
            Err(failure) if json => {
                Json::new(&mut out).error(&failure).expect("in memory");
                status(failure.code)
            }
            Err(failure) => {
                out.extend_from_slice(format!("error: {failure}\n").as_bytes());
                status(failure.code)
            }
        };
        (status, String::from_utf8(out).expect("text"))
    }

    fn quietly(&mut self, command: &str) {
        let (status, out) = self.answer(Style::PLAIN, command);
        assert_eq!(status, 0, "{command}: {out}");
    }

    /// Runs a command and keeps what it says.
    fn run(&mut self, style: Style, command: &str) {
        let (status, out) = self.answer(style, command);
        let exit = if status == 0 { String::new() } else { format!("[exit {status}]\n") };
        self.transcript.push_str(&format!("$ jerry {command}\n{out}{exit}\n"));
    }

    /// Runs a command under `--json` and keeps what it says, laid out for the eye.
    fn json(&mut self, command: &str) {
        let command = format!("{command} --json");
        let (status, out) = self.answer(Style::PLAIN, &command);
        assert_eq!(out.lines().count(), 1, "{out}");
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(value["schema"], 1);
        match command.contains(" --fields ") || command.contains(" --compact ") {
            true => schemas::check_some_fields(&value),
            false => schemas::check(&value),
        }
        let exit = if status == 0 { String::new() } else { format!("[exit {status}]\n") };
        self.transcript.push_str(&format!("$ jerry {command}\n{value:#}\n{exit}\n"));
    }
}

/// Splits a command line at spaces outside quotes.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('\'').enumerate().flat_map(|(index, part)| {
        if index % 2 == 1 {
            vec![part.to_owned()]
        } else {
            part.split_whitespace().map(str::to_owned).collect()
        }
    });
    quoted.collect()
}

fn holder() -> Holder {
    Holder {
        pid: 42,
        started: Some(7),
        host: "box".into(),
        user: "ann".into(),
        command: "jerry import".into(),
        since: Timestamp::UNIX_EPOCH,
    }
}

fn lock_admin() -> MockLockAdmin {
    let item: WorkId = "WORK-042".parse().expect("valid");
    let mut admin = MockLockAdmin::new();
    let held =
        LockState { name: LockName::item(&item), held: true, holder: Some(holder()), stale: true };
    let idle = LockState { name: LockName::graph(), held: false, holder: None, stale: false };
    admin.expect_list().returning(move || Ok(vec![held.clone(), idle.clone()]));
    admin.expect_clean().returning(|| Ok(vec![LockName::graph()]));
    admin.expect_break_lock().returning(|name| {
        Ok(match name.as_str() {
            "graph" => BreakOutcome::Idle,
            "index" => BreakOutcome::Broken(Some(holder())),
            _ => BreakOutcome::Refused(Some(holder())),
        })
    });
    admin
}

fn care() -> MockStoreCare {
    let finding = |ailment, fixable| Finding {
        ailment,
        path: Some("data/items/WORK-001.json".into()),
        item: "WORK-001".parse().ok(),
        message: "is not well".into(),
        fixable,
    };
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(move || {
        Ok(vec![finding(Ailment::UnparsableItem, false), finding(Ailment::TempLitter, true)])
    });
    care.expect_repair().returning(|findings, _| {
        let fixable = findings.iter().filter(|finding| finding.fixable).cloned();
        let done = fixable.map(|finding| Repair { finding, action: "removed it".into() }).collect();
        Ok(Repairs { done, failed: None })
    });
    care
}

#[test]
fn json_of_items() {
    let mut jerry = Jerry::with_items();
    for command in [
        "create 'A new one'",
        "create 'Number one' 'Number two' -p high",
        "q 'Quick one'",
        "show 6",
        "update 3 --title 'Find out more'",
        "start 3",
        "delete 5 --force -m 'not needed'",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn json_of_claims() {
    let mut jerry = Jerry::with_items();
    for command in [
        "claim 3 --session s --lease 30m",
        "note 3 'Half of it' --session s",
        "note 3 'By another'",
        "note 3 'Too late' --fence 1",
        "handoff 3 --to ann --note 'The rest is yours' --session s",
        "claim --next --label no-such",
        "claim --next",
        "note 3 'All the same' --force",
        "release 3 --fence 4",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn json_of_lists() {
    let mut jerry = Jerry::with_items();
    for command in [
        "list",
        "list --all --limit 1 --sort id",
        "list --status blocked",
        "ready",
        "search locks",
        "search 'no such text'",
        "dep list 6",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn json_of_the_rest() {
    let mut jerry = Jerry::new();
    for command in [
        "where",
        "locks list",
        "locks clean",
        "locks break graph",
        "locks break index",
        "doctor",
        "doctor --fix",
        "id generate -n 2",
        "id parse 382496454217969664",
        "id parse work-42",
        "config show",
        "config get prefix",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn json_of_imports_and_exports() {
    let mut jerry = Jerry::new();
    let folder = jerry.folder.path().display().to_string();
    let input = jerry.folder.path().join("in.jsonl");
    let issue = |id: &str, more: &str| {
        format!(
            r#"{{"id":"b-{id}","title":"Issue {id}","status":"open","priority":1,"issue_type":"task","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-02T00:00:00Z"{more}}}"#
        )
    };
    let waits = r#","dependencies":[{"issue_id":"b-1","depends_on_id":"b-9","type":"blocks"}]"#;
    let lines = [issue("1", waits), issue("2", ""), "not JSON".to_owned()].join("\n");
    #[expect(clippy::disallowed_methods, reason = "writes test data")]
    std::fs::write(&input, lines).expect("written");
    for command in ["--dry-run", "", "-m again"] {
        jerry.json(&format!("import --from beads {folder}/in.jsonl {command}"));
    }
    for command in [
        "export 5 --format jsonl",
        "show 5 --format md",
        &format!("export -o {folder}/out.jsonl"),
        &format!("export --format md -o {folder}/out"),
    ] {
        jerry.json(command);
    }
    // On Windows JSON spells it otherwise than the command line.
    let in_json = folder.replace('\\', r"\\");
    let transcript = jerry.transcript.replace(&in_json, "FOLDER").replace(&folder, "FOLDER");
    let transcript = transcript.replace(r"FOLDER/out\\", "FOLDER/out/");
    insta::assert_snapshot!(transcript);
}

#[test]
fn json_of_errors() {
    let mut jerry = Jerry::with_items();
    for command in [
        "show 99",
        "show ../x",
        "create '  '",
        "create Two words",
        "complete 3",
        "update 3 --status done",
        "update 3",
        "update 3 --title New --if-version 7",
        "dep add 3 --needs 6",
        "update 5 --parent 6",
        "delete 3",
        "check 6 AC-006.9",
        "list --label 'a b'",
        "search ' '",
        "locks break WORK-042",
        "id parse x",
        "config get colour",
        "man no such",
    ] {
        jerry.json(command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn text_for_programs() {
    let mut jerry = Jerry::with_items();
    for command in [
        "create 'A new one'",
        "create 'Number one' 'Number two'",
        "q 'Quick one'",
        "list",
        "items list",
        "ready",
        "show 6",
        "show 6 --format md",
        "search locks",
        "start 3",
        "block 3",
        "start 3",
        "release 3",
        "claim 3 --session s",
        "handoff 3 --to ann --session s",
        "claim 3 --actor ann",
        "release 3 --force",
        "cancel 3",
        "reopen 3",
        "label 3 add a b",
        "label 3 add a b",
        "label remove 3 a",
        "dep add 3 --needs 9,12 --discovered-from 5",
        "dep list 3",
        "dep remove 3 --needs 9 --link 5",
        "dep remove 3 --needs 9 --link 5",
        "dep remove 3 --needs 99",
        "check 6 --add More --add-subtask Steps --remove AC-006.1",
        "check 6 ST-006.2",
        "check 6 ST-006.2 --undo",
        "note 3 Well",
        "delete 9",
        "where",
        "locks",
        "doctor",
        "config show --origin",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn text_for_a_terminal() {
    let mut jerry = Jerry::with_items();
    jerry.quietly("create 'A title that is far too long for the width of this little terminal'");
    for command in ["list", "list --limit 1", "list --status blocked", "ready", "show 6", "where"] {
        jerry.run(TERMINAL, command);
    }
    jerry.run(COLOURED, "list");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn what_people_write_does_not_drive_the_terminal() {
    let mut jerry = Jerry::new();
    jerry.quietly("create Title -d 'a\u{1b}[2Jb\u{202e}c' -a 'x\u{202e}y'");
    jerry.quietly("note 3 'bell\u{7} c1\u{9b}2J'");
    for style in [Style::PLAIN, TERMINAL] {
        for command in ["show 3", "list", "search bell", "show 3 --json", "search c1"] {
            let (_, out) = jerry.answer(style, command);
            let hostile = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
            assert!(!out.contains(hostile), "{command}: {out:?}");
        }
    }
}
