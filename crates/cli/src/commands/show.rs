//! `show`.

use clap::{Args, ValueEnum};

use super::Outcome;
use crate::args::ItemArg;
use crate::output::Shown;
use crate::session::Session;

/// What `show` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// As text, as JSON (the same as --json), or as a Markdown document
    #[arg(long, short = 'f', value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Md,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let item = session.query()?.show(&self.item.id(session)?).await?;
        Ok(Box::new(Shown(item)))
    }
}
