//! Every state that a power cut may leave.

use crate::effort::Effort;
use crate::outcome::Outcome;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("crash states");
    let Effort { measure, seed, jerry, .. } = effort;
    outcome.skipped.push(format!(
        "it is not written yet ({measure:?}, {seed}, {}, {})",
        jerry.display(),
        effort.of(1, 2),
    ));
    outcome
}
