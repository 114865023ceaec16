//! The numbers: `sequences.json` says which are reserved and which of those are given out.
//!
//! # Protocol, under the lock `sequences`
//! - Numbers are reserved in blocks. `reserved` is moved durably (publish) before any number of
//!   the new block is given out. The file says at first that all of the block is given out: who
//!   finds one that was renamed into place and perhaps never made durable takes another block.
//! - `next` is a cursor within the block. It is moved before its number is given out, by one write
//!   over the same bytes in place, without fsync: a process that dies leaves it in the page cache.
//! - A power cut may take `next` back. It is therefore valid only for the `boot` in which it was
//!   written; another boot goes on behind `reserved`.
//!
//! # Crash points
//! - before the publish of a block: nothing was given out of it;
//! - in it, after the rename: the block counts as given out, so that nobody relies on it;
//! - after it, before the item exists: the numbers are lost, gaps are fine;
//! - power cut during the write in place: it changes digits of `next` only, which the next boot
//!   does not look at. The text keeps its length, so that it parses at every instant.
//!
//! A file that is missing or does not parse is rebuilt from the items and tombstones: every number
//! that was acknowledged has one of the two. A number that is given out and not yet acknowledged
//! may then be given out again; the repository's insert refuses the second.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;

use jerry_domain::ports::{IdError, LockName, StorageError, Unreadable};
use jerry_domain::{Prefix, WorkId};
use serde::{Deserialize, Serialize};

use super::not_reserved;
use crate::fault::storage_error;
use crate::index;
use crate::layout::{Layout, id_of_file};
use crate::lock::FsLocks;
use crate::{codec, machine, publish, read, steps};

/// How many numbers are reserved beyond what is asked for. A block costs one durable write; a boot
/// leaves what remains of it as a gap.
const BLOCK: u64 = 64;

/// A number above this was made by hand and does not count when the sequences are rebuilt: one file
/// named `WORK-999999999999` must not use up a prefix. Should the numbers ever come so far, the
/// repository's insert refuses those that are taken.
const GREATEST_BELIEVED: u64 = WorkId::MAX_NUMBER / 10;

/// Stands for a boot that cannot be told from others: its cursors are never believed.
const UNKNOWN_BOOT: &str = "unknown";

pub(crate) struct Sequences {
    layout: Layout,
    locks: FsLocks,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Table {
    schema: u32,
    prefixes: BTreeMap<Prefix, Sequence>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sequence {
    reserved: Digits,
    next: Digits,
    boot: String,
}

/// A number with a fixed count of digits, so that the text keeps its length when it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Digits(u64);

/// A prefix whose items have outrun what the sequences know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) prefix: Prefix,
    pub(crate) next: u64,
    pub(crate) greatest: u64,
}

impl Sequences {
    pub(crate) fn new(layout: Layout, locks: FsLocks) -> Self {
        Self { layout, locks }
    }

    /// `count` new numbers of `prefix`, one after the other.
    pub(crate) fn take(&self, prefix: &Prefix, count: usize) -> Result<Vec<WorkId>, IdError> {
        let exhausted = || IdError::Exhausted { what: format!("the numbers of {prefix}") };
        let count = u64::try_from(count).map_err(|_| exhausted())?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let _guard = self.locks.acquire(&LockName::sequences(), None)?;
        let (mut table, file) = self.load()?;
        let boot = machine::boot_id().unwrap_or(UNKNOWN_BOOT).to_owned();
        let sequence = match table.prefixes.get(prefix) {
            Some(sequence) => sequence.clone(),
            None => self.rebuilt(prefix)?,
        };
        let taken = sequence.take(count, boot).ok_or_else(exhausted)?;
        let used_up = taken.left.used_up();
        table.prefixes.insert(prefix.clone(), taken.left);
        let moved = self.encode(&table)?;
        let fits = |file: &(File, usize)| file.1 == moved.len();
        let file = match file.filter(|file| taken.within_block && fits(file)) {
            Some(file) => Some(file),
            None => {
                table.prefixes.insert(prefix.clone(), used_up);
                self.publish(&table)?;
                self.load()?.1.filter(fits)
            }
        };
        // Where it cannot be moved, the cursor stands behind the block already.
        if let Some((file, _)) = file {
            steps::write_at(&file, &moved, 0).map_err(|error| self.unwritten(error))?;
        }
        let id = |number| WorkId::new(prefix.clone(), number).map_err(|_| exhausted());
        taken.numbers.map(id).collect()
    }

