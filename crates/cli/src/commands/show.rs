//! `show`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jerry_application::render_markdown;
use jerry_contract::OneItem;

use super::Outcome;
use crate::args::{self, ItemArg, Pick, When};
use crate::exit::{Code, Failure};
use crate::output::{Answer, Document, Json, Picked, Shown, Style};
use crate::session::Session;

/// What `show` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// As it was in this version, or at this time: 3, 2026-01-31, '2h ago'
    #[arg(long, value_name = "VERSION|TIME", value_parser = args::when)]
    at: Option<When>,
    /// As text, as JSON (the same as --json), or as a Markdown document
    #[arg(long, short = 'f', value_enum, default_value_t, conflicts_with = "Pick")]
    format: Format,
    #[command(flatten)]
    pick: Pick,
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
        let id = self.item.id(session)?;
        let item = match self.at {
            Some(when) => session.history()?.at(&id, when.moment(session)?).await?,
            None => query.show(&id).await?,
        };
        if self.format == Format::Md {
            return Ok(Box::new(Document::written(&render_markdown(&item))));
        }
        if let Some(fields) = self.pick.fields() {
            let whole = OneItem::from(&item);
            let value = whole.item.value().map_err(|error| Failure::of(Code::Internal, &error))?;
            let known = value.as_object().into_iter().flat_map(|fields| fields.keys().cloned());
            let picked = Picked::of(&whole, "item", &known.collect::<Vec<_>>(), fields)?;
            return Ok(Box::new(picked));
        }
        let progress = match self.at {
            None => query.progress(&item).await?,
            Some(_) => None,
        };
        let gates = session.ports()?.gates.asked_of(&item).collect();
        let shown = Shown { item, progress, gates };
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
