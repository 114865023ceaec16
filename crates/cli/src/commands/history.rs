//! `history`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::Moment;

use super::Outcome;
use crate::args::{self, When};
use crate::complete;
use crate::exit::{Code, Failure};
use crate::output::{Told, report_unreadable};
use crate::session::Session;

/// What `history` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The item: WORK-042, work-42 or 42; without one, all items, deleted ones among them
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    id: Option<String>,
    /// Only from this time on, or after this version: 2026-01-31, 2h, 3
    #[arg(long, value_name = "TIME|VERSION", value_parser = args::when)]
    since: Option<When>,
    /// At most so many writes, the latest; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let since = self.since.map(|when| when.moment(session)).transpose()?;
        let history = session.history()?;
        let told = match (&self.id, since) {
            (Some(id), since) => history.of(&session.id(id)?, since, self.limit).await?,
            (None, None) => history.of_all(None, self.limit).await?,
            (None, Some(Moment::Time(time))) => history.of_all(Some(time), self.limit).await?,
            (None, Some(Moment::Version(version))) => {
                let message = format!("{version} is a version, and of which item is not said");
                return Err(Failure::new(Code::Usage, message)
                    .hint("name the item, or a time: --since 2026-01-31, --since 2h"));
            }
        };
        report_unreadable(&told.unreadable);
        Ok(Box::new(Told(told)))
    }
}
