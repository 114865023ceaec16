//! What every lock manager keeps to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use jerry_domain::ports::{LockError, LockGuard, LockManager, LockName, Presence};
use jerry_domain::{Extra, Reach};
use pollster::block_on;

use crate::Fixture;
use crate::sample::id;

/// Tests that a lock manager keeps to its contract. `$fixture` is a function that makes a
/// [`Fixture`](crate::Fixture) with an [`Arc<dyn LockManager>`](jerry_domain::ports::LockManager).
#[macro_export]
macro_rules! lock_suite {
    ($fixture:path) => {
        $crate::stamp! { locks, $fixture:
            a_free_lock_is_had_at_once
            a_held_lock_is_not_had_again
            the_holder_cannot_have_it_twice
            dropping_the_guard_releases
            another_thread_may_drop_the_guard
            a_held_lock_times_out_by_its_name
            who_timed_out_holds_nothing
            who_waits_gets_it_when_it_is_released
            everyone_who_waits_gets_their_turn
            there_is_one_holder_at_a_time
            independent_names_do_not_block_each_other
            several_are_held_in_their_order
            what_was_taken_here_is_seen_as_long_as_it_is_held
            what_was_taken_elsewhere_is_not_concluded_from
        }
    };
}

/// A handle on the locks of a store.
pub type Handle = Arc<dyn LockManager>;

const THREADS: usize = 8;

fn take(locks: &Handle, name: &LockName, timeout: Option<Duration>) -> Box<dyn LockGuard> {
    block_on(locks.acquire(name, timeout)).expect("the lock is to be had")
}

fn try_take(locks: &Handle, name: &LockName) -> Option<Box<dyn LockGuard>> {
    block_on(locks.try_acquire(name)).expect("trying works")
}

/// A free lock is had without waiting, by waiting and by trying, and says its name.
pub fn a_free_lock_is_had_at_once(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::item(&id(42));
    let guard = take(&locks, &name, Some(Duration::ZERO));
    assert_eq!(*guard.name(), name);
    drop(guard);
    let guard = try_take(&locks, &name).expect("free");
    assert_eq!(*guard.name(), name);
}

/// Through every handle, and without taking it from anyone.
pub fn what_was_taken_here_is_seen_as_long_as_it_is_held(fixture: &Fixture<Handle>) {
    let (locks, other) = (fixture.open(), fixture.open());
    let name = LockName::work(&id(42));
    let Some(here) = locks.reach() else { return };
    let look = || other.presence(&name, &here).expect("it can be looked at");
    assert_eq!(look(), Presence::Gone, "before anybody took it");
    let guard = try_take(&locks, &name).expect("free");
    assert_eq!([look(), look()], [Presence::Held; 2]);
    drop(guard);
    assert_eq!(look(), Presence::Gone);
    drop(try_take(&locks, &name).expect("a look leaves it free"));
}

/// A lock that is held here says nothing about one of that name that was taken elsewhere.
pub fn what_was_taken_elsewhere_is_not_concluded_from(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::work(&id(42));
    let elsewhere = Reach { boot: "elsewhere".into(), machine: None, extra: Extra::new() };
    assert_eq!(locks.presence(&name, &elsewhere).expect("looks"), Presence::Unknown);
    let _guard = try_take(&locks, &name).expect("free");
    assert_eq!(locks.presence(&name, &elsewhere).expect("looks"), Presence::Unknown);
}

/// Not by another thread, not through another handle.
pub fn a_held_lock_is_not_had_again(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::graph();
    let _guard = take(&locks, &name, None);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(try_take(&locks, &name).is_none(), "had through the same handle");
            assert!(try_take(&fixture.open(), &name).is_none(), "had through another handle");
        });
    });
}

/// A lock is not reentrant.
pub fn the_holder_cannot_have_it_twice(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::graph();
    let _guard = take(&locks, &name, None);
    assert!(try_take(&locks, &name).is_none());
    assert!(try_take(&fixture.open(), &name).is_none());
}

/// A guard that is dropped leaves a free lock, also one that was got by trying.
pub fn dropping_the_guard_releases(fixture: &Fixture<Handle>) {
    let (locks, other) = (fixture.open(), fixture.open());
    let name = LockName::sequences();
    for _ in 0..3 {
        drop(take(&locks, &name, Some(Duration::ZERO)));
        drop(try_take(&other, &name).expect("released"));
    }
}

