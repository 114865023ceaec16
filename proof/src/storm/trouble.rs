//! What befalls processes: they are killed, or stopped for a while and go on.

use std::io::{self, Read};
use std::process::{Child, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::board::Board;
use crate::dice::Dice;

/// The longest that a process is stopped: long enough for others to queue behind the locks that it
/// holds.
const LONGEST_STOP: u64 = 40_000;

/// What is to befall a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    Kill(Duration),
    Stop(Duration, Duration),
}

/// How often it happened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) kills: AtomicU64,
    pub(super) stops: AtomicU64,
    pub(super) steps: AtomicU64,
    pub(super) processes: AtomicU64,
    pub(super) operations: AtomicU64,
}

impl Tally {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Trouble {
    /// One in five is killed, one in ten stopped.
    pub(super) fn roll(dice: &mut Dice, board: &Board) -> Self {
        match dice.below(10) {
            0 | 1 => Self::Kill(board.moment(dice)),
            2 => Self::Stop(board.moment(dice), Duration::from_micros(dice.below(LONGEST_STOP))),
            _ => Self::None,
        }
    }

    /// Makes it befall `child`, unless that ends before.
    pub(super) fn befall(self, child: &mut Child, tally: &Tally) -> io::Result<()> {
        match self {
            Self::None => {}
            Self::Kill(after) => {
                thread::sleep(after);
                child.kill()?;
            }
            Self::Stop(after, time) => {
                thread::sleep(after);
                // Until it is waited for, no other process gets its id.
                if child.try_wait()?.is_none() {
                    let pid = Pid::from_child(child);
                    kill_process(pid, Signal::STOP)?;
                    thread::sleep(time);
                    kill_process(pid, Signal::CONT)?;
                    Tally::count(&tally.stops);
                }
            }
        }
        Ok(())
    }
}

/// A process that does not outlive its owner.
pub(super) struct Owned(pub(super) Child);

impl Owned {
    /// Waits for its end. What it writes on standard error is little.
    pub(super) fn output(mut self) -> io::Result<Output> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_end(&mut stdout)?;
        }
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_end(&mut stderr)?;
        }
        Ok(Output { status: self.0.wait()?, stdout, stderr })
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
