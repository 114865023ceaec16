//! `note`.

use std::path::PathBuf;

use clap::Args;
use jerry_domain::Edit;

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::{Code, Failure};
use crate::output::Changed;
use crate::session::{Session, text};

/// What `note` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// What is to be said; - reads standard input
    #[arg(required_unless_present = "text_file")]
    text: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "text", value_hint = clap::ValueHint::FilePath)]
    text_file: Option<PathBuf>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let said = text(self.text, self.text_file.as_ref())?;
        let said = said.ok_or_else(|| Failure::new(Code::Usage, "there is nothing to note"))?;
        let edits = vec![Edit::Note(said.trim_end().to_owned())];
        let update =
            session.modify()?.edit(&id, edits, &self.change.request(session, &id)?).await?;
        Ok(Box::new(Changed::new("noted on", update)))
    }
}
