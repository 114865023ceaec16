//! One agent of a demo: a process that creates its share of the items and works, with the others,
//! on whatever is open until nothing is.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::time::Instant;

use clap::Args;
use jerry_application::{Create, Error, Filter, Modify, NewItem, Query, Request, SortKey};
use jerry_domain::{Actor, Edit, RequestId, Status, Summary, Title, Transition, WorkItem};
use jerry_infra_fs::Layout;

use super::fault::{Fault, Unlocked};
use super::ledger::{Acknowledgement, Message, Operation, Verb};
use crate::commands::Outcome;
use crate::exit::{Code, Failure};
use crate::output::Document;
use crate::session::Session;

/// What an agent takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What the names of its requests begin with
    #[arg(long)]
    name: String,
    /// How many items to create
    #[arg(long)]
    create: usize,
    /// Among how many open items to choose what to work on
    #[arg(long)]
    choice: usize,
    /// What to do wrong
    #[arg(long, value_enum)]
    fault: Option<Fault>,
}

impl Arguments {
    /// Opens the store and waits for the end of standard input, so that all agents begin at once.
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let root = &session.place()?.root;
        if !super::is_of_a_demo(root) {
            return Err(Failure::new(Code::Usage, "only `jerry demo` uses this, on its own store"));
        }
        let ports = session.ports()?;
        let items = Layout::new(root.clone()).items();
        let unlocked =
            self.fault.map(|Fault::UnlockedUpdates| Unlocked { ports: ports.clone(), items });
        let mut agent = Agent {
            create: Create::new(ports.clone(), session.settings()?.prefix()?),
            modify: Modify::new(ports.clone()),
            query: Query::new(ports),
            unlocked,
            actor: session.actor()?,
            name: self.name,
            choice: self.choice,
            to_create: self.create,
            begun: 0,
        };
        io::stdin()
            .read_to_end(&mut Vec::new())
            .map_err(|error| Failure::io("cannot wait for the others", &error))?;
        if let Err(failure) = agent.work().await {
            say(&Message::Failed(failure.message))?;
        }
        Ok(Box::new(Document { kind: "demo_agent", text: String::new() }))
    }
}

struct Agent {
    create: Create,
    modify: Modify,
    query: Query,
    /// What changes items instead, where that is to be done wrong.
    unlocked: Option<Unlocked>,
    actor: Actor,
    name: String,
    choice: usize,
    to_create: usize,
    begun: usize,
}

/// The version from which on an item has been worked on enough: created, started, noted on.
const WORKED_ON: u64 = 5;

impl Agent {
    async fn work(&mut self) -> Result<(), Failure> {
        let open = Filter { sort: SortKey::Id, limit: self.choice, ..Filter::default() };
        loop {
            let page = self.query.list(&open).await?;
            for unreadable in &page.unreadable {
                say(&Message::Unreadable(unreadable.to_string()))?;
            }
            if self.to_create > 0 && (page.items.is_empty() || random(3) == 0) {
                self.begin_item().await?;
            } else if page.items.is_empty() {
                return Ok(());
            } else {
                self.go_on_with(&page.items[random(page.items.len() as u64) as usize]).await?;
            }
        }
    }

    async fn begin_item(&mut self) -> Result<(), Failure> {
        let operation = self.begin(Verb::Create, None)?;
        let new = NewItem { title: Title::new(&operation.title())?, edits: Vec::new() };
        let since = Instant::now();
        let created = self.create.create(vec![new], &self.request(&operation)).await;
        if self.tell(created.map(|mut items| items.pop()), since)? {
            self.to_create -= 1;
        }
        Ok(())
    }

    /// Does what is next with an item. Notes are added whatever others did meanwhile; moves are
    /// made only if the item is still what this agent saw.
    async fn go_on_with(&mut self, item: &Summary) -> Result<(), Failure> {
        let verb = match item.status {
            Status::InProgress if item.version < WORKED_ON => Verb::Note,
            Status::InProgress => Verb::Complete,
            _ => Verb::Start,
        };
        let operation = self.begin(verb, Some(item))?;
        let mut request = self.request(&operation);
        let edit = match verb {
            Verb::Start => Edit::Move(Transition::Start),
            Verb::Complete => Edit::Move(Transition::Complete),
            _ => Edit::Note(operation.note()),
        };
        request.if_version = matches!(edit, Edit::Move(_)).then_some(item.version);
        let since = Instant::now();
        let changed = match &self.unlocked {
            Some(unlocked) => unlocked.edit(&item.id, &[edit], &request).await,
            None => {
                let update = self.modify.edit(&item.id, vec![edit], &request).await;
                update.map(|update| Some(update.into_item()))
            }
        };
        self.tell(changed, since)?;
        Ok(())
    }

    fn begin(&mut self, verb: Verb, item: Option<&Summary>) -> Result<Operation, Failure> {
        self.begun += 1;
        let request = RequestId::new(&format!("{}-{}", self.name, self.begun))?;
        let operation = Operation { request, verb, item: item.map(|item| item.id.clone()) };
        say(&Message::Begins(operation.clone()))?;
        Ok(operation)
    }

    fn request(&self, operation: &Operation) -> Request {
        Request { request_id: Some(operation.request.clone()), ..Request::new(self.actor.clone()) }
    }

    /// Says how an operation ended, and returns whether the write was made. That another agent
    /// was faster is to be expected; everything else that goes wrong is not.
    fn tell(
        &self,
        ended: Result<Option<WorkItem>, Error>,
        since: Instant,
    ) -> Result<bool, Failure> {
        match ended.map_err(Failure::from) {
            Ok(Some(item)) => {
                let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                let (id, uid, version) = (item.id.clone(), item.uid, item.version);
                say(&Message::Acknowledged(Acknowledgement { id, uid, version, micros }))?;
                Ok(true)
            }
            Ok(None) => Err(Failure::new(Code::Internal, "a write changed nothing")),
            Err(failure) if is_conflict(&failure) => {
                say(&Message::Conflict(failure.message))?;
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }
}

fn is_conflict(failure: &Failure) -> bool {
    matches!(failure.code, Code::VersionConflict | Code::InvalidTransition)
        || failure.code.is_retryable()
}

/// A whole line in one write, so that a killed agent has said it or not.
fn say(message: &Message) -> Result<(), Failure> {
    let unsaid = |error| Failure::io("nobody listens to this agent", &error);
    let mut line = serde_json::to_vec(message).map_err(|error| unsaid(error.into()))?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line).map_err(unsaid)
}

/// A number below `bound`. The standard library seeds its hash maps well enough for a demo.
pub(super) fn random(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound.max(1)
}
