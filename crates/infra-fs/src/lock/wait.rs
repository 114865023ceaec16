//! Waiting for a busy lock in the kernel's own queue, with a deadline.
//!
//! Whoever polls loses to whoever happens to ask in the right moment, and starves. The kernel's
//! queue has no deadline, so a thread waits in it for the caller, who waits for the thread.

use std::io;
use std::time::{Duration, Instant};

use crate::sync::mpsc::{self, RecvTimeoutError};
use crate::sync::thread;

/// How long a caller still wants to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    since: Instant,
    timeout: Duration,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { since: Instant::now(), timeout }
    }

    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.waited())
    }
}

/// Lets `wait` wait for a lock, which its drop releases; `None` when the caller's patience ends
/// first. Then the thread stays in the queue and gives the lock back as soon as it wins it.
pub(super) fn in_queue<L: Send + 'static>(
    patience: Patience,
    wait: impl FnOnce() -> io::Result<L> + Send + 'static,
) -> io::Result<Option<L>> {
    if patience.left().is_zero() {
        return Ok(None);
    }
    let (winner, wins) = mpsc::channel();
    thread::Builder::new().name("jerry-lock".to_owned()).stack_size(STACK).spawn(move || {
        // Nobody listens any more: the lock comes back in the error and is released here.
        drop(winner.send(wait()));
    })?;
    match wins.recv_timeout(patience.left()) {
        Ok(won) => won.map(Some),
        // The thread may send just now; a lock in the channel is released with the channel.
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the waiting thread ended")),
    }
}

/// The waiting thread makes one system call.
const STACK: usize = 64 * 1024;
