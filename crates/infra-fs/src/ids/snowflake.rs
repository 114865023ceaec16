//! The uids: milliseconds, worker slot and sequence, unique over all processes of a store.
//!
//! # Protocol
//! - A process holds the lock of one of 1,024 worker slots while it lives. Which one it tries
//!   first is derived from its pid; a derived slot alone would collide.
//! - A slot has a high-water mark, in logical time (milliseconds times sequence). Uids are given
//!   out only below it; it is moved up before use, in one write over the same bytes in place.
//! - Logical time starts at the clock or behind the mark, whichever is later, and only goes up. A
//!   clock set back and a millisecond used up are the same case: logical time runs ahead.
//! - The mark is not synced. It is whole for the boot in which it was written; the first lease of a
//!   slot after another boot also starts behind every uid among items and tombstones. That floor
//!   is found once a boot and kept in `workers/floor`.
//!
//! # Crash points
//! - process killed after the mark moved: the rest of the lease is never used, the next holder
//!   starts behind the mark;
//! - power cut: the mark may be lost, every acknowledged uid is in an item or a tombstone, which
//!   are durable; the next boot starts behind them.
//!
//! A uid over a day ahead of the clock does not count for the floor: one bad file must not use up
//! the clock. The doctor reports it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jerry_domain::ports::{Clock, IdError, LockName, StorageError, Unreadable};
use jerry_domain::{Uid, WorkItem};
use serde::{Deserialize, Serialize};

use super::not_reserved;
use crate::fault::storage_error;
use crate::layout::Layout;
use crate::lock::{FsLockGuard, FsLocks};
use crate::{codec, index, machine, publish, read, steps, tombstone};

/// How far a uid may lie ahead of the clock and still be believed.
pub(crate) const BELIEVED_AHEAD_MS: u64 = 24 * 60 * 60 * 1000;

/// The most uids that one move of the mark covers: sixteen milliseconds of them.
const GREATEST_LEASE: u64 = 1 << 16;

/// How many slots are tried first; the others serve when these are taken.
const FIRST_SLOTS: u32 = 64;

const SEQUENCES: u64 = Uid::SEQUENCES as u64;

/// The first logical time that the format has no uid for.
const END: u64 = (Uid::MAX_MILLIS + 1) * SEQUENCES;

/// Makes uids for one store. The slot is taken with the first uid and kept until this is dropped.
pub struct Snowflake {
    layout: Layout,
    locks: FsLocks,
    clock: Arc<dyn Clock>,
    lease: Mutex<Option<Lease>>,
}

struct Lease {
    _guard: FsLockGuard,
    slot: u16,
    file: File,
    path: PathBuf,
    boot: String,
    /// The next logical time that was not given out.
    next: u64,
    /// The mark: nothing at or above it is given out.
    high_water: u64,
    step: u64,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    boot: String,
    high_water: String,
}

impl Snowflake {
    /// Touches nothing until the first uid is asked for.
    #[must_use]
    pub fn new(layout: Layout, locks: FsLocks, clock: Arc<dyn Clock>) -> Self {
        Self { layout, locks, clock, lease: Mutex::new(None) }
    }

    /// `count` new uids, ascending, greater than every uid that this has given out.
    ///
    /// # Errors
    /// [`IdError::NoWorkerSlot`] when 1,024 processes hold one; [`IdError::Exhausted`] in 2093;
    /// [`IdError::Storage`] when the mark cannot be kept. Then no uid was given out.
    pub fn take(&self, count: usize) -> Result<Vec<Uid>, IdError> {
        let mut state = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = match &mut *state {
            Some(lease) => lease,
            none => none.insert(self.lease()?),
        };
        let count = count as u64;
        let first = lease.next.max(logical(self.now_ms()));
        // Before the mark moves: a clock that is wrong for a moment must not use up the slot.
        let end = first.checked_add(count).filter(|end| *end <= END).ok_or_else(exhausted)?;
        if end > lease.high_water {
            lease.raise(end)?;
        }
        lease.next = end;
        let slot = lease.slot;
        (first..end).map(|time| uid(time, slot).ok_or_else(exhausted)).collect()
    }

