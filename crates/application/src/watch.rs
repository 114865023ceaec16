//! Waiting for items to change instead of asking again and again.
//!
//! There is no log of all writes and no order between those of different items; clocks step, and
//! git, editors and crashes write to no log. What a watcher may rely on is what it has seen itself:
//! of every item its version and a digest of its text. A cursor names that. Each look compares it
//! with the items as they are; the hint only says when a look may be worth it.
//!
//! What is handed out is always the difference between what was seen before and what this very look
//! saw, and the cursor after it stands for exactly that: whatever is written meanwhile differs from
//! it and comes with the next look.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jerry_domain::ports::{
    ChangeHint, Cursor, CursorStore, ItemKey, Lookout, Mark, NewHint, Seen, Sighting, Step,
    Tombstone, Unreadable,
};
use jerry_domain::{Actor, ItemRef, ProgressCount, Summary, Timestamp, Uid, WorkId};

use crate::references::Names;
use crate::{Error, Filter, Ports, query};

/// How long a watcher goes without a look where hints are to be had.
const WITH_HINTS: Duration = Duration::from_secs(10);

/// The same where there are none.
const WITHOUT_HINTS: Duration = Duration::from_secs(1);

/// However large the store is, a watcher that sees nothing change spends a fiftieth of its time on
/// looking.
const PATIENCE: u32 = 50;

/// How long it takes a watcher at most to see that nobody waits for it any more.
const PIECE: Duration = Duration::from_millis(500);

/// Where one hint follows the other it spends a fifth of its time on looking, unless the rest would
/// be longer than [`LONGEST_REST`].
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What happened to an item, as far as a watcher can tell from what it was and what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// It was not there before.
    Created,
    /// It is another version, or its text was changed without one.
    Changed,
    /// It has another number now.
    Renumbered {
        /// The id that it had.
        was: WorkId,
    },
    /// It is there, but the filter does not let it through any more.
    Left,
    /// It is not there any more.
    Deleted(Option<Deletion>),
}

/// When, by whom and why an item was deleted; not known of one whose file was taken away without
/// jerry.
#[derive(Debug, Clone, PartialEq)]
pub struct Deletion {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
}

/// One item that is otherwise than it was.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemChange {
    /// Its id; of a deleted item the one that it had.
    pub id: WorkId,
    /// Its identity.
    pub uid: Uid,
    /// What happened to it.
    pub happening: Happening,
    /// The item as it is or, where it was deleted, as it last was, if that is known.
    pub item: Option<Summary>,
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Changes {
    /// As many as the limit allows, the longest unchanged first; what was left out comes next time.
    pub changes: Vec<ItemChange>,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read. It counts as unchanged until it can be.
    pub unreadable: Vec<Unreadable>,
}

/// Lets one wait for changes. Takes no lock of items.
#[derive(Clone)]
pub struct Watch {
    ports: Ports,
    lookout: Arc<dyn Lookout>,
    hint: NewHint,
    cursors: Arc<dyn CursorStore>,
}

impl Watch {
    /// A service over `ports`.
    #[must_use]
    pub fn new(
        ports: Ports,
        lookout: Arc<dyn Lookout>,
        hint: NewHint,
        cursors: Arc<dyn CursorStore>,
    ) -> Self {
        Self { ports, lookout, hint, cursors }
    }

    /// Watches the items that `filter` lets through, from now on. Its order and its text do
    /// not count; its limit is that of each [`Changes`].
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed, or the filter's parent is not there.
    pub async fn from_now(&self, filter: Filter) -> Result<Watching, Error> {
        let mut watching = self.watching(filter).await?;
        // What is there is no change; what cannot be read is new when it can be.
        let found = watching.look(usize::MAX).await?;
        watching.see(&found.step);
        Ok(watching)
    }

    /// Goes on watching where a watcher with the same filter has come to.
    ///
    /// # Errors
    /// As [`Watch::from_now`]; [`Error::UnknownCursor`] when what it had seen is not known any more,
    /// [`Error::OtherFilter`] when it had watched other items.
    pub async fn since(&self, filter: Filter, cursor: &Cursor) -> Result<Watching, Error> {
        let Some(seen) = self.cursors.load(cursor).await? else {
            return Err(Error::UnknownCursor { cursor: cursor.clone() });
        };
        let watching = self.watching(filter).await?;
        if seen.selection != watching.seen.selection {
            return Err(Error::OtherFilter { cursor: cursor.clone() });
        }
        Ok(Watching { seen, saved: Some(cursor.clone()), ..watching })
    }

