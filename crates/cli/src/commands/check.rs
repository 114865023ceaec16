//! `check`.

use clap::{ArgGroup, Args};
use jerry_domain::{CheckId, ChecklistKind, Edit, Evidence, Extra};

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::Failure;
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
    /// What shows that the criterion holds; - reads standard input
    #[arg(long, value_name = "TEXT", requires = "entries")]
    evidence: Option<String>,
    /// Where that is: a document and its section, a commit, an address
    #[arg(long, value_name = "TEXT", requires = "evidence")]
    source: Option<String>,
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
        let said = match (self.entries.is_empty(), self.undo) {
            (true, _) => "changed the checklists of",
            (false, false) => "ticked on",
            (false, true) => "unticked on",
        };
        let update = session.modify()?.edit(&id, self.edits()?, &request).await?;
        Ok(Box::new(Changed::new(said, update)))
    }

    fn edits(self) -> Result<Vec<Edit>, Failure> {
        let Self { undo, source, .. } = self;
        let evidence = short_text(self.evidence)?;
        let evidence = evidence.map(|text| Evidence { text, source, extra: Extra::new() });
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
