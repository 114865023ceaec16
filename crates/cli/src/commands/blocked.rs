//! `blocked`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::{Blocked, WaitingItems};
use jerry_contract::BlockedItems;

use super::Outcome;
use crate::output::{Answer, Json, Paint, Style, line, reasons, remark, report_unreadable};
use crate::session::Session;

/// What `blocked` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// At most so many items; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let found = Blocked::new(session.ports()?).blocked(self.limit).await?;
        report_unreadable(&found.unreadable);
        Ok(Box::new(Shown(found)))
    }
}

struct Shown(WaitingItems);

impl Answer for Shown {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&BlockedItems::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        self.0.items.iter().try_for_each(|waiting| {
            let id = style.paint(Paint::Bold, &waiting.item.id.to_string());
            let title = line(waiting.item.title.as_str());
            writeln!(out, "{id}\t{}\t{title}", waiting.item.priority)?;
            writeln!(out, "  {}", line(&reasons(waiting)))
        })
    }

    fn remarks(&self, _: Style) {
        match (self.0.items.len(), self.0.total) {
            (0, _) => remark("nothing waits"),
            (shown, total) if shown < total => {
                remark(&format!("{shown} of {total} that wait; --limit 0 shows all of them"));
            }
            _ => {}
        }
    }
}
