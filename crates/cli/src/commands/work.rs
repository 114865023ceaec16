//! `work`: an item for as long as a command runs.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::{Begun, Ending, Job, Request, Work};
use jerry_contract::{Ended, Worked};
use jerry_domain::{Credentials, RequestId, Status, WorkItem};

use super::claim::Next;
use super::{Outcome, program};
use crate::args::Change;
use crate::complete;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line, remark};
use crate::session::{Session, own_name};
use crate::settings::parse_lease;
use crate::signals::PassedOn;

/// What `work` takes.
#[derive(Debug, Args)]
#[command(
    override_usage = "jerry work [OPTIONS] <ID> -- <CMD>...\n       jerry work [OPTIONS] --next -- <CMD>..."
)]
pub struct Arguments {
    /// The item: WORK-042, work-42 or 42
    #[arg(
        value_name = "ID",
        required_unless_present = "next",
        conflicts_with_all = ["next", "Narrowed"],
        add = ArgValueCandidates::new(complete::ids)
    )]
    id: Option<String>,
    #[command(flatten)]
    next: Next,
    /// Do not complete the item when the command succeeds: leave it as the command left it
    #[arg(long)]
    leave: bool,
    /// How long the claim stands for those who cannot see whether the command still runs, on other
    /// machines for example: 4h, 30m
    #[arg(long, value_name = "TIME", value_parser = parse_lease)]
    lease: Option<Duration>,
    /// A name for this request; a repeat of it says how the work ended, or goes on with the same
    /// item if it did not end
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = RequestId::new)]
    request_id: Option<RequestId>,
    /// The command that does the work. It finds the item in JERRY_ITEM; what it calls jerry for counts as
    /// done by the one who works, by JERRY_STORE, JERRY_ACTOR, JERRY_SESSION and JERRY_FENCE. If it
    /// fails, or is told to end, the item goes back to the others with a note that says so
    #[arg(value_name = "CMD", last = true, required = true, num_args = 1..)]
    command: Vec<OsString>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let Self { id, next, leave, lease, request_id, command } = self;
        program::find(&command)?;
        let lease = lease.map_or_else(|| session.lease(), Ok).map(Some)?;
        let id = id.map(|id| session.id(&id)).transpose()?;
        let change = Change { request_id, ..Change::default() };
        let request = named(match &id {
            Some(id) => change.request(session, id)?,
            None => change.request_of_new(session)?,
        })?;
        let work = Work::new(session.ports()?, Arc::new(session.shell(&request)?));
        let begun = match &id {
            Some(id) => work.begin(id, lease, &request).await?,
            None => work.begin_next(&next.narrowed.filter(session)?, lease, &request).await?,
        };
        let job = match begun {
            Begun::Working(job) => job,
            Begun::Ended(item) => return Ok(Box::new(Done::before(item))),
        };
        let signals = PassedOn::begin()?;
        remark(&format!("working on {}: {}", job.item.id, job.item.title));

        let fence = job.fence();
        let ran = run(&command, &job, &request, session, signals);
        let ending = match &ran {
            Ok(ran) if ran.succeeded() && leave => Ending::Leave,
            Ok(ran) if ran.succeeded() => Ending::Complete,
            Ok(ran) => Ending::Release(ran.said.clone()),
            Err(failure) => Ending::Release(failure.message.clone()),
        };
        let ended = work.end(job, ending, &request).await;
        let ran = ran?;
        let item = ended.map_err(|error| Failure::from(error).with("fence", fence))?;
        Ok(Box::new(Done { item, ran }))
    }
}

/// The request of a session of its own, if it belongs to none: not every program that the command
/// starts can show a fence.
fn named(mut request: Request) -> Result<Request, Failure> {
    if request.credentials.session.is_none() {
        request.credentials.session = Some(own_name("work")?);
    }
    Ok(request)
}

