//! The command line's grammar: what every command shares. Each command's own options stand in its
//! file under `commands`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser};
use clap_complete::ArgValueCandidates;
use jerry_application::{Moment, Request, SortKey};
use jerry_domain::{
    Actor, Credentials, ItemType, Priority, RequestId, Requirement, Status, Timestamp, WorkId,
    day_or_instant,
};
use jiff::Span;
use jiff::tz::TimeZone;

use crate::commands::Command;
use crate::complete;
use crate::exit::{Code, Failure};
use crate::session::{Session, short_text, text};

const ENVIRONMENT: &str = "\
Environment:
  JERRY_STORE            the store's folder, as --store
  JERRY_PROJECT          use projects/NAME/.jerry under the repository's root
  JERRY_ACTOR            who acts, as --actor
  JERRY_SESSION          which of the actor's sessions acts, as --session
  JERRY_FENCE            the claim under which it acts, as --fence; with JERRY_ITEM, for that item
  JERRY_LEASE            how long a claim stands, as --lease of claim
  JERRY_PREFIX           the prefix of new ids
  JERRY_LOCK_TIMEOUT     how long to wait for a lock, as --lock-timeout
  JERRY_LOCK_ATTEMPTS, JERRY_LOCK_BACKOFF, JERRY_LOCK_BACKOFF_MAX, JERRY_LOCK_JITTER
                         how a directory lock is retried; see `jerry config show`
  NO_COLOR               no colour, where it is set and not empty

Exit status:
  0 done    1 internal error    2 wrong usage    3 not found    4 not valid or not allowed
  5 conflict    6 busy: a lock was not to be had in time    7 nothing to claim, or no change in time
  8 input/output error or corrupt data    9 done, but perhaps not durable
  10 done for some of several items    130 interrupted";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "jerry",
    version,
    about = "A work tracker that people and agents share, and that loses nothing",
    after_help = ENVIRONMENT,
    max_term_width = 100,
    arg_required_else_help = true,
    propagate_version = false
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Print the result, or the error, as one line of JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// The store's folder, instead of the nearest .jerry upwards
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub store: Option<PathBuf>,
    /// Who acts
    #[arg(long, global = true, value_name = "NAME", help = "Who acts [default: user@host]")]
    pub actor: Option<String>,
    /// Which of the actor's sessions acts, where it has several
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub session: Option<String>,
    /// The claim under which it acts: the fence that `claim` told; any other refuses
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub fence: Option<u64>,
    /// How long to wait for a lock: 30s, 500ms, 2m
    #[arg(long, global = true, value_name = "TIME", hide_short_help = true)]
    pub lock_timeout: Option<String>,
    /// Answer every question with yes
    #[arg(long, short = 'y', global = true, hide_short_help = true)]
    pub yes: bool,
}

/// The item that a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct ItemArg {
    /// The item: WORK-042, work-42 or 42
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    pub id: String,
}

impl ItemArg {
    pub(crate) fn id(&self, session: &Session) -> Result<WorkId, Failure> {
        session.id(&self.id)
    }
}

/// The items that a command is about, each by itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct ItemArgs {
    /// The item, or several: WORK-042, work-42 or 42
    #[arg(value_name = "ID", required = true, add = ArgValueCandidates::new(complete::ids))]
    pub ids: Vec<String>,
}

impl ItemArgs {
    pub(crate) fn ids(&self, session: &Session) -> Result<Vec<WorkId>, Failure> {
        self.ids.iter().map(|id| session.id(id)).collect()
    }
}

/// How much of each item is told.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Pick {
    /// Only these fields of each item, in this order: id,title
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fields: Vec<String>,
    /// The same as --fields id,status,priority,title
    #[arg(long, conflicts_with = "fields")]
    compact: bool,
}

impl Pick {
    /// The fields that are wanted; `None` for whatever the command tells without being asked.
    pub(crate) fn fields(self) -> Option<Vec<String>> {
        match self {
            Self { compact: true, .. } => {
                Some(["id", "status", "priority", "title"].map(str::to_owned).to_vec())
            }
            Self { fields, .. } if fields.is_empty() => None,
            Self { fields, .. } => {
                Some(fields.iter().map(|field| field.trim().to_owned()).collect())
            }
        }
    }
}

/// What every command that changes an item takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Change {
    /// Why; goes into the item's history; - reads standard input
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only if the item has this version; exit status 5 if not
    #[arg(long, value_name = "N")]
    pub if_version: Option<u64>,
    /// A name for this request; a repeat of it changes nothing and says what the first one said
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = RequestId::new)]
    pub request_id: Option<RequestId>,
    /// Also against a claim or another rule that forbids it; goes into the item's history
    #[arg(long)]
    pub force: bool,
}

