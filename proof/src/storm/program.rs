//! One who gives commands, each a process of the program that users run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::time::Instant;

use jerry_domain::{WorkId, WorkItem};
use serde_json::Value;

use super::Field;
use super::commands::{self, Asked, Claims};
use super::ledger::{Answer, Deed, Intent, Ledger, Written};
use super::trouble::{Owned, Tally, Trouble};
use crate::dice::Dice;
use crate::ground::Ground;

/// What one who gives commands saw go wrong with its own eyes.
pub(super) type Complaints = Vec<String>;

/// Gives commands until there is none left to give.
pub(super) fn work(name: &str, field: &Field<'_>, ledger: &mut Ledger) -> io::Result<Complaints> {
    let mut dice = Dice::new(field.seed, stream(name));
    let (mut complaints, mut claims) = (Vec::new(), Claims::default());
    for number in 1.. {
        if !field.board.take() {
            break;
        }
        let request = format!("{name}-{number}");
        let Asked { intent, arguments } =
            commands::choose(request, &mut dice, field.board, &claims, field.folder)?;
        let at_least = intent.item.as_ref().map_or(0, |id| field.board.version(id));
        ledger.begin(intent.clone())?;
        let trouble = Trouble::roll(&mut dice, field.board);
        let output = run(name, field, &arguments, trouble)?;
        let answer = match read(&intent, at_least, &output) {
            Ok(answer) => answer,
            Err(complaint) => {
                complaints.push(format!("jerry {}: {complaint}", arguments.join(" ")));
                Answer::Silence
            }
        };
        field.board.learn(&answer);
        claims.learn(&intent, &answer, arguments.iter().any(|word| word == "release"));
        ledger.end(answer)?;
    }
    Ok(complaints)
}

