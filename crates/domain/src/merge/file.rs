//! What git merges are files, and a file may hold several items: those that got the same number on
//! different branches. The driver can write one path only, so the eldest stays the file's item and
//! holds the younger ones as [`displaced`](crate::Record::displaced).

use std::collections::BTreeMap;

use super::Unmergeable;
use crate::ports::Tombstone;
use crate::{Uid, WorkId, WorkItem};

impl WorkItem {
    /// What the file `name` holds after a merge of two that came from `base`. Symmetric.
    ///
    /// An item that is in one file only stays, unless the other side took it out of there, to give it
    /// a number of its own, and this side did not write it since.
    ///
    /// # Errors
    /// [`Unmergeable`].
    pub fn merge_files(
        base: Option<&Self>,
        ours: &Self,
        theirs: &Self,
        name: &WorkId,
    ) -> Result<Self, Unmergeable> {
        let before = base.map(Self::in_file).unwrap_or_default();
        let (own, their) = (ours.in_file(), theirs.in_file());
        let mut merged = Vec::new();
        for (uid, item) in &own {
            if let Some(other) = their.get(uid) {
                merged.push(Self::merge(before.get(uid), item, other)?);
            }
        }
        let on_one_side =
            |(uid, _): &(&Uid, &Self)| !(own.contains_key(uid) && their.contains_key(uid));
        let alone: Vec<_> = own.iter().chain(&their).filter(on_one_side).collect();
        let is_taken_out = |(uid, item): &(&Uid, &Self)| before.get(uid) == Some(*item);
        // Where each side took out what the other kept, nothing may be lost.
        let all = merged.is_empty() && alone.iter().all(is_taken_out);
        let kept = alone.into_iter().filter(|item| all || !is_taken_out(item));
        merged.extend(kept.map(|(_, item)| item.clone()));
        Ok(Self::into_file(merged, name).unwrap_or_else(|| ours.clone()))
    }

    /// The items of the file whose item this is, by age. None holds another.
    #[must_use]
    pub fn in_file(&self) -> BTreeMap<Uid, Self> {
        let (own, displaced) = self.clone().split_off();
        let all = std::iter::once(own).chain(displaced.into_iter().flat_map(|item| {
            let (own, displaced) = item.split_off();
            std::iter::once(own).chain(displaced)
        }));
        all.map(|item| (item.uid, item)).collect()
    }

    /// The file `name` of `items`: the eldest that is called so holds the others.
    fn into_file(items: Vec<Self>, name: &WorkId) -> Option<Self> {
        let mut items = items;
        items.sort_by_key(|item| item.uid);
        let top = items.iter().position(|item| item.id == *name).unwrap_or(0);
        (top < items.len()).then(|| items.remove(top)).map(|top| top.holding(items))
    }
}

impl Tombstone {
    /// What the tombstone of a number is after a merge of two that came from `base`. Symmetric. Of
    /// one item the first deletion counts; of two items of that number the elder's tombstone holds
    /// the younger's.
    ///
    /// # Errors
    /// [`Unmergeable`].
    pub fn merge(base: Option<&Self>, ours: &Self, theirs: &Self) -> Result<Self, Unmergeable> {
        let before = base.map(Self::in_file).unwrap_or_default();
        let (mut all, their) = (ours.in_file(), theirs.in_file());
        for (uid, other) in their {
            let merged = match all.get(&uid) {
                Some(own) => own.first(&other, before.get(&uid))?,
                None => other,
            };
            all.insert(uid, merged);
        }
        let top = all.pop_first().map_or_else(|| ours.clone(), |(_, top)| top);
        Ok(Self { displaced: all.into_values().collect(), ..top })
    }

    /// The item that was deleted, and the younger ones of its number.
    pub fn uids(&self) -> impl Iterator<Item = Uid> {
        std::iter::once(self.item.uid).chain(self.displaced.iter().map(|other| other.item.uid))
    }

    /// Whether the item `uid` was deleted.
    #[must_use]
    pub fn is_of(&self, uid: Uid) -> bool {
        self.uids().any(|own| own == uid)
    }

    fn first(&self, other: &Self, base: Option<&Self>) -> Result<Self, Unmergeable> {
        let rank = |own: &Self| (own.deleted_at, own.deleted_by.clone(), own.reason.clone());
        let first = if rank(self) <= rank(other) { self } else { other };
        let item = WorkItem::merge(base.map(|base| &base.item), &self.item, &other.item)?;
        Ok(Self { item, ..first.clone() })
    }

    fn in_file(&self) -> BTreeMap<Uid, Self> {
        let own = Self { displaced: Vec::new(), ..self.clone() };
        let inner = self.displaced.iter().flat_map(Self::in_file);
        inner.chain([(own.item.uid, own)]).collect()
    }
}
