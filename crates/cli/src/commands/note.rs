//! `note`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_domain::Edit;

use super::{Outcome, many};
use crate::args::{Change, ItemArgs};
use crate::complete;
use crate::exit::{Code, Failure};
use crate::session::{Session, text};

/// What `note` takes.
#[derive(Debug, Args)]
#[command(override_usage = "jerry note [OPTIONS] <ID>... <TEXT>")]
pub struct Arguments {
    /// The item, or several: WORK-042, work-42 or 42; and what is to be said; - reads standard input
    #[arg(value_name = "ID|TEXT", required = true, add = ArgValueCandidates::new(complete::ids))]
    words: Vec<String>,
    /// What is to be said, from a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    text_file: Option<PathBuf>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let Self { words: mut ids, text_file, change } = self;
        let said = if text_file.is_none() { ids.pop() } else { None };
        if ids.is_empty() {
            return Err(Failure::new(Code::Usage, "there is nothing to note").hint(HOW));
        }
        if ids.len() > 1
            && let Some(failure) = ids.iter().find_map(|id| session.id(id).err())
        {
            return Err(failure.hint(HOW));
        }
        let said = text(said, text_file.as_ref())?.unwrap_or_default();
        let edits = vec![Edit::Note(said.trim_end().to_owned())];
        many::edit("noted on", &ItemArgs { ids }, edits, &change, session).await
    }
}

const HOW: &str = "jerry note 42 'what there is to say'";
