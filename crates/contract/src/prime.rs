//! What somebody is told before it begins.

use std::collections::BTreeMap;

use jerry_application::Situation;
use jerry_domain::{Actor, Priority, Summary, WorkId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Answer;

/// The answer of kind `prime`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "prime")]
pub struct Primed<'a> {
    /// All of it as a text.
    pub text: &'a str,
    /// Who asked.
    pub actor: &'a Actor,
    /// How many items there are with each status.
    pub counts: BTreeMap<&'static str, usize>,
    /// The most urgent of what the actor has claimed, or was handed.
    pub held: Vec<Brief<'a>>,
    /// How many these are without a limit.
    pub held_total: usize,
    /// The most urgent of what the actor could claim.
    pub ready: Vec<Brief<'a>>,
    /// How many these are without a limit.
    pub ready_total: usize,
}

impl Answer for Primed<'_> {
    const KIND: &'static str = "prime";
}

/// An item that one may ask more about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "brief")]
#[allow(missing_docs)]
pub struct Brief<'a> {
    pub id: &'a WorkId,
    pub priority: Priority,
    pub title: &'a str,
}

impl<'a> From<&'a Summary> for Brief<'a> {
    fn from(item: &'a Summary) -> Self {
        Self { id: &item.id, priority: item.priority, title: item.title.as_str() }
    }
}

impl<'a> Primed<'a> {
    /// The answer with `text`, and those of the items that `actor` holds that are to be named.
    #[must_use]
    pub fn new(
        text: &'a str,
        actor: &'a Actor,
        held: &'a [Summary],
        situation: &'a Situation,
    ) -> Self {
        let counts = situation.counts.iter().map(|(status, count)| (status.as_str(), *count));
        Self {
            text,
            actor,
            counts: counts.collect(),
            held: held.iter().map(Brief::from).collect(),
            held_total: situation.held.len(),
            ready: situation.ready.iter().map(Brief::from).collect(),
            ready_total: situation.ready_total,
        }
    }
}
