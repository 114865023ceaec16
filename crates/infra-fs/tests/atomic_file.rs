//! The atomic-file adapter, from threads and from processes.

#![allow(clippy::disallowed_methods, reason = "tests play the other programs")]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
use jerry_infra_fs::{AtomicFileError, AtomicFiles, Creation};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

const COUNTER: &str = "data/counter.json";
const CHILD: &str = "JERRY_TEST_COUNTER_FOLDER";

fn files(folder: &Path, backend: LockBackend) -> AtomicFiles {
    let locks = FsLocks::new(folder.join("local/locks"), backend, LockSettings::default());
    AtomicFiles::new(folder.to_owned(), locks)
}

fn fixture() -> (TempDir, AtomicFiles) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), LockBackend::Os);
    (folder, files)
}

fn count(files: &AtomicFiles, times: usize) {
    for _ in 0..times {
        let next = |count: Option<u64>| Some(count.unwrap_or(0) + 1);
        assert!(files.update(Path::new(COUNTER), next).expect("counts"));
    }
}

#[rstest]
#[case(LockBackend::Os)]
#[case(LockBackend::Directory)]
fn parallel_writes_lose_nothing(#[case] backend: LockBackend) {
    let folder = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| count(&files(folder.path(), backend), 100));
        }
    });
    let counted = files(folder.path(), backend).read::<u64>(Path::new(COUNTER));
    assert_eq!(counted.expect("reads"), Some(1000));
}

#[test]
fn parallel_writes_of_processes_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let children: Vec<_> = (0..10)
        .map(|_| {
            Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "counts_for_its_parent", "--ignored"])
                .env(CHILD, folder.path())
                .output_in_background()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let counted = files(folder.path(), LockBackend::Os).read::<u64>(Path::new(COUNTER));
    assert_eq!(counted.expect("reads"), Some(200));
}

trait Background {
    fn output_in_background(&mut self) -> std::process::Child;
}

impl Background for Command {
    fn output_in_background(&mut self) -> std::process::Child {
        self.stdout(std::process::Stdio::piped()).spawn().expect("starts")
    }
}

#[test]
#[ignore = "a child process of the test above"]
fn counts_for_its_parent() {
    let folder = std::env::var_os(CHILD).expect("run by its parent");
    count(&files(Path::new(&folder), LockBackend::Os), 20);
}

#[test]
fn a_file_is_pretty_with_a_trailing_newline_and_folders_are_made() {
    let (folder, files) = fixture();
    let path = Path::new("data/deep/er/x.json");
    files.write(path, &json!({"grüße": [1]})).expect("writes");
    let text = fs::read_to_string(folder.path().join(path)).expect("there");
    assert_eq!(text, "{\n  \"grüße\": [\n    1\n  ]\n}\n");
    assert_eq!(files.read_shared::<Value>(path).expect("reads"), Some(json!({"grüße": [1]})));
}

#[test]
fn text_is_changed_as_it_is_or_not_at_all() {
    let (folder, files) = fixture();
    let path = Path::new("config.toml");
    let set =
        |text: &'static str| move |_: Option<&str>| Ok::<_, AtomicFileError>(Some(text.to_owned()));
    assert!(files.update_text(path, set("a = 1 # one\n")).expect("creates"));
    let refused = files.update_text(path, |old| {
        assert_eq!(old, Some("a = 1 # one\n"));
        Err(AtomicFileError::Path { path: path.to_owned() })
    });
    assert!(refused.is_err());
    let foreign = files.update_text(path, |_| {
        fs::write(folder.path().join(path), "b = 2\n").expect("another program");
        set("c = 3\n")(None)
    });
    assert!(matches!(foreign, Err(AtomicFileError::ChangedOutside { .. })), "{foreign:?}");
    assert_eq!(fs::read_to_string(folder.path().join(path)).expect("there"), "b = 2\n");
    fs::write(folder.path().join(path), b"\xff").expect("another program");
    assert!(matches!(files.update_text(path, set("")), Err(AtomicFileError::Malformed(_))));
}

#[test]
fn only_the_first_creates() {
    let (_folder, files) = fixture();
    let path = Path::new("x.json");
    assert_eq!(files.create_unique(path, &1).expect("creates"), Creation::Created);
    assert_eq!(files.create_unique(path, &2).expect("does not"), Creation::Exists);
    assert_eq!(files.read::<u8>(path).expect("reads"), Some(1));
    assert!(files.delete(path).expect("deletes"));
    assert!(!files.delete(path).expect("is gone"));
    assert_eq!(files.read::<u8>(path).expect("reads"), None);
}

#[rstest]
#[case("../x.json")]
#[case("/etc/x.json")]
#[case("a/../../x.json")]
#[case("")]
fn a_path_leads_nowhere_else(#[case] path: &str) {
    let (_folder, files) = fixture();
    assert!(matches!(files.write(Path::new(path), &1), Err(AtomicFileError::Path { .. })));
}

