//! `setup`: what other programs have to know of jerry, one target a file.
//!
//! Every target can be set up, checked and removed. To remove it leaves each file as it was, byte by
//! byte, and no file that was made for it.

mod agents;
mod git;
mod section;

use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

#[cfg(test)]
pub(crate) use agents::BODY as FOR_AGENTS;
use agents::ForAgent;

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line};
use crate::session::Session;

/// What `setup` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Target {
    /// Let git merge items field by field, in this repository
    Git(Mode),
    /// Tell Claude Code: CLAUDE.md
    Claude(ForAgent),
    /// Tell Codex: AGENTS.md
    Codex(ForAgent),
    /// Tell Cursor: .cursor/rules/jerry.mdc
    Cursor(ForAgent),
    /// Tell Gemini CLI: GEMINI.md
    Gemini(ForAgent),
    /// Tell every agent that reads AGENTS.md; the same section as for codex
    AgentsMd(ForAgent),
}

/// What every target takes.
#[derive(Debug, Clone, Copy, Args)]
struct Mode {
    /// Change nothing; say whether it is set up, by exit status 4 if not
    #[arg(long, conflicts_with = "remove")]
    check: bool,
    /// Take it back
    #[arg(long)]
    remove: bool,
}

impl Mode {
    fn action(self) -> Action {
        match self {
            Self { check: true, .. } => Action::Check,
            Self { remove: true, .. } => Action::Remove,
            _ => Action::Write,
        }
    }
}

/// What is to be done with a target, and with each part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Write,
    Check,
    Remove,
}

/// How a part of a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Absent,
    /// It is there, but another version or a person wrote it.
    Outdated,
    Current,
}

/// One file or setting.
#[derive(Debug, Serialize)]
struct Part {
    /// Where it is, as a person finds it.
    place: String,
    was: State,
    is: State,
}

impl Part {
    /// What `action` makes of a part that `was`.
    fn after(place: impl Into<String>, was: State, action: Action) -> Self {
        let is = match action {
            Action::Write => State::Current,
            Action::Check => was,
            Action::Remove => State::Absent,
        };
        Self { place: place.into(), was, is }
    }
}

impl Arguments {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let (agent, asked) = match &self.target {
            Target::Git(mode) => {
                let parts = git::run(session, mode.action())?;
                return Ok(Box::new(Report { target: "git", action: mode.action(), parts }));
            }
            Target::Claude(asked) => (agents::CLAUDE, asked),
            Target::Codex(asked) => (agents::CODEX, asked),
            Target::Cursor(asked) => (agents::CURSOR, asked),
            Target::Gemini(asked) => (agents::GEMINI, asked),
            Target::AgentsMd(asked) => (agents::AGENTS_MD, asked),
        };
        let action = asked.mode.action();
        let parts = agent.run(session, asked, action)?;
        Ok(Box::new(Report { target: agent.name, action, parts }))
    }
}

/// What was done, or found, part by part.
struct Report {
    target: &'static str,
    action: Action,
    parts: Vec<Part>,
}

impl Answer for Report {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let is_current = self.parts.iter().all(|part| part.is == State::Current);
        json.answer(
            "setup",
            &json!({ "target": self.target, "set_up": is_current, "parts": self.parts }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        for Part { place, was, is } in &self.parts {
            let said = match (self.action, was, is) {
                (Action::Check, _, State::Current) => "as it should be",
                (Action::Check, _, State::Outdated) => "not as it should be",
                (Action::Check, _, State::Absent) => "not set up",
                (_, was, is) if was == is => "as it was",
                (Action::Remove, ..) => "removed",
                (Action::Write, ..) => "set up",
            };
            writeln!(out, "{}: {said}", line(place))?;
        }
        Ok(())
    }

    fn complaint(&self) -> Option<Failure> {
        let wanting = self.parts.iter().any(|part| part.is != State::Current);
        (self.action == Action::Check && wanting).then(|| {
            let message = format!("jerry is not set up for {}", self.target);
            Failure::new(Code::Invalid, message)
                .hint(format!("`jerry setup {}` sets it up", self.target))
        })
    }
}
