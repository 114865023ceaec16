//! `label`.

use clap::{Args, Subcommand};
use jerry_domain::{Edit, Label};

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::Failure;
use crate::output::Changed;
use crate::session::Session;

/// What `label` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add labels; those that are there already stay
    Add(Labels),
    /// Remove labels
    #[command(visible_alias = "rm")]
    Remove(Labels),
}

#[derive(Debug, Args)]
struct Labels {
    /// The labels, apart or with commas
    #[arg(value_name = "LABEL", required = true, value_delimiter = ',')]
    labels: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let (labels, edit, said): (_, fn(Label) -> Edit, _) = match self.action {
            Action::Add(labels) => (labels, Edit::AddLabel, "labelled"),
            Action::Remove(labels) => (labels, Edit::RemoveLabel, "unlabelled"),
        };
        let edits = labels.labels.iter().map(|label| Ok(edit(Label::new(label)?)));
        let edits = edits.collect::<Result<_, Failure>>()?;
        let request = labels.change.request(session)?;
        let update = session.modify()?.edit(&id, edits, &request).await?;
        Ok(Box::new(Changed::new(said, update)))
    }
}
