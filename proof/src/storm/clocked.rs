//! One who works under a clock that is set again and again. The program takes its time from the
//! machine, so this is a process of its own, which puts the same adapters together with another
//! clock; it says what it begins and what it is answered, one line each.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jerry_application::{Create, Delete, Filter, Modify, NewItem, Ports, Query, Request, SortKey};
use jerry_cli::exit::Failure;
use jerry_domain::{Actor, Edit, Prefix, RequestId, Title, Transition, WorkId};
use serde::{Deserialize, Serialize};

use super::Field;
use super::clock::SteppingClock;
use super::fault::{Fault, Faulty};
use super::ledger::{Answer, Deed, Intent, Ledger, Written};
use super::program::{Complaints, is_expected, of_item, stream};
use super::trouble::{Owned, Tally, Trouble};
use crate::dice::Dice;
use crate::{adapters, dawdle};

/// What such a process is told.
#[derive(Debug, Serialize, Deserialize)]
struct Orders {
    store: PathBuf,
    name: String,
    seed: u64,
    /// How much it does before it ends by itself.
    operations: u64,
    fault: Option<Fault>,
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Begins { intent: Intent, stepped: bool },
    Ends(Answer),
    Complains(String),
}

/// Lets one such process work after the other, until there is no command left to give.
pub(super) fn supervise(
    name: &str,
    field: &Field<'_>,
    ledger: &mut Ledger,
) -> io::Result<Complaints> {
    let mut dice = Dice::new(field.seed, stream(name));
    let mut complaints = Vec::new();
    for generation in 1.. {
        if field.board.is_over() {
            break;
        }
        let orders = Orders {
            store: field.store.to_owned(),
            name: format!("{name}.{generation}"),
            seed: dice.next(),
            // Some live long, most not.
            operations: if dice.one_in(4) { 200 } else { 1 + dice.below(4) },
            fault: field.fault,
        };
        listen(&orders, &mut dice, field, ledger, &mut complaints)?;
        ledger.end(Answer::Silence)?;
    }
    Ok(complaints)
}

fn listen(
    orders: &Orders,
    dice: &mut Dice,
    field: &Field<'_>,
    ledger: &mut Ledger,
    complaints: &mut Complaints,
) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([super::WORKER, &serde_json::to_string(orders)?]);
    let mut process = Owned(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    Tally::count(&field.tally.processes);
    let said = process.0.stdout.take().ok_or_else(|| io::Error::other("it has no voice"))?;
    let mut killed = false;
    let mut said = BufReader::new(said);
    loop {
        let mut line = Vec::new();
        said.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            // It ended; half a line was said to nobody.
            break;
        }
        match serde_json::from_slice(&line)? {
            Message::Begins { intent, stepped } => {
                ledger.begin(intent)?;
                Tally::count(&field.tally.operations);
                field.tally.steps.fetch_add(stepped.into(), Ordering::Relaxed);
                if field.board.is_over() {
                    // It has just begun something: as good a moment as any.
                    process.0.kill()?;
                    killed = true;
                } else if dice.one_in(3) {
                    let trouble = Trouble::roll(dice, field.board);
                    killed |= matches!(trouble, Trouble::Kill(_));
                    trouble.befall(&mut process.0, field.tally)?;
                }
            }
            Message::Ends(answer) => {
                field.board.learn(&answer);
                ledger.end(answer)?;
            }
            Message::Complains(what) => complaints.push(format!("{}: {what}", orders.name)),
        }
    }
    let status = process.0.wait()?;
    match status.code() {
        Some(0) => {}
        None if killed => Tally::count(&field.tally.kills),
        // The fault ends its own process half-way.
        _ if field.fault.is_some() => {}
        _ => complaints.push(format!("{} ended with {status}", orders.name)),
    }
    Ok(())
}

/// Such a process.
pub(crate) fn work(orders: &str) -> io::Result<()> {
    let Orders { store, name, seed, operations, fault } = serde_json::from_str(orders)?;
    let clock = Arc::new(SteppingClock::default());
    let ports = adapters::ports(&store, clock.clone(), None).map_err(io::Error::other)?;
    let prefix = Prefix::new("WORK").map_err(io::Error::other)?;
    let mut worker = Worker {
        create: Create::new(ports.clone(), prefix.clone()),
        modify: Modify::new(ports.clone()),
        delete: Delete::new(ports.clone()),
        query: Query::new(ports.clone()),
        faulty: fault.map(|fault| Faulty::new(fault, &store, ports.clone())),
        dice: Dice::new(seed, 0),
        ports,
        prefix,
        clock,
    };
    worker.clock.step(&mut worker.dice);
    if worker.dice.one_in(2) {
        // So that it is in the midst of something more often when it is killed or stopped.
        dawdle::begin(Dice::new(seed, 1));
    }
    for number in 1..=operations {
        let request = format!("{name}-{number}");
        pollster::block_on(worker.turn(request))?;
    }
    Ok(())
}

