//! How much a part of the proof is to do.

use std::path::PathBuf;

use crate::{histories, storm};

/// What every part is told.
#[derive(Debug, Clone)]
pub(crate) struct Effort {
    pub(crate) measure: Measure,
    /// What random choices begin with.
    pub(crate) seed: u64,
    /// The program that users run, built without the seam.
    pub(crate) jerry: PathBuf,
    /// How many calls of real processes are to fail.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has strace"))]
    pub(crate) injections: Option<u64>,
    pub(crate) storm: storm::Options,
    pub(crate) histories: histories::Options,
}

/// How long a part may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Together with the others some minutes, on two cores.
    Bounded,
    /// As long as it takes.
    Full,
}

impl Effort {
    /// A number of cases for either measure.
    pub(crate) fn of(&self, bounded: u64, full: u64) -> u64 {
        match self.measure {
            Measure::Bounded => bounded,
            Measure::Full => full,
        }
    }
}
