use std::error::Error;
use std::fmt;

/// Why the storage did not do what was asked, as far as callers act on it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageFault {
    /// No space, or no quota, is left.
    Full,
    /// The storage is mounted or marked read-only.
    ReadOnly,
    /// This user may not.
    Denied,
    /// The two ends of a rename are on different file systems.
    CrossDevice,
    /// The process has too many files open.
    TooManyOpen,
    /// Anything else, for example an error of the device.
    Other,
}

/// An operation of the storage that failed and left everything as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {resource}")]
pub struct StorageError {
    /// What was tried, as a verb: `write`, `rename`.
    pub action: &'static str,
    /// On what: a path, as the user would give it.
    pub resource: String,
    /// What kind of fault it is.
    pub fault: StorageFault,
    /// The cause.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl StorageError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self.fault {
            StorageFault::Full => "free some space and run the command again; nothing was changed",
            StorageFault::ReadOnly => "make the file system writable; nothing was changed",
            StorageFault::Denied if ["read", "list", "look at"].contains(&self.action) => {
                "give this user the right to read it, or work as its owner"
            }
            StorageFault::Denied => {
                "give this user the right to write there, or work as the store's owner"
            }
            StorageFault::CrossDevice => {
                "keep the store's folders on one file system: a bind mount or a link inside .jerry \
                 splits it"
            }
            StorageFault::TooManyOpen => "raise the limit on open files (ulimit -n)",
            StorageFault::Other => "look at the device and the file system; `jerry doctor` helps",
        }
    }
}

/// Text that is not what a file of its kind should hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Malformed {
    /// The file.
    pub path: String,
    /// Line, from 1; 0 where it does not matter.
    pub line: usize,
    /// Column, from 1; 0 where it does not matter.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_read_is_not_told_to_write() {
        let remedy = |action| {
            let (resource, source) = ("a file".to_owned(), "no".into());
            StorageError { action, resource, fault: StorageFault::Denied, source }.remedy()
        };
        assert!(remedy("read").contains("right to read"));
        assert!(remedy("write").contains("right to write"));
    }
}
