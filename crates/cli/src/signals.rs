//! What a signal that would end this process does first.
//!
//! Directory locks outlive a process that is ended by a signal, so they are released before. Locks of
//! the operating system end with the process and need no help. While a command of `work` runs the
//! signal is the command's: it ends, and then the item is given back.

#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::process::{Child, ExitStatus};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use crate::exit::Failure;

    /// What this process does about signals.
    #[derive(Default)]
    struct Duty {
        is_listening: bool,
        work: Option<Working>,
    }

    /// A command is being run, or about to be.
    #[derive(Default)]
    struct Working {
        child: Option<Pid>,
        interrupted: bool,
    }

    static DUTY: Mutex<Duty> = Mutex::new(Duty { is_listening: false, work: None });

    fn duty() -> MutexGuard<'static, Duty> {
        DUTY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a signal releases directory locks before it ends this process.
    pub(crate) fn release_locks_when_interrupted() -> Result<(), Failure> {
        let mut duty = duty();
        if duty.is_listening {
            return Ok(());
        }
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Failure::io("cannot listen for signals", &error))?;
        duty.is_listening = true;
        std::thread::spawn(move || signals.forever().for_each(received));
        Ok(())
    }

    fn received(signal: i32) {
        let mut duty = duty();
        let Some(work) = &mut duty.work else {
            jerry_infra_fs::lock::release_all();
            // Ends the process by the signal itself, so that the shell sees 130 for SIGINT.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            std::process::exit(128 + signal);
        };
        work.interrupted = true;
        // A terminal sends SIGINT to the command too.
        let passed_on = match signal {
            SIGTERM => Some(Signal::TERM),
            SIGHUP => Some(Signal::HUP),
            _ => None,
        };
        if let (Some(child), Some(signal)) = (work.child, passed_on) {
            // Where the command has ended meanwhile there is nothing to pass on.
            let _ = kill_process(child, signal);
        }
    }

    /// Signals are a command's from here until this is dropped.
    pub(crate) struct PassedOn;

    impl PassedOn {
        pub(crate) fn begin() -> Result<Self, Failure> {
            release_locks_when_interrupted()?;
            duty().work = Some(Working::default());
            Ok(Self)
        }

        /// Waits for `child` to end; also tells whether this process was asked to end meanwhile.
        pub(crate) fn wait(&self, child: &mut Child) -> io::Result<(ExitStatus, bool)> {
            let pid = Pid::from_child(child);
            let set = |pid| {
                duty().work.as_mut().is_some_and(|work| {
                    work.child = pid;
                    work.interrupted
                })
            };
            set(Some(pid));
            // Its id stays its own until it is waited for, which is after nobody sends to it any more.
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(error) = waitid(WaitId::Pid(pid), ended) {
                if error != rustix::io::Errno::INTR {
                    return Err(error.into());
                }
            }
            let interrupted = set(None);
            Ok((child.wait()?, interrupted))
        }
    }

    impl Drop for PassedOn {
        fn drop(&mut self) {
            duty().work = None;
        }
    }
}

#[cfg(not(unix))]
pub(crate) use other::*;

#[cfg(not(unix))]
mod other {
    use std::io;
    use std::process::{Child, ExitStatus};

    use crate::exit::Failure;

    pub(crate) fn release_locks_when_interrupted() -> Result<(), Failure> {
        Ok(())
    }

    /// A console sends its signals to the command itself.
    pub(crate) struct PassedOn;

    impl PassedOn {
        pub(crate) fn begin() -> Result<Self, Failure> {
            Ok(Self)
        }

        pub(crate) fn wait(&self, child: &mut Child) -> io::Result<(ExitStatus, bool)> {
            Ok((child.wait()?, false))
        }
    }
}
