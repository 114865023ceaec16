#![allow(clippy::disallowed_methods, reason = "tests play the other programs")]
//! The store on a real file system: what is promised of files, beyond the ports' contracts.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jerry_conformance::ManualClock;
use jerry_domain::ports::{Ailment, Clock, IdError, Insertion, RepositoryError, Update};
use jerry_domain::{Actor, Edit, Prefix, Stamp, Timestamp, Title, Uid, WorkId, WorkItem};
use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
use jerry_infra_fs::{Snowflake, Store};
use pollster::block_on;
use tempfile::TempDir;

struct Fixture {
    _folder: TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join(".jerry");
        assert!(Store::init(&root, LockBackend::Os, "").expect("a store"));
        let store = Store::open(&root, LockSettings::default()).expect("opens");
        Self { _folder: folder, store }
    }

    fn create(&self, title: &str) -> WorkItem {
        let ids = self.store.ids();
        let id = block_on(ids.work_ids(&prefix(), 1)).expect("a number").remove(0);
        let uid = block_on(ids.uids(1)).expect("a uid").remove(0);
        let title = Title::new(title).expect("a title");
        let item = WorkItem::create(id, uid, title, &[], &stamp()).expect("an item");
        match block_on(self.store.items().insert(item)).expect("inserts") {
            Insertion::Inserted(item) => *item,
            other => panic!("{other:?}"),
        }
    }

    fn edit(&self, id: &WorkId, edits: Vec<Edit>) -> Result<Update, RepositoryError> {
        let change = move |item: &WorkItem| item.apply(&edits, &stamp());
        block_on(self.store.items().update(id, None, Box::new(change)))
    }

    fn titles(&self) -> Vec<String> {
        let summaries = block_on(self.store.items().summaries()).expect("lists");
        let mut titles: Vec<_> =
            summaries.map(|summary| summary.expect("readable").title.to_string()).collect();
        titles.sort();
        titles
    }

    fn file(&self, id: &WorkId) -> std::path::PathBuf {
        self.store.layout().item(id)
    }
}

fn prefix() -> Prefix {
    Prefix::new("WORK").expect("valid")
}

fn stamp() -> Stamp {
    Stamp::new(
        Timestamp::from_second(1_800_000_000).expect("valid"),
        Actor::new("ann").expect("valid"),
    )
}

fn age(path: &Path) {
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    fs::File::options().write(true).open(path).expect("opens").set_modified(old).expect("sets");
}

#[test]
fn an_item_is_pretty_json_with_a_trailing_newline() {
    let fixture = Fixture::new();
    let item = fixture.create("Grüße, 世界");
    assert_eq!(item.id.to_string(), "WORK-001");
    let text = fs::read_to_string(fixture.file(&item.id)).expect("there");
    assert!(
        text.starts_with("{\n  \"schema\": 1,\n  \"id\": \"WORK-001\",\n  \"uid\": \""),
        "{text}"
    );
    assert!(text.contains("Grüße, 世界"));
    assert!(text.ends_with("}\n"));
}

#[test]
fn unknown_fields_and_numbers_survive_an_update_to_the_letter() {
    let fixture = Fixture::new();
    let item = fixture.create("a");
    let path = fixture.file(&item.id);
    let text = fs::read_to_string(&path).expect("there");
    let strange = "\"x\": {\n    \"b\": 1E400,\n    \"a\": 12345678901234567890.10\n  }\n}\n";
    let text = text.trim_end().trim_end_matches('}').trim_end().to_owned() + ",\n  " + strange;
    fs::write(&path, &text).expect("writes");
    fixture.edit(&item.id, vec![Edit::Note("hello".to_owned())]).expect("edits");
    let after = fs::read_to_string(&path).expect("there");
    assert!(after.ends_with(strange), "{after}");
}

