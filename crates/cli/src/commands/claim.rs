//! `claim`, `release`, `handoff`: who works on an item.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::ClaimNext;
use jerry_domain::{Edit, Transition, WorkItem, to_the_second};

use super::Outcome;
use super::list::Narrowed;
use crate::args::{self, Change, ItemArg};
use crate::complete;
use crate::exit::Failure;
use crate::output::{Changed, line};
use crate::session::{Session, short_text};
use crate::settings::parse_lease;

/// Which item is claimed.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The item: WORK-042, work-42 or 42
    #[arg(value_name = "ID", required_unless_present = "next", conflicts_with = "Narrowed", add = ArgValueCandidates::new(complete::ids))]
    pub(super) id: Option<String>,
    /// The most urgent of the items that are ready; exit status 7 if there is none
    #[arg(long, conflicts_with = "id")]
    next: bool,
    #[command(flatten)]
    pub(super) narrowed: Narrowed,
}

/// What `claim` takes.
#[derive(Debug, Args)]
#[command(mut_arg("next", |next| next.conflicts_with_all(["if_version", "force"])))]
pub struct Claim {
    #[command(flatten)]
    which: Which,
    /// How long the claim stands after each write by its holder: 4h, 30m, 90s
    #[arg(long, value_name = "TIME", value_parser = parse_lease)]
    lease: Option<Duration>,
    #[command(flatten)]
    change: Change,
}

impl Claim {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let lease = self.lease.map_or_else(|| session.lease(), Ok).map(Some)?;
        let item = match &self.which.id {
            Some(id) => {
                let id = session.id(id)?;
                let request = self.change.request(session, &id)?;
                let edits = vec![Edit::Claim { lease, lock: None }];
                session.modify()?.edit(&id, edits, &request).await?.into_item()
            }
            None => {
                let request = self.change.request_of_new(session)?;
                let filter = self.which.narrowed.filter(session)?;
                ClaimNext::new(session.ports()?).claim(&filter, lease, &request).await?
            }
        };
        Ok(Box::new(Changed::said(said(&item), item)))
    }
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
    item: ItemArg,
    /// What there is to know for the next one; - reads standard input
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    change: Change,
}

impl Release {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let edits = with_note(self.note, Edit::Move(Transition::Release))?;
        write("released", &self.item, edits, &self.change, session).await
    }
}

/// What `handoff` takes.
#[derive(Debug, Args)]
pub struct Handoff {
    #[command(flatten)]
    item: ItemArg,
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
        write(&said, &self.item, edits, &self.change, session).await
    }
}

fn with_note(note: Option<String>, edit: Edit) -> Result<Vec<Edit>, Failure> {
    let note = short_text(note)?.map(Edit::Note);
    Ok(note.into_iter().chain([edit]).collect())
}

async fn write(
    said: &str,
    item: &ItemArg,
    edits: Vec<Edit>,
    change: &Change,
    session: &Session,
) -> Outcome {
    let id = item.id(session)?;
    let update = session.modify()?.edit(&id, edits, &change.request(session, &id)?).await?;
    Ok(Box::new(Changed::new(said, update)))
}
