//! `ready`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::{ExplainedItems, Filter, Placed, Ready, ReadyItems};
use jerry_contract::Explained;
use jerry_domain::{WorkId, to_the_second};

use super::Outcome;
use super::list::Narrowed;
use crate::args::Pick;
use crate::output::{
    Answer, Json, Listing, Paint, Style, count, line, reasons, remark, report_unreadable,
};
use crate::session::Session;

/// What `ready` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// At most so many items; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    narrowed: Narrowed,
    #[command(flatten)]
    pick: Pick,
    /// Also why each comes where it comes, and why the other open items cannot be begun
    #[arg(long, conflicts_with = "Pick")]
    explain: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let ready = Ready::new(session.ports()?);
        let actor = session.actor()?;
        let filter = Filter { limit: self.limit, ..self.narrowed.filter(session)? };
        if self.explain {
            let explained = ready.explained(Some(&actor), &filter).await?;
            report_unreadable(&explained.unreadable);
            return Ok(Box::new(WithReasons(explained)));
        }
        let ready = ready.ready(Some(actor), &filter).await?;
        report_unreadable(&ready.unreadable);
        let ReadyItems { items, total, progress, unreadable } = ready;
        let what = "ready items";
        Listing { items, total, progress, unreadable, what }.with(self.pick.fields())
    }
}

struct WithReasons(ExplainedItems);

impl Answer for WithReasons {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Explained::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let name = |id: &WorkId| style.paint(Paint::Bold, &id.to_string());
        for placed in &self.0.items {
            let item = &placed.item;
            writeln!(out, "{}\t{}", name(&item.id), line(item.title.as_str()))?;
            writeln!(out, "  {}", line(&because(placed)))?;
        }
        if !self.0.not_ready.is_empty() {
            writeln!(out, "{}", style.paint(Paint::Dim, "not ready:"))?;
        }
        self.0.not_ready.iter().try_for_each(|waiting| {
            let title = line(waiting.item.title.as_str());
            writeln!(out, "{}\t{title}\n  {}", name(&waiting.item.id), line(&reasons(waiting)))
        })
    }

    fn remarks(&self, _: Style) {
        let ExplainedItems { items, total, not_ready, not_ready_total, .. } = &self.0;
        if *total == 0 {
            remark("no ready items");
        }
        if items.len() < *total || not_ready.len() < *not_ready_total {
            let (total, others) = (count(*total, "ready item"), not_ready_total);
            remark(&format!("{total} and {others} that are not; --limit 0 shows all of them"));
        }
    }
}

/// `2: high, since 2026-01-01T00:00:00Z; 3 items wait for it`.
fn because(placed: &Placed) -> String {
    let Placed { item, place, needed_by, unfinished_parts } = placed;
    let mut said = format!("{place}: {}, since {}", item.priority, to_the_second(item.created_at));
    if !needed_by.is_empty() {
        let verb = if needed_by.len() == 1 { "waits" } else { "wait" };
        said.push_str(&format!("; {} {verb} for it", count(needed_by.len(), "item")));
    }
    if *unfinished_parts > 0 {
        let parts = count(*unfinished_parts, "unfinished part");
        said.push_str(&format!("; {parts}, so that claim --next passes it over"));
    }
    if let Some(claim) = &item.claim {
        said.push_str(&match claim.is_handed_over {
            true => format!("; handed over to {}", claim.holder),
            false => format!("; the claim of {} has lapsed", claim.holder),
        });
    }
    said
}
