//! The one place that knows which adapters stand behind the ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jerry_application::{Ports, Watch};
use jerry_domain::ports::{LockAdmin, StoreCare};
use jerry_infra_fs::lock::{BackOff, FsLocks, LockBackend, LockSettings};
use jerry_infra_fs::{
    AtomicFileError, AtomicFiles, LocateError, Located, OpenError, PublishError, Whereabouts,
    machine,
};

use crate::exit::{Code, Failure};
use crate::settings::{self, Env, Settings};
use crate::signals;

/// An open store.
pub struct Store {
    /// What the application works through.
    pub ports: Ports,
    /// What looks after the files.
    pub care: Arc<dyn StoreCare>,
    /// What looks at the locks.
    pub locks: Arc<dyn LockAdmin>,
    /// What lets one wait for changes.
    pub watch: Watch,
    /// Other files in its folder.
    pub files: AtomicFiles,
    /// How its locks are made.
    pub lock_backend: LockBackend,
    /// What the user should know before relying on the store.
    pub warnings: Vec<String>,
}

/// Finds the store that the command means.
pub(crate) fn locate(flag: Option<&Path>, env: &Env) -> Result<Located, Failure> {
    jerry_infra_fs::locate(&whereabouts(flag, env)?).map_err(unlocated)
}

/// Finds where `init` makes a store.
pub(crate) fn locate_new(flag: Option<&Path>, env: &Env) -> Result<Located, Failure> {
    jerry_infra_fs::locate_new(&whereabouts(flag, env)?).map_err(unlocated)
}

fn whereabouts(flag: Option<&Path>, env: &Env) -> Result<Whereabouts, Failure> {
    let set = |name| env(name).filter(|value| !value.is_empty());
    let project = set("JERRY_PROJECT").map(|name| name.into_string()).transpose();
    Ok(Whereabouts {
        flag: flag.map(Path::to_owned),
        environment: set("JERRY_STORE").map(PathBuf::from),
        project: project.map_err(|_| Failure::new(Code::Usage, "JERRY_PROJECT is not text"))?,
        directory: std::env::current_dir()
            .map_err(|error| Failure::io("cannot tell the present folder", &error))?,
    })
}

/// Makes a store at `root`, or answers `false` where there is one.
pub(crate) fn init(root: &Path, backend: LockBackend, settings: &str) -> Result<bool, Failure> {
    jerry_infra_fs::Store::init(root, backend, settings).map_err(unopened)
}

/// Opens the store at `root`.
pub(crate) fn open(root: &Path, settings: &Settings) -> Result<Store, Failure> {
    let store = jerry_infra_fs::Store::open(root, lock_settings(settings)?).map_err(unopened)?;
    let unsafe_locks = store.unsafe_file_system().map(|kind| {
        format!(
            "the store is on {kind}, whose file locks cannot be relied on; \
             make it with `jerry init --lock-backend directory`, or use it from one machine only"
        )
    });
    if store.format().lock_backend == LockBackend::Directory {
        signals::release_locks_when_interrupted()?;
    }
    let uncompleted = store.complete_commits().err().map(|error| {
        let failure = Failure::from(error);
        format!("a plan is only partly there, and cannot be completed: {}", failure.message)
    });
    let (items, ids) = (store.items(), store.ids());
    let gates = Arc::new(settings.gates());
    let ports = Ports { items, ids, locks: store.locks(), clock: store.clock(), gates };
    let watch = Watch::new(ports.clone(), store.lookout(), store.hint(), store.cursors());
    Ok(Store {
        ports,
        watch,
        care: store.care(),
        locks: store.lock_admin(),
        files: store.files(),
        lock_backend: store.format().lock_backend,
        warnings: unsafe_locks.into_iter().chain(uncompleted).collect(),
    })
}

pub(crate) fn lock_settings(settings: &Settings) -> Result<LockSettings, Failure> {
    Ok(LockSettings {
        timeout: settings.duration(settings::LOCK_TIMEOUT)?,
        back_off: BackOff {
            base: settings.duration(settings::LOCK_BACKOFF)?,
            cap: settings.duration(settings::LOCK_BACKOFF_MAX)?,
            jitter: settings.duration(settings::LOCK_JITTER)?,
            max_attempts: settings.number(settings::LOCK_ATTEMPTS)?,
        },
        ..LockSettings::default()
    })
}

/// The files of a folder that is no store, locked beside themselves.
pub(crate) fn files(folder: &Path, settings: &Settings) -> Result<AtomicFiles, Failure> {
    let locks = FsLocks::new(folder.to_owned(), LockBackend::Os, lock_settings(settings)?);
    Ok(AtomicFiles::new(folder.to_owned(), locks))
}

/// Who uses this machine, for those who do not say who they are.
pub(crate) fn user_at_host() -> String {
    format!("{}@{}", machine::user(), machine::host())
}

fn unlocated(error: LocateError) -> Failure {
    match error {
        LocateError::NotFound { ref directory } => Failure::of(Code::NoStore, &error)
            .with("directory", directory.display().to_string())
            .hint("make a store with `jerry init`, or name one with --store or JERRY_STORE"),
        LocateError::ProjectName { .. } => Failure::of(Code::Usage, &error),
        LocateError::Io { ref path, ref source } => {
            Failure::io(&error, source).with("path", path.display().to_string())
        }
    }
}

fn unopened(error: OpenError) -> Failure {
    match error {
        OpenError::NoStore { ref root } => Failure::of(Code::NoStore, &error)
            .with("root", root.as_str())
            .hint("make a store with `jerry init`"),
        OpenError::OtherBackend { .. } => Failure::of(Code::Invalid, &error).hint(
            "every process must lock in the same way; a store keeps the one it was made with",
        ),
        OpenError::Repository(error) => error.into(),
    }
}

/// Why a file that is no item was not read or changed: by the file adapter, or by whoever changes it.
pub(crate) struct NotChanged(Failure);

impl From<AtomicFileError> for NotChanged {
    fn from(error: AtomicFileError) -> Self {
        Self(file_failure(error))
    }
}

impl From<Failure> for NotChanged {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<NotChanged> for Failure {
    fn from(error: NotChanged) -> Self {
        error.0
    }
}

fn file_failure(error: AtomicFileError) -> Failure {
    match error {
        AtomicFileError::Path { .. } => Failure::of(Code::Internal, &error),
        AtomicFileError::Lock(error) => error.into(),
        AtomicFileError::Malformed(error) => error.into(),
        AtomicFileError::TooLarge { .. } => Failure::of(Code::TooLarge, &error),
        AtomicFileError::ChangedOutside { .. } => Failure::of(Code::ChangedOutside, &error)
            .hint("nothing was overwritten; run the command again"),
        AtomicFileError::Storage(error) => error.into(),
        AtomicFileError::Indeterminate(error) => unpublished(PublishError::Indeterminate(error)),
    }
}

/// Why a file was not written.
pub(crate) fn unpublished(error: PublishError) -> Failure {
    match error {
        PublishError::Failed(error) => error.into(),
        PublishError::Indeterminate(_) => Failure::of(Code::Indeterminate, &error)
            .hint("the file is visible; check the disk before you rely on it"),
    }
}
