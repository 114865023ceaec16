//! Completing an item whose gates ask for commands.
//!
//! A command may take minutes and may itself use the store, so nothing is locked while it runs:
//!
//! 1. What can be known before is asked before: a completion that would be refused anyway costs
//!    nobody a test run.
//! 2. The commands run, one after the other, without any lock.
//! 3. The item is completed as one write, if it still asks for what it asked for at step 1; its ticks,
//!    its parts and its claim are asked about as they are then.
//!
//! A crash before step 3 has changed nothing; step 3 is one write of one item.

use std::sync::Arc;

use jerry_domain::ports::{CommandFailed, CommandRunner, RepositoryError, Update};
use jerry_domain::{Edit, Refusal, Transition, Unmet, WorkId};

use crate::modify::Shown;
use crate::{Error, Modify, Ports, Request, family, requests};

/// Completes items.
#[derive(Clone)]
pub struct Complete {
    ports: Ports,
    runner: Arc<dyn CommandRunner>,
}

impl Complete {
    /// A service that has `runner` run the commands that gates ask for.
    #[must_use]
    pub fn new(ports: Ports, runner: Arc<dyn CommandRunner>) -> Self {
        Self { ports, runner }
    }

    /// Completes the item `id` and makes `edits` with it, as one write, after the commands that its
    /// gates ask for. A request that insists runs none of them.
    ///
    /// # Errors
    /// As [`Modify::edit`]; [`Refusal::Gate`] when a command fails, [`Refusal::MovedOn`] when the item
    /// asks for something else by then.
    pub async fn complete(
        &self,
        id: &WorkId,
        mut edits: Vec<Edit>,
        request: &Request,
    ) -> Result<Update, Error> {
        edits.push(Edit::Move(Transition::Complete));
        if let Some(first) = requests::first_edit(&self.ports, id, &edits, request).await? {
            return Ok(Update::Written(first));
        }
        let Some(item) = self.ports.items.get(id).await? else {
            return Err(self.ports.absent(id).await?.into());
        };
        let commands: Vec<_> = self.ports.gates.commands(&item).map(str::to_owned).collect();
        let modify = Modify::new(self.ports.clone());
        if commands.is_empty() || request.credentials.force {
            return modify.edit(id, edits, request).await;
        }
        self.refuse_early(id, &edits, request).await?;
        for command in &commands {
            let ran = self.runner.run(command, id).await;
            ran.map_err(|CommandFailed { command, ended }| {
                refused(id, Refusal::Gate { unmet: vec![Unmet::Failed { command, ended }] })
            })?;
        }
        modify.edit_after(id, edits, request, Some(Shown { commands, item })).await
    }

    /// What would refuse the completion in any case, as far as it can be told now.
    async fn refuse_early(
        &self,
        id: &WorkId,
        edits: &[Edit],
        request: &Request,
    ) -> Result<(), Error> {
        let (item, after) = self.ports.refuse_early(id, edits, request).await?;
        let Some(after) = after else { return Ok(()) };
        let family = family::of(&self.ports, id, edits).await?;
        family.allows(Some(&item), &after).map_err(|refusal| refused(id, refusal))?;
        match self.ports.gates.unshown(&item, &after) {
            unmet if unmet.is_empty() => Ok(()),
            unmet => Err(refused(id, Refusal::Gate { unmet })),
        }
    }
}

fn refused(id: &WorkId, source: Refusal) -> Error {
    RepositoryError::Refused { id: id.clone(), source }.into()
}
