//! `show`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jerry_application::render_markdown;

use super::Outcome;
use crate::args::ItemArg;
use crate::output::{Answer, Document, Json, Shown, Style};
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
        Ok(match self.format {
            Format::Text => Box::new(Shown(item)),
            Format::Json => Box::new(AsJson(Shown(item))),
            Format::Md => Box::new(Document::written(&render_markdown(&item))),
        })
    }
}

/// JSON with or without `--json`.
struct AsJson(Shown);

impl Answer for AsJson {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        self.0.json(json)
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.json(Json::new(out))
    }
}
