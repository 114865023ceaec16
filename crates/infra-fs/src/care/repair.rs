//! Puts right what can be put right without losing anything. Whatever is changed or removed is
//! first copied to `local/backups`.

use std::path::Path;

use jerry_domain::ports::{Ailment, Finding, LockName, Repair, Repairs, RepositoryError};
use jerry_domain::{Stamp, WorkItem};

use super::litter::Litter;
use super::{FsCare, misnamed};
use crate::ids::Behind;
use crate::layout::id_of_file;
use crate::publish::{self, Creation, PublishError};
use crate::read::Content;
use crate::{backup, codec, displaced, journal, naming, read, repository, tombstone};

pub(super) fn all(
    care: &FsCare,
    findings: &[Finding],
    stamp: &Stamp,
) -> Result<Repairs, RepositoryError> {
    care.format.check_writable()?;
    let mut repairs = Repairs::default();
    for finding in findings.iter().filter(|finding| finding.fixable) {
        let Some(path) = &finding.path else { continue };
        let path = care.layout.root().join(path);
        match one(care, finding.ailment, &path, stamp) {
            Ok(Some(action)) => repairs.done.push(Repair { finding: finding.clone(), action }),
            Ok(None) => {}
            Err(error) => repairs.failed = repairs.failed.or(Some(error)),
        }
    }
    Ok(repairs)
}

/// `None` when there was nothing left to do, or it is not the files' own ailment.
fn one(
    care: &FsCare,
    ailment: Ailment,
    path: &Path,
    stamp: &Stamp,
) -> Result<Option<String>, RepositoryError> {
    match ailment {
        Ailment::TempLitter => remove_litter(care, path),
        Ailment::StaleIndex | Ailment::CorruptIndex => {
            let Some(_guard) = care.locks.try_acquire(&LockName::index())? else { return Ok(None) };
            let removed = publish::remove(path)?;
            Ok(removed.then(|| "removed it; the next list makes it anew".to_owned()))
        }
        Ailment::SequenceBehind => {
            let behind = care.sequences.behind()?;
            for Behind { prefix, .. } in &behind {
                care.sequences.catch_up(prefix).map_err(displaced::no_number)?;
            }
            let moved = !behind.is_empty();
            Ok(moved.then(|| "moved the next number behind the greatest".to_owned()))
        }
        Ailment::CorruptSequences => {
            let _guard = care.locks.acquire(&LockName::sequences(), None)?;
            backup::keep(&care.layout, path)?;
            publish::remove(path)?;
            Ok(Some("put aside; the next create makes it anew from the items".to_owned()))
        }
        Ailment::MisnamedItem => misnamed::rename(care, path, stamp),
        Ailment::DeletedItemPresent => finish_deletion(care, path),
        Ailment::SharedNumber => split(care, path),
        Ailment::OrphanTombstone => rename_tombstone(care, path),
        _ => Ok(None),
    }
}

fn remove_litter(care: &FsCare, path: &Path) -> Result<Option<String>, RepositoryError> {
    let Some(litter) = Litter::at(path.to_owned()) else { return Ok(None) };
    let Some(_guard) = litter.take(care)? else { return Ok(None) };
    let removed = publish::remove(&litter.path)?;
    Ok(removed.then(|| "removed it".to_owned()))
}

/// Removes the file of an item that its tombstone keeps.
fn finish_deletion(care: &FsCare, path: &Path) -> Result<Option<String>, RepositoryError> {
    let shown = care.layout.relative(path);
    let Some(id) = path.file_name().and_then(|name| id_of_file(&name.to_string_lossy())) else {
        return Ok(None);
    };
    let _guard = journal::lock_item(&care.layout, &care.locks, &id)?;
    let Some((item, _)) = read::json::<WorkItem>(path, &shown)? else {
        return Ok(None);
    };
    let tombstone = tombstone::read(&care.layout, &id)?;
    if tombstone.is_none_or(|tombstone| !tombstone.is_of(item.uid)) {
        return Ok(None);
    }
    backup::keep(&care.layout, path)?;
    let (item, _) = displaced::give_numbers(&care.layout, &care.locks, item)?;
    if !item.displaced.is_empty() {
        return Ok(None);
    }
    naming::finish_deletion(&care.layout, &care.locks, &id)?;
    Ok(Some("finished the deletion".to_owned()))
}

/// Gives the younger items of a file numbers of their own.
fn split(care: &FsCare, path: &Path) -> Result<Option<String>, RepositoryError> {
    let shown = care.layout.relative(path);
    let Some(id) = path.file_name().and_then(|name| id_of_file(&name.to_string_lossy())) else {
        return Ok(None);
    };
    let _guard = journal::lock_item(&care.layout, &care.locks, &id)?;
    let Some((file, content)) = read::json::<WorkItem>(path, &shown)? else { return Ok(None) };
    if file.displaced.is_empty() || file.id != id {
        return Ok(None);
    }
    backup::keep(&care.layout, path)?;
    let before = file.displaced.len();
    let (item, numbers) = displaced::give_numbers(&care.layout, &care.locks, file)?;
    if item.displaced.len() == before {
        return Ok(None);
    }
    let taken_out = take_out(care, path, &content, &item);
    if numbers.is_empty() {
        taken_out?;
        return Ok(Some("took out what had been deleted under a number of its own".to_owned()));
    }
    taken_out.map_err(after_the_first_step)?;
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    Ok(Some(format!("the younger is {} now", numbers.join(", "))))
}

/// Writes `item` in place of a file that held others beside it, which stand elsewhere now.
fn take_out(
    care: &FsCare,
    path: &Path,
    content: &Content,
    item: &WorkItem,
) -> Result<(), RepositoryError> {
    let text = codec::respell(&content.bytes, repository::encode(item)?, &[]);
    let shown = care.layout.relative(path);
    match publish::replace_unchanged::<RepositoryError>(path, &shown, content, &text)? {
        true => Ok(()),
        false => Err(RepositoryError::ChangedOutside { id: item.id.clone() }),
    }
}

fn rename_tombstone(care: &FsCare, path: &Path) -> Result<Option<String>, RepositoryError> {
    let shown = care.layout.relative(path);
    let found = read::json::<jerry_domain::ports::Tombstone>(path, &shown)?;
    let Some((tombstone, content)) = found else { return Ok(None) };
    let _guard = care.locks.acquire(&LockName::item(&tombstone.item.id), None)?;
    let target = care.layout.tombstone(&tombstone.item.id);
    backup::keep(&care.layout, path)?;
    Ok(Some(match publish::create(&target, &content.bytes)? {
        Creation::Created => {
            publish::remove(path).map_err(halfway)?;
            format!("renamed to {}", care.layout.relative(&target))
        }
        Creation::Exists => {
            publish::remove(path)?;
            "put aside: the number has a tombstone already".to_owned()
        }
    }))
}

/// As [`halfway`].
fn after_the_first_step(error: RepositoryError) -> RepositoryError {
    match error {
        RepositoryError::Storage(error) => RepositoryError::Indeterminate(error),
        error => error,
    }
}

/// The error of a second step, after which the first one stands.
pub(super) fn halfway(error: PublishError) -> RepositoryError {
    match error {
        PublishError::Failed(error) | PublishError::Indeterminate(error) => {
            RepositoryError::Indeterminate(error)
        }
    }
}
