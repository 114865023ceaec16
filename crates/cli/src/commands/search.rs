//! `search`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::SearchResult;
use jerry_contract::Hits;

use super::Outcome;
use super::list::Selection;
use crate::output::{Answer, Json, Paint, Style, line, remark, report_unreadable};
use crate::session::Session;

/// What `search` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to look for, in any case
    text: String,
    #[command(flatten)]
    selection: Selection,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let filter = self.selection.filter(session)?;
        let found = session.query()?.search(&self.text, &filter).await?;
        report_unreadable(&found.unreadable);
        Ok(Box::new(Found(found)))
    }
}

struct Found(SearchResult);

impl Found {
    fn count(&self) -> String {
        let (shown, total) = (self.0.hits.len(), self.0.total);
        match shown {
            0 => "nothing found; --all looks in completed and cancelled items too".to_owned(),
            shown if shown < total => format!("{shown} of {total}; --limit 0 shows all of them"),
            shown => format!("{shown} found"),
        }
    }
}

impl Answer for Found {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Hits::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        for hit in &self.0.hits {
            let id = style.paint(Paint::Bold, &hit.item.id.to_string());
            writeln!(out, "{id}\t{}\t{}", hit.item.status, line(hit.item.title.as_str()))?;
            if let Some(excerpt) = hit.excerpt.as_ref().filter(|excerpt| excerpt.field != "title") {
                let field = style.paint(Paint::Dim, excerpt.field);
                writeln!(out, "  {field}: {}", line(&excerpt.text))?;
            }
        }
        Ok(())
    }

    fn remarks(&self, style: Style) {
        if style.terminal || self.0.hits.is_empty() || self.0.hits.len() < self.0.total {
            remark(&self.count());
        }
    }
}