/// A guard is `Send`; where it is dropped does not matter.
pub fn another_thread_may_drop_the_guard(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::graph();
    let guard = take(&locks, &name, None);
    thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    assert!(try_take(&locks, &name).is_some());
}

/// The error says which lock it was.
pub fn a_held_lock_times_out_by_its_name(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::item(&id(7));
    let _guard = take(&locks, &name, None);
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        for waiter in [locks.clone(), fixture.open()] {
            let outcome = thread::scope(|scope| {
                let wait = || block_on(waiter.acquire(&name, Some(timeout))).err();
                scope.spawn(wait).join().expect("the waiter ends")
            });
            match outcome {
                Some(LockError::TimedOut { name: named, .. }) => assert_eq!(named, name),
                other => panic!("expected a timeout, got {other:?}"),
            }
        }
    }
}

/// An acquisition that was given up does not come true later.
pub fn who_timed_out_holds_nothing(fixture: &Fixture<Handle>) {
    let (locks, other) = (fixture.open(), fixture.open());
    let name = LockName::graph();
    let guard = take(&locks, &name, None);
    thread::scope(|scope| {
        scope.spawn(|| {
            let timeout = Some(Duration::from_millis(5));
            assert!(block_on(other.acquire(&name, timeout)).is_err());
        });
    });
    drop(guard);
    drop(take(&locks, &name, None));
}

/// Waiting ends when the holder lets go.
pub fn who_waits_gets_it_when_it_is_released(fixture: &Fixture<Handle>) {
    let (locks, other) = (fixture.open(), fixture.open());
    let name = LockName::graph();
    let guard = take(&locks, &name, None);
    let begun = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            drop(take(&other, &name, None));
        });
        begun.wait();
        drop(guard);
    });
}

/// A crowd that waits is served to the last.
pub fn everyone_who_waits_gets_their_turn(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let name = LockName::graph();
    let guard = take(&locks, &name, None);
    let (begun, served) = (Barrier::new(THREADS + 1), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let locks = fixture.open();
                begun.wait();
                let _guard = take(&locks, &name, None);
                served.fetch_add(1, Ordering::Relaxed);
            });
        }
        begun.wait();
        drop(guard);
    });
    assert_eq!(served.into_inner(), THREADS as u64);
}

/// A counter that is read and written apart loses nothing under the lock.
pub fn there_is_one_holder_at_a_time(fixture: &Fixture<Handle>) {
    const ROUNDS: u64 = 50;
    let name = LockName::item(&id(1));
    let counter = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let locks = fixture.open();
                for _ in 0..ROUNDS {
                    let _guard = take(&locks, &name, None);
                    let seen = counter.load(Ordering::Relaxed);
                    thread::yield_now();
                    counter.store(seen + 1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(counter.into_inner(), THREADS as u64 * ROUNDS);
}

/// Who holds one lock keeps nobody from another.
pub fn independent_names_do_not_block_each_other(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let _one = take(&locks, &LockName::item(&id(1)), None);
    let _slot = try_take(&locks, &LockName::worker(3)).expect("free");
    thread::scope(|scope| {
        scope.spawn(|| {
            let locks = fixture.open();
            drop(take(&locks, &LockName::item(&id(2)), Some(Duration::ZERO)));
            drop(take(&locks, &LockName::item(&id(1000)), Some(Duration::ZERO)));
            drop(try_take(&locks, &LockName::worker(4)).expect("free"));
            drop(try_take(&locks, &LockName::index()).expect("free"));
        });
    });
}

/// One thread can hold all that the order allows.
pub fn several_are_held_in_their_order(fixture: &Fixture<Handle>) {
    let locks = fixture.open();
    let order = [
        LockName::graph(),
        LockName::item(&id(999)),
        LockName::item(&id(1000)),
        LockName::sequences(),
    ];
    let guards: Vec<_> =
        order.iter().map(|name| take(&locks, name, Some(Duration::ZERO))).collect();
    let other = fixture.open();
    assert!(order.iter().all(|name| try_take(&other, name).is_none()));
    drop(guards);
    assert!(order.iter().all(|name| try_take(&other, name).is_some()));
}
