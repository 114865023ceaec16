//! The commands of a storm: which there are, and how often each is given.

use std::io;
use std::path::Path;

use jerry_domain::WorkId;
use serde_json::json;

use super::board::Board;
use super::ledger::{Answer, Deed, Intent, PLANNED};
use crate::dice::Dice;

/// Short enough to run out while somebody is stopped, or has been killed.
const LEASE: &str = "1s";

/// A command line with what it is for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) intent: Intent,
    pub(super) arguments: Vec<String>,
}

/// What somebody knows of the claims that it made.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The last one, until it let it go; the lease may have run out.
    held: Option<(WorkId, u64)>,
    /// One that it let go, or lost.
    ended: Option<(WorkId, u64)>,
}

impl Claims {
    pub(super) fn learn(&mut self, intent: &Intent, answer: &Answer, is_release: bool) {
        match answer {
            Answer::Wrote(all) if intent.deed == Deed::Claim => {
                // The fence is the version that the claim makes.
                self.held = all.first().map(|written| (written.id.clone(), written.version));
            }
            Answer::Wrote(_) if is_release => self.ended = self.held.take(),
            Answer::Refused(_) if intent.fence.is_some() => self.ended = self.held.take(),
            _ => {}
        }
    }

    /// What is done with an item that it holds, or held.
    fn go_on(&self, request: &str, dice: &mut Dice) -> Option<Asked> {
        let roll = dice.below(20);
        let ((id, fence), is_held) = match (&self.held, &self.ended) {
            (Some(held), _) => (held, true),
            (None, Some(ended)) => (ended, false),
            (None, None) => return None,
        };
        let (name, shown) = (id.to_string(), fence.to_string());
        let shows = |deed, arguments: &[&str]| {
            let mut asked = on(deed, request, id, arguments);
            asked.intent.fence = Some(*fence);
            asked.arguments.extend(words(&["--fence", &shown]));
            asked
        };
        match roll {
            0..8 if is_held => Some(shows(Deed::Note, &["note", &name, request])),
            8..12 if is_held => Some(on(Deed::Note, request, id, &["note", &name, request])),
            12..18 if is_held => Some(shows(Deed::Change, &["release", &name])),
            0 => Some(shows(Deed::Note, &["note", &name, request])),
            _ => None,
        }
    }
}

/// Chooses a command and writes what it needs into `folder`.
pub(super) fn choose(
    request: String,
    dice: &mut Dice,
    board: &Board,
    claims: &Claims,
    folder: &Path,
) -> io::Result<Asked> {
    if let Some(asked) = claims.go_on(&request, dice) {
        return Ok(asked);
    }
    let roll = dice.below(100);
    let (Some(id), 24..) = (board.any(dice), roll) else {
        return create(request, roll % 24, dice, folder);
    };
    let other = board.any(dice).filter(|other| *other != id);
    let version = board.version(&id);
    Ok(match (roll, other) {
        (24..44, _) => on(Deed::Note, &request, &id, &["note", &id.to_string(), &request]),
        (44..52, _) => {
            let title = format!("--title={request} retitled");
            on(Deed::Change, &request, &id, &["update", &id.to_string(), &title])
        }
        (52..57, _) => {
            let (text, version) = (format!("--finding={request}"), version.to_string());
            let arguments = ["update", &id.to_string(), &text, "--if-version", &version];
            on(Deed::ChangeIf, &request, &id, &arguments)
        }
        (57..70, _) => {
            let moves = ["start", "complete", "reopen", "block", "release", "cancel"];
            let to = dice.pick(&moves).copied().unwrap_or("start");
            on(Deed::Change, &request, &id, &[to, &id.to_string()])
        }
        (70..76, _) => {
            let label = format!("label-{}", dice.below(6));
            let way = if dice.one_in(3) { "remove" } else { "add" };
            on(Deed::Change, &request, &id, &["label", &id.to_string(), way, &label])
        }
        (76..82, Some(other)) => {
            let way = if dice.one_in(4) { "remove" } else { "add" };
            let (id_text, other) = (id.to_string(), other.to_string());
            on(Deed::Change, &request, &id, &["dep", way, &id_text, "--needs", &other])
        }
        (82..86, _) => on(Deed::Delete, &request, &id, &["--yes", "delete", &id.to_string()]),
        (86, _) => work(request, dice.one_in(2).then_some(id), dice),
        (87, _) => {
            let intent = Intent::new(request, Deed::Draw, None);
            Asked { intent, arguments: words(&["id", "generate", "-n", "5"]) }
        }
        (88..90, _) => plan(request, id, folder)?,
        (90..92, _) => {
            let intent = Intent::new(request, Deed::Look, Some(id.clone()));
            Asked { intent, arguments: words(&["show", &id.to_string()]) }
        }
        (92, _) => {
            let arguments = ["claim", "--next", "--lease", LEASE, "--request-id", &request];
            let arguments = words(&arguments);
            Asked { intent: Intent::new(request, Deed::Claim, None), arguments }
        }
        (93, _) => on(Deed::Claim, &request, &id, &["claim", &id.to_string(), "--lease", LEASE]),
        (94, _) => {
            let arguments = ["note", &id.to_string(), &request, "--force"];
            let mut asked = on(Deed::Note, &request, &id, &arguments);
            asked.intent.force = true;
            asked
        }
        _ => {
            let all: [&[&str]; 16] = [
                &["list"],
                &["list"],
                &["list", "--status", "pending"],
                &["list", "--all", "--limit", "0"],
                &["ready"],
                &["ready"],
                &["ready", "--limit", "0"],
                &["search", "retitled"],
                &["search", "retitled", "--all"],
                &["doctor"],
                &["doctor", "--fix"],
                &["locks", "clean"],
                &["locks", "clean"],
                &["locks", "list"],
                &["locks", "list"],
                &["export"],
            ];
            let looked = dice.pick(&all).copied().unwrap_or(&["list"]);
            let intent = Intent::new(request, Deed::Look, None);
            Asked { intent, arguments: words(looked) }
        }
    })
}

