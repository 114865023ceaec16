//! `locks`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use jerry_domain::ports::{BreakOutcome, Holder, LockName, LockState};
use serde_json::json;

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Paint, Style, count, line, remark};
use crate::session::Session;

/// What `locks` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the locks, who holds them and since when
    #[command(visible_alias = "ls")]
    List,
    /// Remove the files that idle locks leave behind; safe at any time
    Clean,
    /// Give up a lock whose holder is gone; one that the system knows to be held is not broken
    Break {
        /// The lock, as `locks list` calls it
        name: String,
    },
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self.action.unwrap_or(Action::List) {
            Action::List => Ok(Box::new(List(session.store()?.locks.list().await?))),
            Action::Clean => Ok(Box::new(Cleaned(session.store()?.locks.clean().await?))),
            Action::Break { name } => {
                let lock = LockName::new(&name).ok_or_else(|| {
                    Failure::new(Code::Usage, format!("'{name}' cannot be the name of a lock"))
                })?;
                if !session.confirm(&format!("give up the lock {lock}, whoever holds it?"))? {
                    return Err(Failure::new(Code::Usage, format!("lock {lock} was not broken")));
                }
                broken(&lock, session.store()?.locks.break_lock(&lock).await?)
            }
        }
    }
}

fn broken(name: &LockName, outcome: BreakOutcome) -> Outcome {
    match outcome {
        BreakOutcome::Idle => {
            Ok(Box::new(Broken { name: name.clone(), broken: false, holder: None }))
        }
        BreakOutcome::Broken(holder) => {
            Ok(Box::new(Broken { name: name.clone(), broken: true, holder }))
        }
        BreakOutcome::Refused(holder) => Err(refused(name, holder)),
    }
}

/// Breaking a lock that the kernel holds would make two holders.
fn refused(name: &LockName, holder: Option<Holder>) -> Failure {
    let who = holder.as_ref().map_or_else(|| "a living process".to_owned(), Holder::to_string);
    let hint = holder.as_ref().map_or_else(
        || "end that process; the lock ends with it".to_owned(),
        |holder| format!("end process {} on {}; the lock ends with it", holder.pid, holder.host),
    );
    Failure::new(Code::Busy, format!("lock {name} was not broken: held by {who}"))
        .with("lock", name.as_str())
        .with("holder", json!(holder))
        .hint(hint)
}

struct List(Vec<LockState>);

impl Answer for List {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let state = |state: &LockState| {
            json!({
                "name": state.name.as_str(),
                "held": state.held,
                "stale": state.stale,
                "holder": state.holder,
            })
        };
        let locks: Vec<_> = self.0.iter().map(state).collect();
        json.answer("locks", &json!({ "locks": locks, "total": self.0.len() }))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        for state in self.0.iter().filter(|state| state.held) {
            let holder = state.holder.as_ref().map(Holder::to_string);
            let holder = holder.unwrap_or_else(|| "a process that left no name".to_owned());
            let stale = if state.stale {
                style.paint(Paint::Yellow, " (over 5 minutes)")
            } else {
                String::new()
            };
            writeln!(out, "{}\theld by {}{stale}", state.name, line(&holder))?;
        }
        Ok(())
    }

    fn remarks(&self, _: Style) {
        let held = self.0.iter().filter(|state| state.held).count();
        remark(&format!("{held} held, {} idle", self.0.len() - held));
    }
}

struct Cleaned(Vec<LockName>);

impl Answer for Cleaned {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let removed: Vec<_> = self.0.iter().map(LockName::as_str).collect();
        json.answer("locks_cleaned", &json!({ "removed": removed }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        writeln!(out, "removed the files of {}", count(self.0.len(), "idle lock"))
    }
}

struct Broken {
    name: LockName,
    broken: bool,
    holder: Option<Holder>,
}

impl Answer for Broken {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let Self { name, broken, holder } = self;
        json.answer(
            "lock_broken",
            &json!({ "name": name.as_str(), "broken": broken, "holder": holder }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        match (self.broken, &self.holder) {
            (false, _) => writeln!(out, "nobody held {}", self.name),
            (true, None) => writeln!(out, "broke {}", self.name),
            (true, Some(holder)) => {
                writeln!(out, "broke {}, held by {}", self.name, line(&holder.to_string()))
            }
        }
    }
}
