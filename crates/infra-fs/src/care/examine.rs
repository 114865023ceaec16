//! Finds what is wrong with the files. Changes nothing.

use std::path::Path;

use jerry_domain::ports::{Ailment, Finding, RepositoryError, StorageError, Unreadable};
use jerry_domain::{ITEM_SCHEMA, WorkItem};

use super::{FsCare, litter};
use crate::fault::{if_present, storage_error};
use crate::file_system::{FileSystemKind, file_system_of};
use crate::format::STORE_FORMAT;
use crate::index::{self, CacheState};
use crate::layout::id_of_file;
use crate::lock::LockBackend;
use crate::tombstone::Deleted;
use crate::{read, tombstone};

pub(super) fn all(care: &FsCare) -> Result<Vec<Finding>, RepositoryError> {
    let mut findings = store(care)?;
    let (deleted, of_tombstones) = tombstones(care)?;
    findings.extend(items(care, &deleted)?);
    findings.extend(of_tombstones);
    findings.extend(derived(care)?);
    for litter in litter::find(care)? {
        findings.push(Finding {
            path: Some(care.layout.relative(&litter.path)),
            ..finding(
                Ailment::TempLitter,
                true,
                "a killed process left this temporary file".to_owned(),
            )
        });
    }
    Ok(findings)
}

fn finding(ailment: Ailment, fixable: bool, message: String) -> Finding {
    Finding { ailment, path: None, item: None, message, fixable }
}

/// The store as a whole: its format, its folders, what it lies on.
fn store(care: &FsCare) -> Result<Vec<Finding>, StorageError> {
    let mut findings = Vec::new();
    let found = care.format.format;
    if found > STORE_FORMAT {
        let message = format!(
            "the store has format {found}, this jerry writes {STORE_FORMAT}: it can be read, not \
             written; upgrade jerry"
        );
        findings.push(finding(Ailment::NewerFormat, false, message));
    }
    let kind = file_system_of(care.layout.root());
    if let (LockBackend::Os, FileSystemKind::Network(name)) = (care.format.lock_backend, kind) {
        let message = format!(
            "the store lies on {name}, where file locks may not exclude other machines; make a \
             store with `jerry init --lock-backend directory`, or keep it on a local disk"
        );
        findings.push(finding(Ailment::UnsafeFileSystem, false, message));
    }
    for folder in [care.layout.items(), care.layout.tombstones()] {
        let path = Some(care.layout.relative(&folder));
        match if_present(std::fs::symlink_metadata(&folder))
            .map_err(|error| storage_error("look at", &folder, error))?
        {
            // git keeps no empty folders; whoever needs it makes it.
            None => {}
            Some(_) if !is_usable(&folder, true) => findings.push(Finding {
                path,
                ..finding(
                    Ailment::WrongPermissions,
                    false,
                    "this user cannot write in the folder".to_owned(),
                )
            }),
            Some(_) => {}
        }
    }
    Ok(findings)
}

fn items(care: &FsCare, deleted: &Deleted) -> Result<Vec<Finding>, StorageError> {
    let mut findings = Vec::new();
    for name in index::names(&care.layout.items())? {
        let path = care.layout.items().join(&name);
        let shown = care.layout.relative(&path);
        let item = match read::json::<WorkItem>(&path, &shown) {
            Ok(None) => continue,
            Ok(Some((item, _))) => item,
            Err(error) => {
                findings.push(unreadable(&error, Ailment::UnparsableItem, shown));
                continue;
            }
        };
        let ailment = if id_of_file(&name).as_ref() != Some(&item.id) {
            let message = format!("the file holds {}, which its name does not say", item.id);
            Some(finding(Ailment::MisnamedItem, true, message))
        } else if deleted.contains(&(item.id.clone(), item.uid)) {
            let message =
                "it was deleted, but its file is there; the tombstone keeps it".to_owned();
            Some(finding(Ailment::DeletedItemPresent, true, message))
        } else if !item.displaced.is_empty() {
            let younger: Vec<_> = item.displaced.iter().map(|item| item.title.as_str()).collect();
            let message = format!(
                "{} is also the number of a younger item, '{}', from another branch: the next write \
                 gives that one its own",
                item.id,
                younger.join("', '")
            );
            Some(finding(Ailment::SharedNumber, true, message))
        } else if item.schema > ITEM_SCHEMA {
            let message = format!(
                "the item has schema {}, this jerry writes {ITEM_SCHEMA}: it can be read, not \
                 changed; upgrade jerry",
                item.schema
            );
            Some(finding(Ailment::NewerFormat, false, message))
        } else if !is_usable(&path, false) {
            let message = "this user cannot write the file".to_owned();
            Some(finding(Ailment::WrongPermissions, false, message))
        } else {
            None
        };
        findings.extend(ailment.map(|finding| Finding {
            path: Some(shown),
            item: Some(item.id.clone()),
            ..finding
        }));
    }
    Ok(findings)
}

