//! The id that people say and type: a prefix and a number, `WORK-042`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::excerpt;

/// Why a text is not an id or a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWorkId {
    /// Neither `WORK-042`, nor `work-42`, nor `42`.
    #[error("'{text}' is not an id like WORK-042")]
    Id {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// Not an upper-case letter followed by at most 15 upper-case letters and digits.
    #[error("'{text}' is not a prefix: an upper-case letter, then at most 15 letters and digits")]
    Prefix {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// The number does not fit the twelve digits of an id.
    #[error("number {number} does not fit an id; the greatest is 999999999999")]
    Number {
        /// The number.
        number: u64,
    },
}

/// The part of an id before the dash: `^[A-Z][A-Z0-9]{0,15}$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    /// Padded with zeros, which sort before every letter. Ids are copied by the hundred thousand;
    /// this way none of them costs an allocation.
    ascii: [u8; Prefix::MAX_LEN],
}

impl Prefix {
    /// The most characters that it may have.
    pub const MAX_LEN: usize = 16;

    /// Checks `text`, which must already be upper case.
    ///
    /// # Errors
    /// [`InvalidWorkId::Prefix`].
    pub fn new(text: &str) -> Result<Self, InvalidWorkId> {
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_uppercase());
        let continues = bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !(starts && continues && text.len() <= Self::MAX_LEN) {
            return Err(InvalidWorkId::Prefix { text: excerpt(text) });
        }
        let mut ascii = [0; Self::MAX_LEN];
        ascii[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { ascii })
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.ascii.iter().position(|b| *b == 0).unwrap_or(Self::MAX_LEN);
        // ASCII was checked when it was made.
        std::str::from_utf8(&self.ascii[..length]).unwrap_or_default()
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Prefix {
    type Err = InvalidWorkId;

    fn from_str(text: &str) -> Result<Self, InvalidWorkId> {
        Self::new(text)
    }
}

impl TryFrom<String> for Prefix {
    type Error = InvalidWorkId;

    fn try_from(text: String) -> Result<Self, InvalidWorkId> {
        Self::new(&text)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> String {
        prefix.as_str().to_owned()
    }
}

/// An item's id for people. Ordered by prefix, then by number.
///
/// There is one spelling of each id, [`Display`](fmt::Display)'s: the number padded with zeros to
/// three digits. Deserialising accepts that spelling only; people's spellings go through
/// [`WorkId::parse_lenient`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkId {
    prefix: Prefix,
    number: u64,
}

impl WorkId {
    /// The greatest number, twelve digits.
    pub const MAX_NUMBER: u64 = 999_999_999_999;

    /// Joins a prefix and a number.
    ///
    /// # Errors
    /// [`InvalidWorkId::Number`] above [`WorkId::MAX_NUMBER`].
    pub fn new(prefix: Prefix, number: u64) -> Result<Self, InvalidWorkId> {
        if number > Self::MAX_NUMBER {
            return Err(InvalidWorkId::Number { number });
        }
        Ok(Self { prefix, number })
    }

    /// Reads what a person typed: any case, any padding, or the number alone, which then belongs
    /// to `default_prefix`.
    ///
    /// # Errors
    /// [`InvalidWorkId::Id`] for anything else.
    pub fn parse_lenient(text: &str, default_prefix: &Prefix) -> Result<Self, InvalidWorkId> {
        let invalid = || InvalidWorkId::Id { text: excerpt(text) };
        let (prefix, digits) = match text.rsplit_once('-') {
            Some((prefix, digits)) => {
                (Prefix::new(&prefix.to_ascii_uppercase()).map_err(|_| invalid())?, digits)
            }
            None => (default_prefix.clone(), text),
        };
        let number = parse_digits(digits).ok_or_else(invalid)?;
        Self::new(prefix, number).map_err(|_| invalid())
    }

    /// The part before the dash.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The part after the dash.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// One to twelve ASCII digits; `parse` alone would take a sign.
fn parse_digits(digits: &str) -> Option<u64> {
    let fits = (1..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:03}", self.prefix, self.number)
    }
}

impl FromStr for WorkId {
    type Err = InvalidWorkId;

    /// Accepts the one canonical spelling only.
    fn from_str(text: &str) -> Result<Self, InvalidWorkId> {
        let invalid = || InvalidWorkId::Id { text: excerpt(text) };
        let (prefix, digits) = text.split_once('-').ok_or_else(invalid)?;
        let id = Self {
            prefix: Prefix::new(prefix).map_err(|_| invalid())?,
            number: parse_digits(digits).ok_or_else(invalid)?,
        };
        // More than three digits never start with a zero, fewer than three do not occur.
        let canonical = digits.len() == 3 || (digits.len() > 3 && !digits.starts_with('0'));
        if canonical { Ok(id) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for WorkId {
    type Error = InvalidWorkId;

    fn try_from(text: String) -> Result<Self, InvalidWorkId> {
        text.parse()
    }
}

impl From<WorkId> for String {
    fn from(id: WorkId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn work() -> Prefix {
        Prefix::new("WORK").expect("valid")
    }

    #[rstest]
    #[case("WORK-042", "WORK-042")]
    #[case("work-42", "WORK-042")]
    #[case("42", "WORK-042")]
    #[case("WORK-0001234", "WORK-1234")]
    #[case("b2-7", "B2-007")]
    #[case("999999999999", "WORK-999999999999")]
    fn people_may_type(#[case] typed: &str, #[case] id: &str) {
        assert_eq!(WorkId::parse_lenient(typed, &work()).expect("valid").to_string(), id);
    }

    #[rstest]
    #[case("")]
    #[case("../x")]
    #[case("WORK-1/..")]
    #[case("WORK-")]
    #[case("-1")]
    #[case("+1")]
    #[case("WORK-+1")]
    #[case("WÖRK-001")]
    #[case("ABCDEFGHIJKLMNOPQ-001")]
    #[case("WORK-1234567890123")]
    #[case("WORK-٤٢")]
    #[case("WORK-1\0")]
    fn nobody_gets_through(#[case] typed: &str) {
        assert!(WorkId::parse_lenient(typed, &work()).is_err());
        assert!(typed.parse::<WorkId>().is_err());
    }

    #[rstest]
    #[case("work-042")]
    #[case("WORK-42")]
    #[case("WORK-0042")]
    fn a_stored_id_has_one_spelling(#[case] text: &str) {
        assert!(text.parse::<WorkId>().is_err());
    }

    #[test]
    fn ids_sort_by_number() {
        let low: WorkId = "WORK-999".parse().expect("valid");
        let high: WorkId = "WORK-1000".parse().expect("valid");
        assert!(low < high);
    }
}
