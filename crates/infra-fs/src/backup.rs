//! Copies of what is about to be changed or removed, in `local/backups`. Nothing removes them but
//! people.

use std::path::Path;

use jerry_domain::ports::RepositoryError;

use crate::layout::Layout;
use crate::publish::{self, Creation, PublishError};
use crate::read;

/// Keeps a copy of the file at `path`, durably, under a name of its own. The caller holds the lock
/// of the file.
pub(crate) fn keep(layout: &Layout, path: &Path) -> Result<(), RepositoryError> {
    let shown = layout.relative(path);
    let Some(content) = read::bytes(path, &shown)? else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    keep_bytes(layout, &name, &content.bytes)
}

/// Keeps `bytes`, durably, under a name of its own that begins with `name`.
pub(crate) fn keep_bytes(layout: &Layout, name: &str, bytes: &[u8]) -> Result<(), RepositoryError> {
    let folder = layout.backups();
    publish::make_dirs(&folder, layout.root())?;
    for number in 0.. {
        let copy = folder.join(format!("{name}.{number}"));
        let made = publish::create_unlocked(&copy, bytes)
            .and_then(|made| publish::sync_parent(&copy).map(|()| made));
        // A copy that may not last is none.
        if made.map_err(PublishError::of_preparation)? == Creation::Created {
            break;
        }
    }
    Ok(())
}
