//! The protocol of the directory lock as a model, in every interleaving and with a crash at every
//! point: one holder at most, and nothing left behind that a newcomer could not get past.
//!
//! Each step below is one step that file systems do whole. That the code takes these steps, and no
//! others, is for its reader to check; that killing it between them does no harm is tested with
//! real processes in `locks_processes.rs`.

use std::collections::{HashSet, VecDeque};

const PROCESSES: usize = 3;
/// How often each takes the lock, each time under another nonce.
const TURNS: u8 = 2;

/// One acquisition: its process and its turn.
type Nonce = (usize, u8);

/// What is at the lock's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Path {
    Nothing,
    Empty,
    Owned(Nonce),
}

/// What a process does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    Look,
    /// Unlink the record of one acquisition: its own, or one proven dead.
    Unlink(Nonce),
    RemoveDirectory {
        released: bool,
    },
    Rename,
    /// It holds the lock.
    Release,
    Nothing,
    Crashed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    path: Path,
    processes: [(Next, u8); PROCESSES],
}

impl State {
    const START: Self = Self { path: Path::Nothing, processes: [(Next::Look, 0); PROCESSES] };

    /// The state after `process` has done its next step.
    fn step(&self, process: usize) -> Self {
        let mut state = self.clone();
        let (next, turn) = self.processes[process];
        let ours = (process, turn);
        let after = match next {
            Next::Look => match self.path {
                Path::Nothing => Next::Rename,
                Path::Empty => Next::RemoveDirectory { released: false },
                Path::Owned(owner) if self.is_dead(owner) => Next::Unlink(owner),
                Path::Owned(_) => Next::Look,
            },
            Next::Unlink(owner) => {
                if self.path == Path::Owned(owner) {
                    state.path = Path::Empty;
                }
                Next::RemoveDirectory { released: owner == ours }
            }
            Next::RemoveDirectory { released } => {
                if self.path == Path::Empty {
                    state.path = Path::Nothing;
                }
                match released {
                    false => Next::Rename,
                    true if turn + 1 == TURNS => Next::Nothing,
                    true => {
                        state.processes[process].1 += 1;
                        Next::Look
                    }
                }
            }
            Next::Rename => match self.path {
                Path::Nothing | Path::Empty => {
                    state.path = Path::Owned(ours);
                    Next::Release
                }
                Path::Owned(_) => Next::Look,
            },
            Next::Release => Next::Unlink(ours),
            Next::Nothing | Next::Crashed => next,
        };
        state.processes[process].0 = after;
        state
    }

    fn crash(&self, process: usize) -> Self {
        let mut state = self.clone();
        state.processes[process].0 = Next::Crashed;
        state
    }

    fn is_dead(&self, (process, _): Nonce) -> bool {
        self.processes[process].0 == Next::Crashed
    }

    fn holders(&self) -> Vec<usize> {
        (0..PROCESSES).filter(|process| self.processes[*process].0 == Next::Release).collect()
    }

    /// Whether `process` gets the lock when all others crash now.
    fn is_open_to(&self, process: usize) -> bool {
        let others = (0..PROCESSES).filter(|other| *other != process);
        let mut state = others.fold(self.clone(), |state, other| state.crash(other));
        for _ in 0..16 {
            if state.holders() == [process] {
                return true;
            }
            state = state.step(process);
        }
        false
    }
}

#[test]
fn no_interleaving_makes_two_holders_or_blocks_a_newcomer() {
    let mut seen = HashSet::from([State::START]);
    let mut queue = VecDeque::from([State::START]);
    let mut taken_over = 0;
    while let Some(state) = queue.pop_front() {
        let holders = state.holders();
        assert!(holders.len() <= 1, "two holders: {state:?}");
        if let [holder] = holders[..] {
            let ours = Path::Owned((holder, state.processes[holder].1));
            assert_eq!(state.path, ours, "a holder without its record: {state:?}");
        }
        for process in 0..PROCESSES {
            let (next, turn) = state.processes[process];
            let dead =
                (0..PROCESSES).any(|other| next == Next::Unlink((other, 0)) && other != process);
            taken_over += usize::from(dead);
            if matches!(next, Next::Nothing | Next::Crashed) {
                continue;
            }
            let last = turn + 1 == TURNS;
            let leaving = matches!(next, Next::Unlink(owner) if owner.0 == process)
                || next == Next::RemoveDirectory { released: true };
            assert!((last && leaving) || state.is_open_to(process), "blocked: {state:?}");
            for after in [state.step(process), state.crash(process)] {
                if seen.insert(after.clone()) {
                    queue.push_back(after);
                }
            }
        }
    }
    assert!(taken_over > 0);
    assert!(seen.len() > 1_000, "only {} states", seen.len());
}
