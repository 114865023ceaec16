//! `complete`.

use std::sync::Arc;

use clap::Args;
use jerry_application::{Complete, Request};
use jerry_domain::WorkId;

use super::{Outcome, many};
use crate::args::{Change, ItemArgs};
use crate::output::Changed;
use crate::session::Session;

/// What `complete` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    items: ItemArgs,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let complete = async |id: &WorkId, request: &Request| {
            let shell = session.shell(request)?;
            let complete = Complete::new(session.ports()?, Arc::new(shell));
            let update = complete.complete(id, Vec::new(), request).await?;
            Ok(Changed::new("completed", update))
        };
        many::each(&self.items, &self.change, session, complete).await
    }
}
