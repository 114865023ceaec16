//! Many processes that write one item, and many that write one each, against the same with a bare
//! lock and a bare publish. `cargo bench -p jerry-infra-fs --bench contention`; the numbers of
//! writers by `JERRY_BENCH_WRITERS=1,2,10`.
//!
//! Each writer is a process of its own that writes for a fixed time. A writer that is still
//! waiting when the time is over finishes its write, which counts.

#![allow(clippy::disallowed_methods, reason = "the limits are bare system calls")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jerry_domain::{Actor, Edit, Prefix, Stamp, Timestamp, Title, Uid, WorkId, WorkItem};
use jerry_infra_fs::Store;
use jerry_infra_fs::lock::{LockBackend, LockSettings};
use pollster::block_on;
use tempfile::TempDir;

const ROLE: &str = "JERRY_BENCH_ROLE";
const SECONDS: f64 = 2.0;

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        return write_for_a_while(&role);
    }
    let writers = std::env::var("JERRY_BENCH_WRITERS").unwrap_or_else(|_| "1,2,5,10,30,100".into());
    println!(
        "{:<8} {:<6} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "items",
        "what",
        "writers",
        "writes/s",
        "mean ms",
        "p95 ms",
        "max ms",
        "timeouts",
        "fairness"
    );
    for own in [false, true] {
        for count in writers.split(',').map(|count| count.trim().parse().unwrap()) {
            let limit = contend("bare", count, own);
            let jerry = contend("jerry", count, own);
            println!("{:>31} {:>9.2}", "ratio of writes/s", limit / jerry);
        }
    }
}

/// Runs `writers` processes, prints their row, and returns the seconds that a write took.
fn contend(what: &str, writers: usize, own: bool) -> f64 {
    let (folder, _store) = new_store(writers);
    let mut children: Vec<_> = (0..writers)
        .map(|writer| {
            Command::new(std::env::current_exe().unwrap())
                .env(ROLE, format!("{what} {}", if own { writer + 1 } else { 1 }))
                .env("JERRY_BENCH_FOLDER", folder.path())
                .stdout(Stdio::piped())
                .stdin(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let begun = Instant::now();
    // The end of its input is a writer's sign to begin.
    children.iter_mut().for_each(|child| drop(child.stdin.take()));
    let answers: Vec<String> = children
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let elapsed = begun.elapsed().as_secs_f64();
    let timeouts: usize = answers.iter().map(|text| text.matches('t').count()).sum();
    let per_writer: Vec<Vec<u64>> = answers
        .iter()
        .map(|text| text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
        .collect();
    let counts = per_writer.iter().map(Vec::len);
    let fairness = counts.clone().min().unwrap() as f64 / counts.max().unwrap().max(1) as f64;
    let mut all: Vec<u64> = per_writer.concat();
    all.sort_unstable();
    let ms = |micros: u64| micros as f64 / 1000.0;
    println!(
        "{:<8} {what:<6} {writers:>7} {:>9.0} {:>9.2} {:>9.2} {:>9.2} {timeouts:>9} {fairness:>9.2}",
        if own { "own" } else { "one" },
        all.len() as f64 / elapsed,
        ms(all.iter().sum::<u64>()) / all.len() as f64,
        ms(all[all.len() * 95 / 100]),
        ms(*all.last().unwrap()),
    );
    elapsed / all.len() as f64
}

fn new_store(items: usize) -> (TempDir, Store) {
    let folder = tempfile::Builder::new()
        .prefix("jerry-bench")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap();
    let root = folder.path().join(".jerry");
    Store::init(&root, LockBackend::Os, "").unwrap();
    let store = Store::open(&root, LockSettings::default()).unwrap();
    let title = Title::new("An item that many write").unwrap();
    for number in 1..=items as u64 {
        let uid = Uid::from_parts(number, 1, 1).unwrap();
        let item = WorkItem::create(id(number), uid, title.clone(), &[], &stamp()).unwrap();
        block_on(store.items().insert(item)).unwrap();
    }
    fs::create_dir(folder.path().join("bare")).unwrap();
    (folder, store)
}

fn id(number: u64) -> WorkId {
    WorkId::new(Prefix::new("WORK").unwrap(), number).unwrap()
}

fn stamp() -> Stamp {
    Stamp::new(Timestamp::now(), Actor::new("bench").unwrap())
}

/// Prints the microseconds that each write took; `t` for one that timed out.
fn write_for_a_while(role: &str) {
    let (what, number) = role.split_once(' ').unwrap();
    let folder = std::env::var_os("JERRY_BENCH_FOLDER").unwrap();
    let folder = Path::new(&folder);
    let id = id(number.parse().unwrap());
    let store = Store::open(&folder.join(".jerry"), LockSettings::default()).unwrap();
    let items = store.items();
    let bytes = fs::read(store.layout().item(&id)).unwrap();
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();

    let mut answer = String::new();
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < Duration::from_secs_f64(SECONDS) {
        round += 1;
        let start = Instant::now();
        let done = match what {
            "bare" => {
                bare_write(&folder.join("bare"), number, &bytes);
                true
            }
            _ => {
                // A value that comes and goes: the item keeps its size but for its history.
                let title =
                    Title::new(&format!("Round {round} of {}", std::process::id())).unwrap();
                let change = move |item: &WorkItem| {
                    let next = item.apply(&[Edit::Title(title)], &stamp())?;
                    Ok(next.map(|next| {
                        let mut record = next.into_record();
                        record.history.clear();
                        WorkItem::try_from(record).unwrap()
                    }))
                };
                block_on(items.update(&id, None, Box::new(change))).is_ok()
            }
        };
        let micros = start.elapsed().as_micros();
        answer.push_str(&if done { format!("{micros} ") } else { "t ".to_owned() });
    }
    print!("{answer}");
}

/// What any program would have to do: lock beside the file, temporary file, fsync, rename, fsync
/// of the folder.
fn bare_write(folder: &Path, name: &str, bytes: &[u8]) {
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(format!("{name}.lock")))
        .unwrap();
    fs4::FileExt::lock(&lock).unwrap();
    let temp = folder.join(format!(".{name}.tmp"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temp).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    fs::rename(&temp, folder.join(name)).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}
