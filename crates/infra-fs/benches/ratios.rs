//! What the store costs over the least that the operating system asks for the same, side by side
//! in one run. `cargo bench -p jerry-infra-fs`; sizes by `JERRY_BENCH_ITEMS=10000,100000`.
//!
//! Each pair is measured in turns, so that a slow second of the machine hits both; what is printed
//! is the ratio of the medians.

#![allow(clippy::disallowed_methods, reason = "the limits are bare system calls")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jerry_domain::ports::{Insertion, LockName};
use jerry_domain::{Actor, Edit, Prefix, Stamp, Timestamp, Title, Uid, WorkId, WorkItem};
use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
use jerry_infra_fs::{Snowflake, Store, SystemClock};
use pollster::block_on;
use tempfile::TempDir;

fn main() {
    println!("{:<34} {:>12} {:>12} {:>7} {:>7}", "what", "limit", "jerry", "ratio", "goal");
    locks();
    ids();
    // Before the large stores: removing one keeps the disk busy for a while.
    writes();
    let sizes = std::env::var("JERRY_BENCH_ITEMS").unwrap_or_else(|_| "10000".to_owned());
    for size in sizes.split(',') {
        lists(size.trim().parse().unwrap());
    }
}

fn row(what: &str, limit: Duration, jerry: Duration, goal: f64) {
    let ratio = jerry.as_secs_f64() / limit.as_secs_f64();
    let show = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
    println!("{what:<34} {:>12} {:>12} {ratio:>7.2} {goal:>7.2}", show(limit), show(jerry));
}

/// Medians of both, measured in turns.
fn in_turns(
    rounds: usize,
    limit: impl FnMut(usize),
    jerry: impl FnMut(usize),
) -> (Duration, Duration) {
    in_turns_after(rounds, |_| (), limit, jerry)
}

/// The same; each round begins with a preparation that is not measured.
fn in_turns_after(
    rounds: usize,
    mut prepare: impl FnMut(usize),
    mut limit: impl FnMut(usize),
    mut jerry: impl FnMut(usize),
) -> (Duration, Duration) {
    let (mut limits, mut jerrys) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        prepare(round);
        let start = Instant::now();
        limit(round);
        limits.push(start.elapsed());
        let start = Instant::now();
        jerry(round);
        jerrys.push(start.elapsed());
    }
    (median(limits), median(jerrys))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn new_store() -> (TempDir, Store) {
    let folder = tempfile::Builder::new()
        .prefix("jerry-bench")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap();
    let root = folder.path().join(".jerry");
    Store::init(&root, LockBackend::Os, "").unwrap();
    let store = Store::open(&root, LockSettings::default()).unwrap();
    (folder, store)
}

fn prefix() -> Prefix {
    Prefix::new("WORK").unwrap()
}

fn stamp() -> Stamp {
    Stamp::new(Timestamp::now(), Actor::new("bench").unwrap())
}

fn item(number: u64, uid: Uid) -> WorkItem {
    let id = WorkId::new(prefix(), number).unwrap();
    let title = Title::new(&format!("Item {number}: something that has to be done")).unwrap();
    let edits = [
        Edit::Description(Some("What it is about, at some length. ".repeat(10))),
        Edit::AddLabel("bench".parse().unwrap()),
    ];
    WorkItem::create(id, uid, title, &edits, &stamp()).unwrap()
}

fn uid(number: u64) -> Uid {
    Uid::from_parts(number, 1, 1).unwrap()
}

/// Temporary file, fsync, rename, fsync of the folder.
fn bare_publish(folder: &Path, name: &str, bytes: &[u8]) {
    let temp = folder.join(".bare.tmp");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temp).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    fs::rename(&temp, folder.join(name)).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

fn writes() {
    let (folder, store) = new_store();
    let bare = folder.path().join("bare");
    fs::create_dir(&bare).unwrap();
    let (items, ids) = (store.items(), store.ids());
    let bytes = serde_json::to_vec_pretty(&item(1, uid(1))).unwrap();

    let create = |_| {
        let id = block_on(ids.work_ids(&prefix(), 1)).unwrap().remove(0);
        let uid = block_on(ids.uids(1)).unwrap().remove(0);
        let item = item(id.number(), uid);
        assert!(matches!(block_on(items.insert(item)).unwrap(), Insertion::Inserted(_)));
    };
    let (limit, jerry) =
        in_turns(300, |round| bare_publish(&bare, &format!("{round}.json"), &bytes), create);
    row("create, in process", limit, jerry, 1.15);
    let id: WorkId = "WORK-001".parse().unwrap();
    let path = store.layout().item(&id);
    let written = RefCell::new(bytes.clone());
    let update = |round: usize| {
        let title = Title::new(&format!("Round {round}")).unwrap();
        let change = move |item: &WorkItem| item.apply(&[Edit::Title(title)], &stamp());
        block_on(items.update(&id, None, Box::new(change))).unwrap();
    };
    // What the bare write writes is what jerry wrote last; every round starts from one size.
    let (limit, jerry) = in_turns_after(
        300,
        |_| {
            *written.borrow_mut() = fs::read(&path).unwrap();
            fs::write(&path, &bytes).unwrap();
        },
        |_| bare_publish(&bare, "one.json", &written.borrow()),
        update,
    );
    row("update, in process", limit, jerry, 1.15);
}