fn create(request: String, roll: u64, dice: &mut Dice, folder: &Path) -> io::Result<Asked> {
    let arguments = match roll {
        0..3 => words(&["q", &request]),
        3..5 => {
            let titles: Vec<_> = (0..=dice.below(5)).map(|n| format!("{request} {n}")).collect();
            let mut arguments = words(&["create", "--request-id", &request]);
            arguments.extend(titles);
            arguments
        }
        5 => {
            let line = |n: u64| {
                format!(
                    "{{\"id\":\"bd-{request}-{n}\",\"title\":\"{request} {n}\",\
                     \"status\":\"open\",\"priority\":2,\"issue_type\":\"task\",\
                     \"created_at\":\"2026-01-01T00:00:00Z\"}}\n"
                )
            };
            let text: String = (0..3).map(line).collect();
            let file = brought(folder, &format!("{request}.jsonl"), &text)?;
            words(&["import", "--from", "beads", &file, "--request-id", &request])
        }
        _ => words(&["create", &request, "--request-id", &request, "--label", "new"]),
    };
    Ok(Asked { intent: Intent::new(request, Deed::Create, None), arguments })
}

/// Work on `id`, or on whatever is ready, with a command that succeeds or not.
fn work(request: String, id: Option<WorkId>, dice: &mut Dice) -> Asked {
    let which = id.as_ref().map_or_else(|| "--next".to_owned(), ToString::to_string);
    let command = if dice.one_in(4) { "false" } else { "true" };
    let arguments = words(&["work", &which, "--request-id", &request, "--", command]);
    Asked { intent: Intent::new(request, Deed::Work, id), arguments }
}

/// A plan whose items need each other in a row, the last one `id`, which it changes.
fn plan(request: String, id: WorkId, folder: &Path) -> io::Result<Asked> {
    let last = PLANNED - 1;
    let needs = |n| if n == last { id.to_string() } else { format!("n{}", n + 1) };
    let line = |n| {
        let needs = needs(n);
        json!({ "name": format!("n{n}"), "title": format!("{request} {n}"), "needs": [needs] })
    };
    let change = json!({ "id": id.to_string(), "labels": ["planned"] });
    let items: Vec<_> = (0..PLANNED).map(line).chain([change]).collect();
    let file = brought(folder, &format!("{request}.json"), &json!(items).to_string())?;
    let arguments = words(&["apply", &file, "--request-id", &request]);
    Ok(Asked { intent: Intent::new(request, Deed::Plan, Some(id)), arguments })
}

/// What users bring in, as a file.
#[expect(clippy::disallowed_methods, reason = "it is no store's file")]
fn brought(folder: &Path, name: &str, text: &str) -> io::Result<String> {
    let file = folder.join(name);
    std::fs::write(&file, text)?;
    Ok(file.display().to_string())
}

fn on(deed: Deed, request: &str, id: &WorkId, arguments: &[&str]) -> Asked {
    let intent = Intent::new(request.to_owned(), deed, Some(id.clone()));
    let mut arguments = words(arguments);
    arguments.extend(words(&["--request-id", request]));
    Asked { intent, arguments }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
