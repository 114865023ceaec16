//! The file-system adapter: keeps work items as plain JSON files under `.jerry/`, safe among any
//! number of processes, durable against power cuts.
//!
//! One blocking core; the ports' async methods are a thin face over it and block the calling
//! thread for the length of their file work.

mod clock;
mod codec;
mod fault;
mod file_system;
pub mod lock;
pub mod machine;
mod steps;

pub use file_system::{FileSystemKind, file_system_of};
mod layout;
mod publish;
mod read;
mod steps;

pub use clock::SystemClock;
pub use layout::Layout;
pub use publish::{Creation, PublishError};
pub use read::MAX_FILE_BYTES;
