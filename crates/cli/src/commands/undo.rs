//! `undo`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::Undo;
use jerry_domain::WorkItem;

use super::Outcome;
use crate::args::Change;
use crate::complete;
use crate::output::{Changed, line};
use crate::session::Session;

/// What `undo` takes.
#[derive(Debug, Args)]
#[command(mut_arg("force", |force| {
    force.help("Also if another wrote last, or has claimed the item; goes into its history")
}))]
#[command(mut_arg("if_version", |version| version.requires("id")))]
pub struct Arguments {
    /// The item: WORK-042, work-42 or 42; without one, the one that the actor wrote to last
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    id: Option<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let undo = Undo::new(session.ports()?);
        let update = match &self.id {
            Some(id) => {
                let id = session.id(id)?;
                undo.undo(&id, &self.change.request(session, &id)?).await?
            }
            None => undo.undo_last(&self.change.request_of_new(session)?).await?,
        };
        let item = update.into_item();
        Ok(Box::new(Changed::said(said(&item), item)))
    }
}

/// What was taken back, and what of it stays.
fn said(item: &WorkItem) -> String {
    let (id, title) = (&item.id, line(item.title.as_str()));
    let Some(taken) = item.history.iter().nth_back(1) else {
        return format!("took back the last write of {id}: {title}");
    };
    let mut said = format!("took back version {} of {id} ({})", taken.version, taken.event);
    if taken.changes.iter().any(|change| change.field.starts_with("notes/")) {
        said.push_str("; what it noted stays");
    }
    if taken.changes.iter().any(|change| change.field == "claim" && !change.from.is_null()) {
        said.push_str("; the claim that it ended does not stand again");
    }
    format!("{said}: {title}")
}
