//! `claim`, `release`, `handoff`: who works on an item.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::{ClaimNext, Request};
use jerry_domain::{Edit, Transition, WorkId, WorkItem, to_the_second};

use super::list::Narrowed;
use super::{Outcome, many};
use crate::args::{self, Change, ItemArgs};
use crate::complete;
use crate::exit::Failure;
use crate::output::{Changed, line};
use crate::session::{Session, short_text};
use crate::settings::parse_lease;

/// Which item is claimed where none is named.
#[derive(Debug, Args)]
pub(super) struct Next {
    /// The most urgent of the items that are ready, of those that --type and the other filters let
    /// through, which go with --next alone; exit status 7 if there is none
    #[arg(long)]
    next: bool,
    #[command(flatten)]
    pub(super) narrowed: Narrowed,
}

/// What `claim` takes.
#[derive(Debug, Args)]
#[command(
    mut_arg("next", |next| next.conflicts_with_all(["if_version", "force"])),
    override_usage = "jerry claim [OPTIONS] <ID>...\n       jerry claim [OPTIONS] --next"
)]
pub struct Claim {
    /// The item, or several: WORK-042, work-42 or 42
    #[arg(
        value_name = "ID",
        required_unless_present = "next",
        conflicts_with_all = ["next", "Narrowed"],
        add = ArgValueCandidates::new(complete::ids)
    )]
    ids: Vec<String>,
    #[command(flatten)]
    next: Next,
    /// How long the claim stands after each write by its holder: 4h, 30m, 90s
    #[arg(long, value_name = "TIME", value_parser = parse_lease)]
    lease: Option<Duration>,
    #[command(flatten)]
    change: Change,
}

impl Claim {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let lease = self.lease.map_or_else(|| session.lease(), Ok).map(Some)?;
        if self.ids.is_empty() {
            let request = self.change.request_of_new(session)?;
            let filter = self.next.narrowed.filter(session)?;
            let next = ClaimNext::new(session.ports()?);
            return Ok(Box::new(claimed(next.claim(&filter, lease, &request).await?)));
        }
        let claim = async |id: &WorkId, request: &Request| {
            let edits = vec![Edit::Claim { lease, lock: None }];
            Ok(claimed(session.modify()?.edit(id, edits, request).await?.into_item()))
        };
        many::each(&ItemArgs { ids: self.ids }, &self.change, session, claim).await
    }
}

fn claimed(item: WorkItem) -> Changed {
    Changed::said(said(&item), item)
}

fn said(item: &WorkItem) -> String {
    let (id, title) = (&item.id, line(item.title.as_str()));
    match &item.claim {
        Some(claim) => match claim.expires_at {
            Some(end) => {
                let end = to_the_second(end);
                format!("claimed {id} until {end}, fence {}: {title}", claim.fence)
            }
            None => format!("claimed {id}, fence {}: {title}", claim.fence),
        },
        None => format!("claimed {id}: {title}"),
    }
}

/// What `release` takes.
#[derive(Debug, Args)]
pub struct Release {
    #[command(flatten)]
    items: ItemArgs,
    /// What there is to know for the next one; - reads standard input
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    change: Change,
}

impl Release {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let edits = with_note(self.note, Edit::Move(Transition::Release))?;
        many::edit("released", &self.items, edits, &self.change, session).await
    }
}

/// What `handoff` takes.
#[derive(Debug, Args)]
pub struct Handoff {
    #[command(flatten)]
    items: ItemArgs,
    /// To whom; nobody else can claim it then
    #[arg(long, value_name = "NAME")]
    to: String,
    /// What there is to know; - reads standard input
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    change: Change,
}

impl Handoff {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let to = args::actor(&self.to)?;
        let said = format!("handed over to {to}:");
        let edits = with_note(self.note, Edit::HandOver(to))?;
        many::edit(&said, &self.items, edits, &self.change, session).await
    }
}

fn with_note(note: Option<String>, edit: Edit) -> Result<Vec<Edit>, Failure> {
    let note = short_text(note)?.map(Edit::Note);
    Ok(note.into_iter().chain([edit]).collect())
}
