//! Asking a command whether criteria hold.
//!
//! As with [`Complete`](crate::Complete) nothing is locked while the command runs. How it ended is
//! written afterwards, as one write, whatever it was: that a criterion does not hold is worth knowing,
//! too. A crash before that write has changed nothing.

use std::sync::Arc;

use jerry_domain::ports::{CommandFailed, CommandRunner};
use jerry_domain::{CheckId, Edit, Event, Evidence, Exhibit, WorkId, WorkItem};

use crate::{Error, Modify, Ports, Request, requests};

/// Ticks criteria that a command shows.
#[derive(Clone)]
pub struct Check {
    ports: Ports,
    runner: Arc<dyn CommandRunner>,
}

/// What a command said of criteria.
#[derive(Debug)]
pub struct Checked {
    /// The item, with how the command ended as evidence.
    pub item: WorkItem,
    /// How it failed, if it did; the criteria are not ticked then.
    pub failed: Option<CommandFailed>,
}

impl Check {
    /// A service that has `runner` run the commands.
    #[must_use]
    pub fn new(ports: Ports, runner: Arc<dyn CommandRunner>) -> Self {
        Self { ports, runner }
    }

    /// Runs `command` and puts on record, as evidence of the `entries` of the item `id`, how it
    /// ended. They are ticked if it succeeded, and else unticked.
    ///
    /// A request that has been made already runs nothing: the answer is its first result.
    ///
    /// # Errors
    /// As [`Modify::edit`]; that the command fails is none.
    pub async fn by_command(
        &self,
        id: &WorkId,
        entries: &[CheckId],
        command: &str,
        request: &Request,
    ) -> Result<Checked, Error> {
        let exhibit = Exhibit::Command(command.to_owned());
        let edits = |done, evidence: &Evidence| -> Vec<Edit> {
            let evidence = Some(evidence.clone());
            let edit =
                |id: &CheckId| Edit::Check { id: id.clone(), done, evidence: evidence.clone() };
            entries.iter().map(edit).collect()
        };
        let passed = edits(true, &exhibit.evidence(Some("exit status 0".to_owned())));
        let event = Event::of(&passed);
        let first = requests::first_result(&self.ports, id, &event, request).await?;
        let item = match first {
            Some(item) => item,
            None => {
                self.ports.refuse_early(id, &passed, request).await?;
                let edits = match self.runner.run(command, id).await {
                    Ok(()) => passed,
                    Err(CommandFailed { ended, .. }) => edits(false, &exhibit.failed(&ended)),
                };
                Modify::new(self.ports.clone()).edit(id, edits, request).await?.into_item()
            }
        };
        let failed = failure(&item, entries, &exhibit)
            .map(|ended| CommandFailed { command: command.to_owned(), ended });
        Ok(Checked { item, failed })
    }
}

/// How the command failed, as the last evidence of it in `item` says.
fn failure(item: &WorkItem, entries: &[CheckId], exhibit: &Exhibit) -> Option<String> {
    let source = exhibit.to_string();
    let own = |evidence: &&Evidence| evidence.source.as_ref() == Some(&source);
    let entry = item.acceptance_criteria.iter().find(|entry| entries.contains(&entry.id))?;
    entry.evidence.iter().rev().find(own)?.failure().map(str::to_owned)
}
