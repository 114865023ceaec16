//! The commands that change something, each on the ground that it needs.

use std::path::Path;

use super::ground::{Backend, Ground, Illness, issues};

/// One command.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) ground: Ground,
    pub(super) arguments: Vec<String>,
    pub(super) input: Option<String>,
    /// What belongs to the state that it changes, beside items, tombstones, settings and output.
    pub(super) also: Also,
    pub(super) reads: Reads,
    /// What another run does after one that came part of the way.
    pub(super) again: Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Also {
    Nothing,
    /// The index and the numbers on record.
    Derived,
    /// The locks and what is left of them.
    Locks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It completes what is missing.
    Completes,
    /// It would do it once more.
    Repeats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// What cannot be read, it cannot do without.
    All,
    /// Of some items it reads only their names, or when they were made, and does without.
    Names,
}

/// A plan that makes two items, one of which needs the other, and changes one that is there.
const PLAN: &str = r#"[
    {"name": "a", "title": "planned a", "needs": ["b"]},
    {"name": "b", "title": "planned b"},
    {"id": "1", "labels": ["planned"]}
]"#;

/// A file of the case's folder, in an argument.
pub(super) const FOLDER: &str = "{folder}";

impl Scenario {
    fn new(name: &'static str, ground: Ground, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let (also, reads, again) = (Also::Nothing, Reads::All, Again::Repeats);
        Self { name, ground, arguments, input: None, also, reads, again }
    }

    fn reading_names(self) -> Self {
        Self { reads: Reads::Names, ..self }
    }

    fn completing(self) -> Self {
        Self { again: Again::Completes, ..self }
    }

    fn with(self, also: Also) -> Self {
        Self { also, ..self }
    }

    fn reading(self, input: String) -> Self {
        Self { input: Some(input), ..self }
    }

    /// The arguments for a case in `folder`.
    pub(super) fn arguments(&self, folder: &Path) -> Vec<String> {
        let folder = folder.display().to_string();
        self.arguments.iter().map(|it| it.replace(FOLDER, &folder)).collect()
    }

    /// Whether the command works with this kind of lock, or means anything.
    pub(super) fn fits(&self, backend: Backend) -> bool {
        backend == Backend::Directory || !matches!(self.ground, Ground::Locked | Ground::Bereft)
    }
}

/// Every command that changes something.
pub(super) fn all(backend: Backend) -> Vec<Scenario> {
    use Ground::{Bereft, Cloned, Ill, Locked, Nothing, Outrun, Rebooted, Reused, Waiting, Worked};
    let new = Scenario::new;
    let titles = |count: usize| {
        let titles = (0..count).map(|number| format!("one of many {number}"));
        let arguments = std::iter::once("create".to_owned()).chain(titles).collect();
        Scenario { arguments, ..new("create many", Worked, &[]) }
    };
    let jsonl = "{folder}/out/all.jsonl";
    let docs = "{folder}/out/docs";
    let from = "{folder}/input";
    let init = ["init", "--lock-backend", backend.name(), "--prefix", "WORK"];
    let doctor = |illness| {
        new("doctor --fix", Ill(illness), &["doctor", "--fix"]).with(Also::Derived).completing()
    };
    let scenarios = vec![
        new("init", Nothing, &init).completing(),
        new("create", Worked, &["create", "something new", "--needs", "1", "--parent", "6"]),
        new("first create", Cloned, &["create", "the first"]),
        new("create after a boot", Rebooted, &["create", "the next day"]).reading_names(),
        new("create with an outrun number", Outrun, &["create", "again and again"]),
        Scenario { name: "create 3, two outrun", ground: Outrun, ..titles(3) },
        Scenario { name: "create 3", ..titles(3) },
        Scenario { name: "create 17", ..titles(17) },
        new("q", Worked, &["q", "quickly"]),
        new("update", Worked, &["update", "1", "--title", "other", "--priority", "high"]),
        new("start", Worked, &["start", "1"]),
        new("start a blocked one", Worked, &["start", "3"]),
        new("block", Worked, &["block", "2"]),
        new("complete", Worked, &["complete", "2"]),
        new("cancel", Worked, &["cancel", "1"]),
        new("release", Worked, &["release", "2"]),
        new("claim", Worked, &["claim", "1", "--session", "s"]),
        new("claim --next", Worked, &["claim", "--next", "--session", "s"]).reading_names(),
        new("undo", Worked, &["undo", "2"]),
        new("reopen", Worked, &["reopen", "4"]),
        new("note", Worked, &["note", "1", "seen"]),
        new("note after a boot", Rebooted, &["note", "1", "seen"]),
        new("check", Worked, &["check", "1", "AC-001.1", "--evidence", "seen"]),
        new("label", Worked, &["label", "1", "add", "new"]),
        new("dep add", Worked, &["dep", "add", "1", "--needs", "8", "--related", "6"]),
        new("dep remove", Worked, &["dep", "remove", "6", "--needs", "2"]).reading_names(),
        new("delete", Worked, &["delete", "8"]),
        new("delete --force", Worked, &["delete", "5", "--force"]).reading_names(),
        new("delete over a tombstone", Reused, &["delete", "7"]),
        new("apply", Worked, &["apply", from, "--request-id", "r"])
            .reading(PLAN.to_owned())
            .completing(),
        new("import beads", Worked, &["import", "--from", "beads", from])
            .reading(issues(1, 3))
            .completing(),
        new("import many", Worked, &["import", "--from", "beads", from])
            .reading(issues(1, 17))
            .completing(),
        new("import what was waited for", Waiting, &["import", "--from", "beads", from])
            .reading(issues(4, 2))
            .completing(),
        new("export", Worked, &["export", "-o", jsonl]).completing(),
        new("export documents", Worked, &["export", "-f", "md", "-o", docs])
            .reading_names()
            .completing(),
        new("config set", Worked, &["config", "set", "prefix", "NEXT"]).completing(),
        new("config set --local", Worked, &["config", "set", "--local", "actor", "me"])
            .completing(),
        new("locks clean", Worked, &["locks", "clean"]).with(Also::Locks).completing(),
        new("locks break", Locked, &["locks", "break", "WORK-001"]).with(Also::Locks).completing(),
        new("note under a dead one's lock", Bereft, &["note", "1", "seen"]),
        doctor(Illness::Litter),
        doctor(Illness::CopyBeside),
        doctor(Illness::Misnamed),
        doctor(Illness::TakenName),
        doctor(Illness::HalfDeleted),
        doctor(Illness::OrphanTombstone),
        doctor(Illness::SameUid),
        doctor(Illness::SharedNumber),
        doctor(Illness::NumbersBehind),
        doctor(Illness::NumbersCorrupt),
        doctor(Illness::IndexCorrupt),
        doctor(Illness::Everything),
    ];
    scenarios.into_iter().filter(|scenario| scenario.fits(backend)).collect()
}