/// Runs the command, which holds the work lock with this process, to its end: whatever goes wrong
/// meanwhile, the item is not given back before.
fn run(
    command: &[OsString],
    job: &Job,
    request: &Request,
    session: &Session,
    signals: PassedOn,
) -> Result<Ran, Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::new(Code::Usage, "there is no command"));
    };
    let credentials = Credentials { fence: job.fence(), ..request.credentials.clone() };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(session.variables(&request.actor, &credentials)?)
        .env("JERRY_ITEM", job.item.id.to_string());
    if session.global.json {
        // Standard output is for the one answer.
        command.stdout(errors().map_err(|error| Failure::io("cannot redirect", &error))?);
    }
    let waiting = format!("cannot wait for {}", line(&program.to_string_lossy()));
    job.share_with_children(true)?;
    let child = command.spawn();
    let kept = job.share_with_children(false);
    let mut child = child.map_err(|error| program::not_started(program, &error))?;
    let waited = signals.wait(&mut child);
    kept?;
    let (status, interrupted) = waited.map_err(|error| Failure::io(waiting, &error))?;
    Ok(Ran::new(ended(status), interrupted))
}

#[cfg(unix)]
fn ended(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    Ended { status: status.code(), signal: status.signal() }
}

#[cfg(not(unix))]
fn ended(status: ExitStatus) -> Ended {
    Ended { status: status.code(), signal: None }
}

#[cfg(unix)]
fn errors() -> io::Result<Stdio> {
    use std::os::fd::AsFd;
    Ok(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn errors() -> io::Result<Stdio> {
    use std::os::windows::io::AsHandle;
    Ok(Stdio::from(io::stderr().as_handle().try_clone_to_owned()?))
}

/// How the command ran.
struct Ran {
    ended: Ended,
    /// What is noted of it where it did not succeed.
    said: String,
    /// This process was asked to end meanwhile.
    interrupted: bool,
}

impl Ran {
    const STATUS: &str = "the command ended with exit status ";
    const SIGNAL: &str = "the command was ended by signal ";
    const INTERRUPTED: &str = "told to end before the work was done: ";

    fn new(ended: Ended, interrupted: bool) -> Self {
        let how = match ended {
            Ended { status: Some(status), .. } => format!("{}{status}", Self::STATUS),
            Ended { signal: Some(signal), .. } => format!("{}{signal}", Self::SIGNAL),
            Ended { .. } => "the command did not end by itself".to_owned(),
        };
        let said = if interrupted { format!("{}{how}", Self::INTERRUPTED) } else { how };
        Self { ended, said, interrupted }
    }

    /// How it ran, from the item as it was left: what went wrong is noted with the write that ended
    /// the work.
    fn told(item: &WorkItem) -> Self {
        let end = item.history.last().map(|entry| entry.at);
        let Some(note) = item.notes.last().filter(|note| Some(note.at) == end) else {
            return Self::new(Ended { status: Some(0), signal: None }, false);
        };
        let said = note.text.as_str();
        let how = said.strip_prefix(Self::INTERRUPTED);
        let number = |what| how.unwrap_or(said).strip_prefix(what).and_then(|it| it.parse().ok());
        let ended = Ended { status: number(Self::STATUS), signal: number(Self::SIGNAL) };
        Self { ended, said: said.to_owned(), interrupted: how.is_some() }
    }

    /// Many a program that is told to end puts itself in order, and exits with 0.
    fn succeeded(&self) -> bool {
        self.ended.status == Some(0) && !self.interrupted
    }
}

struct Done {
    item: WorkItem,
    ran: Ran,
}

impl Done {
    /// What this request has come to before.
    fn before(item: WorkItem) -> Self {
        let ran = Ran::told(&item);
        Self { item, ran }
    }
}

impl Answer for Done {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Worked::new(&self.item, self.ran.ended))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let said = match (self.item.status, self.ran.succeeded()) {
            (status, true) => format!("{} is {status}", self.item.id),
            (Status::Pending, false) => {
                format!("{} is pending again: {}", self.item.id, self.ran.said)
            }
            (status, false) => format!("{} is {status}: {}", self.item.id, self.ran.said),
        };
        writeln!(out, "{said}: {}", line(self.item.title.as_str()))
    }

    fn complaint(&self) -> Option<Failure> {
        let code = if self.ran.interrupted { Code::Interrupted } else { Code::CommandFailed };
        (!self.ran.succeeded()).then(|| Failure::new(code, self.ran.said.clone()))
    }
}
