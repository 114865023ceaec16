//! From bytes to what is to be imported, piece by piece: what cannot be read is reported and does
//! not keep the rest out.

use jerry_domain::{ITEM_SCHEMA, Timestamp, Uid, WorkId, WorkItem};

use super::beads::{self, Issue};
use super::draft::Draft;
use super::import::{ImportFormat, ImportSource};
use super::report::{ImportReport, Rejection, Remark, Renumbered};
use super::{jsonl, markdown};

/// A place in the input.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) file: String,
    pub(super) line: usize,
}

impl Origin {
    pub(super) fn warn(&self, message: String) -> Remark {
        Remark { file: Some(self.file.clone()), line: Some(self.line), message }
    }

    pub(super) fn reject(&self, reason: String) -> Rejection {
        Rejection { file: self.file.clone(), line: self.line, reason }
    }

    pub(super) fn renumbered(&self, from: &WorkId, to: &WorkId) -> Renumbered {
        let (from, to) = (from.clone(), Some(to.clone()));
        Renumbered { file: self.file.clone(), line: self.line, from, to }
    }
}

/// One item to be imported, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) origin: Origin,
    /// How many bytes of the file it takes.
    pub(super) size: usize,
    pub(super) body: Body,
}

/// An item to be imported.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Of another tracker or of a person.
    Draft(Box<Draft>),
    /// Of jerry itself.
    Item(Box<WorkItem>),
}

impl Body {
    /// The id that it should have.
    pub(super) fn id(&self) -> Option<&WorkId> {
        match self {
            Self::Draft(draft) => draft.id.as_ref(),
            Self::Item(item) => Some(&item.id),
        }
    }

    /// The identity that it has.
    pub(super) fn uid(&self) -> Option<Uid> {
        match self {
            Self::Draft(draft) => draft.uid,
            Self::Item(item) => Some(item.uid),
        }
    }

    /// The ids by which it points at items whose identity it does not tell.
    pub(super) fn named(&self) -> Vec<&WorkId> {
        match self {
            Self::Draft(draft) => {
                let links = draft.links.iter().map(|(_, name)| name);
                let names = draft.parent.iter().chain(&draft.needs).chain(links);
                names.filter_map(|name| name.id.as_ref()).collect()
            }
            Self::Item(item) => {
                let bare = item.references().filter(|it| it.uid.is_none());
                bare.map(|reference| &reference.id).collect()
            }
        }
    }

    /// By what a second run knows it again: jerry's own by the identity, others by their name.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Draft(draft) if draft.uid.is_none() => draft.external_ref.as_deref(),
            Self::Draft(_) | Self::Item(_) => None,
        }
    }
}

/// Reads `sources`. An item that does not tell when it came into being did so `now`.
pub(super) fn read(
    format: ImportFormat,
    sources: &[ImportSource],
    now: Timestamp,
    report: &mut ImportReport,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for source in sources {
        let bytes = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.bytes);
        match format {
            ImportFormat::Markdown => document(&source.name, bytes, now, report, &mut entries),
            ImportFormat::Beads | ImportFormat::Jsonl => {
                for (index, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
                    if bytes.trim_ascii().is_empty() {
                        continue;
                    }
                    let origin = Origin { file: source.name.clone(), line: index + 1 };
                    match text(bytes).and_then(|text| body(format, text)) {
                        Ok(Some((body, warnings))) => {
                            let warnings = warnings.into_iter().map(|it| origin.warn(it));
                            report.warnings.extend(warnings);
                            entries.push(Entry { origin, size: bytes.len(), body });
                        }
                        Ok(None) => report.skipped_tombstones += 1,
                        Err(reason) => report.rejected.push(origin.reject(reason)),
                    }
                }
            }
        }
    }
    entries
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|error| format!("not valid UTF-8 (column {})", error.valid_up_to() + 1))
}

/// One line; `None` for a tombstone.
fn body(format: ImportFormat, line: &str) -> Result<Option<(Body, Vec<String>)>, String> {
    if format == ImportFormat::Beads {
        return Ok(match beads::parse(line)? {
            Issue::Draft(draft, warnings) => Some((Body::Draft(draft), warnings)),
            Issue::Tombstone => None,
        });
    }
    let item = jsonl::parse(line)?;
    if item.schema > ITEM_SCHEMA {
        return Err(format!(
            "{} has schema {}, this version of jerry writes {ITEM_SCHEMA}; upgrade jerry",
            item.id, item.schema
        ));
    }
    Ok(Some((Body::Item(Box::new(item)), Vec::new())))
}

fn document(
    name: &str,
    bytes: &[u8],
    now: Timestamp,
    report: &mut ImportReport,
    entries: &mut Vec<Entry>,
) {
    let at = |line| Origin { file: name.to_owned(), line };
    let before = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let parsed = match std::str::from_utf8(bytes) {
        Ok(text) => markdown::parse(text, name, now),
        Err(error) => Err((before(&bytes[..error.valid_up_to()]), "not valid UTF-8".to_owned())),
    };
    match parsed {
        Ok((draft, warnings)) => {
            let warnings = warnings.into_iter().map(|(line, message)| at(line).warn(message));
            report.warnings.extend(warnings);
            let body = Body::Draft(Box::new(draft));
            entries.push(Entry { origin: at(1), size: bytes.len(), body });
        }
        Err((line, reason)) => report.rejected.push(at(line).reject(reason)),
    }
}
