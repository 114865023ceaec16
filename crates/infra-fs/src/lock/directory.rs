//! Locks that are directories.
