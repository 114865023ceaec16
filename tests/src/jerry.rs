//! A store of its own for each test, and the commands that work on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::outcome::{Outcome, Running};

/// The program under test: this package's own binary, which is the command line's `main` and
/// nothing else. Cargo builds it before any test of the package runs and puts it beside the
/// folder of the test programs.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows itself");
    let folder = test.ancestors().nth(2).expect("<profile>/deps/<test>");
    folder.join(format!("jerry-under-test{}", std::env::consts::EXE_SUFFIX))
}

/// A folder with a store, removed in the end.
#[derive(Debug)]
pub struct Jerry {
    folder: PathBuf,
    _owned: Option<TempDir>,
}

impl Jerry {
    /// A fresh folder with a fresh store, which locks as `$JERRY_TEST_LOCK_BACKEND` says, if set.
    #[must_use]
    pub fn new() -> Self {
        let jerry = Self::without_store();
        let backend = std::env::var_os("JERRY_TEST_LOCK_BACKEND");
        let backend = backend.into_iter().flat_map(|backend| ["--lock-backend".into(), backend]);
        jerry.ok(std::iter::once("init".into()).chain(backend));
        jerry
    }

    /// A fresh folder without a store.
    #[must_use]
    pub fn without_store() -> Self {
        let owned = tempfile::Builder::new().prefix("jerry-test-").tempdir().expect("a folder");
        let folder = owned.path().canonicalize().expect("just made");
        Self { folder, _owned: Some(owned) }
    }

    /// The store in `folder`, which someone else made and removes.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _owned: None }
    }

    /// The folder that holds `.jerry`, where commands run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the store: `data/items`, for example.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.join(".jerry").join(relative)
    }

    /// The file of an item.
    #[must_use]
    pub fn item_path(&self, id: &str) -> PathBuf {
        self.path("data/items").join(format!("{id}.json"))
    }

    /// The lock file of an item or another lock.
    #[must_use]
    pub fn lock_path(&self, name: &str) -> PathBuf {
        self.path("local/locks").join(format!("{name}.lock"))
    }

    /// `jerry ARGS` in the folder, with nothing of this process's environment but `PATH` and what
    /// Windows itself needs.
    #[must_use]
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        self.wrapped(Command::new(binary()), args)
    }

    /// `PROGRAM … jerry ARGS`: the same under strace, setpriv or the like.
    #[must_use]
    pub fn under<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        its_args: &[&str],
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(its_args).arg(binary());
        self.wrapped(command, args)
    }

    fn wrapped<S: AsRef<std::ffi::OsStr>>(
        &self,
        mut command: Command,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        command.current_dir(&self.folder).env_clear().args(args);
        for name in ["PATH", "SystemRoot", "TEMP"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", &self.folder).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command.env("JERRY_ACTOR", "tester");
        // No test is about how fast it is; a busy machine may take its time.
        command.env("JERRY_LOCK_TIMEOUT", "5m");
        command
    }

    /// Runs `jerry ARGS` to its end.
    #[must_use]
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        Outcome::of(&mut self.command(args))
    }

    /// Starts `jerry ARGS`.
    #[must_use]
    pub fn start<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        Running::start(&mut self.command(args))
    }

    /// Runs `jerry --json ARGS` to its end.
    #[must_use]
    pub fn json<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        Outcome::of(self.command(["--json"]).args(args))
    }

    /// What `jerry --json ARGS` answers. Panics unless it exits with 0.
    pub fn ok<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        let outcome = self.json(args);
        assert!(outcome.is_ok(), "{outcome}");
        outcome.json()
    }

    /// The error that `jerry --json ARGS` answers with. Panics unless it exits with `status`.
    pub fn refused<S: AsRef<std::ffi::OsStr>>(
        &self,
        status: i32,
        args: impl IntoIterator<Item = S>,
    ) -> Value {
        self.json(args).error(status)
    }

    /// Creates an item and answers its id.
    pub fn create(&self, title: &str) -> String {
        id_in(&self.ok(["create", title]))
    }

    /// The bytes of an item's file.
    #[must_use]
    pub fn bytes(&self, id: &str) -> Vec<u8> {
        let path = self.item_path(id);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// An item's file, read without jerry.
    #[must_use]
    pub fn item(&self, id: &str) -> Value {
        let bytes = self.bytes(id);
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{id} is damaged: {error}"))
    }

    /// Every item by id, read without jerry; panics at the first that does not parse.
    #[must_use]
    pub fn items(&self) -> BTreeMap<String, Value> {
        self.item_names().into_iter().map(|id| (id.clone(), self.item(&id))).collect()
    }

    /// The ids that have a file.
    #[must_use]
    pub fn item_names(&self) -> Vec<String> {
        let names = names_in(&self.path("data/items")).into_iter();
        let ids = names.filter_map(|name| name.strip_suffix(".json").map(ToOwned::to_owned));
        ids.filter(|id| !id.starts_with('.')).collect()
    }

    /// Files in the items' folder that are no items: what a write that was broken off left.
    #[must_use]
    pub fn litter(&self) -> Vec<String> {
        let names = names_in(&self.path("data/items")).into_iter();
        names.filter(|name| name.starts_with('.') || !name.ends_with(".json")).collect()
    }

    /// What the doctor finds in the store, but for the file system that it happens to lie on.
    pub fn findings(&self) -> Vec<Value> {
        let found = self.json(["doctor"]).json()["findings"].clone();
        let is_of_store = |finding: &&Value| finding["ailment"] != "unsafe_file_system";
        list(&found).iter().filter(is_of_store).cloned().collect()
    }

    /// What the item says of itself, as far as every acknowledged item must agree: the name of its
    /// file, one history entry for each version, its last entry the present version.
    pub fn assert_sound(&self) {
        let mut uids = BTreeMap::new();
        for (id, item) in self.items() {
            assert_eq!(item["id"], id.as_str());
            let versions: Vec<_> =
                list(&item["history"]).iter().map(|entry| &entry["version"]).collect();
            let version = item["version"].as_u64().expect("a version");
            let expected: Vec<_> = (1..=version).map(Value::from).collect();
            assert!(versions.iter().copied().eq(&expected), "{id}: {versions:?}");
            if let Some(other) = uids.insert(item["uid"].to_string(), id.clone()) {
                panic!("{id} and {other} have one uid");
            }
        }
    }
}

impl Default for Jerry {
    fn default() -> Self {
        Self::new()
    }
}

/// The id of the item in a command's answer.
#[must_use]
pub fn id_in(answer: &Value) -> String {
    answer["item"]["id"].as_str().unwrap_or_else(|| panic!("no item in {answer}")).to_owned()
}

/// The elements of a JSON list.
#[must_use]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
