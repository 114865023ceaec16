//! `watch`.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jerry_application::{Changes, Filter, Happening, ItemChange, Watching};
use jerry_contract::{ChangeKind, ChangedItems};
use jerry_domain::ports::Cursor;
use jerry_domain::{Status, Summary};
use pollster::block_on;

use super::Outcome;
use super::list::Narrowed;
use crate::args;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line, remark, report_unreadable};
use crate::session::Session;
use crate::settings::parse_duration;

/// What `watch` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// With this status; may be repeated, or several with commas [default: any]
    #[arg(long = "status", short = 's', value_name = "STATUS", value_parser = args::status(), ignore_case = true, value_delimiter = ',')]
    statuses: Vec<Status>,
    #[command(flatten)]
    narrowed: Narrowed,
    /// What has changed since this cursor, too; it was told with the changes before
    #[arg(long, value_name = "CURSOR")]
    since: Option<String>,
    /// End with the first changes
    #[arg(long)]
    once: bool,
    /// End with exit status 7 when nothing changes for so long: 30s, 5m; 0 only looks
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// At most so many changes at once, the others right after; 0 for all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Look at least this often, where the system tells of no changes: those of other machines
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help = "Look at least this often [default: 10s; 1s where the system tells of no changes]")]
    interval: Option<Duration>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let filter = Filter {
            statuses: self.statuses,
            include_closed: true,
            limit: self.limit,
            ..self.narrowed.filter(session)?
        };
        let watch = &session.store()?.watch;
        let watching = match &self.since {
            Some(cursor) => {
                let cursor: Cursor =
                    cursor.parse().map_err(|error| Failure::of(Code::Usage, &error))?;
                watch.since(filter, &cursor).await?
            }
            None => watch.from_now(filter).await?,
        };
        let watching = match self.interval {
            Some(interval) => watching.every(interval),
            None => watching,
        };
        let (once, timeout) = (self.once, self.timeout);
        let (watching, end) = (RefCell::new(watching), Cell::new(None));
        Ok(Box::new(Stream { watching, once, timeout, begins: self.since.is_none(), end }))
    }
}

/// The changes, told as they come.
struct Stream {
    watching: RefCell<Watching>,
    once: bool,
    timeout: Option<Duration>,
    /// Whether nobody has been told of a cursor before.
    begins: bool,
    /// Why it ended, if not because it was to end.
    end: Cell<Option<Failure>>,
}

impl Stream {
    /// Tells changes until that fails, or is at its end. A failure to tell is the answer; one to
    /// watch is kept for [`Answer::complaint`].
    fn tell(
        &self,
        mut tell: impl FnMut(&Changes, &mut Watching) -> Result<(), Untold>,
    ) -> Result<(), Untold> {
        let mut watching = self.watching.borrow_mut();
        if self.begins && !self.once {
            tell(&Changes::default(), &mut watching)?;
        }
        loop {
            match block_on(watching.next(self.timeout)).map_err(Failure::from)? {
                Some(changes) => tell(&changes, &mut watching)?,
                None => return Err(self.timed_out(&mut watching)?.into()),
            }
            if self.once {
                return Ok(());
            }
        }
    }

    fn timed_out(&self, watching: &mut Watching) -> Result<Failure, Failure> {
        let cursor = block_on(watching.cursor())?;
        // Nobody knows whether these have changed.
        report_unreadable(watching.unreadable());
        let said = match self.timeout {
            Some(time) if !time.is_zero() => format!("nothing has changed for {time:?}"),
            _ => "nothing has changed".to_owned(),
        };
        Ok(Failure::new(Code::Unchanged, said)
            .with("cursor", cursor.as_str())
            .hint(format!("go on with --since {cursor}")))
    }
}

/// Why the telling ended.
enum Untold {
    /// The changes were not to be had.
    Failed(Failure),
    /// They could not be written.
    Unwritten(io::Error),
}

impl From<Failure> for Untold {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Untold {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl Answer for Stream {
    fn json(&self, mut json: Json<'_>) -> io::Result<()> {
        let told = self.tell(|changes, watching| {
            let cursor = block_on(watching.cursor()).map_err(Failure::from)?;
            Ok(json.say_on(&ChangedItems::new(changes, &cursor))?)
        });
        match told {
            Ok(()) => Ok(()),
            Err(Untold::Unwritten(error)) => Err(error),
            Err(Untold::Failed(failure)) => {
                let written = json.error(&failure);
                self.end.set(Some(failure));
                written
            }
        }
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let told = self.tell(|changes, watching| {
            report_unreadable(&changes.unreadable);
            changes.changes.iter().try_for_each(|change| write_line(out, style, change))?;
            out.flush()?;
            if self.once {
                let cursor = block_on(watching.cursor()).map_err(Failure::from)?;
                remark(&format!("go on with --since {cursor}"));
            }
            Ok(())
        });
        match told {
            Ok(()) => Ok(()),
            Err(Untold::Unwritten(error)) => Err(error),
            Err(Untold::Failed(failure)) => {
                self.end.set(Some(failure));
                Ok(())
            }
        }
    }

    fn complaint(&self) -> Option<Failure> {
        self.end.take()
    }
}

/// What happened, the id, status, priority and assignee, the title: with tabs for `cut` and `awk`, on
/// a terminal in columns.
fn write_line(out: &mut dyn Write, style: Style, change: &ItemChange) -> io::Result<()> {
    let kind = ChangeKind::from(&change.happening).name();
    let id = change.id.to_string();
    let of_item = |field: fn(&Summary) -> String| change.item.as_ref().map_or("-".into(), field);
    let status = of_item(|item| item.status.to_string());
    let priority = of_item(|item| item.priority.to_string());
    let assignee =
        of_item(|item| item.assignee.as_ref().map_or("-".to_owned(), ToString::to_string));
    let title = of_item(|item| item.title.to_string());
    let (assignee, title) = (line(&assignee), line(&title));
    let more = match &change.happening {
        Happening::Renumbered { was } => format!(" (was {was})"),
        Happening::Deleted(Some(deletion)) => format!(" (by {})", line(deletion.by.as_str())),
        _ => String::new(),
    };
    if style.terminal {
        writeln!(out, "{kind:<10}  {id}  {status:<11}  {priority:<8}  {assignee}  {title}{more}")
    } else {
        writeln!(out, "{kind}\t{id}\t{status}\t{priority}\t{assignee}\t{title}{more}")
    }
}