fn locks() {
    let (folder, store) = new_store();
    let locks = FsLocks::new(store.layout().locks(), LockBackend::Os, LockSettings::default());
    let name = LockName::new("bench").unwrap();
    let path = folder.path().join("bare.lock");
    const TIMES: usize = 100;
    let bare = |_| {
        for _ in 0..TIMES {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .unwrap();
            fs4::FileExt::lock(&file).unwrap();
        }
    };
    let ours = |_| {
        for _ in 0..TIMES {
            black_box(locks.acquire(&name, None).unwrap());
        }
    };
    let (limit, jerry) = in_turns(200, bare, ours);
    row("lock + unlock, holder recorded", limit / TIMES as u32, jerry / TIMES as u32, 2.5);
}

fn ids() {
    let (_folder, store) = new_store();
    let locks = FsLocks::new(store.layout().locks(), LockBackend::Os, LockSettings::default());
    let snowflake = Arc::new(Snowflake::new(store.layout().clone(), locks, Arc::new(SystemClock)));
    const COUNT: usize = 8_000_000;
    for threads in [1, 10] {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..COUNT / threads / 64 {
                        black_box(snowflake.take(64).unwrap());
                    }
                });
            }
        });
        let rate = COUNT as f64 / start.elapsed().as_secs_f64();
        let share = rate / 4_096_000.0;
        println!(
            "{:<34} {:>12} {:>10.0}/s {share:>7.2} {:>7.2}",
            format!("ids, {threads} thread(s), 64 at once"),
            "4096000/s",
            rate,
            0.98
        );
    }
    let start = Instant::now();
    const SINGLE: usize = 4_000_000;
    for _ in 0..SINGLE {
        black_box(snowflake.take(1).unwrap());
    }
    let rate = SINGLE as f64 / start.elapsed().as_secs_f64();
    println!(
        "{:<34} {:>12} {:>10.0}/s {:>7.2} {:>7.2}",
        "ids, 1 thread, one at once",
        "4096000/s",
        rate,
        rate / 4_096_000.0,
        0.98
    );
}

fn lists(size: usize) {
    let (folder, store) = new_store();
    let items = store.layout().items();
    let old = SystemTime::now() - Duration::from_secs(3600);
    for number in 1..=size as u64 {
        let path = items.join(format!("WORK-{number:03}.json"));
        let mut text = serde_json::to_vec_pretty(&item(number, uid(number))).unwrap();
        text.push(b'\n');
        fs::write(&path, text).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    }
    // The change times are those of the writes; they settle two seconds later.
    std::thread::sleep(Duration::from_millis(2100));

    let repository = store.items();
    let count = || block_on(repository.summaries()).unwrap().filter(|item| item.is_ok()).count();
    let index = store.layout().root().join("data/index.json");
    let (limit, jerry) = in_turns(
        if size > 50_000 { 5 } else { 15 },
        |_| read_and_parse(&items),
        |_| {
            let _ = fs::remove_file(&index);
            assert_eq!(count(), size);
        },
    );
    row(&format!("cold index, {size} items"), limit, jerry, 1.2);
    let (limit, jerry) = in_turns(
        if size > 50_000 { 11 } else { 31 },
        |_| stat_all(&items),
        |_| assert_eq!(count(), size),
    );
    row(&format!("warm index, {size} items"), limit, jerry, 1.5);
    println!(
        "{:<34} {:>12} bytes",
        "index.json per item",
        fs::metadata(&index).unwrap().len() / size as u64
    );
    drop(folder);
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

fn stat_all(folder: &Path) {
    for path in entries(folder) {
        black_box(fs::symlink_metadata(path).unwrap());
    }
}

fn read_and_parse(folder: &Path) {
    for path in entries(folder) {
        black_box(serde_json::from_slice::<WorkItem>(&fs::read(path).unwrap()).unwrap());
    }
}
