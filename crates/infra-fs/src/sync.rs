//! The means by which threads of this process wait for each other, where the order in which they
//! run is worth a proof: the standard library's or, under the feature `schedules`, those of a
//! scheduler that tries one order after the other. With that feature nothing works outside such a
//! run.

#[cfg(not(feature = "schedules"))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, mpsc},
    thread,
};

#[cfg(feature = "schedules")]
pub(crate) use scheduled::{Condvar, mpsc};
#[cfg(feature = "schedules")]
pub(crate) use shuttle::{
    sync::{Mutex, MutexGuard},
    thread,
};

/// The scheduler knows no time. What may end at some time ends here at any.
#[cfg(feature = "schedules")]
mod scheduled {
    use std::sync::PoisonError;
    use std::time::Duration;

    use shuttle::rand::{Rng, thread_rng};
    use shuttle::sync::MutexGuard;
    use shuttle::thread;

    /// Whoever waits for longer never stops.
    const FOR_EVER: Duration = Duration::from_secs(u64::MAX / 2);

    /// Whether the time is over now.
    fn is_over(timeout: Duration) -> bool {
        timeout < FOR_EVER && thread_rng().gen_ratio(1, 4)
    }

    pub(crate) mod mpsc {
        pub(crate) use std::sync::mpsc::RecvTimeoutError;

        use shuttle::sync::mpsc;
        pub(crate) use shuttle::sync::mpsc::Sender;

        use super::{Duration, FOR_EVER, is_over, thread};

        pub(crate) struct Receiver<T>(mpsc::Receiver<T>);

        pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
            let (sender, receiver) = mpsc::channel();
            (sender, Receiver(receiver))
        }

        impl<T> Receiver<T> {
            pub(crate) fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
                if timeout >= FOR_EVER {
                    return self.0.recv().map_err(|_| RecvTimeoutError::Disconnected);
                }
                loop {
                    match self.0.try_recv() {
                        Ok(value) => return Ok(value),
                        Err(mpsc::TryRecvError::Disconnected) => {
                            return Err(RecvTimeoutError::Disconnected);
                        }
                        Err(mpsc::TryRecvError::Empty) => {}
                    }
                    let is_over = is_over(timeout);
                    // What is sent now comes too late.
                    thread::yield_now();
                    if is_over {
                        return Err(RecvTimeoutError::Timeout);
                    }
                }
            }
        }
    }

    pub(crate) struct Condvar(shuttle::sync::Condvar);

    type Waited<'a, T> = (MutexGuard<'a, T>, bool);

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Self(shuttle::sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// The flag stands for the standard library's `WaitTimeoutResult`.
        pub(crate) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            timeout: Duration,
            mut condition: impl FnMut(&mut T) -> bool,
        ) -> Result<Waited<'a, T>, PoisonError<Waited<'a, T>>> {
            while condition(&mut guard) {
                if is_over(timeout) {
                    return Ok((guard, true));
                }
                guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            Ok((guard, false))
        }
    }
}
