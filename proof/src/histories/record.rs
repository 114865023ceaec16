//! What each process writes down, and how it becomes a history for each item.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use jerry_domain::{Status, WorkId};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::event::{Event, Seen};

/// One operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) called: u64,
    pub(super) returned: u64,
    pub(super) said: Said,
}

/// What an operation was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Said {
    /// Something about one item.
    One(WorkId, Seen),
    /// Every item.
    All(Vec<Row>),
    /// Every item that can be begun.
    Ready(Vec<Row>),
    /// Something that it should never be answered.
    Strange(String),
}

/// An item in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: WorkId,
    pub(super) version: u64,
    pub(super) status: Status,
}

/// Nanoseconds on the clock that every process of the machine reads alike and nobody sets.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Where a process writes.
pub(super) struct Recorder(BufWriter<File>);

impl Recorder {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::new(File::create_new(path)?)))
    }

    pub(super) fn add(&mut self, record: &Record) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, record)?;
        self.0.write_all(b"\n")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(super) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// A history for each item.
pub(super) fn by_item(records: &[Record]) -> BTreeMap<WorkId, Vec<Event>> {
    let mut histories: BTreeMap<WorkId, Vec<Event>> = BTreeMap::new();
    let (mut lists, mut ready_lists) = (Lists::default(), Lists::default());
    for record in records {
        let Record { called, returned, said } = record;
        match said {
            Said::One(id, seen) => {
                let event = Event { called: *called, returned: *returned, seen: *seen };
                histories.entry(id.clone()).or_default().push(event);
            }
            Said::All(rows) => lists.add(record, rows),
            Said::Ready(rows) => ready_lists.add(record, rows),
            Said::Strange(_) => {}
        }
    }
    for (lists, absent) in [(&mut lists, Seen::NotListed), (&mut ready_lists, Seen::NotReady)] {
        lists.sort();
        lists.tell(absent, &mut histories);
    }
    histories
}

/// Lists in the order of their calls.
#[derive(Default)]
struct Lists<'a> {
    all: Vec<List<'a>>,
    longest: u64,
}

struct List<'a> {
    called: u64,
    returned: u64,
    rows: HashMap<&'a WorkId, &'a Row>,
}

impl<'a> Lists<'a> {
    fn add(&mut self, record: &Record, rows: &'a [Row]) {
        let Record { called, returned, .. } = *record;
        self.longest = self.longest.max(returned - called);
        let rows = rows.iter().map(|row| (&row.id, row)).collect();
        self.all.push(List { called, returned, rows });
    }

    fn sort(&mut self) {
        self.all.sort_unstable_by_key(|list| list.called);
    }

    /// Tells each item what lists say of it: those that show it, and those that do not although it
    /// was there at some moment of theirs. All others ended before the item was made or began after
    /// it was deleted, and are right not to show it.
    fn tell(&self, absent: Seen, histories: &mut BTreeMap<WorkId, Vec<Event>>) {
        for list in &self.all {
            for (&id, row) in &list.rows {
                let seen = Seen::Listed { version: row.version, status: row.status };
                let event = Event { called: list.called, returned: list.returned, seen };
                histories.entry(id.clone()).or_default().push(event);
            }
        }
        for (id, events) in histories {
            let made = events.iter().find(|event| matches!(event.seen, Seen::Made(_)));
            let removed = events.iter().find(|event| matches!(event.seen, Seen::Removed(..)));
            let from = made.map_or(0, |made| made.called);
            let until = removed.map_or(u64::MAX, |removed| removed.returned);
            let first = self.all.partition_point(|list| list.called + self.longest < from);
            let last = self.all.partition_point(|list| list.called <= until);
            for list in &self.all[first..last.max(first)] {
                if list.returned >= from && !list.rows.contains_key(id) {
                    let (called, returned) = (list.called, list.returned);
                    events.push(Event { called, returned, seen: absent });
                }
            }
        }
    }
}