/// What the tombstones keep, and what is wrong with them.
fn tombstones(care: &FsCare) -> Result<(Deleted, Vec<Finding>), StorageError> {
    let (mut kept, mut findings) = (Deleted::new(), Vec::new());
    for (name, tombstone) in tombstone::all(&care.layout)? {
        let shown = care.layout.relative(&care.layout.tombstones().join(&name));
        match tombstone {
            Err(error) => findings.push(unreadable(&error, Ailment::UnparsableTombstone, shown)),
            Ok(tombstone) if id_of_file(&name).as_ref() != Some(&tombstone.item.id) => {
                let id = tombstone.item.id.clone();
                let message = format!("it is {id}'s, but its name does not keep that number");
                findings.push(Finding {
                    path: Some(shown),
                    item: Some(id),
                    ..finding(Ailment::OrphanTombstone, true, message)
                });
            }
            Ok(tombstone) => {
                kept.extend(tombstone.uids().map(|uid| (tombstone.item.id.clone(), uid)));
            }
        }
    }
    Ok((kept, findings))
}

/// What can be made anew: the index and the numbers.
fn derived(care: &FsCare) -> Result<Vec<Finding>, StorageError> {
    let mut findings = Vec::new();
    let index = Some(care.layout.relative(&care.layout.index()));
    match index::cache_state(&care.layout)? {
        CacheState::Absent | CacheState::Current => {}
        CacheState::Corrupt => findings.push(Finding {
            path: index,
            ..finding(Ailment::CorruptIndex, true, "it cannot be used and is ignored".to_owned())
        }),
        CacheState::Stale(rows) => findings.push(Finding {
            path: index,
            ..finding(
                Ailment::StaleIndex,
                true,
                format!("{rows} rows no longer describe a file and are ignored"),
            )
        }),
    }
    let path = Some(care.layout.relative(&care.layout.sequences()));
    match care.sequences.behind() {
        Ok(behind) => findings.extend(behind.into_iter().map(|behind| Finding {
            path: path.clone(),
            ..finding(
                Ailment::SequenceBehind,
                true,
                format!(
                    "the next number of {} is {}, but {} exists",
                    behind.prefix, behind.next, behind.greatest
                ),
            )
        })),
        Err(Unreadable::Malformed(error)) => findings
            .push(Finding { path, ..finding(Ailment::CorruptSequences, true, error.reason) }),
        Err(Unreadable::Storage(error)) => return Err(error),
    }
    Ok(findings)
}

fn unreadable(error: &Unreadable, ailment: Ailment, path: String) -> Finding {
    let (ailment, message) = match error {
        Unreadable::Malformed(error) if error.line > 0 => {
            (ailment, format!("line {}, column {}: {}", error.line, error.column, error.reason))
        }
        Unreadable::Malformed(error) => (ailment, error.reason.clone()),
        Unreadable::Storage(error) => (
            match error.fault {
                jerry_domain::ports::StorageFault::Denied => Ailment::WrongPermissions,
                _ => ailment,
            },
            format!("{error}: {}", error.source),
        ),
    };
    Finding { path: Some(path), ..finding(ailment, false, message) }
}

/// Whether this user may write there, and for a folder also enter it. What has gone meanwhile
/// keeps nobody from anything.
fn is_usable(path: &Path, is_folder: bool) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, access};
        use rustix::io::Errno;
        let needed = if is_folder {
            Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK
        } else {
            Access::READ_OK | Access::WRITE_OK
        };
        matches!(access(path, needed), Ok(()) | Err(Errno::NOENT))
    }
    #[cfg(not(unix))]
    {
        // On a folder the flag means nothing on Windows.
        let found = if_present(std::fs::metadata(path));
        is_folder || found.is_ok_and(|found| found.is_none_or(|it| !it.permissions().readonly()))
    }
}
