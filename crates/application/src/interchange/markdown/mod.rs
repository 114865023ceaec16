//! The work-item document: a page of Markdown for one item, as people write it by hand.
//!
//! A heading, a table of fields, then sections between rules. Every section may be missing, and
//! their order does not matter. What the shape has no place for is kept under
//! `imported.document` and given back: further fields under `fields`, further sections under
//! `sections`, text before the first section under `preamble`, and lines of a known section that
//! are not of its form under `rest`.
//!
//! Texts of items are Markdown already; only what would break the shape is escaped, see
//! [`inline`] and [`block`]. A document does not say an item's version, claim or history.

mod block;
mod fields;
mod inline;
mod parse;
mod render;
mod sections;

#[cfg(test)]
mod tests;

pub(super) use parse::parse;
pub use render::render;

/// The sections, in the order in which they are written.
pub(super) const DESCRIPTION: &str = "Description";
pub(super) const CRITERIA: &str = "Acceptance Criteria";
pub(super) const EVIDENCE: &str = "Evidence";
pub(super) const SUBTASKS: &str = "Sub-tasks";
pub(super) const FINDINGS: &str = "Key Findings";
pub(super) const LOG: &str = "Progress Log";
pub(super) const DEPENDENCIES: &str = "Dependencies";
pub(super) const ARTIFACTS: &str = "Related Artifacts";
pub(super) const SOURCES: &str = "Sources";

/// The section that a heading means, by its usual names in any case.
pub(super) fn section(heading: &str) -> Option<&'static str> {
    Some(match heading.trim().to_lowercase().as_str() {
        "description" => DESCRIPTION,
        "acceptance criteria" => CRITERIA,
        "evidence" => EVIDENCE,
        "sub-tasks" | "subtasks" => SUBTASKS,
        "key findings" | "findings" => FINDINGS,
        "progress log" => LOG,
        "dependencies" => DEPENDENCIES,
        "related artifacts" | "artifacts" => ARTIFACTS,
        "sources" | "references" => SOURCES,
        _ => return None,
    })
}
