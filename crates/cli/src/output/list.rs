//! Items in a list.

use std::io::{self, Write};

use jerry_contract::{Items, Row, chain};
use jerry_domain::ports::Unreadable;
use jerry_domain::{ProgressCount, Summary, to_the_second};

use super::{Answer, Cell, Json, Paint, Picked, Style, count, line, remark, warn, write_table};
use super::{priority_paint, status_paint};
use crate::exit::Failure;

/// The items that a question was answered with.
pub(crate) struct Listing {
    pub(crate) items: Vec<Summary>,
    /// How many there are without a limit.
    pub(crate) total: usize,
    /// How far the items that have parts are.
    pub(crate) progress: ProgressCount,
    /// What could not be read, and so may be missing.
    pub(crate) unreadable: Vec<Unreadable>,
    /// What the items are, in the plural.
    pub(crate) what: &'static str,
}

impl Answer for Listing {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Items::new(&self.items, self.total, &self.progress, &self.unreadable))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        if !style.terminal {
            return self.items.iter().try_for_each(|item| self.compact(out, item));
        }
        if self.items.is_empty() {
            return writeln!(out, "no {}", self.what);
        }
        let rows: Vec<_> = self.items.iter().map(|item| self.cells(item)).collect();
        let headings = ["ID", "STATUS", "PRIORITY", "TYPE", "ASSIGNEE", "TITLE"];
        write_table(out, style, headings, &rows)?;
        writeln!(out, "{}", style.paint(Paint::Dim, &self.count()))
    }

    fn remarks(&self, style: Style) {
        if !style.terminal && (self.items.is_empty() || self.total > self.items.len()) {
            remark(&self.count());
        }
    }
}

impl Listing {
    /// The answer, with only these fields of each item if any are given.
    pub(crate) fn with(self, fields: Option<Vec<String>>) -> Result<Box<dyn Answer>, Failure> {
        let Some(fields) = fields else { return Ok(Box::new(self)) };
        if self.total > self.items.len() {
            remark(&self.count());
        }
        let items = Items::new(&self.items, self.total, &self.progress, &self.unreadable);
        Ok(Box::new(Picked::of(&items, "items", &Row::fields(), fields)?))
    }

    fn count(&self) -> String {
        let Self { items, total, what, .. } = self;
        match items.len() {
            0 => format!("no {what}"),
            shown if shown < *total => {
                format!("{shown} of {total} {what}; --limit 0 shows all of them")
            }
            shown => count(shown, what.trim_end_matches('s')),
        }
    }

    /// One item as one line of tab-separated fields, for `cut` and `awk`: id, status, priority,
    /// type, who has it, title. Only the last two may hold spaces.
    fn compact(&self, out: &mut dyn Write, item: &Summary) -> io::Result<()> {
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{}",
            item.id,
            item.status,
            item.priority,
            item.item_type,
            line(&who_has(item)),
            line(&self.title(item)),
        )
    }

    fn cells(&self, item: &Summary) -> [Cell; 6] {
        [
            Cell::painted(item.id.to_string(), Paint::Bold),
            Cell::painted(item.status.as_str(), status_paint(item.status)),
            Cell::painted(item.priority.as_str(), priority_paint(item.priority)),
            Cell::new(item.item_type.as_str()),
            Cell::new(line(&who_has(item))),
            Cell::new(line(&self.title(item))),
        ]
    }

    /// The title, and how far the parts are.
    fn title(&self, item: &Summary) -> String {
        match self.progress.of(&item.id, item.uid) {
            Some(progress) => format!("{} ({progress})", item.title),
            None => item.title.to_string(),
        }
    }
}

/// Whoever holds the item and until when, else whoever is to do it.
pub(crate) fn who_has(item: &Summary) -> String {
    match (&item.claim, &item.assignee) {
        (Some(claim), _) => match claim.expires_at {
            Some(end) => format!("{} until {}", claim.holder, to_the_second(end)),
            None => claim.holder.to_string(),
        },
        (None, Some(assignee)) => assignee.to_string(),
        (None, None) => "-".to_owned(),
    }
}

/// Warns about what could not be read.
pub(crate) fn report_unreadable(unreadable: &[Unreadable]) {
    for error in unreadable {
        warn(&format!("not shown: {}", chain(error)));
    }
    if !unreadable.is_empty() {
        remark("hint: `jerry doctor` tells more");
    }
}
