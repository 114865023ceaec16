//! The commands of a storm: which there are, and how often each is given.

use std::io;
use std::path::Path;

use jerry_domain::WorkId;

use super::board::Board;
use super::ledger::{Deed, Intent};
use crate::dice::Dice;

/// A command line with what it is for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) intent: Intent,
    pub(super) arguments: Vec<String>,
}

/// Chooses a command and writes what it needs into `folder`.
pub(super) fn choose(
    request: String,
    dice: &mut Dice,
    board: &Board,
    folder: &Path,
) -> io::Result<Asked> {
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
        (82..87, _) => on(Deed::Delete, &request, &id, &["--yes", "delete", &id.to_string()]),
        (87, _) => {
            let intent = Intent { request, deed: Deed::Draw, item: None };
            Asked { intent, arguments: words(&["id", "generate", "-n", "5"]) }
        }
        (88..92, _) => {
            let intent = Intent { request, deed: Deed::Look, item: Some(id.clone()) };
            Asked { intent, arguments: words(&["show", &id.to_string()]) }
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
            let intent = Intent { request, deed: Deed::Look, item: None };
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
            let file = folder.join(format!("{request}.jsonl"));
            let text: String = (0..3).map(line).collect();
            #[expect(
                clippy::disallowed_methods,
                reason = "what users bring in is no store's file"
            )]
            std::fs::write(&file, text)?;
            let file = file.display().to_string();
            words(&["import", "--from", "beads", &file, "--request-id", &request])
        }
        _ => words(&["create", &request, "--request-id", &request, "--label", "new"]),
    };
    Ok(Asked { intent: Intent { request, deed: Deed::Create, item: None }, arguments })
}

fn on(deed: Deed, request: &str, id: &WorkId, arguments: &[&str]) -> Asked {
    let intent = Intent { request: request.to_owned(), deed, item: Some(id.clone()) };
    let mut arguments = words(arguments);
    arguments.extend(words(&["--request-id", request]));
    Asked { intent, arguments }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
