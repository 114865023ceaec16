//! `check`.

use std::sync::Arc;

use clap::{ArgGroup, Args};
use jerry_application::{Check, Checked, Request};
use jerry_domain::{CheckId, ChecklistKind, Edit, Evidence, Exhibit, InvalidEvidence, WorkId};

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::{Code, Failure};
use crate::named_file::named_from_the_root;
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
    /// Run the command of cmd:COMMAND, record how it ends, and tick only if it succeeds
    #[arg(long, requires = "evidence", conflicts_with_all = ["undo", "add", "add_subtask", "remove"])]
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
        let evidence = short_text(self.evidence.clone())?;
        if self.run {
            return self.by_command(session, &id, evidence.as_deref(), &request).await;
        }
        let find = |path: &str| named_from_the_root(&session.place()?.root, path);
        let given = |text| Evidence::given(text, self.source.clone(), find);
        let evidence = evidence.map(given).transpose()?;
        let said = match (self.entries.is_empty(), self.undo) {
            (true, _) => "changed the checklists of",
            (false, false) => "ticked on",
            (false, true) => "unticked on",
        };
        let update = session.modify()?.edit(&id, self.edits(evidence)?, &request).await?;
        Ok(Box::new(Changed::new(said, update)))
    }

    async fn by_command(
        &self,
        session: &Session,
        id: &WorkId,
        evidence: Option<&str>,
        request: &Request,
    ) -> Outcome {
        let Some(Exhibit::Command(command)) = Exhibit::parse(evidence.unwrap_or_default())? else {
            return Err(Failure::new(Code::Usage, "there is nothing to run")
                .hint("--run goes with --evidence cmd:COMMAND"));
        };
        if self.source.is_some() {
            return Err(InvalidEvidence::Source.into());
        }
        let check = Check::new(session.ports()?, Arc::new(session.shell(request)?));
        let entries = check_ids(&self.entries)?;
        let Checked { item, failed } = check.by_command(id, &entries, &command, request).await?;
        match failed {
            None => Ok(Box::new(Changed::said(format!("ticked on {id}: {}", item.title), item))),
            Some(failed) => Err(Failure::of(Code::Gate, &failed)
                .about(id)
                .with("version", item.version)
                .hint("that is on record as evidence, and nothing is ticked: put it right and check again")),
        }
    }

    fn edits(self, evidence: Option<Evidence>) -> Result<Vec<Edit>, Failure> {
        let Self { undo, .. } = self;
        let mut edits = Vec::new();
        for id in check_ids(&self.entries)? {
            edits.push(Edit::Check { id, done: !undo, evidence: evidence.clone() });
        }
        edits.extend(check_ids(&self.remove)?.into_iter().map(Edit::RemoveCheck));
        let add = |kind| move |text| Edit::AddCheck(kind, text);
        edits.extend(self.add.into_iter().map(add(ChecklistKind::Criteria)));
        edits.extend(self.add_subtask.into_iter().map(add(ChecklistKind::Subtasks)));
        Ok(edits)
    }
}

fn check_ids(entries: &[String]) -> Result<Vec<CheckId>, Failure> {
    entries.iter().map(|entry| Ok(CheckId::new(entry)?)).collect()
}
