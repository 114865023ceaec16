use async_trait::async_trait;

use crate::WorkId;

/// A command that was to succeed and did not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{command}` failed: {ended}")]
pub struct CommandFailed {
    /// The command.
    pub command: String,
    /// How it ended: `exit status 1`, `signal 9`, or why it could not be started.
    pub ended: String,
}

/// Runs commands that show whether work is done.
///
/// # Contract
///
/// - A command is what the user's shell takes: it comes from settings or from whoever asks, and no
///   text of an item is ever put into it.
/// - It learns which item it is run for from the variable `JERRY_ITEM` alone.
/// - It may use the store: whoever runs it holds no lock.
/// - What it writes goes where people see it and programs do not take it for an answer.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CommandRunner: Send + Sync {
    /// Runs `command` for the item `id` to its end.
    ///
    /// # Errors
    /// [`CommandFailed`] unless it ended with status 0.
    async fn run(&self, command: &str, id: &WorkId) -> Result<(), CommandFailed>;
}
