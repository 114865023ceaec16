//! `label`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_domain::{Edit, Label};

use super::Outcome;
use crate::args::Change;
use crate::complete;
use crate::exit::{Code, Failure};
use crate::output::Changed;
use crate::session::Session;

/// What `label` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The item: WORK-042, work-42 or 42
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    id: String,
    /// `add` or `remove`; it may also stand before the item
    #[arg(value_name = "add|remove")]
    action: String,
    /// The labels, apart or with commas
    #[arg(value_name = "LABEL", required = true, value_delimiter = ',')]
    labels: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        // No id is spelt like an action, so both orders are clear.
        let (id, action) = match action(&self.id) {
            Some(action) => (&self.action, Some(action)),
            None => (&self.id, action(&self.action)),
        };
        let (edit, said) = action.ok_or_else(|| {
            Failure::new(Code::Usage, format!("'{}' is neither add nor remove", self.action))
                .hint("jerry label 42 add NAME")
        })?;
        let id = session.id(id)?;
        let edits = self.labels.iter().map(|label| Ok(edit(Label::new(label)?)));
        let edits = edits.collect::<Result<_, Failure>>()?;
        let request = self.change.request(session, &id)?;
        let update = session.modify()?.edit(&id, edits, &request).await?;
        Ok(Box::new(Changed::new(said, update)))
    }
}

type Action = (fn(Label) -> Edit, &'static str);

fn action(word: &str) -> Option<Action> {
    match word {
        "add" => Some((Edit::AddLabel, "labelled")),
        "remove" | "rm" => Some((Edit::RemoveLabel, "unlabelled")),
        _ => None,
    }
}
