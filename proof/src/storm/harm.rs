//! Harm done to a copy of a store after a storm, each of which must be found.

#![expect(clippy::disallowed_methods, reason = "this is the harm")]

use std::fs;
use std::io;
use std::path::Path;

use jerry_domain::{Event, WorkItem};

use super::ledger::{Answer, Deed, Entry, Written};
use super::verify::{self, Finding, Wrong};
use crate::ground::Ground;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// The last write of an item, which was acknowledged, is undone.
    LastWriteUndone,
    /// An acknowledged note is taken out, and nothing else.
    NoteTakenOut,
    /// An item is gone.
    ItemGone,
    /// A deleted item is there again.
    DeletedItemBack,
    /// A tombstone is gone.
    TombstoneGone,
    /// An item is cut off half-way.
    ItemCutOff,
    /// An item has the uid of another.
    UidOfAnother,
    /// An item lies there a second time, under another number.
    ItemTwice,
    /// One of the items of a plan is gone.
    PlanHalved,
}

impl Harm {
    pub(super) const ALL: [Self; 9] = [
        Self::LastWriteUndone,
        Self::NoteTakenOut,
        Self::ItemGone,
        Self::DeletedItemBack,
        Self::TombstoneGone,
        Self::ItemCutOff,
        Self::UidOfAnother,
        Self::ItemTwice,
        Self::PlanHalved,
    ];

    /// What it must be found out as.
    pub(super) fn shows_as(self) -> Wrong {
        match self {
            Self::LastWriteUndone
            | Self::ItemGone
            | Self::DeletedItemBack
            | Self::TombstoneGone => Wrong::Lost,
            Self::NoteTakenOut | Self::PlanHalved => Wrong::Strange,
            Self::ItemCutOff => Wrong::Unreadable,
            Self::UidOfAnother | Self::ItemTwice => Wrong::Duplicate,
        }
    }

    /// What is found in a copy of the store that was harmed so.
    pub(super) fn show(self, ground: &Ground, entries: &[Entry]) -> io::Result<Vec<Finding>> {
        let copy = tempfile::tempdir_in(ground.folder())?;
        for folder in ["items", "tombstones"] {
            fs::create_dir(copy.path().join(folder))?;
            for file in fs::read_dir(super::data(ground).join(folder))? {
                let file = file?;
                fs::copy(file.path(), copy.path().join(folder).join(file.file_name()))?;
            }
        }
        let before = verify::verify(entries, &verify::read(copy.path())?);
        self.inflict(copy.path(), entries)?;
        let mut found = verify::verify(entries, &verify::read(copy.path())?);
        // What was wrong before is not its doing.
        found.retain(|finding| !before.contains(finding));
        Ok(found)
    }

    fn inflict(self, data: &Path, entries: &[Entry]) -> io::Result<()> {
        let found = verify::read(data)?;
        let path = |item: &WorkItem| data.join("items").join(format!("{}.json", item.id));
        let stone = |item: &WorkItem| data.join("tombstones").join(format!("{}.json", item.id));
        let acknowledged = |item: &WorkItem| {
            entries.iter().any(|Entry { intent, answer }| match answer {
                Answer::Wrote(all) => {
                    intent.deed != Deed::Create
                        && all.iter().any(|written| {
                            (&written.id, written.version) == (&item.id, item.version)
                        })
                }
                _ => false,
            })
        };
        let created = |item: &&WorkItem| {
            let told = |Written { id, .. }: &Written| *id == item.id;
            entries.iter().any(|Entry { intent, answer }| match answer {
                Answer::Wrote(all) => intent.deed == Deed::Create && all.iter().any(told),
                _ => false,
            })
        };
        let items = || found.items.values();
        let one = |item: Option<&WorkItem>| {
            item.cloned().ok_or_else(|| io::Error::other(format!("nothing to harm: {self:?}")))
        };
        match self {
            Self::LastWriteUndone => {
                let item = one(items().find(|item| item.version > 1 && acknowledged(item)))?;
                let earlier = item.at_version(item.version - 1).map_err(io::Error::other)?;
                write(&path(&item), &earlier)
            }
            Self::NoteTakenOut => {
                let noted =
                    |item: &&WorkItem| item.history.iter().any(|entry| entry.event == Event::NOTED);
                let item = one(items().find(noted))?;
                let mut record = item.clone().into_record();
                record.notes.pop();
                write(&path(&item), &WorkItem::try_from(record).map_err(io::Error::other)?)
            }
            Self::ItemGone => fs::remove_file(path(&one(items().find(created))?)),
            Self::PlanHalved => {
                let of_plan = |item: &&WorkItem| {
                    item.at_version(1).is_ok_and(|first| {
                        let request = verify::request_that_made(&first);
                        let asked = entries.iter().map(|entry| &entry.intent);
                        let mut plans = asked.filter(|intent| intent.deed == Deed::Plan);
                        plans.any(|intent| intent.request == request)
                    })
                };
                fs::remove_file(path(&one(items().find(of_plan))?))
            }
            Self::DeletedItemBack => {
                let item = one(entries.iter().find_map(|entry| match &entry.answer {
                    Answer::Deleted(Written { id, .. }) => Some(&found.stones.get(id)?.item),
                    _ => None,
                }))?;
                write(&path(&item), &item)
            }
            Self::TombstoneGone => {
                let item = one(found.stones.values().map(|stone| &stone.item).find(created))?;
                fs::remove_file(stone(&item))
            }
            Self::ItemCutOff => {
                let path = path(&one(items().next())?);
                let text = fs::read(&path)?;
                fs::write(&path, &text[..text.len() / 2])
            }
            Self::UidOfAnother => {
                // One that needs nobody: with the uid of what it needs, it would need itself.
                let item = one(items().find(|item| item.depends_on.is_empty()))?;
                let other = one(items().find(|other| other.id != item.id))?;
                let mut record = item.clone().into_record();
                record.uid = other.uid;
                write(&path(&item), &WorkItem::try_from(record).map_err(io::Error::other)?)
            }
            Self::ItemTwice => {
                let item = one(items().next())?;
                let mut record = item.into_record();
                record.id = "WORK-999999".parse().map_err(io::Error::other)?;
                let copy = WorkItem::try_from(record).map_err(io::Error::other)?;
                write(&path(&copy), &copy)
            }
        }
    }
}

fn write(path: &Path, item: &WorkItem) -> io::Result<()> {
    fs::write(path, serde_json::to_vec(item)?)
}