    /// Goes on behind the greatest number of `prefix` that exists.
    pub(crate) fn catch_up(&self, prefix: &Prefix) -> Result<(), IdError> {
        let _guard = self.locks.acquire(&LockName::sequences(), None)?;
        let (mut table, _) = self.load()?;
        let greatest = greatest(&self.ids()?, prefix);
        if let Some(sequence) = table.prefixes.get_mut(prefix)
            && sequence.reserved.0 <= greatest
        {
            // The boot no longer matches, so that the next number is the one behind `reserved`.
            let reserved = Digits(greatest);
            let next = Digits(greatest + 1);
            *sequence = Sequence { reserved, next, boot: UNKNOWN_BOOT.to_owned() };
            return self.publish(&table);
        }
        if let Some(sequence) = table.prefixes.get_mut(prefix)
            && sequence.next.0 <= greatest
        {
            sequence.next = Digits(greatest + 1);
            return self.publish(&table);
        }
        Ok(())
    }

    /// The prefixes whose next number lies at or below one that exists, for the doctor.
    ///
    /// Others may be creating meanwhile. The items are listed first: a number is taken before its
    /// item is there, so whatever is listed has been taken in the table that is read then.
    pub(crate) fn behind(&self) -> Result<Vec<Behind>, Unreadable> {
        let ids = self.ids()?;
        let path = self.layout.sequences();
        let shown = self.layout.relative(&path);
        let Some((table, _)) = read::json::<Table>(&path, &shown)? else { return Ok(Vec::new()) };
        let boot = machine::boot_id().unwrap_or(UNKNOWN_BOOT);
        let behind = table.prefixes.into_iter().filter_map(|(prefix, sequence)| {
            let (next, greatest) = (sequence.next_in(boot), greatest(&ids, &prefix));
            (next <= greatest).then_some(Behind { prefix, next, greatest })
        });
        Ok(behind.collect())
    }

    /// The table and, for a write in place, its file with the length of its text. What does not
    /// parse is as good as missing: all of it can be derived.
    fn load(&self) -> Result<(Table, Option<(File, usize)>), IdError> {
        let path = self.layout.sequences();
        let failed = |error| storage_error("read", &path, error);
        let file = crate::fault::if_present(steps::open_for_update(&path)).map_err(failed)?;
        let Some(file) = file else { return Ok((Table::new(), None)) };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut &file, &mut bytes).map_err(failed)?;
        match codec::decode::<Table>(&self.layout.relative(&path), &bytes) {
            Ok(table) => Ok((table, Some((file, bytes.len())))),
            Err(_) => Ok((Table::new(), None)),
        }
    }

    /// Writes the table as a new, durable file.
    fn publish(&self, table: &Table) -> Result<(), IdError> {
        publish::replace(&self.layout.sequences(), &self.encode(table)?).map_err(not_reserved)
    }

    fn encode(&self, table: &Table) -> Result<Vec<u8>, StorageError> {
        codec::encode(table).map_err(|error| self.unwritten(error.into()))
    }

    fn unwritten(&self, error: io::Error) -> StorageError {
        storage_error("write", &self.layout.sequences(), error)
    }

    fn rebuilt(&self, prefix: &Prefix) -> Result<Sequence, IdError> {
        let greatest = greatest(&self.ids()?, prefix);
        Ok(Sequence {
            reserved: Digits(greatest),
            next: Digits(greatest + 1),
            boot: UNKNOWN_BOOT.to_owned(),
        })
    }

    /// The ids of all items and tombstones.
    fn ids(&self) -> Result<Vec<WorkId>, StorageError> {
        let mut names = index::names(&self.layout.items())?;
        names.extend(index::names(&self.layout.tombstones())?);
        Ok(names.iter().filter_map(|name| id_of_file(name)).collect())
    }
}

