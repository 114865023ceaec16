use std::fs;

use jerry_domain::{Actor, Edit, Prefix, Stamp, Timestamp, Title, WorkItem};
use pollster::block_on;
use tempfile::TempDir;

use super::*;
use crate::Store;
use crate::lock::{LockBackend, LockSettings};
use crate::repository::encode;

/// A store with one item, and the journal of a killed commit that gives it the title `planned`.
struct Killed {
    folder: TempDir,
    store: Store,
    locks: FsLocks,
    item: WorkItem,
    text: String,
}

fn stamp() -> Stamp {
    Stamp::new(Timestamp::UNIX_EPOCH, Actor::new("a").expect("valid"))
}

fn item(uid: u64) -> WorkItem {
    let id = WorkId::new(Prefix::new("WORK").expect("valid"), 1).expect("valid");
    let (uid, title) = (Uid::try_from(uid).expect("valid"), Title::new("first").expect("valid"));
    WorkItem::create(id, uid, title, &[], &stamp()).expect("valid")
}

fn with_title(item: &WorkItem, title: &str) -> WorkItem {
    let edit = Edit::Title(Title::new(title).expect("valid"));
    item.apply(&[edit], &stamp()).expect("allowed").expect("a change")
}

fn text(item: &WorkItem) -> Vec<u8> {
    encode(item).expect("JSON")
}

impl Killed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Store::init(folder.path(), LockBackend::Os, "").expect("a store");
        let store = Store::open(folder.path(), LockSettings::default()).expect("opens");
        let locks = FsLocks::new(store.layout().locks(), LockBackend::Os, LockSettings::default());
        let item = item(1);
        block_on(store.items().insert(item.clone())).expect("inserts");
        let text = String::from_utf8(text(&with_title(&item, "planned"))).expect("text");
        let killed = Self { folder, store, locks, item, text };
        killed.leave_journal();
        killed
    }

    fn leave_journal(&self) {
        let from = Some(Replaced::of(self.item.version, &text(&self.item)));
        let (id, uid) = (self.item.id.clone(), self.item.uid);
        let journal = Journal::new(vec![Write { id, uid, from, text: self.text.clone() }]);
        fs::write(self.store.layout().journal(), codec::encode(&journal).expect("JSON"))
            .expect("written");
    }

    fn file(&self) -> std::path::PathBuf {
        self.store.layout().item(&self.item.id)
    }

    fn complete(&self) -> Result<(), RepositoryError> {
        let completed = complete_if_idle(self.store.layout(), &self.locks);
        assert!(fs::metadata(self.store.layout().journal()).is_err(), "it is done with");
        complete_if_idle(self.store.layout(), &self.locks).expect("nothing is left to do");
        completed
    }

    fn kept(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.store.layout().backups()) else { return Vec::new() };
        let paths = folder.map(|entry| entry.expect("an entry").path());
        paths.map(|path| fs::read_to_string(path).expect("text")).collect()
    }
}

fn assert_kept_aside(killed: &Killed, times: usize) {
    let error = killed.complete().expect_err("it is not all written");
    assert!(matches!(error, RepositoryError::Indeterminate(_)), "{error}");
    assert_eq!(killed.kept(), vec![killed.text.clone(); times]);
}

#[test]
fn what_was_left_is_written() {
    let killed = Killed::new();
    killed.complete().expect("completed");
    assert_eq!(fs::read_to_string(killed.file()).expect("there"), killed.text);
    assert_eq!(killed.kept(), Vec::<String>::new());
}

#[test]
fn what_another_program_wrote_stays_and_the_plan_is_kept_aside_each_time() {
    let killed = Killed::new();
    for times in 1..3 {
        let by_hand = text(&killed.item).into_iter().chain(*b"\n").collect::<Vec<_>>();
        fs::write(killed.file(), &by_hand).expect("written");
        assert_kept_aside(&killed, times);
        assert_eq!(fs::read(killed.file()).expect("there"), by_hand);
        killed.leave_journal();
    }
}

#[test]
fn what_another_program_took_away_is_kept_aside() {
    let killed = Killed::new();
    fs::remove_file(killed.file()).expect("removed");
    assert_kept_aside(&killed, 1);
}

#[test]
fn another_item_of_the_number_is_no_later_version() {
    let killed = Killed::new();
    let other = with_title(&with_title(&item(2), "second"), "third");
    fs::write(killed.file(), text(&other)).expect("written");
    assert_kept_aside(&killed, 1);
}

/// One item's damage stops nobody but who needs the item.
#[test]
fn what_does_not_parse_is_another_programs_and_the_plan_is_kept_aside() {
    let killed = Killed::new();
    fs::write(killed.file(), "<<<<<<< ours").expect("written");
    assert_kept_aside(&killed, 1);
    assert_eq!(fs::read_to_string(killed.file()).expect("there"), "<<<<<<< ours");
}

/// Whoever completed it was killed before the journal was gone.
#[test]
fn what_was_written_and_changed_or_deleted_since_is_done() {
    let killed = Killed::new();
    let later = with_title(&with_title(&killed.item, "planned"), "later");
    fs::write(killed.file(), text(&later)).expect("written");
    killed.complete().expect("completed");
    let delete = killed.store.items();
    block_on(delete.delete(&killed.item.id, None, &stamp())).expect("deleted");
    killed.leave_journal();
    killed.complete().expect("completed");
    assert_eq!(killed.kept(), Vec::<String>::new());
    assert!(killed.folder.path().exists());
}
