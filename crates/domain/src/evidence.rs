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
    /// A source beside evidence that is one.
    #[error("such evidence names its own source")]
    Source,
}

/// What the text of such evidence begins with.
const FAILED: &str = "failed: ";

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
    /// The exhibit that `text` names, its kind in any case; `None` where it names no kind, and is
    /// evidence in words.
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
        match kind.trim_end().to_ascii_lowercase().as_str() {
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

    /// That a command was run to show it and `ended` otherwise than well.
    #[must_use]
    pub fn failed(&self, ended: &str) -> Evidence {
        self.evidence(Some(format!("{FAILED}{ended}")))
    }
}

impl Evidence {
    /// What was given as evidence: what `text` names by its kind, or else words, to be seen at
    /// `source`. `find` looks for a file and says how everybody names it.
    ///
    /// # Errors
    /// [`InvalidEvidence`], also when something named by its kind has a `source` besides; what `find`
    /// has to say.
    pub fn given<E: From<InvalidEvidence>>(
        text: String,
        source: Option<String>,
        find: impl FnOnce(&str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let exhibit = match Exhibit::parse(&text)? {
            None => return Ok(Self { text, source, extra: Extra::new() }),
            Some(_) if source.is_some() => return Err(InvalidEvidence::Source.into()),
            Some(Exhibit::File(path)) => Exhibit::File(find(&path)?),
            Some(other) => other,
        };
        Ok(exhibit.evidence(None))
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// How the command ended that was run to show it, if that failed: `exit status 1`.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let command = self.source.as_deref().map(Exhibit::parse);
        match command {
            Some(Ok(Some(Exhibit::Command(_)))) => self.text.strip_prefix(FAILED),
            _ => None,
        }
    }

    /// Whether it can show anything: it says something, and no command that failed.
    #[must_use]
    pub fn can_show(&self) -> bool {
        !self.is_blank() && self.failure().is_none()
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("file:x", "file:x")]
    #[case("File: x", "file:x")]
    #[case(" COMMIT:1A2B3C4 ", "commit:1A2B3C4")]
    #[case("Cmd:make X", "cmd:make X")]
    #[case("URL:https://example.org", "url:https://example.org")]
    fn a_kind_is_known_in_any_case(#[case] text: &str, #[case] shown: &str) {
        let exhibit = Exhibit::parse(text).expect("valid").expect("a kind");
        assert_eq!(exhibit.to_string(), shown);
    }

    #[rstest]
    #[case("seen", None, true)]
    #[case("", None, false)]
    #[case(" \n", Some("page 1"), false)]
    #[case("failed: exit status 1", Some("cmd:make"), false)]
    #[case("failed: once", Some("page 1"), true)]
    #[case("exit status 0", Some("cmd:make"), true)]
    #[case("not run", Some("cmd:make"), true)]
    fn what_says_nothing_or_failed_shows_nothing(
        #[case] text: &str,
        #[case] source: Option<&str>,
        #[case] can_show: bool,
    ) {
        let source = source.map(str::to_owned);
        let evidence = Evidence { text: text.to_owned(), source, extra: Extra::new() };
        assert_eq!(evidence.can_show(), can_show);
    }

    #[test]
    fn a_failure_is_read_back() {
        let command = Exhibit::Command("make test".to_owned());
        assert_eq!(command.failed("exit status 2").failure(), Some("exit status 2"));
        assert_eq!(command.evidence(None).failure(), None);
    }
}
