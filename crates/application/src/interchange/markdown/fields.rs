//! Values as the document writes them.

use jerry_domain::{LinkKind, Timestamp, WorkId};

use super::inline::{self, Place};

/// A time: a bare date means midnight UTC and the other way round.
pub(super) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    text.strip_suffix("T00:00:00Z").map_or(text.clone(), str::to_owned)
}

/// Reads what [`time`] writes; also a date and a time without a zone, which is UTC then.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let midnight = || format!("{text}T00:00:00Z").parse();
    let utc = || format!("{text}Z").parse();
    let date = text.len() == "2026-01-12".len();
    if date { midnight().ok() } else { text.parse().or_else(|_| utc()).ok() }
}

/// Writes a value that may be absent elsewhere, so that it is not taken for absent.
pub(super) fn value(text: &str) -> String {
    match inline::encode(text, Place::Cell) {
        text if is_absent(&text) => text.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        text => text,
    }
}

/// Writes the name of a field, which is set off by asterisks and may be followed by a colon.
pub(super) fn name(text: &str) -> String {
    let text = inline::encode(text, Place::CellBefore("*"));
    text.strip_suffix(':').map(|start| format!("{start}&#58;")).unwrap_or(text)
}

/// Whether a cell says that there is nothing.
pub(super) fn is_absent(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-" | "–" | "—")
}

/// The id that a name is, if it has the form of one.
pub(super) fn id(name: &str) -> Option<WorkId> {
    let (prefix, _) = name.split_once('-')?;
    let prefix = jerry_domain::Prefix::new(&prefix.to_ascii_uppercase()).ok()?;
    WorkId::parse_lenient(name, &prefix).ok()
}

/// What a row of the dependencies says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Parent,
    DependsOn,
    Link(LinkKind),
}

impl Relation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Parent => "Parent",
            Self::DependsOn | Self::Link(LinkKind::DependsOn) => "Depends On",
            Self::Link(LinkKind::Blocks) => "Blocks",
            Self::Link(LinkKind::Related) => "Related To",
            Self::Link(LinkKind::DiscoveredFrom) => "Discovered From",
            Self::Link(LinkKind::Duplicates) => "Duplicates",
        }
    }

    /// By its usual names, in any case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().replace(['-', '_'], " ").as_str() {
            "parent" | "part of" | "child of" => Self::Parent,
            "depends on" | "blocked by" | "requires" | "needs" => Self::DependsOn,
            "blocks" => Self::Link(LinkKind::Blocks),
            "related" | "related to" | "relates to" => Self::Link(LinkKind::Related),
            "discovered from" => Self::Link(LinkKind::DiscoveredFrom),
            "duplicates" | "duplicate of" => Self::Link(LinkKind::Duplicates),
            _ => return None,
        })
    }
}

/// Whether a checklist id is known for one where it stands: `AC-004.1`, `ST-1`, `T1.2`. Others
/// are written `{#id}`.
pub(super) fn is_plain_check_id(id: &str) -> bool {
    let number = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = &id[..id.len() - number.len()];
    let number = number.strip_prefix('-').unwrap_or(number);
    let mut parts = number.split('.');
    let numeric = parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    !letters.is_empty() && numeric && (number.contains('.') || matches!(letters, "AC" | "ST"))
}
