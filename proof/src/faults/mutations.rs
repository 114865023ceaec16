//! Programs that get one thing wrong, to see that the rules notice it.

use jerry_cli::exit::{Code, Failure};
use serde_json::Value;

use super::enumeration::{Answered, Stage};
use super::fault::{EIO, ENOSPC, Fault, Plan, Spread, Swallowed};
use super::ground::{Backend, Made};
use super::scenario;
use crate::outcome::Outcome;

/// What the program gets wrong.
#[derive(Clone, Copy)]
enum Wrong {
    Swallows(Swallowed),
    Says(Answered),
}

struct Mutation {
    what: &'static str,
    wrong: Wrong,
    /// The commands, any of whose steps may fail.
    commands: &'static [&'static str],
}

fn mutations() -> Vec<Mutation> {
    use Wrong::{Says, Swallows};
    let of = |what, wrong, commands| Mutation { what, wrong, commands };
    vec![
        of(
            "the error of an fsync is ignored",
            Swallows(Swallowed::Sync),
            &["note", "create", "create 17", "delete", "init", "config set", "export"],
        ),
        of(
            "the error of a rename is ignored",
            Swallows(Swallowed::Rename),
            &["note", "create", "delete", "config set", "export"],
        ),
        of(
            "the error of a write is ignored",
            Swallows(Swallowed::Write),
            &["note", "create", "create 17", "delete", "init", "config set", "export"],
        ),
        of("the error of an unlink is ignored", Swallows(Swallowed::Unlink), &["delete"]),
        of(
            "a file that cannot be read is taken for absent",
            Swallows(Swallowed::Read),
            &["note", "create", "delete", "config set"],
        ),
        of(
            "the temporary file is not removed after an error",
            Swallows(Swallowed::CleanUp),
            &["note", "create", "create 17", "config set", "export"],
        ),
        of(
            "a file is written over in place",
            Swallows(Swallowed::Atomicity),
            &["note", "config set", "export"],
        ),
        of("a lock is not released", Swallows(Swallowed::Release), &["note", "create"]),
        of("exit status 0 for 9", Says(zero_for_nine), &["note", "create", "delete", "create 17"]),
        of("exit status 8 for 9", Says(eight_for_nine), &["note", "create", "delete", "create 17"]),
        of("exit status 9 for 8", Says(nine_for_eight), &["note", "create", "delete"]),
        of("exit status 0 for 8", Says(zero_for_eight), &["note", "create", "delete"]),
        of("a full disk is any fault", Says(any_fault), &["note", "create"]),
        of("no hint", Says(no_hint), &["note", "create"]),
        of("no path", Says(no_path), &["note", "create"]),
    ]
}

/// Makes every mutation; adds those that nothing noticed.
pub(super) fn run(outcome: &mut Outcome) {
    for backend in [Backend::Os, Backend::Directory] {
        for mutation in mutations() {
            let is_of_locks = matches!(mutation.wrong, Wrong::Swallows(Swallowed::Release));
            if is_of_locks != (backend == Backend::Directory) {
                continue;
            }
            for command in mutation.commands {
                outcome.mutations += 1;
                let what = format!("{}: {command}", mutation.what);
                match is_noticed(&mutation, command, backend) {
                    Ok(true) => {}
                    Ok(false) => outcome.unnoticed.push(what),
                    Err(trouble) => outcome.unnoticed.push(format!("{what}: {trouble}")),
                }
            }
        }
    }
}

fn is_noticed(mutation: &Mutation, command: &str, backend: Backend) -> Made<bool> {
    let scenario = scenario::all(backend).into_iter().find(|scenario| scenario.name == command);
    let stage = Stage::new(scenario.ok_or("there is no such command")?, backend)?;
    let (swallowed, answered): (_, Answered) = match mutation.wrong {
        Wrong::Swallows(swallowed) => (Some(swallowed), |result| result),
        Wrong::Says(answered) => (None, answered),
    };
    for at in 1.. {
        let mut is_over = true;
        for errno in [EIO, ENOSPC] {
            let fault = Fault::Fails(errno);
            let plan = Plan { at, fault, spread: Spread::Once, links: false, swallowed };
            let run = stage.run(plan, answered)?;
            if run.is_case() && !run.violations.is_empty() {
                return Ok(true);
            }
            is_over &= run.is_over;
        }
        if is_over {
            break;
        }
    }
    Ok(false)
}

fn is_indeterminate(failure: &Failure) -> bool {
    failure.code == Code::Indeterminate
}

fn zero_for_nine(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result
        .or_else(|failure| if is_indeterminate(&failure) { Ok(Value::Null) } else { Err(failure) })
}

fn zero_for_eight(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result
        .or_else(|failure| if is_indeterminate(&failure) { Err(failure) } else { Ok(Value::Null) })
}

fn eight_for_nine(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result.map_err(|failure| Failure { code: Code::Storage, ..failure })
}

fn nine_for_eight(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result.map_err(|failure| Failure { code: Code::Indeterminate, ..failure })
}

fn any_fault(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result.map_err(|failure| match failure.code {
        Code::DiskFull => Failure { code: Code::Storage, ..failure },
        _ => failure,
    })
}

fn no_hint(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result.map_err(|failure| Failure { hint: None, ..failure })
}

fn no_path(result: Result<Value, Failure>) -> Result<Value, Failure> {
    result.map_err(|failure| Failure { message: "it did not work".to_owned(), ..failure })
}