    async fn watching(&self, filter: Filter) -> Result<Watching, Error> {
        let parent = query::parent(&self.ports, &filter).await?;
        let seen = Seen { selection: filter.selection(), ..Seen::default() };
        let (interval, is_behind) = (None, false);
        let (saved, unsaved, last) = (None, Step::new(), None);
        let (watch, hint, unreadable) = (self.clone(), (self.hint)(), Vec::new());
        Ok(Watching {
            watch,
            filter,
            parent,
            hint,
            interval,
            seen,
            saved,
            unsaved,
            last,
            unreadable,
            is_behind,
        })
    }
}

/// Somebody who watches.
pub struct Watching {
    watch: Watch,
    filter: Filter,
    parent: Option<ItemRef>,
    hint: Box<dyn ChangeHint>,
    interval: Option<Duration>,
    seen: Seen,
    saved: Option<Cursor>,
    /// What leads from `saved` to `seen`.
    unsaved: Step,
    last: Option<LastLook>,
    unreadable: Vec<Unreadable>,
    /// Whether the last look found more than it handed out.
    is_behind: bool,
}

struct LastLook {
    ended: Instant,
    took: Duration,
    has_hints: bool,
}

struct Found {
    found: Changes,
    /// What leads from what was seen before to what was found.
    step: Step,
    /// Whether there is more than the limit allows.
    is_behind: bool,
}

