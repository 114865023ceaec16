//! Going back through the writes of an item.

use serde_json::Value;

use super::{End, FieldChange, HistoryEntry, MergedLine, UnknownVersion};
use crate::record::Record;
use crate::{InvalidItem, WorkItem};

/// Rebuilds the version `wanted` of `item` by taking back what came after it.
pub(crate) fn rebuild(item: &WorkItem, wanted: u64) -> Result<WorkItem, UnknownVersion> {
    let newest = item.version;
    if wanted == newest {
        return Ok(item.clone());
    }
    let oldest = oldest_reachable(item);
    if wanted < oldest || wanted > newest {
        return Err(UnknownVersion::OutOfReach { wanted, oldest, newest });
    }
    let mut past = Past::of(item).map_err(|_| broken(wanted, "item"))?;
    while past.history.last().is_some_and(|entry| entry.version > wanted) {
        past.take_back().map_err(|field| broken(wanted, &field))?;
    }
    finished(past.value, wanted, past.history)
}

/// The line that was merged into `item` where it made the version `wanted`, as it stood then.
pub(crate) fn rebuild_merged(item: &WorkItem, wanted: u64) -> Result<WorkItem, UnknownVersion> {
    let merged = rebuild(item, wanted)?;
    let entry = merged.history.last().filter(|entry| entry.version == wanted);
    let line = entry.and_then(|entry| entry.merged.as_ref());
    let line = line.ok_or(UnknownVersion::NoMerge { wanted })?;
    let shared = merged.history.iter().take(line.shared).map(HistoryEntry::alone);
    let history: Vec<_> = shared.chain(own_entries(&merged.history, line)).collect();
    let mut past = Past::of(&merged).map_err(|_| broken(wanted, "item"))?;
    if let Some(last) = history.last() {
        past.value["updated_at"] = Value::from(last.at.to_string());
    }
    for change in line.changes.iter().rev() {
        past.take_back_change(change).ok_or_else(|| broken(wanted, &change.field))?;
    }
    finished(past.value, line.version, history)
}

/// The entries of `line`, merged somewhere in `history`, since the two went their own ways.
pub(crate) fn own_entries(history: &[HistoryEntry], line: &MergedLine) -> Vec<HistoryEntry> {
    let mut parts = vec![&line.history];
    let (mut continues, mut before) = (line.continues, history);
    while let Some(version) = continues.take() {
        // Only upwards, whatever the file says.
        let Some(at) = before.iter().rposition(|entry| entry.version == version) else { break };
        let Some(earlier) = &before[at].merged else { break };
        parts.push(&earlier.history);
        (continues, before) = (earlier.continues, &before[..at]);
    }
    parts.into_iter().rev().flatten().cloned().collect()
}

fn finished(
    mut value: Value,
    version: u64,
    history: Vec<HistoryEntry>,
) -> Result<WorkItem, UnknownVersion> {
    value["version"] = version.into();
    let invalid = |source| UnknownVersion::Invalid { wanted: version, source };
    // By way of text: read from a `Value`, an unknown number would lose its spelling.
    let mut record: Record = serde_json::from_str(&value.to_string())
        .map_err(|error| invalid(InvalidItem::from(error)))?;
    record.history = history;
    WorkItem::try_from(record).map_err(invalid)
}

fn broken(wanted: u64, field: &str) -> UnknownVersion {
    UnknownVersion::Broken { wanted, field: field.to_owned() }
}

/// The first version of the unbroken run of entries that ends at the present one.
fn oldest_reachable(item: &WorkItem) -> u64 {
    let mut oldest = item.version;
    for entry in item.history.iter().rev() {
        if entry.version != oldest || oldest == 1 {
            return oldest;
        }
        // Without an entry for it, a version is still what its successor's entry leads back to.
        oldest -= 1;
    }
    oldest
}

/// An item on its way back through its writes.
struct Past {
    /// The item without its history.
    value: Value,
    history: Vec<HistoryEntry>,
}

impl Past {
    fn of(item: &WorkItem) -> serde_json::Result<Self> {
        let mut record = Record::clone(item);
        // The other items of the file have histories of their own.
        record.displaced.clear();
        let history = std::mem::take(&mut record.history);
        Ok(Self { value: serde_json::to_value(record)?, history })
    }

    /// Takes back the last write and returns its entry, or the path of a change that does not fit
    /// what stands there; then nothing more can be taken back.
    fn take_back(&mut self) -> Result<Option<HistoryEntry>, String> {
        let Some(mut entry) = self.history.pop() else { return Ok(None) };
        if let Some(previous) = self.history.last() {
            self.value["updated_at"] = Value::from(previous.at.to_string());
        }
        for change in entry.changes.iter_mut().rev() {
            let Some(there) = self.take_back_change(change) else {
                return Err(change.field.clone());
            };
            if change.is_append() {
                change.to = there;
            }
        }
        Ok(Some(entry))
    }

    /// Returns what stood where the change was.
    fn take_back_change(&mut self, change: &FieldChange) -> Option<Value> {
        let path = change.pointer();
        if let Some(absent) = change.absent {
            // Always one of the item's own fields.
            let fields = self.value.as_object_mut()?;
            let key = change.field.replace("~1", "/").replace("~0", "~");
            match absent {
                End::From => fields.shift_remove(&key),
                End::To => Some(fields.insert(key, change.from.clone()).unwrap_or_default()),
            }
        } else if change.is_append() {
            let (list, index) = path.rsplit_once('/')?;
            let list = self.value.pointer_mut(list)?.as_array_mut()?;
            if list.len().checked_sub(1)? != index.parse::<usize>().ok()? {
                return None;
            }
            list.pop()
        } else {
            Some(std::mem::replace(self.value.pointer_mut(&path)?, change.from.clone()))
        }
    }
}

/// The writes of an item, the latest first, as [`WorkItem::writes`] tells them.
pub struct Writes {
    /// Entries as they are recorded; the last of them is told next.
    recorded: Vec<HistoryEntry>,
    /// What appended elements are read from, as far as the recorded changes apply.
    past: Option<Past>,
}

impl Writes {
    pub(crate) fn of(item: &WorkItem) -> Self {
        Self { recorded: item.history.clone(), past: Past::of(item).ok() }
    }
}

impl Iterator for Writes {
    type Item = HistoryEntry;

    fn next(&mut self) -> Option<HistoryEntry> {
        let recorded = self.recorded.pop()?;
        match self.past.as_mut().map(Past::take_back) {
            Some(Ok(Some(entry))) => Some(entry),
            _ => {
                self.past = None;
                Some(recorded)
            }
        }
    }
}
