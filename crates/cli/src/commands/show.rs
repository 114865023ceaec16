//! `show`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jerry_application::render_markdown;
use jerry_domain::ItemType;

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
        let query = session.query()?;
        let item = query.show(&self.item.id(session)?).await?;
        if self.format == Format::Md {
            return Ok(Box::new(Document::written(&render_markdown(&item))));
        }
        // The parts know their parent, not the other way round: only an epic, which is made to have
        // parts, is worth a look at every item.
        let progress = match item.item_type {
            ItemType::Epic => query.progress(&item).await?,
            _ => None,
        };
        let shown = Shown { item, progress };
        Ok(if self.format == Format::Json { Box::new(AsJson(shown)) } else { Box::new(shown) })
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
