//! Evidence that names its kind: `commit:SHA`, `file:PATH`, `cmd:COMMAND`, `url:ADDRESS`.

use std::fmt;

use crate::{Evidence, Extra};

/// Why a text that names its kind is no such evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvidence {
    /// Nothing comes behind the kind.
    #[error("evidence '{kind}:' names nothing")]
    Empty {
        /// The kind.
        kind: &'static str,
    },
    /// No name of a commit.
    #[error("'{0}' is no commit: use 7 to 64 hexadecimal digits")]
    Commit(String),
    /// No address.
    #[error("'{0}' is no address: it begins with http:// or https://")]
    Address(String),
}

/// Something outside the item that shows that a criterion holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exhibit {
    /// A commit, by its hash.
    Commit(String),
    /// A file, by its path as it was given.
    File(String),
    /// A command that shows it when it is run.
    Command(String),
    /// A web address.
    Address(String),
}

impl Exhibit {
    /// The exhibit that `text` names; `None` where it names no kind, and is evidence in words.
    ///
    /// # Errors
    /// [`InvalidEvidence`] when it names a kind and nothing of that kind.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidEvidence> {
        let Some((kind, rest)) = text.trim().split_once(':') else { return Ok(None) };
        let rest = rest.trim();
        let named = |kind, make: fn(String) -> Self| match rest {
            "" => Err(InvalidEvidence::Empty { kind }),
            rest => Ok(Some(make(rest.to_owned()))),
        };
        match kind {
            "commit" => {
                let is_hash = (7..=64).contains(&rest.len())
                    && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
                if !rest.is_empty() && !is_hash {
                    return Err(InvalidEvidence::Commit(crate::text::excerpt(rest)));
                }
                named("commit", Self::Commit)
            }
            "file" => named("file", Self::File),
            "cmd" => named("cmd", Self::Command),
            "url" => {
                let is_address = rest.starts_with("http://") || rest.starts_with("https://");
                if !rest.is_empty() && !is_address {
                    return Err(InvalidEvidence::Address(crate::text::excerpt(rest)));
                }
                named("url", Self::Address)
            }
            _ => Ok(None),
        }
    }

    /// The evidence that it is. `found` says what was found in it; without, that it is there.
    #[must_use]
    pub fn evidence(&self, found: Option<String>) -> Evidence {
        let named = match self {
            Self::Commit(hash) => format!("commit {hash}"),
            Self::File(path) => format!("file {path}"),
            Self::Command(_) => "not run".to_owned(),
            Self::Address(address) => address.clone(),
        };
        let text = found.unwrap_or(named);
        Evidence { text, source: Some(self.to_string()), extra: Extra::new() }
    }
}

/// As it is given: `commit:1a2b3c4`.
impl fmt::Display for Exhibit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(hash) => write!(f, "commit:{hash}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Command(command) => write!(f, "cmd:{command}"),
            Self::Address(address) => write!(f, "url:{address}"),
        }
    }
}
