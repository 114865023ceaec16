//! The file-system adapter: keeps work items as plain JSON files under `.jerry/`, safe among any
//! number of processes, durable against power cuts.
//!
//! One blocking core; the ports' async methods are a thin face over it and block the calling
//! thread for the length of their file work.

mod atomic_file;
mod backup;
mod batch;
mod care;
mod clock;
mod codec;
mod cursors;
mod displaced;
mod fault;
mod file_system;
mod format;
mod hint;
mod ids;
mod in_use;
mod index;
mod journal;
mod layout;
mod locate;
pub mod lock;
pub mod machine;
mod merge_driver;
mod naming;
#[cfg(feature = "proof")]
pub mod proof;
mod publish;
mod read;
mod repository;
pub mod seam;
mod steps;
mod store;
mod sync;
mod tombstone;

pub use atomic_file::{AtomicFileError, AtomicFiles, TextEdit};
pub use care::FsCare;
pub use clock::SystemClock;
pub use file_system::{FileSystemKind, file_system_of};
pub use format::{Format, STORE_FORMAT};
pub use ids::{FsIds, Snowflake};
pub use layout::Layout;
pub use locate::{LocateError, Located, Reason, Whereabouts, locate, locate_new};
pub use merge_driver::{DriverError, merge_files};
pub use publish::{Creation, PublishError, publish_outside};
pub use repository::FsRepository;
pub use store::{OpenError, Store};
