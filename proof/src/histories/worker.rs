//! One of the processes whose operations make the histories.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use jerry_domain::{Transition, WorkId};
use jerry_infra_fs::SystemClock;
use serde::{Deserialize, Serialize};

use super::desk::{self, Ask, Asked, Program, Services};
use super::event::{Content, Seen, Shown};
use super::fault::Fault;
use super::record::{self, Record, Recorder, Row, Said};
use crate::dice::Dice;
use crate::ground::Ground;
use crate::{adapters, dawdle};

/// What it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) store: PathBuf,
    /// Where it writes what it saw, and whatever else it needs.
    pub(super) folder: PathBuf,
    pub(super) number: u64,
    pub(super) seed: u64,
    pub(super) operations: u64,
    /// The program, for one that asks there; else it asks the services.
    pub(super) jerry: Option<PathBuf>,
    /// Whether it waits, now and then, before it does a step.
    pub(super) dawdles: bool,
    pub(super) fault: Option<Fault>,
}

impl Orders {
    /// To do nothing, as it should be done.
    pub(super) fn new(ground: &Ground, number: u64, seed: u64) -> Self {
        Self {
            store: ground.store(),
            folder: ground.folder().to_owned(),
            number,
            seed,
            operations: 0,
            jerry: None,
            dawdles: false,
            fault: None,
        }
    }

    pub(super) fn history(&self) -> PathBuf {
        self.folder.join(format!("{}.history", self.number))
    }
}

/// From which version on an item has seen enough: histories grow with it.
const OLD: u64 = 60;

/// How many items there shall be at a time.
const ITEMS: usize = 10;

/// Waits for the end of standard input, so that all begin at once, and works.
pub(crate) fn work(orders: &str) -> io::Result<()> {
    let orders: Orders = serde_json::from_str(orders)?;
    let mut recorder = Recorder::new(&orders.history())?;
    let mut desk = Desk::open(&orders)?;
    let mut choice = Choice {
        dice: Dice::new(orders.seed, orders.number),
        name: format!("p{}", orders.number),
        made: 0,
        known: Vec::new(),
        held: HashMap::new(),
    };
    if orders.dawdles {
        dawdle::begin(Dice::new(orders.seed, !orders.number));
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    for _ in 0..orders.operations {
        let asked = choice.next();
        let called = record::now();
        let said = desk.ask(&asked)?;
        let returned = record::now();
        choice.learn(&asked.ask, &said);
        recorder.add(&Record { called, returned, said })?;
    }
    recorder.finish()
}

enum Desk {
    Program(Program),
    Services(Box<Services>),
}

impl Desk {
    fn open(orders: &Orders) -> io::Result<Self> {
        if let Some(jerry) = &orders.jerry {
            let store = orders.store.clone();
            return Ok(Self::Program(Program { jerry: jerry.clone(), store }));
        }
        let nobodys =
            (orders.fault == Some(Fault::NoLocks)).then(|| desk::own_locks(&orders.folder));
        let ports = adapters::ports(&orders.store, Arc::new(SystemClock), nobodys.as_deref());
        let ports = ports.map_err(io::Error::other)?;
        Ok(Self::Services(Box::new(Services::new(ports, orders.fault)?)))
    }

    fn ask(&mut self, asked: &Asked) -> io::Result<Said> {
        match self {
            Self::Program(program) => program.ask(asked),
            Self::Services(services) => pollster::block_on(services.ask(asked)),
        }
    }
}

/// What is asked next, by what was learnt.
struct Choice {
    dice: Dice,
    name: String,
    made: u64,
    /// The items of the last list.
    known: Vec<Row>,
    /// The fences that it was told, of claims that may have ended since.
    held: HashMap<WorkId, u64>,
}

impl Choice {
    /// Mostly shows the fence that it has, if it has one of the item.
    fn next(&mut self) -> Asked {
        let ask = self.ask();
        let writes = |id: &WorkId| Some(id.clone());
        let written = match &ask {
            Ask::Claim(id) | Ask::Note(id, _) | Ask::NoteIf(id, ..) => writes(id),
            Ask::Move(id, _) | Ask::Delete(id) => writes(id),
            Ask::Create(_) | Ask::Get(_) | Ask::All | Ask::Ready => None,
        };
        let fence = written.as_ref().and_then(|id| self.held.get(id)).copied();
        let shown = match (self.dice.below(20), fence) {
            (0, _) if written.is_some() => Shown::Force,
            (3.., Some(fence)) => Shown::Fence(fence),
            _ => Shown::Nothing,
        };
        Asked { ask, shown }
    }

    fn ask(&mut self) -> Ask {
        let roll = self.dice.below(100);
        self.made += 1;
        let text = format!("{} {}", self.name, self.made);
        // Most of the time one of a few, so that many meet there.
        let few = if self.dice.one_in(3) { ITEMS } else { 2 };
        let few = few.min(self.known.len());
        let Some(Row { id, version, .. }) = self.dice.pick(&self.known[..few]).cloned() else {
            return if roll < 50 { Ask::Create(text) } else { Ask::All };
        };
        match roll {
            0..8 => Ask::All,
            8..15 => Ask::Ready,
            15..34 => Ask::Get(id),
            34..36 => Ask::Get(self.unborn(id)),
            36 | 37 => Ask::Delete(id),
            38..44 if self.known.len() < ITEMS => Ask::Create(text),
            38..44 if version >= OLD => Ask::Delete(id),
            // Who holds it lets it go soon, or few could write.
            44..54 if self.held.contains_key(&id) => Ask::Move(id, Transition::Release),
            44..49 => Ask::Claim(id),
            49..64 => Ask::Note(id, text),
            64..78 => Ask::NoteIf(id, text, version),
            _ => {
                let transition = self.dice.pick(&Transition::ALL).copied();
                Ask::Move(id, transition.unwrap_or(Transition::Start))
            }
        }
    }

    /// An item that is likely to come next.
    fn unborn(&mut self, id: WorkId) -> WorkId {
        let newest = self.known.iter().map(|row| row.id.number()).max().unwrap_or(0);
        let next = newest + 1 + self.dice.below(2);
        WorkId::new(id.prefix().clone(), next).unwrap_or(id)
    }

    fn learn(&mut self, ask: &Ask, said: &Said) {
        if let Said::One(id, seen) = said {
            match seen {
                Seen::Wrote(Content { version, fence: Some(fence), .. }, _)
                    if version == fence && matches!(ask, Ask::Claim(_)) =>
                {
                    self.held.insert(id.clone(), *fence);
                }
                // A stale one is shown once more, now and then.
                Seen::Stale { .. } if self.dice.one_in(2) => drop(self.held.remove(id)),
                Seen::Wrote(Content { fence: None, .. }, _) | Seen::Removed(..) | Seen::Gone
                    if self.dice.one_in(2) =>
                {
                    self.held.remove(id);
                }
                _ => {}
            }
        }
        match said {
            Said::All(rows) => {
                self.known.clone_from(rows);
                self.known.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            }
            Said::One(id, seen) => {
                let row = self.known.iter_mut().find(|row| row.id == *id);
                match (row, seen) {
                    (Some(row), Seen::Wrote(content, _) | Seen::Read(content)) => {
                        row.version = content.version;
                    }
                    (Some(row), Seen::Conflict { found, .. }) => row.version = *found,
                    (Some(_), Seen::Removed(..) | Seen::Gone) => {
                        self.known.retain(|row| row.id != *id);
                    }
                    _ => {}
                }
            }
            Said::Ready(_) | Said::Strange(_) => {}
        }
    }
}
