//! `complete`.

use std::sync::Arc;

use clap::Args;
use jerry_application::Complete;

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::output::Changed;
use crate::session::Session;

/// What `complete` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let request = self.change.request(session, &id)?;
        let shell = session.shell(&request)?;
        let complete = Complete::new(session.ports()?, Arc::new(shell));
        let update = complete.complete(&id, Vec::new(), &request).await?;
        Ok(Box::new(Changed::new("completed", update)))
    }
}
