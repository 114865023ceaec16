//! What the tests of jerry as a whole share: a store in a temporary folder, the real binary run
//! on it by any number of processes at once, and a look at the files that bypasses jerry.

#![allow(clippy::disallowed_methods, reason = "tests write behind jerry's back on purpose")]

mod dice;
mod git;
mod jerry;
mod outcome;
pub mod strace;
mod tools;

pub use dice::Dice;
pub use git::{git, git_outcome};
pub use jerry::{Jerry, binary, id_in, list};
pub use outcome::{Outcome, Running, at_once};
#[cfg(unix)]
pub use tools::is_root;
pub use tools::{HeldLock, LockedShell, Tmpfs, python_with, skip, tool};
