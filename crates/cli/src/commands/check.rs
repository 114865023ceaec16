//! `check`.

use std::fs;
use std::io;
use std::path::Path;

use clap::{ArgGroup, Args};
use jerry_application::Request;
use jerry_domain::ports::CommandRunner;
use jerry_domain::{CheckId, ChecklistKind, Edit, Evidence, Exhibit, Extra, WorkId};

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::{Code, Failure};
use crate::output::Changed;
use crate::session::{Session, short_text};

/// What `check` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// The entries to tick: AC-042.1, ST-042.3
    #[arg(value_name = "ENTRY", group = "what")]
    entries: Vec<String>,
    /// Untick them
    #[arg(long, requires = "entries")]
    undo: bool,
    /// What shows that the criterion holds: commit:SHA, file:PATH, cmd:COMMAND, url:ADDRESS, or words;
    /// - reads standard input
    #[arg(long, value_name = "TEXT", requires = "entries")]
    evidence: Option<String>,
    /// Where that is, of evidence in words: a document and its section
    #[arg(long, value_name = "TEXT", requires = "evidence")]
    source: Option<String>,
    /// Run the command of cmd:COMMAND, and tick only if it succeeds
    #[arg(long, requires = "evidence", conflicts_with = "undo")]
    run: bool,
    /// Add an acceptance criterion; may be repeated
    #[arg(long = "add", value_name = "TEXT", group = "what")]
    add: Vec<String>,
    /// Add a sub-task; may be repeated
    #[arg(long = "add-subtask", value_name = "TEXT", group = "what")]
    add_subtask: Vec<String>,
    /// Remove an entry; may be repeated
    #[arg(long = "remove", value_name = "ENTRY", group = "what")]
    remove: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let request = self.change.request(session, &id)?;
        let evidence = self.evidence(session, &id, &request).await?;
        let said = match (self.entries.is_empty(), self.undo) {
            (true, _) => "changed the checklists of",
            (false, false) => "ticked on",
            (false, true) => "unticked on",
        };
        let update = session.modify()?.edit(&id, self.edits(evidence)?, &request).await?;
        Ok(Box::new(Changed::new(said, update)))
    }

    async fn evidence(
        &self,
        session: &Session,
        id: &WorkId,
        request: &Request,
    ) -> Result<Option<Evidence>, Failure> {
        let Some(text) = short_text(self.evidence.clone())? else { return Ok(None) };
        let usage = |message: &str| Failure::new(Code::Usage, message);
        let exhibit = Exhibit::parse(&text).map_err(|error| Failure::of(Code::Usage, &error))?;
        let found = match &exhibit {
            Some(Exhibit::Command(command)) if self.run => {
                let ran = session.shell(request)?.run(command, id).await;
                ran.map_err(|failed| {
                    Failure::of(Code::Gate, &failed).hint("nothing was ticked").about(id)
                })?;
                Some("exit status 0".to_owned())
            }
            _ if self.run => {
                return Err(
                    usage("there is nothing to run").hint("--run goes with --evidence cmd:COMMAND")
                );
            }
            Some(Exhibit::File(path)) => {
                require_file(Path::new(path))?;
                None
            }
            _ => None,
        };
        match (exhibit, self.source.clone()) {
            (Some(_), Some(_)) => {
                Err(usage("such evidence names its own source").hint("leave --source out"))
            }
            (Some(exhibit), None) => Ok(Some(exhibit.evidence(found))),
            (None, source) => Ok(Some(Evidence { text, source, extra: Extra::new() })),
        }
    }

    fn edits(self, evidence: Option<Evidence>) -> Result<Vec<Edit>, Failure> {
        let Self { undo, .. } = self;
        let mut edits = Vec::new();
        for entry in &self.entries {
            let id = CheckId::new(entry)?;
            edits.push(Edit::Check { id, done: !undo, evidence: evidence.clone() });
        }
        for entry in &self.remove {
            edits.push(Edit::RemoveCheck(CheckId::new(entry)?));
        }
        let add = |kind| move |text| Edit::AddCheck(kind, text);
        edits.extend(self.add.into_iter().map(add(ChecklistKind::Criteria)));
        edits.extend(self.add_subtask.into_iter().map(add(ChecklistKind::Subtasks)));
        Ok(edits)
    }
}

/// A file that is not there shows nothing.
fn require_file(path: &Path) -> Result<(), Failure> {
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::new(Code::Usage, format!("there is no file {name}")).with("path", name))
        }
        Err(error) => Err(Failure::io(format_args!("cannot look at {name}"), &error)),
    }
}
