//! What holds for locks between processes: they exclude each other and other programs, and a
//! holder that is killed holds nothing.
//!
//! Each test starts this same program again, with only the test [`child`] and a role for it. They
//! stop and end it by signals, which only Unix has.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use jerry_domain::ports::{BreakOutcome, LockError, LockName};
use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings, release_all};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);
const ROLE: &str = "JERRY_LOCK_TEST_ROLE";
const BACKEND: &str = "JERRY_LOCK_TEST_BACKEND";
const STORE: &str = "JERRY_LOCK_TEST_STORE";

/// What the started processes do; nothing when the tests are run as usual.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let backend = match std::env::var(BACKEND).expect("set").as_str() {
        "os" => LockBackend::Os,
        _ => LockBackend::Directory,
    };
    let store = PathBuf::from(std::env::var_os(STORE).expect("set"));
    let locks = locks(&store, backend);
    match role.as_str() {
        "add" => (0..50).for_each(|_| add_one(&locks, &store)),
        "take when told" => {
            say("ready");
            until_input_ends();
            drop(locks.acquire(&name(), None).expect("free in time"));
        }
        "hold" => {
            let guard = locks.acquire(&name(), None).expect("free in time");
            say("held");
            until_input_ends();
            drop(guard);
        }
        "hold beside a child" => {
            let _guard = locks.acquire(&name(), None).expect("free in time");
            let mut cat = Command::new("cat").stdout(Stdio::null()).spawn().expect("started");
            say("held");
            cat.wait().expect("ends with its input");
        }
        "hold until a signal" => {
            let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
            let mut signals = signal_hook::iterator::Signals::new(signals).expect("registered");
            thread::spawn(move || {
                signals.forever().next();
                release_all();
                std::process::exit(130);
            });
            let guard = locks.acquire(&name(), None).expect("free in time");
            say("held");
            until_input_ends();
            drop(guard);
        }
        "hold until exit" => {
            let _guard = locks.acquire(&name(), None).expect("free in time");
            release_all();
            std::process::exit(0);
        }
        unknown => panic!("no role '{unknown}'"),
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    write!(out, "\n{word}\n").and_then(|()| out.flush()).expect("heard");
}

fn until_input_ends() {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("readable");
}

fn add_one(locks: &FsLocks, store: &Path) {
    let guard = locks.acquire(&name(), None).expect("free in time");
    let counter = store.join("counter");
    let count: u64 = fs::read_to_string(&counter).expect("readable").parse().expect("a number");
    fs::write(&counter, (count + 1).to_string()).expect("writable");
    drop(guard);
}

fn name() -> LockName {
    LockName::new("graph").expect("a name")
}

fn locks(store: &Path, backend: LockBackend) -> FsLocks {
    FsLocks::new(store.join("locks"), backend, LockSettings::default())
}

