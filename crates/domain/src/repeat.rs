//! Whether a request that comes again is the one that was made.
//!
//! Nothing of a request is kept but its name and what it changed. What it asked for is therefore made
//! once more, of the item as it was before, and must lead to the item as it was after.

use std::collections::HashMap;

use crate::{Credentials, Edit, Extra, Record, Stamp, Title, WorkItem};

impl WorkItem {
    /// Whether `edits` are what the last write of this item made of it, as far as that can be told:
    /// nothing can be told of a merge, nor where the history has been broken. How long a claim stands,
    /// and in which session, is not looked at.
    #[must_use]
    pub fn is_result_of(&self, edits: &[Edit]) -> bool {
        let Some((stamp, before)) = self.last_write() else { return true };
        match before.apply(edits, &stamp) {
            Ok(Some(after)) => self.says_the_same(after),
            Ok(None) => self.says_the_same(before),
            Err(_) => false,
        }
    }

    /// Whether an item made with this `title` and these `edits` is this one, in its first version. In
    /// another one, which a merge has made, only the title tells.
    #[must_use]
    pub fn is_made_with(&self, title: &Title, edits: &[Edit]) -> bool {
        let Some(entry) = self.history.first().filter(|_| self.version == 1) else {
            return self.title == *title;
        };
        let stamp = Stamp::new(entry.at, entry.actor.clone());
        Self::create(self.id.clone(), self.uid, title.clone(), edits, &stamp)
            .is_ok_and(|made| self.says_the_same(made))
    }

    fn last_write(&self) -> Option<(Stamp, Self)> {
        let entry = self.history.last().filter(|entry| entry.merged.is_none())?;
        let before = self.at_version(self.version.checked_sub(1)?).ok()?;
        let credentials =
            Credentials { session: entry.session.clone(), force: true, ..Credentials::default() };
        Some((Stamp { credentials, ..Stamp::new(entry.at, entry.actor.clone()) }, before))
    }

    /// Whether `other` is this item, but for what each write adds of its own and for names that have
    /// not been completed.
    fn says_the_same(&self, other: Self) -> bool {
        let known: HashMap<_, _> =
            self.references().filter_map(|own| Some((own.id.clone(), own.uid?))).collect();
        let complete = |item: Self| item.complete_references(|id| known.get(id).copied());
        comparable(complete(self.clone())) == comparable(complete(other))
    }
}

fn comparable(item: WorkItem) -> Record {
    let mut record = item.into_record();
    record.version = 1;
    record.updated_at = record.created_at;
    record.history.clear();
    if let Some(claim) = &mut record.claim {
        (claim.fence, claim.since) = (1, record.created_at);
        (claim.lease_seconds, claim.expires_at, claim.lock) = (None, None, None);
        (claim.session, claim.extra) = (None, Extra::new());
    }
    record
}
