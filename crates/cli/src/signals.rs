//! What a signal that would end this process does first.
//!
//! Directory locks outlive a process that is ended by a signal, so they are released before. Locks of
//! the operating system end with the process and need no help. While a command of `work` runs the
//! signal is the command's: it ends, and then the item is given back. So is one that comes when the
//! item has been taken for the command and it does not run yet.

#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::process::{Child, ExitStatus};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::io::Errno;
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
        /// What came before there was a child.
        missed: Option<Signal>,
        /// By a signal other than `SIGINT`.
        is_told_to_end: bool,
        /// By `SIGINT`, which a command may take for the end of a step, and go on.
        is_interrupted: bool,
    }

    impl Working {
        fn receive(&mut self, signal: Signal) {
            match signal {
                Signal::INT => self.is_interrupted = true,
                _ => self.is_told_to_end = true,
            }
            match self.child {
                None => self.missed = Some(signal),
                // A terminal sends it to the command too.
                Some(_) if signal == Signal::INT => {}
                Some(child) => pass_on(signal, child),
            }
        }

        /// Whether the command, which ended so, was kept from coming to its own end.
        fn was_cut_short(&self, status: ExitStatus) -> bool {
            self.is_told_to_end || (self.is_interrupted && !status.success())
        }

        fn begin(&mut self, child: Pid) {
            self.child = Some(child);
            self.missed.take().into_iter().for_each(|signal| pass_on(signal, child));
        }
    }

    fn pass_on(signal: Signal, child: Pid) {
        // Where the command has ended meanwhile there is nothing to pass on.
        let _ = kill_process(child, signal);
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
        work.receive(match signal {
            SIGTERM => Signal::TERM,
            SIGHUP => Signal::HUP,
            _ => Signal::INT,
        });
    }

    /// Signals are a command's from here until this is dropped.
    pub(crate) struct PassedOn;

    impl PassedOn {
        pub(crate) fn begin() -> Result<Self, Failure> {
            release_locks_when_interrupted()?;
            duty().work = Some(Working::default());
            Ok(Self)
        }

        /// Waits for `child` to end; also tells whether this process was asked to end meanwhile. From
        /// then on a signal ends this process.
        pub(crate) fn wait(self, child: &mut Child) -> io::Result<(ExitStatus, bool)> {
            let pid = Pid::from_child(child);
            if let Some(work) = &mut duty().work {
                work.begin(pid);
            }
            // Its id stays its own until it is waited for, which is after nobody sends to it any more.
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
            let ended = duty().work.take();
            let status = child.wait()?;
            Ok((status, ended.is_some_and(|work| work.was_cut_short(status))))
        }
    }

    impl Drop for PassedOn {
        fn drop(&mut self) {
            duty().work = None;
        }
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::process::ExitStatusExt;
        use std::process::{Command, Stdio};

        use rstest::rstest;

        use super::*;

        #[rstest]
        #[case(Signal::TERM)]
        #[case(Signal::HUP)]
        #[case(Signal::INT)]
        fn what_came_before_the_command_is_passed_on(#[case] signal: Signal) {
            let mut work = Working::default();
            work.receive(signal);
            // Also where this process was started with the signal ignored, the command is not.
            release_locks_when_interrupted().expect("listens");
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("starts");
            work.begin(Pid::from_child(&child));
            assert!(work.is_told_to_end || work.is_interrupted);
            // If it was not passed on the end of its input ends the command.
            let ended = child.wait().expect("waited for");
            assert_eq!(ended.signal(), Some(signal.as_raw()));
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

        pub(crate) fn wait(self, child: &mut Child) -> io::Result<(ExitStatus, bool)> {
            Ok((child.wait()?, false))
        }
    }
}