    fn now_ms(&self) -> u64 {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        now.saturating_sub(Uid::EPOCH_MS)
    }

    fn lease(&self) -> Result<Lease, IdError> {
        let (slot, guard) = self.free_slot()?;
        let folder = self.layout.workers();
        publish::make_volatile_dir(&folder, self.layout.root()).map_err(not_reserved)?;
        let path = folder.join(format!("{slot:04}"));
        let failed = |error| storage_error("open", &path, error);
        let file = steps::open_or_create(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut &file, &mut bytes).map_err(failed)?;
        let boot = machine::boot_id().unwrap_or_default().to_owned();
        let next = match known(&bytes, &boot) {
            Known::OfThisBoot(high_water) => high_water,
            Known::Other(high_water) => {
                // The mark is written over in place; nothing of what stood there may remain.
                steps::set_len(&file, 0).map_err(failed)?;
                // Another boot's mark may be old, but what it says was given out. It may also be
                // that of another machine, whose clock need not be believed.
                let limit = logical(self.now_ms() + BELIEVED_AHEAD_MS);
                let other = high_water.filter(|high_water| *high_water <= limit);
                logical(self.floor(&boot)?).max(other.unwrap_or(0))
            }
        };
        Ok(Lease { _guard: guard, slot, file, path, boot, next, high_water: next, step: 1 })
    }

    fn free_slot(&self) -> Result<(u16, FsLockGuard), IdError> {
        // A burst of processes has neighbouring pids, which begin at different slots. All begin
        // among the first few: what their files cost the disk is paid once, not by every process.
        let first = std::process::id() % FIRST_SLOTS;
        for offset in 0..u32::from(Uid::WORKERS) {
            let slot = ((first + offset) % u32::from(Uid::WORKERS)) as u16;
            if let Some(guard) = self.locks.try_acquire(&LockName::worker(slot))? {
                return Ok((slot, guard));
            }
        }
        Err(IdError::NoWorkerSlot { slots: Uid::WORKERS })
    }

    /// A millisecond later than that of every uid that exists: found once a boot.
    fn floor(&self, boot: &str) -> Result<u64, IdError> {
        let path = self.layout.workers().join("floor");
        let known = read::bytes(&path, "floor").ok().flatten();
        if let Some(floor) = known.and_then(|content| floor_of(&content.bytes, boot)) {
            return Ok(floor);
        }
        let floor = self.greatest_millis()?.map_or(0, |millis| millis + 1);
        let text = encode(boot, floor).map_err(|error| storage_error("write", &path, error))?;
        // Several processes may find it at once; that one of them keeps it is enough.
        if let Some(_guard) = self.locks.try_acquire(&LockName::worker_floor())? {
            publish::replace_volatile(&path, &text)?;
        }
        Ok(floor)
    }

    fn greatest_millis(&self) -> Result<Option<u64>, StorageError> {
        let limit = self.now_ms() + BELIEVED_AHEAD_MS;
        let items = index::summaries(&self.layout, &self.locks)?.filter_map(|item| match item {
            Ok(item) => Some(item.uid),
            Err(error) => self.uid_of_misnamed(&error),
        });
        let tombstones = tombstone::all(&self.layout)?;
        let tombstones = tombstones.filter_map(|(_, tombstone)| Some(tombstone.ok()?.item.uid));
        Ok(items.chain(tombstones).map(Uid::millis).filter(|millis| *millis <= limit).max())
    }

    /// The uid of an item that no list shows because its file is not called after it. What cannot
    /// be read at all has no uid that could be compared.
    fn uid_of_misnamed(&self, error: &Unreadable) -> Option<Uid> {
        let Unreadable::Malformed(malformed) = error else { return None };
        let path = self.layout.root().join(&malformed.path);
        let (item, _) = read::json::<WorkItem>(&path, &malformed.path).ok()??;
        Some(item.uid)
    }
}

impl Lease {
    /// Moves the mark to `end` or, for a caller that needs many, ahead of it.
    fn raise(&mut self, end: u64) -> Result<(), IdError> {
        let high_water = end + self.step - 1;
        self.write_mark(high_water)?;
        self.high_water = high_water;
        self.step = (self.step * 2).min(GREATEST_LEASE);
        Ok(())
    }

