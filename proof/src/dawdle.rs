//! A process that the machine lets wait, now and then, right before a step on the file system: as
//! any process may have to, only oftener. What only a lock keeps apart meets then.

use std::io;
use std::thread;
use std::time::Duration;

use jerry_infra_fs::seam::{self, Step, Watch};

use crate::dice::Dice;

/// One step in so many waits, and how long at most.
const SELDOM: u64 = 20;
const MICROSECONDS: u64 = 500;

/// Lets steps of this thread wait from now on.
pub(crate) fn begin(dice: Dice) {
    seam::watch(Some(Box::new(Dawdle(dice))));
}

struct Dawdle(Dice);

impl Watch for Dawdle {
    fn pass(&mut self, _: Step<'_>, run: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        if self.0.one_in(SELDOM) {
            thread::sleep(Duration::from_micros(self.0.below(MICROSECONDS)));
        }
        run()
    }
}