struct Worker {
    create: Create,
    modify: Modify,
    delete: Delete,
    query: Query,
    faulty: Option<Faulty>,
    dice: Dice,
    ports: Ports,
    prefix: Prefix,
    clock: Arc<SteppingClock>,
}

impl Worker {
    async fn turn(&mut self, request: String) -> io::Result<()> {
        let stepped = self.dice.one_in(3);
        if stepped {
            self.clock.step(&mut self.dice);
        }
        let newest = Filter {
            sort: SortKey::Created,
            descending: true,
            limit: 4,
            include_closed: true,
            ..Filter::default()
        };
        let there = match self.query.list(&newest).await {
            Ok(page) => page.items,
            Err(error) => return say(&Message::Complains(Failure::from(error).message)),
        };
        let item = self.dice.pick(&there).map(|item| (item.id.clone(), item.version));
        let roll = self.dice.below(20);
        let (deed, item) = match (roll, item) {
            (0..5, _) | (_, None) => (Deed::Create, None),
            (5..8, _) => (Deed::Draw, None),
            (8, item) => (Deed::Delete, item),
            (9..12, item) => (Deed::Change, item),
            (12..14, item) => (Deed::ChangeIf, item),
            (_, item) => (Deed::Note, item),
        };
        let (item, version) = item.unzip();
        let intent = Intent::new(request, deed, item);
        say(&Message::Begins { intent: intent.clone(), stepped })?;
        match self.answer(&intent, version).await {
            Ok(answer) => say(&Message::Ends(answer)),
            Err(failure) if is_expected(&intent, failure.code.name()) => {
                let deleted = (failure.code.name() == "deleted").then_some(intent.item).flatten();
                say(&Message::Ends(Answer::Refused(deleted)))
            }
            Err(failure) => say(&Message::Complains(format!("{intent:?}: {}", failure.message))),
        }
    }

    async fn answer(&mut self, intent: &Intent, version: Option<u64>) -> Result<Answer, Failure> {
        let mut request = Request::new(Actor::new("clocked")?);
        request.request_id = Some(RequestId::new(&intent.request)?);
        if let Some(faulty) = &mut self.faulty
            && let Some(answer) = faulty.answer(intent, &request).await?
        {
            return Ok(answer);
        }
        match (intent.deed, &intent.item) {
            (Deed::Draw, _) => self.draw().await,
            (Deed::Delete, Some(id)) => {
                let stone = self.delete.delete(id, &request).await?;
                let (uid, version) = (Some(stone.item.uid), stone.item.version);
                Ok(Answer::Deleted(Written { id: id.clone(), uid, version }))
            }
            (Deed::Note, Some(id)) => {
                self.edit(id, Edit::Note(request_name(intent)), request).await
            }
            (Deed::Change, Some(id)) => {
                let transition = *self.dice.pick(&Transition::ALL).unwrap_or(&Transition::Start);
                self.edit(id, Edit::Move(transition), request).await
            }
            (Deed::ChangeIf, Some(id)) => {
                request.if_version = version;
                self.edit(id, Edit::AddFinding(request_name(intent)), request).await
            }
            _ => {
                let new = NewItem { title: Title::new(&intent.request)?, edits: Vec::new() };
                let items = self.create.create(vec![new], &request).await?;
                Ok(items.first().map_or(Answer::Looked, |item| of_item(&intent.request, item)))
            }
        }
    }

    async fn edit(&self, id: &WorkId, edit: Edit, request: Request) -> Result<Answer, Failure> {
        let item = self.modify.edit(id, vec![edit], &request).await?.into_item();
        Ok(of_item(request.request_id.as_ref().map_or("", RequestId::as_str), &item))
    }

    async fn draw(&mut self) -> Result<Answer, Failure> {
        // Many at once use up a millisecond.
        let count = if self.dice.one_in(8) { 5_000 } else { 1 + self.dice.below(20) };
        let uids =
            self.ports.ids.uids(count as usize).await.map_err(jerry_application::Error::from)?;
        let numbers = self.ports.ids.work_ids(&self.prefix, 1 + (count % 3) as usize).await;
        let numbers = numbers.map_err(jerry_application::Error::from)?;
        Ok(Answer::Drew { uids, numbers })
    }
}

fn request_name(intent: &Intent) -> String {
    intent.request.clone()
}

/// A whole line in one write, so that a killed process has said it or not.
fn say(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line)
}