#[test]
fn a_list_follows_every_change_behind_its_back() {
    let fixture = Fixture::new();
    let items: Vec<_> = (0..40).map(|n| fixture.create(&format!("t{n:02}"))).collect();
    for item in &items {
        age(&fixture.file(&item.id));
    }
    assert_eq!(fixture.titles().len(), 40);
    let path = fixture.file(&items[7].id);
    let text = fs::read_to_string(&path).expect("there").replace("t07", "u07");
    fs::write(&path, text).expect("writes");
    assert!(fixture.titles().contains(&"u07".to_owned()));
    fs::remove_file(fixture.file(&items[8].id)).expect("removes");
    assert_eq!(fixture.titles().len(), 39);
}

#[test]
fn a_deleted_number_is_not_given_out_again() {
    let fixture = Fixture::new();
    let item = fixture.create("a");
    let items = fixture.store.items();
    let tombstone = block_on(items.delete(&item.id, None, &stamp())).expect("deletes");
    assert_eq!(tombstone.item, item);
    assert!(fixture.titles().is_empty());
    fs::remove_file(fixture.store.layout().root().join("data/sequences.json")).expect("removes");
    assert_ne!(fixture.create("b").id, item.id);
    assert!(matches!(
        fixture.edit(&item.id, vec![Edit::Note("x".to_owned())]),
        Err(RepositoryError::Deleted { .. })
    ));
}

#[test]
fn an_item_beside_its_tombstone_is_deleted() {
    let fixture = Fixture::new();
    let item = fixture.create("a");
    let path = fixture.file(&item.id);
    let text = fs::read(&path).expect("there");
    block_on(fixture.store.items().delete(&item.id, None, &stamp())).expect("deletes");
    fs::write(&path, text).expect("the unlink never happened");
    assert!(fixture.titles().is_empty());
    assert_eq!(block_on(fixture.store.items().get(&item.id)).expect("reads"), None);
}

#[test]
fn a_clock_beyond_the_format_or_a_mark_there_does_not_use_up_a_slot() {
    let fixture = Fixture::new();
    let clock = Arc::new(ManualClock::default());
    let layout = fixture.store.layout();
    let locks = FsLocks::new(layout.locks(), LockBackend::Os, LockSettings::default());
    // As another process would: each has the slot that this pid tries first.
    let uids = |count| Snowflake::new(layout.clone(), locks.clone(), clock.clone()).take(count);
    let now = clock.now();
    clock.set("2100-01-01T00:00:00Z".parse().expect("a time"));
    assert!(matches!(uids(1), Err(IdError::Exhausted { .. })));
    clock.set(now);
    assert_eq!(uids(3).expect("the clock is right again").len(), 3);

    let workers = layout.local().join("workers");
    for slot in fs::read_dir(workers).expect("lists") {
        let slot = slot.expect("an entry").path();
        let text = fs::read_to_string(&slot).expect("reads");
        let digits = text.rfind(|c: char| c.is_ascii_digit()).expect("a number") + 1;
        let text = format!("{}{}{}", &text[..digits - 20], u64::MAX, &text[digits..]);
        fs::write(slot, text).expect("writes");
    }
    assert_eq!(uids(3).expect("a mark that nothing wrote").len(), 3);
}

/// Where boots cannot be told apart there are no blocks: each number is reserved as it is given out.
#[test]
#[cfg(target_os = "linux")]
fn a_block_that_was_published_and_perhaps_never_durable_is_not_used() {
    let fixture = Fixture::new();
    fixture.create("one");
    let path = fixture.store.layout().root().join("data/sequences.json");
    let text = fs::read_to_string(&path).expect("reads");
    let reserved: u64 = digits(&text, "reserved").parse().expect("a number");
    // A killed process came as far as the rename.
    let used_up = format!("{:013}", reserved + 1);
    fs::write(&path, text.replace(digits(&text, "next"), &used_up)).expect("writes");

    assert!(fixture.create("two").id.number() > reserved);
    let text = fs::read_to_string(&path).expect("reads");
    assert!(digits(&text, "reserved").parse::<u64>().expect("a number") > reserved + 1);
}

#[cfg(target_os = "linux")]
fn digits<'a>(text: &'a str, field: &str) -> &'a str {
    let value = text.split(&format!("\"{field}\": \"")).nth(1).expect("there");
    value.split('"').next().expect("a string")
}

