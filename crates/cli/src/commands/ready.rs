//! `ready`.

use clap::Args;
use jerry_application::{Ready, ReadyItems};

use super::Outcome;
use crate::output::{Listing, report_unreadable};
use crate::session::Session;

/// What `ready` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// At most so many items; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let ready = Ready::new(session.ports()?).ready(self.limit).await?;
        report_unreadable(&ready.unreadable);
        let ReadyItems { items, total, progress, unreadable } = ready;
        Ok(Box::new(Listing { items, total, progress, unreadable, what: "ready items" }))
    }
}
