//! The parts of the locks in which threads of one process meet, in many of the orders in which they
//! may run: the code itself, with a scheduler in place of the system's.
//!
//! The lock of the kernel is a stand-in here: in the order in which it serves it is freer than any
//! kernel, in what it promises the same. Time is whatever the scheduler makes of it. Each scenario
//! is also run with forms of the code that are known to be wrong, which must be found out.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shuttle::scheduler::RandomScheduler;
use shuttle::sync::{Condvar, Mutex, MutexGuard, mpsc};
use shuttle::{Config, Runner, thread};

use super::registry::Registry;
use super::wait::{self, Patience};

/// A number from the environment: how many schedules, and what their choices begin with.
fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Runs `scenario` in many orders, and each wrong form of it until it is found out. The line that it
/// prints is what the proof reads.
#[expect(clippy::print_stdout, reason = "the proof reads it")]
fn prove<T: Copy + Send + Sync + 'static>(
    name: &str,
    scenario: fn(T),
    right: T,
    wrong: &[(&str, T)],
) {
    let schedules = given("JERRY_SCHEDULES", 1_000);
    let seed = given("JERRY_SEED", 1);
    let run = |form: T| {
        let scheduler = RandomScheduler::new_from_seed(seed, schedules as usize);
        Runner::new(scheduler, Config::default()).run(move || scenario(form));
    };
    run(right);
    let is_caught = |form: T| catch_unwind(AssertUnwindSafe(|| run(form))).is_err();
    let missed: Vec<_> =
        wrong.iter().filter(|(_, form)| !is_caught(*form)).map(|(what, _)| *what).collect();
    let (made, missed) = (wrong.len(), missed.join("; "));
    println!("schedules of {name}: {schedules} held, {made} wrong forms, missed [{missed}]");
    assert!(missed.is_empty(), "not found out: {missed}");
}

const NOT_LONG: Duration = Duration::from_secs(3_600);

/// A scenario that fails is taken down with the rest of its threads, in whatever state they are.
fn enter<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock as the kernel has it.
#[derive(Default)]
struct Kernel {
    is_held: Mutex<bool>,
    freed: Condvar,
    holders: AtomicUsize,
}

/// It is held until this is dropped.
struct Held(Arc<Kernel>);

impl Kernel {
    fn try_lock(self: &Arc<Self>) -> Option<Held> {
        let mut is_held = enter(&self.is_held);
        (!std::mem::replace(&mut *is_held, true)).then(|| Held(Arc::clone(self)))
    }

    fn lock(self: &Arc<Self>) -> Held {
        let is_held = enter(&self.is_held);
        let waited = self.freed.wait_while(is_held, |is_held| *is_held);
        *waited.unwrap_or_else(PoisonError::into_inner) = true;
        Held(Arc::clone(self))
    }
}

impl Held {
    fn use_it(&self) {
        assert_eq!(self.0.holders.fetch_add(1, Ordering::SeqCst), 0, "two hold one lock");
        thread::yield_now();
        self.0.holders.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *enter(&self.0.is_held) = false;
        self.0.freed.notify_all();
    }
}

type Wait = Box<dyn FnOnce() -> io::Result<Held> + Send>;
type InQueue = fn(Patience, Wait) -> io::Result<Option<Held>>;

/// Some wait for a lock as [`super::os::acquire`] does; most of them not for ever. Whoever does gets
/// it, and when all are done it is free.
fn waiting(in_queue: InQueue) {
    let kernel = Arc::new(Kernel::default());
    let callers = [Duration::MAX, NOT_LONG, NOT_LONG].map(|timeout| {
        let kernel = Arc::clone(&kernel);
        thread::spawn(move || {
            let lock = kernel.try_lock().or_else(|| {
                let queue = Arc::clone(&kernel);
                let wait = Box::new(move || Ok(queue.lock()));
                in_queue(Patience::new(timeout), wait).expect("a thread can be started")
            });
            lock.iter().for_each(Held::use_it);
            assert!(lock.is_some() || timeout == NOT_LONG, "one who waits for ever gave up");
        })
    });
    callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
    kernel.lock().use_it();
}

#[test]
fn a_lock_that_is_waited_for_has_one_holder_and_is_free_in_the_end() {
    let wrong: [(&str, InQueue); 4] = [
        ("the thread keeps what it wins in vain", keeps),
        ("a lock stays in the channel", forgets),
        ("the thread releases what the caller has", shares),
        ("the caller misses the thread's word", misses),
    ];
    prove("waiting", waiting, wait::in_queue::<Held> as fn(_, Wait) -> _, &wrong);
}