#[test]
fn an_item_under_a_wrong_name_keeps_its_uid_to_itself() {
    let fixture = Fixture::new();
    let clock = Arc::new(ManualClock::default());
    let layout = fixture.store.layout();
    let locks = FsLocks::new(layout.locks(), LockBackend::Os, LockSettings::default());
    let uid = || {
        let snowflake = Snowflake::new(layout.clone(), locks.clone(), clock.clone());
        snowflake.take(1).expect("a uid").remove(0)
    };
    let item = fixture.create("one");
    clock.set(Timestamp::now() - std::time::Duration::from_secs(3600));
    fs::rename(fixture.file(&item.id), layout.items().join("WORK-077.json")).expect("renames");
    // As in a fresh clone: no mark says what was given out.
    fs::remove_dir_all(layout.local().join("workers")).expect("removes");
    assert!(uid() > item.uid);
}

#[test]
fn an_item_that_was_renumbered_by_a_killed_doctor_is_not_renumbered_again() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.create("one"), fixture.create("two"));
    let text = fs::read_to_string(fixture.file(&second.id)).expect("reads");
    let copy = fixture.store.layout().items().join("WORK-001 2.json");
    let text = text.replace(&second.id.to_string(), &first.id.to_string());
    fs::write(&copy, text).expect("writes");

    let care = fixture.store.care();
    let findings = block_on(care.examine()).expect("examines");
    block_on(care.repair(&findings, &stamp())).expect("repairs");
    assert_eq!(fixture.titles(), ["one", "two"]);
    assert!(fs::symlink_metadata(&copy).is_err());
    let backup = fixture.store.layout().local().join("backups/WORK-001 2.json.0");
    assert!(fs::symlink_metadata(backup).is_ok(), "it is put aside");
}

#[test]
fn an_item_whose_tombstone_could_not_be_read_is_not_deleted() {
    let fixture = Fixture::new();
    let item = fixture.create("long");
    let path = fixture.file(&item.id);
    let text = fs::read_to_string(&path).expect("reads");
    let list = vec!["1"; 1_000_000].join(",");
    fs::write(&path, text.replacen('{', &format!("{{\"x_list\":[{list}],"), 1)).expect("writes");
    let items = fixture.store.items();
    let refused = block_on(items.delete(&item.id, None, &stamp()));
    assert!(matches!(refused, Err(RepositoryError::TooLarge { .. })), "{refused:?}");
    assert!(block_on(items.get(&item.id)).expect("reads").is_some());
    assert!(block_on(items.tombstone(&item.id)).expect("reads").is_none());
}

#[test]
fn a_repair_that_fails_does_not_keep_the_others_from_being_made() {
    let fixture = Fixture::new();
    let item = fixture.create("one");
    let litter = fixture.file(&item.id).with_file_name(format!(".{}.json.tmp", item.id));
    fs::write(&litter, "{").expect("writes");
    let sequences = fixture.store.layout().root().join("data/sequences.json");
    fs::remove_file(&sequences).expect("removes");
    fs::create_dir(&sequences).expect("a folder in its place");
    let care = fixture.store.care();
    let findings = block_on(care.examine()).expect("examines");
    let repairs = block_on(care.repair(&findings, &stamp())).expect("they are tried");
    assert!(repairs.failed.is_some(), "a folder is no numbers");
    assert_eq!(repairs.done.len(), 1);
    assert!(fs::symlink_metadata(&litter).is_err(), "the litter is gone");
}

