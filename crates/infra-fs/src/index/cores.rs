//! Sharing the work on many files among the cores.

use std::num::NonZeroUsize;
use std::thread;

/// How many threads are worth starting for `count` pieces of work, of which `worth_a_thread` take
/// about as long as starting one; at least 1.
pub(super) fn threads_for(count: usize, worth_a_thread: usize) -> usize {
    let wanted = count / worth_a_thread;
    // How many cores there are takes the standard library some files to find out.
    if wanted <= 1 {
        return 1;
    }
    thread::available_parallelism().map_or(1, NonZeroUsize::get).min(wanted)
}

/// What `work` makes of `all`, cut into as many parts as threads are worth it, in their order.
pub(super) fn share<T: Send, R: Send>(
    all: Vec<T>,
    worth_a_thread: usize,
    work: impl Fn(Vec<T>) -> R + Sync,
) -> Vec<R> {
    let threads = threads_for(all.len(), worth_a_thread);
    if threads == 1 {
        return vec![work(all)];
    }
    let size = all.len().div_ceil(threads);
    let mut all = all.into_iter();
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let part: Vec<T> = all.by_ref().take(size).collect();
                scope.spawn(move || work(part))
            })
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