/// The greatest number of `prefix` among `ids`; 0 where there is none.
fn greatest(ids: &[WorkId], prefix: &Prefix) -> u64 {
    let numbers = ids.iter().filter(|id| id.prefix() == prefix).map(WorkId::number);
    numbers.filter(|number| *number <= GREATEST_BELIEVED).max().unwrap_or(0)
}

/// Numbers that were taken out of a sequence.
struct Taken {
    numbers: RangeInclusive<u64>,
    left: Sequence,
    /// Whether they had been reserved before.
    within_block: bool,
}

impl Sequence {
    /// The same with nothing left of the block.
    fn used_up(&self) -> Self {
        Self { next: Digits(self.reserved.0 + 1), ..self.clone() }
    }

    /// The next number to give out in `boot`.
    fn next_in(&self, boot: &str) -> u64 {
        let same_boot = self.boot == boot && boot != UNKNOWN_BOOT;
        if same_boot { self.next.0 } else { self.reserved.0 + 1 }
    }

    /// Takes `count` numbers, at least one; `None` when there are not so many.
    fn take(&self, count: u64, boot: String) -> Option<Taken> {
        let first = self.next_in(&boot);
        let last = first.checked_add(count - 1).filter(|last| *last <= WorkId::MAX_NUMBER)?;
        let within_block = self.boot == boot && last <= self.reserved.0;
        let reserved = if within_block {
            self.reserved
        } else {
            // Where boots cannot be told apart, what remains of a block would be a gap each time.
            let ahead = if boot == UNKNOWN_BOOT { 0 } else { BLOCK };
            Digits(self.reserved.0.max(last + ahead).min(WorkId::MAX_NUMBER))
        };
        let left = Self { reserved, next: Digits(last + 1), boot };
        Some(Taken { numbers: first..=last, left, within_block })
    }
}

impl Table {
    fn new() -> Self {
        Self { schema: 1, prefixes: BTreeMap::new() }
    }
}

impl TryFrom<String> for Digits {
    type Error = &'static str;

    /// Up to the one behind the greatest number that an id can have: a file that says more was
    /// damaged, and must neither overflow nor use up the numbers.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = text.parse().ok().filter(|number| *number <= WorkId::MAX_NUMBER + 1);
        number.map(Self).ok_or("not a number that an id can have")
    }
}

impl From<Digits> for String {
    fn from(digits: Digits) -> String {
        format!("{:013}", digits.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(number: &str) -> Result<Table, jerry_domain::ports::Malformed> {
        let sequence = format!(r#"{{"reserved":"{number}","next":"{number}","boot":"b"}}"#);
        let text = format!(r#"{{"schema":1,"prefixes":{{"WORK":{sequence}}}}}"#);
        codec::decode("sequences.json", text.as_bytes())
    }

    #[test]
    fn a_number_that_no_id_can_have_is_no_sequence() {
        assert!(table("18446744073709551615").is_err());
        assert!(table("1000000000001").is_err());
        let table = table("1000000000000").expect("the one behind the last");
        let sequence = table.prefixes.values().next().expect("one");
        assert!(sequence.take(1, "b".to_owned()).is_none());
        assert!(sequence.take(1, "c".to_owned()).is_none());
    }
}

#[cfg(feature = "proof")]
pub mod proof {
    //! The file without a store.

    use super::*;

    /// What the file says when it is written again.
    pub fn rewritten(bytes: &[u8]) -> Option<Vec<u8>> {
        codec::encode(&codec::decode::<Table>("sequences.json", bytes).ok()?).ok()
    }

    /// The numbers that `count` processes, or one that wants as many, get in `boot`, and what the
    /// file says then; `None` where the file does not know `prefix` or has no more of them.
    pub fn taken(
        bytes: &[u8],
        prefix: &Prefix,
        count: u64,
        boot: &str,
    ) -> Option<(RangeInclusive<u64>, Vec<u8>)> {
        let mut table = codec::decode::<Table>("sequences.json", bytes).ok()?;
        let taken = table.prefixes.get(prefix)?.take(count.max(1), boot.to_owned())?;
        table.prefixes.insert(prefix.clone(), taken.left);
        Some((taken.numbers, codec::encode(&table).ok()?))
    }
}