#[test]
fn a_shared_reader_waits_for_a_writer() {
    let (folder, files) = fixture();
    let path = Path::new("x.json");
    files.write(path, &1).expect("writes");
    let impatient = LockSettings { timeout: Duration::from_millis(20), ..Default::default() };
    let locks = FsLocks::new(folder.path().join("local/locks"), LockBackend::Os, impatient);
    let impatient = AtomicFiles::new(folder.path().to_owned(), locks);
    files
        .update(path, |_: Option<u8>| {
            assert!(matches!(impatient.read_shared::<u8>(path), Err(AtomicFileError::Lock(_))));
            assert_eq!(impatient.read::<u8>(path).expect("takes no lock"), Some(1));
            None
        })
        .expect("holds the lock");
}

#[test]
fn a_foreign_write_in_the_middle_is_a_conflict() {
    let (folder, files) = fixture();
    let path = Path::new("x.json");
    files.write(path, &1).expect("writes");
    let result = files.update(path, |count: Option<u8>| {
        fs::write(folder.path().join(path), "7\n").expect("another program");
        count.map(|count| count + 1)
    });
    assert!(matches!(result, Err(AtomicFileError::ChangedOutside { .. })), "{result:?}");
    assert_eq!(files.read::<u8>(path).expect("reads"), Some(7));
    let names = fs::read_dir(folder.path()).expect("lists");
    assert!(
        names
            .map(|entry| entry.expect("entry").file_name())
            .all(|n| !n.to_string_lossy().ends_with(".tmp"))
    );
}

#[test]
fn crash_leaves_the_old_file() {
    let (folder, files) = fixture();
    let path = Path::new("x.json");
    files.write(path, &1).expect("writes");
    // What a process killed between writing and renaming leaves behind.
    fs::write(folder.path().join(".x.json.tmp"), "{\"half\": ").expect("litter");
    assert_eq!(files.read::<u8>(path).expect("reads"), Some(1));
    files.write(path, &2).expect("the next writer is not in its way");
    assert_eq!(files.read::<u8>(path).expect("reads"), Some(2));
    assert!(fs::metadata(folder.path().join(".x.json.tmp")).is_err());
}

/// As a program reads that knows nothing of jerry, and on Windows grants nobody to replace the file
/// meanwhile.
fn read_as_others_do(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut options = fs::File::options();
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut options.read(true).open(path)?, &mut bytes)?;
    Ok(bytes)
}

/// Through FUSE, opening may come upon the old file when it is just gone.
#[cfg(target_os = "linux")]
fn is_fuse(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type == 0x6573_5546)
}

#[cfg(not(target_os = "linux"))]
fn is_fuse(_: &Path) -> bool {
    false
}

#[test]
fn a_reader_in_a_loop_keeps_no_write_from_being_made_and_sees_whole_files() {
    const WRITES: usize = 300;
    let (folder, files) = fixture();
    let name = Path::new("data/read.json");
    let path = folder.path().join(name);
    let whole = |written: &[usize]| {
        assert_eq!(written.len(), 2_000);
        assert!(written.iter().all(|number| *number == written[0]), "torn");
        written[0]
    };
    files.write(name, &vec![0; 2_000]).expect("writes");
    let done = AtomicBool::new(false);
    let read = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut latest, mut read) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let written = files.read::<Vec<usize>>(name).expect("a reader never fails");
                let number = whole(&written.expect("it is there"));
                assert!(number >= latest, "{number} after {latest}");
                (latest, read) = (number, read + 1);
                // What is never let go of cannot be replaced.
                thread::sleep(Duration::from_millis(1));
                match read_as_others_do(&path) {
                    Ok(bytes) => {
                        _ = whole(&serde_json::from_slice::<Vec<_>>(&bytes).expect("JSON"))
                    }
                    // The very moment of a replacement, which readers of other makes meet.
                    Err(_) if cfg!(windows) => {}
                    Err(error) if error.kind() == ErrorKind::NotFound && is_fuse(folder.path()) => {
                    }
                    Err(error) => panic!("{error}"),
                }
                thread::sleep(Duration::from_millis(1));
            }
            read
        });
        for number in 1..=WRITES {
            let written = files.update(name, |before: Option<Vec<usize>>| {
                assert_eq!(before.map(|before| before[0]), Some(number - 1), "a write was lost");
                Some(vec![number; 2_000])
            });
            if !written.as_ref().is_ok_and(|written| *written) {
                done.store(true, Ordering::Relaxed);
                panic!("write {number}: {written:?}");
            }
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("no panic")
    });
    assert!(read > 0);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, files) = fixture();
    let target = folder.path().join("elsewhere.json");
    fs::write(&target, "1\n").expect("writes");
    symlink(&target, folder.path().join("x.json")).expect("links");
    let refused = files.read::<u8>(Path::new("x.json"));
    assert!(matches!(refused, Err(AtomicFileError::Malformed(_))), "{refused:?}");

    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("sets");
    files.write(Path::new("elsewhere.json"), &2).expect("writes");
    let mode = fs::metadata(&target).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
