//! What a holder writes about itself: one record of a fixed size, so that taking a lock costs one
//! write. For messages only: a record may be torn, left over or missing, and the lock still counts.
//!
//! On Unix it stands in the lock file. On Windows a lock keeps everybody else from reading the file,
//! so it stands in a file beside it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jerry_domain::ports::Holder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::machine::{self, Described, Life, Place};
use crate::steps;

/// How long every record is: the longest texts of [`machine::ThisProcess`] fit.
const SIZE: usize = 768;

/// A holder, and where its process id means something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) holder: Holder,
}

impl Record {
    /// This process, holding since now.
    pub(super) fn of_this_process(since: Timestamp) -> Self {
        let this = machine::this_process();
        let holder = Holder {
            pid: this.pid,
            started: this.started,
            host: this.host.clone(),
            user: this.user.clone(),
            command: this.command.clone(),
            since,
        };
        Self { place: this.place.clone(), holder }
    }

    /// Whether the holder still lives, as far as that can be proven from here.
    pub(super) fn life(&self) -> Life {
        machine::life(Described {
            pid: self.holder.pid,
            started: self.holder.started,
            host: &self.holder.host,
            place: &self.place,
        })
    }
}

/// Writes that this process holds the lock at `path`, whose file is `locked`.
pub(super) fn write(locked: &File, path: &Path) -> io::Result<()> {
    let template = template()?;
    let mut bytes = template.bytes;
    write!(&mut bytes[template.since_at..], "{:.3}{}", Timestamp::now(), Template::END)?;
    match beside(path) {
        Some(path) => steps::write_at(&steps::open_or_create(&path)?, &bytes, 0),
        None => steps::write_at(locked, &bytes, 0),
    }
}

/// Who wrote that they hold the lock at `path`, unless nobody did or the process is proven dead: a
/// record that was left over says nothing about who holds the lock now.
pub(super) fn read(path: &Path) -> Option<Holder> {
    let file = steps::open_existing(beside(path).as_deref().unwrap_or(path)).ok()?;
    let mut text = Vec::with_capacity(SIZE);
    file.take(SIZE as u64).read_to_end(&mut text).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    (record.life() != Life::Dead).then_some(record.holder)
}

/// The file beside the lock file at `path` in which the record stands; `None` where it stands in
/// the lock file.
pub(super) fn beside(path: &Path) -> Option<PathBuf> {
    cfg!(windows).then(|| path.with_extension("holder"))
}

/// A record of this process that lacks only the time, which stands last.
struct Template {
    bytes: [u8; SIZE],
    since_at: usize,
}

impl Template {
    const END: &str = "\"}}";
}

fn template() -> io::Result<&'static Template> {
    static TEMPLATE: OnceLock<Option<Template>> = OnceLock::new();
    let make = || {
        let since = Timestamp::UNIX_EPOCH;
        let text = serde_json::to_string(&Record::of_this_process(since)).ok()?;
        let start = text.strip_suffix(Template::END)?.strip_suffix(&since.to_string())?;
        let mut bytes = [b' '; SIZE];
        bytes.get_mut(..start.len())?.copy_from_slice(start.as_bytes());
        bytes[SIZE - 1] = b'\n';
        Some(Template { bytes, since_at: start.len() })
    };
    TEMPLATE.get_or_init(make).as_ref().ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

#[cfg(feature = "proof")]
pub mod proof {
    //! The record without a lock.

    use super::*;

    /// What the record says when it is written again. Also asks whether its process lives.
    pub fn rewritten(bytes: &[u8]) -> Option<Vec<u8>> {
        let record: Record = serde_json::from_slice(bytes).ok()?;
        let _ = record.life();
        serde_json::to_vec(&record).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_over_whatever_stood_there() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("a.lock");
        let file = steps::open_or_create(&path).expect("created");
        steps::write_all(&file, "x".repeat(3 * SIZE).as_bytes()).expect("written");
        assert_eq!(read(&path), None);
        write(&file, &path).expect("written");
        write(&file, &path).expect("written");

        let holder = read(&path).expect("a record");
        let ours = Record::of_this_process(holder.since).holder;
        assert_eq!(holder, ours);
        assert!(Timestamp::now() >= holder.since);
    }

    #[test]
    fn the_longest_record_fits() {
        let long = |bytes: usize| "m".repeat(bytes);
        let known = || Some(long(64));
        let place = Place { machine: known(), boot: known(), namespaces: known() };
        let holder = Holder {
            pid: u32::MAX,
            started: Some(u64::MAX),
            host: long(64),
            user: long(48),
            command: long(64),
            since: Timestamp::MAX,
        };
        let text = serde_json::to_string(&Record { place, holder }).expect("serialises");
        assert!(text.len() < SIZE, "{}", text.len());
    }

    #[test]
    fn a_record_of_a_dead_process_names_nobody() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("a.lock");
        let mut record = Record::of_this_process(Timestamp::now());
        // Another process has had this id since.
        record.holder.started = record.holder.started.map(|at| at + 1);
        let file = steps::open_or_create(&beside(&path).unwrap_or(path.clone())).expect("created");
        let text = serde_json::to_vec(&record).expect("serialises");
        steps::write_all(&file, &text).expect("written");
        assert_eq!(read(&path).is_none(), record.life() == Life::Dead);
    }
}
