//! Finding a text in everything that an item says.

use jerry_domain::WorkItem;

/// The most characters of a text that an excerpt shows.
const EXCERPT_CHARS: usize = 100;
/// How many of them come before what was found.
const LEAD_CHARS: usize = 30;

/// Where a text was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The field, by its name in files: `title`, `notes`.
    pub field: &'static str,
    /// The line around what was found, cut to a length that fits a screen.
    pub text: String,
}

/// The text searched for, ready to be compared in any case.
pub(crate) struct Needle(String);

impl Needle {
    /// `None` when there is nothing to search for.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        (!text.is_empty()).then_some(Self(text))
    }

    /// Where `item` says it first.
    pub(crate) fn find_in(&self, item: &WorkItem) -> Option<Excerpt> {
        let description = item.description.iter().map(String::as_str);
        let criteria = item.acceptance_criteria.iter().map(|criterion| criterion.text.as_str());
        let findings = item.findings.iter().map(String::as_str);
        let notes = item.notes.iter().map(|note| note.text.as_str());
        std::iter::once(("title", item.title.as_str()))
            .chain(description.map(|text| ("description", text)))
            .chain(criteria.map(|text| ("acceptance_criteria", text)))
            .chain(findings.map(|text| ("findings", text)))
            .chain(notes.map(|text| ("notes", text)))
            .find_map(|(field, text)| self.excerpt(text).map(|text| Excerpt { field, text }))
    }

    fn excerpt(&self, text: &str) -> Option<String> {
        if !text.to_lowercase().contains(&self.0) {
            return None;
        }
        // A text that spans lines is found in the whole and shown by its first line.
        let line = text.lines().find(|line| line.to_lowercase().contains(&self.0));
        let line = line.or_else(|| text.lines().next())?.trim();
        let lower = line.to_lowercase();
        let before = lower.find(&self.0).map_or(0, |at| lower[..at].chars().count());
        let skipped = if line.chars().count() > EXCERPT_CHARS {
            before.saturating_sub(LEAD_CHARS)
        } else {
            0
        };
        Some(line.chars().skip(skipped).take(EXCERPT_CHARS).collect())
    }
}
