//! `setup claude`, `codex`, `cursor`, `gemini`, `agents-md`: what an agent reads before it begins.
//!
//! A marked section in the file that the agent's own program reads. It says little and leads to
//! `jerry prime`, which says what holds today.

use std::path::{Path, PathBuf};

use clap::Args;

use super::section::Section;
use super::{Action, Mode, Part, State};
use crate::composition::NotChanged;
use crate::exit::{Code, Failure};
use crate::session::Session;

/// What every agent's target takes.
#[derive(Debug, Clone, Args)]
pub(super) struct ForAgent {
    #[command(flatten)]
    pub(super) mode: Mode,
    /// The folder in which the agent works [default: the one that holds the store]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// An agent's program, and the file that it reads.
pub(super) struct Agent {
    pub(super) name: &'static str,
    file: &'static str,
    /// What the file has to begin with, where it is made for this section.
    preface: &'static str,
}

pub(super) const CLAUDE: Agent = Agent { name: "claude", file: "CLAUDE.md", preface: "" };
pub(super) const CODEX: Agent = Agent { name: "codex", file: "AGENTS.md", preface: "" };
pub(super) const AGENTS_MD: Agent = Agent { name: "agents-md", file: "AGENTS.md", preface: "" };
pub(super) const GEMINI: Agent = Agent { name: "gemini", file: "GEMINI.md", preface: "" };
pub(super) const CURSOR: Agent = Agent {
    name: "cursor",
    file: ".cursor/rules/jerry.mdc",
    preface: "---\ndescription: How work is tracked here, with jerry\nalwaysApply: true\n---\n\n",
};

pub(crate) const BODY: &str = "\
## Work items: jerry

Work here is tracked with `jerry`, in `.jerry/`. Run `jerry prime` before anything else: it says how,
what you hold and what is ready. In short:

- `jerry claim --next --json` takes the next item; keep the `fence` of its claim and show it with
  `--fence N` at every change of the item. `jerry show ID` says what is to be done.
- `jerry note ID TEXT` while you work, `jerry complete ID` when it is done, `jerry release ID --note TEXT`
  when it is not.
- `jerry create TITLE` for work you come upon; no lists of tasks elsewhere.
- Change nothing in `.jerry/` by hand. `jerry help COMMAND` tells more; every error says what to do.
";

impl Agent {
    pub(super) fn run(
        &self,
        session: &Session,
        asked: &ForAgent,
        action: Action,
    ) -> Result<Vec<Part>, Failure> {
        let root = &session.place()?.root;
        let beside = || root.parent().unwrap_or(root).to_owned();
        let folder = asked.dir.clone().unwrap_or_else(beside);
        if !std::fs::metadata(&folder).is_ok_and(|found| found.is_dir()) {
            let message = format!("there is no folder {}", folder.display());
            return Err(Failure::new(Code::Usage, message));
        }
        let files = &session.store()?.files;
        let path = Path::new(self.file);
        let section = Section {
            preface: self.preface,
            begin: "<!-- jerry setup: begin -->",
            end: "<!-- jerry setup: end -->",
            body: BODY,
        };
        let was = section.apply(files, &folder, path, action)?;
        if action == Action::Remove && was != State::Absent {
            files.below(folder.clone()).remove_empty_folders(path).map_err(NotChanged::from)?;
        }
        Ok(vec![Part::after(folder.join(path).display().to_string(), was, action)])
    }
}
