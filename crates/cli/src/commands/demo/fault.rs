//! A way to lose writes on purpose, so that it can be shown that the demo would notice. Nothing
//! but a demo's own agents can be told to use it.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use jerry_application::{Error, Ports, Request};
use jerry_domain::ports::{RepositoryError, StorageError, StorageFault};
use jerry_domain::{Edit, Stamp, WorkId, WorkItem};

/// What the agents of a demo do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Fault {
    /// They read an item, check its version and write it back, all without its lock.
    UnlockedUpdates,
}

/// Changes items without their locks.
pub(super) struct Unlocked {
    pub ports: Ports,
    /// The folder of the items.
    pub items: PathBuf,
}

impl Unlocked {
    /// Long enough for another agent to come between.
    const PAUSE: Duration = Duration::from_millis(2);

    /// What `Modify::edit` does, done wrong. `None` when the edits change nothing.
    pub(super) async fn edit(
        &self,
        id: &WorkId,
        edits: &[Edit],
        request: &Request,
    ) -> Result<Option<WorkItem>, Error> {
        let Some(item) = self.ports.items.get(id).await? else {
            return Err(RepositoryError::NotFound { id: id.clone() }.into());
        };
        RepositoryError::unless_version(&item, request.if_version)?;
        let stamp = Stamp {
            request_id: request.request_id.clone(),
            ..Stamp::new(self.ports.clock.now(), request.actor.clone())
        };
        let refused = |source| RepositoryError::Refused { id: id.clone(), source };
        let changed = item.apply(edits, &stamp).map_err(refused)?;
        std::thread::sleep(Self::PAUSE);
        if let Some(item) = &changed {
            self.save(item).map_err(|error| {
                RepositoryError::Storage(StorageError {
                    action: "write",
                    resource: id.to_string(),
                    fault: StorageFault::Other,
                    source: error.into(),
                })
            })?;
        }
        Ok(changed)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the fault")]
    fn save(&self, item: &WorkItem) -> std::io::Result<()> {
        let temp = self.items.join(format!(".{}.{}.tmp", item.id, std::process::id()));
        let mut text = serde_json::to_vec_pretty(item)?;
        text.push(b'\n');
        std::fs::write(&temp, text)?;
        std::fs::rename(&temp, self.items.join(format!("{}.json", item.id)))
    }
}