    fn write_mark(&self, high_water: u64) -> Result<(), StorageError> {
        let failed = |error| storage_error("write", &self.path, error);
        let text = encode(&self.boot, high_water).map_err(failed)?;
        steps::write_at(&self.file, &text, 0).map_err(failed)
    }
}

impl Drop for Lease {
    /// Gives back what was not used, so that short-lived processes do not run ahead of the clock.
    /// Where that fails the next holder starts at the higher mark, which is as good.
    fn drop(&mut self) {
        if self.next < self.high_water {
            let _ = self.write_mark(self.next);
        }
    }
}

/// What a slot's file says of the mark.
#[derive(Debug, PartialEq)]
enum Known {
    /// It was written in this boot, and the next can be written over it.
    OfThisBoot(u64),
    /// It was not, or not as jerry spells it, or says nothing.
    Other(Option<u64>),
}

fn known(bytes: &[u8], boot: &str) -> Known {
    let mark = codec::decode::<Mark>("mark", bytes).ok();
    let high_water = mark.as_ref().and_then(|mark| mark.high_water.parse().ok());
    let high_water = high_water.filter(|high_water| *high_water <= END + GREATEST_LEASE);
    let as_written = |value| !boot.is_empty() && encode(boot, value).is_ok_and(|own| own == bytes);
    match high_water {
        Some(value) if as_written(value) => Known::OfThisBoot(value),
        other => Known::Other(other),
    }
}

/// What the file of the floor says, where it was found in this boot.
fn floor_of(bytes: &[u8], boot: &str) -> Option<u64> {
    let mark = codec::decode::<Mark>("floor", bytes).ok();
    let mark = mark.filter(|mark| mark.boot == boot && !boot.is_empty())?;
    mark.high_water.parse().ok().filter(|floor| *floor <= Uid::MAX_MILLIS)
}

/// Always the same length for one boot, so that it can be written in place.
fn encode(boot: &str, value: u64) -> std::io::Result<Vec<u8>> {
    let mark = Mark { boot: boot.to_owned(), high_water: format!("{value:020}") };
    Ok(codec::encode(&mark)?)
}

fn logical(millis: u64) -> u64 {
    millis * SEQUENCES
}

fn uid(time: u64, slot: u16) -> Option<Uid> {
    Uid::from_parts(time / SEQUENCES, slot, (time % SEQUENCES) as u16)
}

fn exhausted() -> IdError {
    IdError::Exhausted { what: "the milliseconds of the uid format".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_written_over_only_where_it_leaves_nothing_behind() {
        let own = encode("b", 7).expect("text");
        assert_eq!(known(&own, "b"), Known::OfThisBoot(7));
        assert_eq!(known(&own, "c"), Known::Other(Some(7)));
        assert_eq!(known(&encode("", 7).expect("text"), ""), Known::Other(Some(7)));
        for by_hand in
            [r#"{"boot":"b","high_water":"7"}"#, "{\"boot\":\"b\",\"high_water\":\"7\"} "]
        {
            assert_eq!(known(by_hand.as_bytes(), "b"), Known::Other(Some(7)));
        }
        let longer = [own.as_slice(), b"\n"].concat();
        assert_eq!(known(&longer, "b"), Known::Other(Some(7)));
    }
}

#[cfg(feature = "proof")]
pub mod proof {
    //! A slot's file without a store.

    use super::*;

    /// The logical time that a slot's file says, and whether the next mark may be written over
    /// the bytes of this one.
    pub fn mark(bytes: &[u8], boot: &str) -> (Option<u64>, bool) {
        match known(bytes, boot) {
            Known::OfThisBoot(high_water) => (Some(high_water), true),
            Known::Other(high_water) => (high_water, false),
        }
    }

    /// What a slot's file says when its mark is `high_water`.
    pub fn mark_text(boot: &str, high_water: u64) -> Option<Vec<u8>> {
        encode(boot, high_water).ok()
    }

    /// The millisecond that `workers/floor` says, where it is believed.
    pub fn floor(bytes: &[u8], boot: &str) -> Option<u64> {
        floor_of(bytes, boot)
    }
}