fn keeps(patience: Patience, wait: Wait) -> io::Result<Option<Held>> {
    let (winner, wins) = crate::sync::mpsc::channel();
    thread::spawn(move || {
        if let Err(mpsc::SendError(won)) = winner.send(wait()) {
            std::mem::forget(won);
        }
    });
    wins.recv_timeout(patience.left()).ok().transpose()
}

fn forgets(patience: Patience, wait: Wait) -> io::Result<Option<Held>> {
    let (winner, wins) = crate::sync::mpsc::channel();
    thread::spawn(move || drop(winner.send(wait())));
    let won = wins.recv_timeout(patience.left());
    std::mem::forget(wins);
    won.ok().transpose()
}

fn shares(patience: Patience, wait: Wait) -> io::Result<Option<Held>> {
    let (winner, wins) = crate::sync::mpsc::channel();
    thread::spawn(move || {
        let won = wait();
        let other = won.as_ref().map(|won| Held(Arc::clone(&won.0)));
        drop(winner.send(other.map_err(|error| io::Error::from(error.kind()))));
    });
    wins.recv_timeout(patience.left()).ok().transpose()
}

fn misses(_: Patience, wait: Wait) -> io::Result<Option<Held>> {
    let place = Arc::new((Mutex::new(None), Condvar::new()));
    let theirs = Arc::clone(&place);
    thread::spawn(move || {
        *enter(&theirs.0) = Some(wait());
        theirs.1.notify_all();
    });
    let is_there = enter(&place.0).is_some();
    let mut won = enter(&place.0);
    if !is_there {
        won = place.1.wait(won).unwrap_or_else(PoisonError::into_inner);
    }
    won.take().transpose()
}

/// What [`Registry`] does, or does wrongly.
#[derive(Clone, Copy)]
struct Book {
    enter: fn(&Registry<u32>, u32, &World) -> bool,
    leave: fn(&Registry<u32>, u32, bool),
    close: fn(&Registry<u32>, &World),
}

/// What is held, as others see it.
#[derive(Default)]
struct World(Mutex<Vec<u32>>);

impl World {
    fn begin(&self, thing: u32) {
        enter(&self.0).push(thing);
    }

    fn end(&self, thing: u32) {
        enter(&self.0).retain(|other| *other != thing);
    }

    fn assert_empty(&self) {
        assert_eq!(*enter(&self.0), [0; 0], "held after the end");
    }
}

/// Some take something, and leave it, while the process comes to its end; one of them cannot end
/// what it took. From then on nothing is held.
fn ending(book: Book) {
    let registry = Arc::new(Registry::new());
    let world = Arc::new(World::default());
    let holders = [(1, true), (2, false)].map(|(thing, can_end)| {
        let (registry, world) = (Arc::clone(&registry), Arc::clone(&world));
        thread::spawn(move || {
            if (book.enter)(&registry, thing, &world) {
                thread::yield_now();
                if can_end {
                    world.end(thing);
                }
                (book.leave)(&registry, thing, can_end);
            }
        })
    });
    (book.close)(&registry, &world);
    world.assert_empty();
    holders.into_iter().for_each(|holder| holder.join().expect("no panic"));
    world.assert_empty();
}

#[test]
fn nothing_is_held_when_the_process_has_ended() {
    fn enters(registry: &Registry<u32>, thing: u32, take: impl FnOnce()) -> bool {
        let take = || {
            take();
            Ok::<_, io::Error>(true)
        };
        registry.enter(&thing, take).is_some_and(|taken| taken.expect("it can be taken"))
    }
    let right = Book {
        enter: |registry, thing, world| enters(registry, thing, || world.begin(thing)),
        leave: |registry, thing, ended| registry.leave(&thing, ended),
        close: |registry, world| registry.close(NOT_LONG, |thing| world.end(thing)),
    };
    let takes_first = Book {
        enter: |registry, thing, world| {
            world.begin(thing);
            enters(registry, thing, || ())
        },
        ..right
    };
    let takes_after = Book {
        enter: |registry, thing, world| {
            let is_entered = enters(registry, thing, || ());
            if is_entered {
                world.begin(thing);
            }
            is_entered
        },
        ..right
    };
    let never_leaves = Book { leave: |_, _, _| (), ..right };
    let hides = Book { leave: |registry, thing, _| registry.leave(&thing, true), ..right };
    let only_waits = Book { close: |registry, _| registry.close(NOT_LONG, drop), ..right };
    let wrong = [
        ("a thing is taken before it is entered", takes_first),
        ("a thing is taken after it is entered", takes_after),
        ("what ends does not leave", never_leaves),
        ("what could not be ended is forgotten", hides),
        ("what is left is not ended", only_waits),
    ];
    prove("ending", ending, right, &wrong);
}
