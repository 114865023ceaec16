//! What the application needs from the outside, each as a trait with its contract and its errors.
//!
//! Every method may block the calling thread for the length of its file work; the traits are
//! async so that an adapter whose work is truly asynchronous fits them too.

mod care;
mod change_hint;
mod clock;
mod command_runner;
mod cursor_store;
mod id_generator;
mod lock_manager;
mod lookout;
mod storage;
mod work_item_repository;

pub use care::*;
pub use change_hint::*;
pub use clock::*;
pub use command_runner::*;
pub use cursor_store::*;
pub use id_generator::*;
pub use lock_manager::*;
pub use lookout::*;
pub use storage::*;
pub use work_item_repository::*;
