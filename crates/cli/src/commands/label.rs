//! `label`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_domain::{Edit, Label};

use super::{Outcome, many};
use crate::args::{Change, ItemArgs};
use crate::complete;
use crate::exit::{Code, Failure};
use crate::session::Session;

/// What `label` takes.
#[derive(Debug, Args)]
#[command(override_usage = "jerry label [OPTIONS] <ID>... <add|remove> <LABEL>...")]
pub struct Arguments {
    /// The item, or several: WORK-042, work-42 or 42; `add` or `remove`, which may also stand before
    /// a single item; and the labels, apart or with commas
    #[arg(
        value_name = "ID|add|remove|LABEL",
        required = true,
        add = ArgValueCandidates::new(complete::ids)
    )]
    words: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        // No id is spelt like an action, so both orders are clear.
        let found = self.words.iter().enumerate().find_map(|(at, word)| Some((at, action(word)?)));
        let (at, (edit, said)) = found.ok_or_else(|| {
            Failure::new(Code::Usage, "neither add nor remove is among the words").hint(HOW)
        })?;
        let (before, after) = (&self.words[..at], &self.words[at + 1..]);
        let (ids, labels) =
            if at == 0 { after.split_at(after.len().min(1)) } else { (before, after) };
        if labels.is_empty() {
            return Err(Failure::new(Code::Usage, "there is no label").hint(HOW));
        }
        let labels = labels.iter().flat_map(|word| word.split(','));
        let edits = labels.map(|label| Ok(edit(Label::new(label)?)));
        let edits = edits.collect::<Result<_, Failure>>()?;
        let items = ItemArgs { ids: ids.to_vec() };
        many::edit(said, &items, edits, &self.change, session).await
    }
}

const HOW: &str = "jerry label 42 add NAME";

type Action = (fn(Label) -> Edit, &'static str);

fn action(word: &str) -> Option<Action> {
    match word {
        "add" => Some((Edit::AddLabel, "labelled")),
        "remove" | "rm" => Some((Edit::RemoveLabel, "unlabelled")),
        _ => None,
    }
}
