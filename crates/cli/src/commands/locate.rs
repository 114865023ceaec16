//! `where`.

use std::io::{self, Write};

use clap::Args;
use jerry_infra_fs::{Located, Reason};
use serde_json::json;

use super::Outcome;
use crate::output::{Answer, Json, Style, line};
use crate::session::Session;

/// What `where` takes.
#[derive(Debug, Args)]
pub struct Arguments {}

impl Arguments {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        session.store()?;
        Ok(Box::new(Where(session.place()?.clone())))
    }
}

struct Where(Located);

impl Answer for Where {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let reason = match &self.0.reason {
            Reason::Flag => "flag",
            Reason::Environment => "environment",
            Reason::Project(_) => "project",
            Reason::Upwards => "upwards",
            Reason::MainWorktree => "main_worktree",
        };
        json.answer(
            "where",
            &json!({ "root": self.0.root.display().to_string(), "reason": reason }),
        )
    }

    /// The root alone for a program, so that `cd "$(jerry where)"` works.
    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let Located { root, reason } = &self.0;
        if style.terminal {
            let root = root.display().to_string();
            writeln!(out, "{}  ({})", line(&root), line(&reason.to_string()))
        } else {
            out.write_all(root.as_os_str().as_encoded_bytes())?;
            writeln!(out)
        }
    }

    fn remarks(&self, style: Style) {
        if !style.terminal {
            crate::output::remark(&self.0.reason.to_string());
        }
    }
}
