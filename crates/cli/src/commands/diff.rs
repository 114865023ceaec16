//! `diff`.

use clap::Args;

use super::Outcome;
use crate::args::{self, ItemArg, When};
use crate::output::Compared;
use crate::session::Session;

/// What `diff` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// From this version, or this time [default: the version before]
    #[arg(long, value_name = "VERSION|TIME", value_parser = args::when)]
    from: Option<When>,
    /// To this version, or this time [default: the present]
    #[arg(long, value_name = "VERSION|TIME", value_parser = args::when)]
    to: Option<When>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let moment = |when: Option<When>| when.map(|when| when.moment(session)).transpose();
        let (id, from, to) = (self.item.id(session)?, moment(self.from)?, moment(self.to)?);
        Ok(Box::new(Compared(session.history()?.diff(&id, from, to).await?)))
    }
}
