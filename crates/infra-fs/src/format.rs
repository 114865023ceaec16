//! `data/format.json`: what kind of store this is. It is written last when a store is made, so
//! that a store without it was never finished.

use jerry_domain::ports::{Malformed, RepositoryError, Unreadable};
use serde::{Deserialize, Serialize};

use crate::layout::Layout;
use crate::lock::LockBackend;
use crate::read;

/// The store format that this version of jerry writes.
pub const STORE_FORMAT: u32 = 1;

/// What a person would write into a format file that was damaged; no command can know it.
const EXAMPLE: &str = r#"{"format": 1, "lock_backend": "os"}"#;

/// What kind of store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The format's number. A greater one than [`STORE_FORMAT`] can be read, not written.
    pub format: u32,
    /// How processes lock each other out. All of them must do it the same way.
    pub lock_backend: LockBackend,
}

impl Format {
    pub(crate) fn read(layout: &Layout) -> Result<Option<Self>, Unreadable> {
        let path = layout.format();
        let shown = layout.relative(&path);
        let malformed = |error: Malformed| {
            let reason = format!("{}; it should read {EXAMPLE} (or \"directory\")", error.reason);
            Unreadable::from(Malformed { reason, ..error })
        };
        let found = read::json::<Self>(&path, &shown).map_err(|error| match error {
            Unreadable::Malformed(error) => malformed(error),
            error @ Unreadable::Storage(_) => error,
        })?;
        match found {
            Some((Self { format: 0, .. }, _)) => {
                let reason = "format 0 does not exist".to_owned();
                Err(malformed(Malformed { path: shown, line: 0, column: 0, reason }))
            }
            found => Ok(found.map(|(format, _)| format)),
        }
    }

    pub(crate) fn check_writable(self) -> Result<(), RepositoryError> {
        if self.format > STORE_FORMAT {
            return Err(RepositoryError::NewerFormat { found: self.format, known: STORE_FORMAT });
        }
        Ok(())
    }
}
