//! Short texts with rules. Each can only be constructed valid, also when it is deserialised.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::fnv_1a;

/// Why a text was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing is left after trimming.
    #[error("{what} is empty")]
    Empty {
        /// The kind of text, for example `title`.
        what: &'static str,
    },
    /// Longer than the limit, counted in characters.
    #[error("{what} has {length} characters; the limit is {limit}")]
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// How many characters it has.
        length: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A character that the kind of text does not allow.
    #[error("{what} contains the character {character:?} at position {position}")]
    Forbidden {
        /// The kind of text.
        what: &'static str,
        /// The character.
        character: char,
        /// Its position, counted in characters from 1.
        position: usize,
    },
}

/// The beginning of a text that was not accepted, fit to stand in a message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn checked(
    what: &'static str,
    text: &str,
    limit: usize,
    allowed: fn(char) -> bool,
) -> Result<String, InvalidText> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidText::Empty { what });
    }
    // The byte length bounds the character count, so short texts skip the count.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Err(InvalidText::TooLong { what, length, limit });
        }
    }
    if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        return Err(InvalidText::Forbidden { what, character, position: index + 1 });
    }
    Ok(text.to_owned())
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters that it may have.
            pub const MAX_CHARS: usize = $limit;

            /// Trims `text` and checks it.
            ///
            /// # Errors
            /// [`InvalidText`] when nothing is left, it is too long, or a character is not allowed.
            pub fn new(text: &str) -> Result<Self, InvalidText> {
                checked($what, text, Self::MAX_CHARS, $allowed).map(Self)
            }

            /// The text, without surrounding white space.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::new(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_newtype! {
    /// An item's title: one line without control characters, at most 500 characters.
    Title, "title", 500, |c| !c.is_control()
}

text_newtype! {
    /// Who acts: a person, an agent, `user@host`. One line, at most 200 characters.
    Actor, "actor", 200, |c| !c.is_control()
}

text_newtype! {
    /// One run of an agent, of which an actor may have many at once. One line, at most 200
    /// characters.
    SessionName, "session", 200, |c| !c.is_control()
}

text_newtype! {
    /// The name that its maker gives a request, so that a repeat can be told from a second one. One
    /// line, at most 200 characters.
    RequestId, "request id", 200, |c| !c.is_control()
}

impl RequestId {
    /// A short form, by which an index finds the items that a request may have made.
    #[must_use]
    pub fn digest(&self) -> u64 {
        fnv_1a(self.as_str().as_bytes())
    }

    /// The name under which work that this request began is ended, by a write of its own. It may be
    /// longer than the names that people give.
    #[must_use]
    pub fn end(&self) -> Self {
        Self(format!("{self} (end)"))
    }
}

text_newtype! {
    /// The phase of a plan that an item belongs to. One line, at most 100 characters.
    Phase, "phase", 100, |c| !c.is_control()
}

text_newtype! {
    /// A label: at most 100 characters, without white space, commas and control characters, so
    /// that lists of labels can be typed with commas.
    Label, "label", 100, |c| !c.is_control() && !c.is_whitespace() && c != ','
}

text_newtype! {
    /// The name of one entry of a checklist, for example `AC-042.1` or `ST-042.3`. At most 64
    /// characters, without white space and control characters.
    CheckId, "checklist id", 64, |c| !c.is_control() && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_trimmed() {
        assert_eq!(Title::new("  Fix login \n").expect("valid").as_str(), "Fix login");
    }

    #[test]
    fn an_empty_title_is_refused() {
        assert_eq!(Title::new(" \t "), Err(InvalidText::Empty { what: "title" }));
    }

    #[test]
    fn a_title_cannot_carry_control_characters() {
        let refused = Title::new("a\u{1b}[2J").expect_err("escape");
        assert_eq!(
            refused,
            InvalidText::Forbidden { what: "title", character: '\u{1b}', position: 2 }
        );
        assert!(Title::new("two\nlines").is_err());
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert!(Title::new(&"ü".repeat(500)).is_ok());
        assert_eq!(
            Title::new(&"ü".repeat(501)),
            Err(InvalidText::TooLong { what: "title", length: 501, limit: 500 })
        );
    }

    #[test]
    fn an_invalid_title_cannot_be_deserialised() {
        assert!(serde_json::from_str::<Title>("\"\"").is_err());
        assert!(serde_json::from_str::<Title>("\"a\\u0007\"").is_err());
    }

    #[test]
    fn a_label_has_no_comma_and_no_space() {
        assert!(Label::new("area/cli").is_ok());
        assert!(Label::new("a,b").is_err());
        assert!(Label::new("a b").is_err());
    }
}