/// A number of its own for each name.
pub(super) fn stream(name: &str) -> u64 {
    name.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

fn run(
    name: &str,
    field: &Field<'_>,
    arguments: &[String],
    trouble: Trouble,
) -> io::Result<Output> {
    let mut command = Command::new(field.jerry);
    command.env_clear().env("HOME", field.folder).current_dir(field.folder);
    command.args(["--json", "--actor", "storm", "--session", name, "--store"]);
    command.arg(field.store).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let since = Instant::now();
    let mut child = Owned(command.spawn()?);
    Tally::count(&field.tally.processes);
    trouble.befall(&mut child.0, field.tally)?;
    let output = child.output()?;
    if trouble == Trouble::None {
        field.board.took(since.elapsed());
    }
    if was_killed(&output) {
        field.tally.kills.fetch_add(1, Ordering::Relaxed);
    }
    Ok(output)
}

fn was_killed(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(rustix::process::Signal::KILL.as_raw())
}

/// What `output` says of the request, or what is wrong with it. Printed whole, an answer counts
/// even if its process did not live to the end.
fn read(intent: &Intent, at_least: u64, output: &Output) -> Result<Answer, String> {
    let killed = was_killed(output);
    let strange = |what: &str| {
        let (out, err) = (&output.stdout, &output.stderr);
        let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        let out: String = out.chars().take(500).collect();
        format!("{what}: {} {out} {err}", output.status)
    };
    let Some(answer) = whole_line(&output.stdout) else {
        return if killed { Ok(Answer::Silence) } else { Err(strange("no answer")) };
    };
    let kind = answer["kind"].as_str().unwrap_or_default();
    if kind == "error" {
        let code = answer["error"]["code"].as_str().unwrap_or_default();
        return match is_expected(intent, code) {
            true => Ok(Answer::Refused(match code {
                "deleted" => id_in(&answer["error"]["context"]["id"]),
                _ => None,
            })),
            false => Err(strange("refused")),
        };
    }
    if answer["unreadable"].as_array().is_some_and(|unreadable| !unreadable.is_empty()) {
        return Err(strange("some could not be read"));
    }
    if kind == "doctor" {
        return match super::verify::alarming(&answer) {
            Some(finding) => Err(strange(&format!("the doctor found {finding}"))),
            None => Ok(Answer::Looked),
        };
    }
    // Work on an item is told although its command failed.
    if !killed && !output.status.success() && kind != "work" {
        return Err(strange("an answer and yet no success"));
    }
    if answer["item"]["version"].as_u64().is_some_and(|version| version < at_least) {
        return Err(strange(&format!("version {at_least} had been acknowledged before")));
    }
    acknowledged(intent, kind, &answer).ok_or_else(|| strange("not understood"))
}

/// The answer, if it is there to its last character.
fn whole_line(stdout: &[u8]) -> Option<Value> {
    stdout.ends_with(b"\n").then(|| serde_json::from_slice(stdout).ok()).flatten()
}

/// Whether it is in order that a request is refused with this code.
pub(super) fn is_expected(intent: &Intent, code: &str) -> bool {
    match code {
        // Items are known once their creation was acknowledged, so they cannot be unknown.
        "deleted" => intent.item.is_some(),
        "invalid_transition" => matches!(intent.deed, Deed::Change | Deed::Claim | Deed::Work),
        "cycle" => intent.deed == Deed::Change,
        "claimed" => intent.item.is_some() && !intent.force,
        "stale_fence" => intent.fence.is_some(),
        // Whoever worked on it has written that it is free, and has not let it go yet.
        "busy" => intent.deed == Deed::Work && intent.item.is_some(),
        "nothing_ready" => matches!(intent.deed, Deed::Claim | Deed::Work) && intent.item.is_none(),
        "still_needed" => intent.deed == Deed::Delete,
        "version_conflict" => intent.deed == Deed::ChangeIf,
        _ => false,
    }
}

fn acknowledged(intent: &Intent, kind: &str, answer: &Value) -> Option<Answer> {
    Some(match kind {
        "item" => {
            let item = serde_json::from_value::<WorkItem>(answer["item"].clone()).ok()?;
            of_item(&intent.request, &item)
        }
        "work" => {
            let item = serde_json::from_value::<WorkItem>(answer["item"].clone()).ok()?;
            of_item(&intent.end(), &item)
        }
        "items" | "applied" if matches!(intent.deed, Deed::Create | Deed::Plan) => {
            Answer::Wrote(answer["items"].as_array()?.iter().map(written).collect::<Option<_>>()?)
        }
        "id" => Answer::Wrote(vec![Written { version: 1, ..written(answer)? }]),
        "import" => {
            let new = |id: &Value| Some(Written { id: id_in(id)?, uid: None, version: 1 });
            Answer::Wrote(answer["ids"].as_array()?.iter().map(new).collect::<Option<_>>()?)
        }
        "deleted" => Answer::Deleted(written(&answer["item"])?),
        "uids" => {
            let uids = serde_json::from_value(answer["uids"].clone()).ok()?;
            Answer::Drew { uids, numbers: Vec::new() }
        }
        "items" | "hits" | "document" | "locks" | "locks_cleaned" => Answer::Looked,
        _ => return None,
    })
}

/// A change that changes nothing is not written and leaves no trace in the history.
pub(super) fn of_item(request: &str, item: &WorkItem) -> Answer {
    let last = item.history.last().and_then(|entry| entry.request_id.as_deref());
    if last != Some(request) {
        return Answer::Looked;
    }
    let (id, uid, version) = (item.id.clone(), Some(item.uid), item.version);
    Answer::Wrote(vec![Written { id, uid, version }])
}

fn written(value: &Value) -> Option<Written> {
    Some(Written {
        id: id_in(&value["id"])?,
        uid: Some(serde_json::from_value(value["uid"].clone()).ok()?),
        version: value["version"].as_u64().unwrap_or(1),
    })
}

fn id_in(value: &Value) -> Option<WorkId> {
    value.as_str()?.parse().ok()
}

/// The program that was given.
pub(super) fn program(jerry: &Path) -> io::Result<PathBuf> {
    jerry.canonicalize().map_err(|error| {
        io::Error::new(error.kind(), format!("there is no program {}: {error}", jerry.display()))
    })
}

/// What one command answers when nobody else is there.
pub(super) fn once(jerry: &Path, ground: &Ground, arguments: &[&str]) -> io::Result<Value> {
    let mut command = Command::new(jerry);
    command.env_clear().env("HOME", ground.folder()).current_dir(ground.folder());
    command.args(["--json", "--actor", "storm", "--store"]).arg(ground.store()).args(arguments);
    let output = command.output()?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| io::Error::other(format!("jerry {}: {error}", arguments.join(" "))))
}