impl Change {
    /// The request to change the item `id`.
    pub(crate) fn request(&self, session: &Session, id: &WorkId) -> Result<Request, Failure> {
        self.about(id, &self.request_of_new(session)?, session)
    }

    /// This request as one to change the item `id`.
    pub(crate) fn about(
        &self,
        id: &WorkId,
        request: &Request,
        session: &Session,
    ) -> Result<Request, Failure> {
        let credentials = Credentials { force: self.force, ..session.credentials(Some(id))? };
        Ok(Request { credentials, ..request.clone() })
    }

    /// The request to make new items, or to choose one.
    pub(crate) fn request_of_new(&self, session: &Session) -> Result<Request, Failure> {
        let Self { reason, if_version, request_id, force } = self.clone();
        let credentials = Credentials { force, ..session.credentials(None)? };
        let reason = short_text(reason)?;
        session.warn_of_misfits()?;
        let request = Request::new(session.actor()?);
        Ok(Request { reason, if_version, request_id, credentials, ..request })
    }
}

/// An item's description, as an argument or in a file.
#[derive(Debug, Clone, Args)]
pub(crate) struct Description {
    /// What it is about, at length; - reads standard input
    #[arg(long, short = 'd', value_name = "TEXT")]
    description: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "description", value_hint = clap::ValueHint::FilePath)]
    description_file: Option<PathBuf>,
}

impl Description {
    /// The text, where one is given.
    pub(crate) fn read(self) -> Result<Option<String>, Failure> {
        text(self.description, self.description_file.as_ref())
    }
}

/// A parser for one of a few names: in any case, with suggestions for typing errors.
fn one_of<T>(values: Vec<PossibleValue>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(values).try_map(|name| name.parse::<T>())
}

pub(crate) fn status() -> impl TypedValueParser<Value = Status> {
    let value = |status: Status| match status {
        Status::InProgress => PossibleValue::new(status.as_str()).alias("in-progress"),
        Status::Completed => PossibleValue::new(status.as_str()).aliases(["done", "closed"]),
        _ => PossibleValue::new(status.as_str()),
    };
    one_of(Status::ALL.map(value).to_vec())
}

pub(crate) fn priority() -> impl TypedValueParser<Value = Priority> {
    one_of(Priority::ALL.map(|priority| PossibleValue::new(priority.as_str())).to_vec())
}

pub(crate) fn item_type() -> impl TypedValueParser<Value = ItemType> {
    one_of(ItemType::ALL.map(|kind| PossibleValue::new(kind.as_str())).to_vec())
}

pub(crate) fn requirement() -> impl TypedValueParser<Value = Requirement> {
    one_of(Requirement::ALL.map(|gate| PossibleValue::new(gate.as_str())).to_vec())
}

pub(crate) fn sort_key() -> impl TypedValueParser<Value = SortKey> {
    PossibleValuesParser::new(SortKey::ALL.map(SortKey::as_str)).try_map(|name| {
        let found = SortKey::ALL.into_iter().find(|key| key.as_str().eq_ignore_ascii_case(&name));
        found.ok_or("no such order")
    })
}

/// A moment in the life of an item, as people type it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    Version(u64),
    Time(Timestamp),
    /// So long ago.
    Ago(Span),
}

impl When {
    pub(crate) fn moment(self, session: &Session) -> Result<Moment, Failure> {
        let span = match self {
            Self::Version(version) => return Ok(Moment::Version(version)),
            Self::Time(time) => return Ok(Moment::Time(time)),
            Self::Ago(span) => span,
        };
        let now = session.ports()?.clock.now().to_zoned(TimeZone::UTC);
        let then = now.checked_sub(span).map_err(|error| Failure::of(Code::Usage, &error))?;
        Ok(Moment::Time(then.timestamp()))
    }
}

/// A version, a day, an instant, or how long ago.
pub(crate) fn when(text: &str) -> Result<When, String> {
    if let Ok(version) = text.parse() {
        return Ok(When::Version(version));
    }
    if let Ok(time) = day_or_instant(text) {
        return Ok(When::Time(time));
    }
    text.parse::<Span>().map(|span| When::Ago(span.abs())).map_err(|_| {
        format!(
            "'{text}' is no version like 3, no day like 2026-01-31, no time like \
             2026-01-31T12:00:00Z, and no time ago like 2h or '3 days ago'"
        )
    })
}

/// An actor, checked when it is used: a wrong one is not a matter of grammar.
pub(crate) fn actor(text: &str) -> Result<Actor, Failure> {
    Ok(Actor::new(text)?)
}
