//! `list`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::{Filter, Page, SortKey};
use jerry_domain::{ItemType, Label, Phase, Priority, Status, Timestamp, day_or_instant};

use super::Outcome;
use crate::args::{self, Pick};
use crate::complete;
use crate::exit::Failure;
use crate::output::{Listing, report_unreadable};
use crate::session::Session;

/// What `list` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    pick: Pick,
    /// With this text in the title, the description, a note, a criterion or a finding
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// Which items, apart from where they stand.
#[derive(Debug, Args)]
pub(super) struct Narrowed {
    /// Of this type; may be repeated, or several with commas
    #[arg(long = "type", short = 't', value_name = "TYPE", value_parser = args::item_type(), ignore_case = true, value_delimiter = ',')]
    types: Vec<ItemType>,
    /// With this priority; may be repeated, or several with commas
    #[arg(long = "priority", short = 'p', value_name = "PRIORITY", value_parser = args::priority(), ignore_case = true, value_delimiter = ',')]
    priorities: Vec<Priority>,
    /// Assigned to this actor
    #[arg(long, short = 'a', value_name = "NAME")]
    assignee: Option<String>,
    /// Assigned to the one who asks
    #[arg(long, conflicts_with = "assignee")]
    mine: bool,
    /// With this label; may be repeated, and then with all of them
    #[arg(long = "label", short = 'l', value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// Directly a part of this item
    #[arg(long, value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    parent: Option<String>,
    /// In this phase
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
}

impl Narrowed {
    pub(super) fn filter(self, session: &Session) -> Result<Filter, Failure> {
        let assignee = match self.assignee {
            Some(name) => Some(args::actor(&name)?),
            None if self.mine => Some(session.actor()?),
            None => None,
        };
        let labels = self.labels.iter().map(|label| Label::new(label)).collect::<Result<_, _>>()?;
        Ok(Filter {
            types: self.types,
            priorities: self.priorities,
            assignee,
            labels,
            parent: self.parent.map(|id| session.id(&id)).transpose()?,
            phase: self.phase.map(|phase| Phase::new(&phase)).transpose()?,
            ..Filter::default()
        })
    }
}

/// Which items, in which order, and how many.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Completed and cancelled items too
    #[arg(long)]
    all: bool,
    /// With this status; may be repeated, or several with commas
    #[arg(long = "status", short = 's', value_name = "STATUS", value_parser = args::status(), ignore_case = true, value_delimiter = ',')]
    statuses: Vec<Status>,
    #[command(flatten)]
    narrowed: Narrowed,
    /// Written on or after this day, or at or after this time
    #[arg(long, value_name = "DAY", value_parser = day_or_instant)]
    updated_since: Option<Timestamp>,
    /// The order
    #[arg(long, value_name = "KEY", value_parser = args::sort_key(), ignore_case = true, default_value = "priority")]
    sort: SortKey,
    /// The other way round
    #[arg(long, short = 'r')]
    reverse: bool,
    /// At most so many items; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Selection {
    pub(super) fn filter(self, session: &Session) -> Result<Filter, Failure> {
        Ok(Filter {
            statuses: self.statuses,
            updated_since: self.updated_since,
            include_closed: self.all,
            sort: self.sort,
            descending: self.reverse,
            limit: self.limit,
            ..self.narrowed.filter(session)?
        })
    }

    /// What the items are called that this selects.
    pub(super) fn what(&self) -> &'static str {
        if self.all || !self.statuses.is_empty() { "items" } else { "open items" }
    }
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let what = self.selection.what();
        let filter = Filter { text: self.text, ..self.selection.filter(session)? };
        let page = session.query()?.list(&filter).await?;
        report_unreadable(&page.unreadable);
        let Page { items, total, progress, unreadable } = page;
        Listing { items, total, progress, unreadable, what }.with(self.pick.fields())
    }
}