impl Watching {
    /// Looks at least every `interval`, instead of every 10 seconds with hints and every second
    /// without.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// Waits for the next changes. `None` when there were none for `timeout`; without one it waits
    /// for as long as it takes. Looks at least once.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Changes>, Error> {
        self.until(timeout, &|| false).await
    }

    /// As [`next`](Self::next), and `None` soon after it `is_given_up`.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn until(
        &mut self,
        timeout: Option<Duration>,
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Option<Changes>, Error> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            self.rest(left, is_given_up);
            let Found { found, step, is_behind } = self.look(self.filter.limit).await?;
            self.see(&step);
            self.is_behind = is_behind;
            if !found.changes.is_empty() {
                return Ok(Some(found));
            }
            self.unreadable = found.unreadable;
            if is_given_up() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(None);
            }
        }
    }

    /// What the last look that found no change could not read.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// The cursor after all that was handed out.
    ///
    /// # Errors
    /// [`Error::Lock`] and [`Error::Repository`] when it cannot be kept.
    pub async fn cursor(&mut self) -> Result<Cursor, Error> {
        let since = self.saved.as_ref().map(|saved| (saved, &self.unsaved));
        let cursor = self.watch.cursors.save(&self.seen, since).await?;
        self.unsaved.clear();
        self.saved = Some(cursor.clone());
        Ok(cursor)
    }

    fn see(&mut self, step: &Step) {
        self.seen.advance(step);
        self.unsaved.extend(step.clone());
    }

    /// Waits until another look is worth it, or it `is_given_up`, at most as long as is `left`.
    fn rest(&mut self, left: Option<Duration>, is_given_up: &dyn Fn() -> bool) {
        let Some(LastLook { ended, took, has_hints }) = self.last else { return };
        let rest = (took * REST).min(LONGEST_REST);
        let usual = if has_hints { WITH_HINTS } else { WITHOUT_HINTS };
        let most = match self.interval {
            _ if self.is_behind => rest,
            Some(interval) => interval.max(rest),
            None => usual.max(took * PATIENCE),
        };
        let (left, begun) = (left.unwrap_or(Duration::MAX), Instant::now());
        let remaining = |time: Duration| {
            time.saturating_sub(ended.elapsed()).min(left.saturating_sub(begun.elapsed()))
        };
        // A wait in the system's hands cannot be ended.
        loop {
            let (least, most) = (remaining(rest), remaining(most));
            let is_told = self.hint.wait(least, most.min(PIECE));
            if is_told || most <= PIECE || is_given_up() {
                return;
            }
        }
    }

    async fn look(&mut self, limit: usize) -> Result<Found, Error> {
        let has_hints = self.hint.arm();
        let begun = Instant::now();
        let found = self.compare(limit).await?;
        let ended = Instant::now();
        self.last = Some(LastLook { ended, took: ended - begun, has_hints });
        Ok(found)
    }

    /// What the items differ in from what was seen.
    async fn compare(&self, limit: usize) -> Result<Found, Error> {
        let (mut there, mut known) = (HashSet::new(), Vec::new());
        let (mut unlike, mut unreadable) = (Vec::new(), Vec::new());
        let mut progress = ProgressCount::default();
        for sighting in self.watch.lookout.look().await? {
            match sighting {
                Ok(Sighting { summary, digest }) => {
                    known.push((summary.uid, summary.id.clone()));
                    progress.add(&summary);
                    let key = (summary.id.clone(), summary.uid);
                    let seen = self.seen.items.get(&key);
                    if seen
                        .is_none_or(|seen| (seen.version, seen.digest) != (summary.version, digest))
                    {
                        unlike.push((summary, digest));
                    }
                    there.insert(key);
                }
                Err(error) => unreadable.push(error),
            }
        }
        let mut gone = self.gone(&there, &known).await;
        let mut changes = Vec::new();
        let mut step = Step::new();
        for (summary, digest) in unlike {
            let is_watched = self.filter.admits(&summary, self.parent.as_ref());
            let mark = Mark { version: summary.version, digest, is_watched };
            let key = (summary.id.clone(), summary.uid);
            let earlier = self.seen.items.get(&key);
            let renumbered =
                gone.iter().position(|(_, uid)| earlier.is_none() && *uid == summary.uid);
            let was = renumbered.map(|place| gone.swap_remove(place));
            let earlier = was.as_ref().map_or(earlier, |was| self.seen.items.get(was));
            let was_watched = earlier.is_some_and(|mark| mark.is_watched);
            let happening = match (&was, earlier) {
                _ if was_watched && !is_watched => Happening::Left,
                (Some((was, _)), _) => Happening::Renumbered { was: was.clone() },
                (None, Some(_)) => Happening::Changed,
                (None, None) => Happening::Created,
            };
            let steps = was.map(|was| (was, None)).into_iter().chain([(key, Some(mark))]);
            if is_watched || was_watched {
                changes.push((change(happening, summary), steps.collect::<Vec<_>>()));
            } else {
                step.extend(steps);
            }
        }
        for key in gone {
            if self.seen.items.get(&key).is_some_and(|mark| mark.is_watched) {
                changes.push((self.departure(&key, &known).await, vec![(key, None)]));
            } else {
                step.insert(key, None);
            }
        }
        changes.sort_by_cached_key(|(change, _)| {
            let last = change.item.as_ref().map(|item| item.updated_at);
            (last, change.id.clone())
        });
        let is_behind = limit > 0 && changes.len() > limit;
        if is_behind {
            changes.truncate(limit);
        }
        let (mut changes, steps): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        step.extend(steps.into_iter().flatten());
        rename(&mut changes, known);
        Ok(Found { found: Changes { changes, progress, unreadable }, step, is_behind })
    }

    /// What was seen and is not there any more. What a look misses, or cannot read, is asked for by
    /// its name before anybody is told that it is gone.
    async fn gone(&self, there: &HashSet<ItemKey>, known: &[(Uid, WorkId)]) -> Vec<ItemKey> {
        let mut gone = Vec::new();
        for key in self.seen.items.keys().filter(|key| !there.contains(*key)) {
            match self.watch.ports.items.get(&key.0).await {
                Ok(Some(item)) if item.uid == key.1 => {}
                // In the file of another it stands until it has a number of its own.
                Ok(Some(file))
                    if file.displaced.iter().any(|item| item.uid == key.1)
                        && !known.iter().any(|(uid, _)| *uid == key.1) => {}
                Ok(_) => gone.push(key.clone()),
                // It counts as unchanged until it can be read; the look has named it.
                Err(_) => {}
            }
        }
        gone
    }

    /// What is to be said of an item that is gone from under its id: that it is under another one
    /// since an earlier look, or that it was deleted.
    async fn departure(&self, (id, uid): &ItemKey, known: &[(Uid, WorkId)]) -> ItemChange {
        let items = &self.watch.ports.items;
        if let Some((_, elsewhere)) = known.iter().find(|(known, _)| known == uid)
            && let Ok(Some(file)) = items.get(elsewhere).await
            && let Some(item) = Summary::of_file(&file).find(|item| item.uid == *uid)
        {
            return change(Happening::Renumbered { was: id.clone() }, item);
        }
        // A tombstone that cannot be read, or is of another item, says nothing of this one.
        let stone = items.tombstone(id).await.ok().flatten();
        let (item, deletion) = match stone.filter(|stone| stone.item.uid == *uid) {
            Some(Tombstone { deleted_at, deleted_by, reason, item, .. }) => {
                let deletion = Deletion { at: deleted_at, by: deleted_by, reason };
                (Some(Summary::from(&item)), Some(deletion))
            }
            None => (None, None),
        };
        ItemChange { id: id.clone(), uid: *uid, happening: Happening::Deleted(deletion), item }
    }
}

fn change(happening: Happening, item: Summary) -> ItemChange {
    ItemChange { id: item.id.clone(), uid: item.uid, happening, item: Some(item) }
}

/// Puts the references of the changed items under the names of today.
fn rename(changes: &mut [ItemChange], known: Vec<(Uid, WorkId)>) {
    let names = Names::used_by(changes.iter().filter_map(|change| change.item.as_ref()), known);
    for change in changes {
        names.refresh(change.item.as_mut_slice());
    }
}
