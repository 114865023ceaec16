//! What a part of the proof found.

/// What a part found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many cases were looked at, all told.
    pub(crate) cases: u64,
    /// What a case is: `crash states`, `schedules`.
    pub(crate) unit: &'static str,
    /// Each promise that did not hold, with what it takes to see it again.
    pub(crate) violations: Vec<String>,
    /// How many faults were made on purpose.
    pub(crate) mutations: u64,
    /// The faults made on purpose that nothing noticed.
    pub(crate) unnoticed: Vec<String>,
    /// What was not looked at, and why.
    pub(crate) skipped: Vec<String>,
    /// Figures worth a line below the table.
    pub(crate) remarks: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(unit: &'static str) -> Self {
        Self { unit, ..Self::default() }
    }

    /// Takes in what another, smaller part found.
    pub(crate) fn add(&mut self, part: Self) {
        self.cases += part.cases;
        self.violations.extend(part.violations);
        self.mutations += part.mutations;
        self.unnoticed.extend(part.unnoticed);
        self.skipped.extend(part.skipped);
        self.remarks.extend(part.remarks);
    }

    /// Whether everything held and every fault made on purpose was noticed.
    pub(crate) fn holds(&self) -> bool {
        let looked = self.cases > 0 || !self.skipped.is_empty();
        looked && self.violations.is_empty() && self.unnoticed.is_empty()
    }
}
