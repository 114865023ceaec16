//! What came of a command on several items.

use jerry_domain::{WorkId, WorkItem};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Answer, Code, ErrorBody, Failure, Whole};

/// The answer of kind `results`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "results")]
pub struct Results<'a> {
    /// One for each item, in the order in which they were named.
    pub results: Vec<OneResult<'a>>,
    /// How many were done.
    pub summary: Tally,
}

/// What came of one of several items.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "result")]
pub struct OneResult<'a> {
    /// The item.
    pub id: &'a WorkId,
    /// Whether it was done.
    pub ok: bool,
    /// The item as it is then, or as it was when it was deleted; `null` if it was not done.
    pub item: Option<Whole<'a>>,
    /// Why it was not done; `null` if it was.
    pub error: Option<ErrorBody<'a>>,
}

/// How many of several items were done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "tally")]
pub struct Tally {
    /// How many there are.
    pub total: usize,
    /// How many were done.
    pub done: usize,
    /// How many were not.
    pub failed: usize,
}

impl<'a> Results<'a> {
    /// The answer with what came of each item.
    pub fn new(
        results: impl IntoIterator<Item = (&'a WorkId, Result<&'a WorkItem, &'a Failure>)>,
    ) -> Self {
        let results = results.into_iter().map(|(id, result)| OneResult {
            id,
            ok: result.is_ok(),
            item: result.ok().map(Whole),
            error: result.err().map(Failure::body),
        });
        let results: Vec<_> = results.collect();
        let done = results.iter().filter(|result| result.ok).count();
        let summary = Tally { total: results.len(), done, failed: results.len() - done };
        Self { results, summary }
    }
}

impl Answer for Results<'_> {
    const KIND: &'static str = "results";
}

impl Tally {
    /// What is wrong although every item was tried, `first` being the first failure: all failed as
    /// that one did, or some did.
    #[must_use]
    pub fn complaint(self, first: &Failure) -> Failure {
        let Self { total, done, failed } = self;
        match done {
            0 if total == 1 => {
                Failure { hint: first.hint.clone(), ..Failure::new(first.code, &first.message) }
            }
            0 => Failure {
                hint: first.hint.clone(),
                ..Failure::new(
                    first.code,
                    format!("none of the {total} items was done; the first: {}", first.message),
                )
            },
            _ => Failure::new(Code::Partly, format!("{failed} of {total} items were not done")),
        }
    }
}