fn command(role: &str, store: &TempDir, backend: LockBackend) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "child", "--nocapture"]);
    let backend = if backend == LockBackend::Os { "os" } else { "directory" };
    command.env(ROLE, role).env(BACKEND, backend).env(STORE, store.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A process that plays a role; killed when dropped.
struct Player(Child);

impl Player {
    fn start(role: &str, store: &TempDir, backend: LockBackend) -> Self {
        Self(command(role, store, backend).spawn().expect("started"))
    }

    /// Started, and holding the lock.
    fn holding(role: &str, store: &TempDir, backend: LockBackend) -> Self {
        Self::saying("held", &mut command(role, store, backend))
    }

    fn saying(word: &str, command: &mut Command) -> Self {
        let mut child = command.spawn().expect("started");
        let out = BufReader::new(child.stdout.as_mut().expect("piped"));
        let said = out.lines().any(|line| line.expect("readable").ends_with(word));
        assert!(said, "{command:?} did not say '{word}'");
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it lives");
    }

    fn finish(mut self) -> std::process::ExitStatus {
        drop(self.0.stdin.take());
        self.0.wait().expect("ends")
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn processes_lose_nothing(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    fs::write(store.path().join("counter"), "0").expect("writable");
    let players: Vec<_> = (0..4).map(|_| Player::start("add", &store, backend)).collect();
    players.into_iter().for_each(|player| assert!(player.finish().success()));
    assert_eq!(fs::read_to_string(store.path().join("counter")).expect("readable"), "200");
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn a_holder_in_another_process_is_named_and_not_robbed(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks(store.path(), backend);
    let player = Player::holding("hold", &store, backend);
    let refused = locks.acquire(&name(), Some(Duration::from_millis(50))).expect_err("held");
    let LockError::TimedOut { holder: Some(holder), .. } = refused else { panic!("{refused:?}") };
    assert_eq!(holder.pid, player.0.id());
    assert!(locks.clean().expect("cleanable").is_empty());
    assert!(matches!(locks.break_lock(&name()), Ok(BreakOutcome::Refused(Some(_)))));
    assert!(locks.acquire(&name(), AT_ONCE).is_err(), "it is still held");
    assert!(player.finish().success());
    drop(locks.acquire(&name(), None).expect("free again"));
}

#[rstest]
#[case::os_reaped(LockBackend::Os, true)]
#[case::os_zombie(LockBackend::Os, false)]
#[case::directory_reaped(LockBackend::Directory, true)]
#[case::directory_zombie(LockBackend::Directory, false)]
fn a_killed_holder_holds_nothing(#[case] backend: LockBackend, #[case] reaped: bool) {
    let store = TempDir::new().expect("a folder");
    let locks = locks(store.path(), backend);
    let mut player = Player::holding("hold", &store, backend);
    player.signal(Signal::KILL);
    if reaped {
        player.0.wait().expect("killed");
    }
    drop(locks.acquire(&name(), None).expect("free in time"));
}

#[test]
fn a_child_of_the_holder_does_not_inherit_the_lock() {
    let store = TempDir::new().expect("a folder");
    let mut player = Player::holding("hold beside a child", &store, LockBackend::Os);
    // The child lives on: its input is this process's end of the pipe.
    let input = player.0.stdin.take();
    player.signal(Signal::KILL);
    player.0.wait().expect("killed");
    let taken = locks(store.path(), LockBackend::Os).acquire(&name(), Some(Duration::from_secs(5)));
    drop(input);
    drop(taken.expect("free, though the holder's child lives"));
}

mod other_programs {
    use super::*;

    /// Both ways round: `program` gets the lock file's path as its last argument, says "held" and
    /// waits for the end of its input; `attempt` ends with success if it gets the lock at once.
    fn exclude_each_other(program: &[&str], attempt: &[&str]) {
        let store = TempDir::new().expect("a folder");
        let locks = locks(store.path(), LockBackend::Os);
        let file = store.path().join("locks/graph.lock");
        let run = |words: &[&str]| {
            let mut command = Command::new(words[0]);
            command.args(words[1..].iter().map(|word| match *word {
                "FILE" => file.as_os_str(),
                word => word.as_ref(),
            }));
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            command
        };
        let guard = locks.acquire(&name(), None).expect("free");
        assert!(!run(attempt).status().expect("runs").success(), "jerry holds it");
        drop(guard);
        assert!(run(attempt).status().expect("runs").success(), "nobody holds it");

        let player = Player::saying("held", &mut run(program));
        assert!(locks.acquire(&name(), Some(Duration::from_millis(20))).is_err(), "it holds it");
        let states = locks.list().expect("readable");
        assert!(states.iter().any(|state| state.name == name() && state.held));
        assert!(locks.clean().expect("cleanable").is_empty());
        player.finish();
        drop(locks.acquire(&name(), None).expect("free again"));
    }

    #[test]
    fn flock_and_jerry_exclude_each_other() {
        if Command::new("flock").arg("--version").output().is_err() {
            return skip("flock(1) is not installed");
        }
        exclude_each_other(
            &["flock", "FILE", "sh", "-c", "echo held; cat"],
            &["flock", "--nonblock", "FILE", "true"],
        );
    }

    #[test]
    fn filelock_and_jerry_exclude_each_other() {
        let python = std::env::var("JERRY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let probe = Command::new(&python).args(["-c", "import filelock"]).output();
        if !probe.is_ok_and(|probe| probe.status.success()) {
            return skip("Python's filelock is not installed");
        }
        let hold = "import filelock, sys\n\
                    with filelock.FileLock(sys.argv[1]):\n    \
                    print('held', flush=True); sys.stdin.read()";
        let attempt = "import filelock, sys\nfilelock.FileLock(sys.argv[1]).acquire(timeout=0)";
        exclude_each_other(
            &[&python, "-c", hold, "FILE"],
            &["sh", "-c", "exec \"$0\" -c \"$1\" \"$2\" 2>/dev/null", &python, attempt, "FILE"],
        );
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test has to show")]
fn skip(why: &str) {
    eprintln!("SKIPPED {}: {why}", thread::current().name().unwrap_or("a test"));
}

mod directory {
    use super::*;

    const DIRECTORY: LockBackend = LockBackend::Directory;

    /// The records in the lock, each with its path.
    fn owners(store: &TempDir) -> Vec<(PathBuf, String)> {
        let Ok(entries) = fs::read_dir(store.path().join("locks/graph.lock")) else {
            return Vec::new();
        };
        let path = |entry: std::io::Result<fs::DirEntry>| entry.expect("readable").path();
        let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).expect("readable"));
        entries.map(path).map(read).collect()
    }

    /// Leaves the lock of a process that was killed, and returns its record.
    fn leave_a_dead_lock(store: &TempDir) -> (PathBuf, String) {
        let player = Player::holding("hold", store, DIRECTORY);
        player.signal(Signal::KILL);
        drop(player);
        owners(store).pop().expect("an owner")
    }

    #[test]
    fn a_dead_holder_has_one_successor_at_a_time() {
        for _ in 0..5 {
            let store = TempDir::new().expect("a folder");
            fs::write(store.path().join("counter"), "0").expect("writable");
            leave_a_dead_lock(&store);
            let players: Vec<_> = (0..6).map(|_| Player::start("add", &store, DIRECTORY)).collect();
            players.into_iter().for_each(|player| assert!(player.finish().success()));
            let count = fs::read_to_string(store.path().join("counter")).expect("readable");
            assert_eq!(count, "300");
        }
    }

    #[rstest]
    #[case::unknown_boot("/place/boot", Value::Null)]
    #[case::unknown_start("/holder/started", Value::Null)]
    #[case::another_host("/holder/host", json!("elsewhere"))]
    #[case::unknown_namespaces("/place/namespaces", Value::Null)]
    #[case::another_namespace("/place/namespaces", json!("pid:[1] time:[1]"))]
    #[case::another_boot_of_an_unknown_machine("", Value::Null)]
    fn without_proof_of_death_only_a_person_breaks_it(#[case] field: &str, #[case] value: Value) {
        let store = TempDir::new().expect("a folder");
        let locks = locks(store.path(), DIRECTORY);
        let (owner, record) = leave_a_dead_lock(&store);
        let mut record: Value = serde_json::from_str(&record).expect("a record");
        if field.is_empty() {
            record["place"]["boot"] = json!("another");
            record["place"]["machine"] = Value::Null;
        } else {
            *record.pointer_mut(field).expect("a field") = value;
        }
        fs::write(&owner, record.to_string()).expect("writable");

        assert!(locks.try_acquire(&name()).expect("usable").is_none());
        let refused = locks.acquire(&name(), Some(Duration::from_millis(30))).expect_err("held");
        assert!(matches!(refused, LockError::TimedOut { holder: Some(_), .. }), "{refused:?}");
        assert!(locks.clean().expect("cleanable").is_empty());
        assert!(locks.list().expect("readable")[0].held);

        assert!(matches!(locks.break_lock(&name()), Ok(BreakOutcome::Broken(Some(_)))));
        drop(locks.acquire(&name(), AT_ONCE).expect("free"));
    }

    #[test]
    fn an_owner_that_cannot_be_read_is_broken_by_a_person_only() {
        let store = TempDir::new().expect("a folder");
        let locks = locks(store.path(), DIRECTORY);
        let (owner, _) = leave_a_dead_lock(&store);
        fs::write(&owner, "").expect("writable");
        assert!(locks.try_acquire(&name()).expect("usable").is_none());
        assert_eq!(locks.break_lock(&name()).expect("usable"), BreakOutcome::Broken(None));
        drop(locks.acquire(&name(), AT_ONCE).expect("free"));
    }

    #[test]
    fn a_lock_that_was_broken_is_not_released_by_its_former_holder() {
        let store = TempDir::new().expect("a folder");
        let locks = locks(store.path(), DIRECTORY);
        let former = locks.acquire(&name(), None).expect("free");
        let (owner, _) = owners(&store).pop().expect("an owner");
        fs::write(&owner, "").expect("writable");
        assert_eq!(locks.break_lock(&name()).expect("usable"), BreakOutcome::Broken(None));
        let _next = locks.acquire(&name(), AT_ONCE).expect("free");
        drop(former);
        assert!(locks.try_acquire(&name()).expect("usable").is_none(), "two would hold it");
    }

    #[rstest]
    #[case::interrupt(Signal::INT)]
    #[case::terminate(Signal::TERM)]
    fn a_signal_releases_what_is_held(#[case] signal: Signal) {
        let store = TempDir::new().expect("a folder");
        let mut player = Player::holding("hold until a signal", &store, DIRECTORY);
        // Or its end would be the holder's reason to release the lock itself.
        let _input = player.0.stdin.take();
        player.signal(signal);
        assert_eq!(player.0.wait().expect("ends").code(), Some(130));
        assert!(!store.path().join("locks/graph.lock").exists());
    }

    #[test]
    fn exit_releases_what_is_held() {
        let store = TempDir::new().expect("a folder");
        assert!(Player::start("hold until exit", &store, DIRECTORY).finish().success());
        assert!(!store.path().join("locks/graph.lock").exists());
    }

    /// The calls by which a lock is taken, taken over and released; each is counted by itself.
    const CALLS: [&str; 7] = [
        "?mkdir,?mkdirat",
        "openat",
        "write",
        "fsync",
        "?rename,?renameat,?renameat2",
        "?unlink,?unlinkat",
        "?rmdir",
    ];

    /// Kills a process before its first, second, … call of each kind, and looks at what it leaves.
    #[rstest]
    #[case::taking_a_free_lock(false)]
    #[case::taking_over_a_dead_one(true)]
    fn a_crash_between_any_two_steps_leaves_no_lock_without_an_owner(#[case] takeover: bool) {
        let store = TempDir::new().expect("a folder");
        let locks = locks(store.path(), DIRECTORY);
        let (owner, dead) = leave_a_dead_lock(&store);
        drop(locks.acquire(&name(), None).expect("taken over"));
        let mut killed_as_holder = 0;
        for calls in CALLS {
            for count in 1.. {
                if takeover {
                    fs::create_dir(owner.parent().expect("a lock")).expect("made");
                    fs::write(&owner, &dead).expect("writable");
                }
                let mut command = command("take when told", &store, DIRECTORY);
                let player = Player::saying("ready", &mut command);
                let pid = player.0.id();
                let Some(_strace) = kill_before(&player, calls, count) else {
                    return skip("strace cannot attach to a process");
                };
                if player.finish().success() {
                    break;
                }
                for (_, record) in owners(&store) {
                    let record: Value = serde_json::from_str(&record).expect("a whole record");
                    killed_as_holder += usize::from(record["holder"]["pid"] == json!(pid));
                }
                drop(locks.acquire(&name(), None).expect("nothing stands in the way"));
                remove_litter(&store, &locks);
            }
        }
        assert!(killed_as_holder > 0, "some were killed while they held the lock");
    }

    fn kill_before(player: &Player, calls: &str, count: u32) -> Option<Player> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-p", &player.0.id().to_string()]);
        strace.args(["-e", &format!("inject={calls}:signal=SIGKILL:when={count}")]);
        let mut strace = strace.stderr(Stdio::piped()).spawn().ok()?;
        let said = BufReader::new(strace.stderr.as_mut()?).lines().next()?.ok()?;
        let attached = said.contains(" attached");
        let strace = Player(strace);
        attached.then_some(strace)
    }

    /// Cleans, and looks whether what remains is nobody's: a prepared directory without a record,
    /// which stays until it is old.
    fn remove_litter(store: &TempDir, locks: &FsLocks) {
        locks.clean().expect("cleanable");
        for left in fs::read_dir(store.path().join("locks")).expect("readable") {
            let left = left.expect("readable").path();
            for record in fs::read_dir(&left).expect("a folder") {
                let record = fs::read(record.expect("readable").path()).expect("readable");
                assert!(record.is_empty(), "{left:?}");
            }
            fs::remove_dir_all(left).expect("removed");
        }
    }
}
