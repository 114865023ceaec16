//! Windows refuses to rename over, remove or open a file that another program has open without
//! leave for that: an editor, a virus scanner, a reader of older days. Such a hold is short, so the
//! step is tried again for a while. Unix refuses nothing of the kind.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How long a change outlasts another program's hold.
pub(crate) const FOR_A_CHANGE: Duration = Duration::from_secs(2);

/// How long a reader does. Windows says the same of a file that someone is removing as of one that
/// this user may not read, and a list must not dwell on each of those.
pub(crate) const FOR_A_READER: Duration = Duration::from_millis(100);

const FIRST_WAIT: Duration = Duration::from_micros(250);

/// Short, for whoever holds the file in a loop lets it go for moments only.
const LONGEST_WAIT: Duration = Duration::from_millis(4);

/// Does a step, and while another program's hold is in its way does it again, for `patience` at
/// most.
pub(crate) fn outlast<T>(
    patience: Duration,
    mut step: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut done = step();
    if !done.as_ref().is_err_and(is_in_use) {
        return done;
    }
    let since = Instant::now();
    let mut wait = FIRST_WAIT;
    while done.as_ref().is_err_and(is_in_use) && since.elapsed() < patience {
        thread::sleep(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
        done = step();
    }
    done
}

/// Whether another program's hold on a file may be what the system refuses for.
#[cfg(windows)]
pub(crate) fn is_in_use(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    const DELETE_PENDING: i32 = 303;
    /// What Wine says of a directory that is removed while it is listed.
    const INVALID_NAME: i32 = 123;
    matches!(
        error.raw_os_error(),
        Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION | DELETE_PENDING | INVALID_NAME)
    )
}

/// Whether another program's hold on a file may be what the system refuses for.
#[cfg(not(windows))]
pub(crate) fn is_in_use(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sharing violation on Windows; on Unix the number of quite another error.
    const REFUSED: i32 = 32;

    #[test]
    fn a_hold_is_outlasted_where_there_are_holds() {
        let mut times = 0;
        let done = outlast(Duration::MAX, || {
            times += 1;
            if times < 4 { Err(io::Error::from_raw_os_error(REFUSED)) } else { Ok(times) }
        });
        assert_eq!(done.ok(), cfg!(windows).then_some(4));
    }

    #[test]
    fn patience_ends_with_the_refusal() {
        let done = outlast(Duration::ZERO, || Err::<(), _>(io::Error::from_raw_os_error(REFUSED)));
        assert_eq!(done.expect_err("refused").raw_os_error(), Some(REFUSED));
    }

    #[test]
    fn no_other_error_is_tried_again() {
        let mut times = 0;
        let done = outlast(Duration::MAX, || {
            times += 1;
            Err::<(), _>(io::Error::from(io::ErrorKind::NotFound))
        });
        assert_eq!((done.is_err(), times), (true, 1));
    }
}