#[cfg(unix)]
#[test]
fn an_index_whose_rows_cannot_be_read_changes_nothing() {
    use std::os::unix::fs::MetadataExt;
    let fixture = Fixture::new();
    let item = fixture.create("one");
    let file = fs::symlink_metadata(fixture.file(&item.id)).expect("is there");
    let nanos = |seconds: i64, nanos: i64| seconds * 1_000_000_000 + nanos;
    let row = format!(
        "[\"{}.json\",{},{},{},{},[\"of another version\"]]\n",
        item.id,
        file.ino(),
        file.len(),
        nanos(file.mtime(), file.mtime_nsec()),
        nanos(file.ctime(), file.ctime_nsec()),
    );
    let crc = crc32fast::hash(row.as_bytes());
    let text = format!("{{\"schema\":1,\"crc32\":\"{crc:08x}\",\"rows\":[\n{row}]}}\n");
    fs::write(fixture.store.layout().root().join("data/index.json"), text).expect("writes");
    assert_eq!(fixture.titles(), ["one"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_the_index_does_not_hang_a_list() {
    let fixture = Fixture::new();
    fixture.create("one");
    let pipe = fixture.store.layout().root().join("data/index.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs");
    assert!(made.success());
    let (sender, receiver) = std::sync::mpsc::channel();
    let lister = std::thread::spawn(move || sender.send(fixture.titles()));
    let titles = receiver.recv_timeout(std::time::Duration::from_secs(20));
    assert_eq!(titles.expect("the list ends"), ["one"]);
    lister.join().expect("no panic").expect("was received");
}

#[test]
fn a_number_made_by_hand_does_not_use_up_its_prefix() {
    let fixture = Fixture::new();
    let first = fixture.create("a");
    let last: WorkId = "WORK-999999999999".parse().expect("valid");
    let text = fs::read_to_string(fixture.file(&first.id)).expect("there");
    let text = text.replace("WORK-001", &last.to_string()).replace(&first.uid.to_string(), "4097");
    fs::write(fixture.file(&last), text).expect("writes");
    fs::remove_file(fixture.store.layout().root().join("data/sequences.json")).expect("removes");
    assert_eq!(fixture.create("b").id.to_string(), "WORK-002");
}

#[test]
fn what_another_boot_gave_out_is_not_given_out_again() {
    let fixture = Fixture::new();
    let ahead = fixture.create("a").uid.millis() + 3_600_000;
    let workers = fixture.store.layout().root().join("local/workers");
    for slot in 0..1024 {
        let mark = format!("{{\"boot\": \"another\", \"high_water\": \"{:020}\"}}\n", ahead * 4096);
        fs::write(workers.join(format!("{slot:04}")), mark).expect("writes");
    }
    assert!(fixture.create("b").uid.millis() >= ahead);
}

/// Several insert one number while others delete it as soon as it is there. That the look for a
/// tombstone and the naming are one moment is tested in `naming`.
#[test]
fn a_number_that_is_deleted_meanwhile_is_given_out_once() {
    let fixture = Fixture::new();
    for number in 1..=150 {
        let id = WorkId::new(prefix(), number).expect("valid");
        let inserted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 1..=4 {
                let (id, inserted) = (&id, &inserted);
                let items = fixture.store.items();
                scope.spawn(move || {
                    for attempt in 0..6 {
                        let uid = Uid::from_parts(number, thread, attempt).expect("valid");
                        let title = Title::new("a").expect("valid");
                        let item = WorkItem::create(id.clone(), uid, title, &[], &stamp());
                        let answer = block_on(items.insert(item.expect("an item")));
                        if matches!(answer.expect("answers"), Insertion::Inserted(_)) {
                            inserted.fetch_add(1, Ordering::SeqCst);
                            block_on(items.delete(id, None, &stamp())).expect("deletes");
                        }
                    }
                });
            }
        });
        assert_eq!(inserted.load(Ordering::SeqCst), 1, "{id}");
    }
}

#[test]
fn an_item_of_a_newer_schema_is_read_reported_and_not_changed() {
    let fixture = Fixture::new();
    let id = fixture.create("a").id.clone();
    let text = fs::read_to_string(fixture.file(&id)).expect("there");
    let newer = text.replace("\"schema\": 1", "\"schema\": 2");
    fs::write(fixture.file(&id), &newer).expect("writes");
    assert_eq!(fixture.titles(), ["a"]);
    assert!(fixture.edit(&id, vec![Edit::Note("x".to_owned())]).is_err());
    assert_eq!(fs::read_to_string(fixture.file(&id)).expect("there"), newer);
    let findings = block_on(fixture.store.care().examine()).expect("examines");
    // What the test's own folder lies on is another matter.
    let ailments = findings.iter().map(|finding| finding.ailment);
    let found: Vec<_> = ailments.filter(|found| *found != Ailment::UnsafeFileSystem).collect();
    assert_eq!(found, [Ailment::NewerFormat]);
}
