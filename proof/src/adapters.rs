//! The adapters that the program uses, put together so that a part of them can be another.

use std::path::Path;
use std::sync::Arc;

use jerry_application::Ports;
use jerry_domain::ports::Clock;
use jerry_infra_fs::lock::{FsLocks, LockSettings};
use jerry_infra_fs::{FsIds, FsRepository, OpenError, Store};

/// The ports of the store at `root`, under `clock`; with `locks`, under locks in that folder, which
/// exclude nobody who uses another.
pub(crate) fn ports(
    root: &Path,
    clock: Arc<dyn Clock>,
    locks: Option<&Path>,
) -> Result<Ports, OpenError> {
    let store = Store::open(root, LockSettings::default())?;
    let (layout, format) = (store.layout().clone(), store.format());
    let folder = locks.map_or_else(|| layout.locks(), Path::to_owned);
    let locks = FsLocks::new(folder, format.lock_backend, LockSettings::default());
    Ok(Ports {
        items: Arc::new(FsRepository::new(layout.clone(), locks.clone(), format)),
        ids: Arc::new(FsIds::new(layout, locks.clone(), clock.clone())),
        locks: Arc::new(locks),
        clock,
        gates: Arc::default(),
    })
}
