//! An item's identity: a 64-bit Snowflake, unique without coordination.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::excerpt;

/// Why a text or a number is not a uid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a uid: a decimal number from 1 to 9223372036854775807")]
pub struct InvalidUid {
    text: String,
}

/// 41 bits of milliseconds since 2024-01-01T00:00:00Z, 10 bits of worker, 12 bits of sequence.
///
/// Written as a decimal string in JSON, whose numbers are exact only to 2^53. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(u64);

impl Uid {
    /// 2024-01-01T00:00:00Z, in milliseconds since the Unix epoch.
    pub const EPOCH_MS: u64 = 1_704_067_200_000;
    /// How many workers there are.
    pub const WORKERS: u16 = 1 << Self::WORKER_BITS;
    /// How many uids one worker has in each millisecond.
    pub const SEQUENCES: u16 = 1 << Self::SEQUENCE_BITS;
    /// The greatest millisecond since the epoch, in the year 2093.
    pub const MAX_MILLIS: u64 = (1 << 41) - 1;

    const WORKER_BITS: u32 = 10;
    const SEQUENCE_BITS: u32 = 12;

    /// Puts a uid together.
    ///
    /// Returns `None` when a part is out of its range, or all are zero.
    #[must_use]
    pub fn from_parts(millis: u64, worker: u16, sequence: u16) -> Option<Self> {
        let in_range =
            millis <= Self::MAX_MILLIS && worker < Self::WORKERS && sequence < Self::SEQUENCES;
        let value = (millis << (Self::WORKER_BITS + Self::SEQUENCE_BITS))
            | (u64::from(worker) << Self::SEQUENCE_BITS)
            | u64::from(sequence);
        if in_range && value != 0 { Some(Self(value)) } else { None }
    }

    /// The number itself, from 1 to 2^63 − 1.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    /// Milliseconds since [`Uid::EPOCH_MS`].
    #[must_use]
    pub fn millis(self) -> u64 {
        self.0 >> (Self::WORKER_BITS + Self::SEQUENCE_BITS)
    }

    /// The worker slot that made it, below [`Uid::WORKERS`].
    #[must_use]
    pub fn worker(self) -> u16 {
        ((self.0 >> Self::SEQUENCE_BITS) & u64::from(Self::WORKERS - 1)) as u16
    }

    /// The count within the millisecond, below [`Uid::SEQUENCES`].
    #[must_use]
    pub fn sequence(self) -> u16 {
        (self.0 & u64::from(Self::SEQUENCES - 1)) as u16
    }

    /// When it was made, by the clock of the machine that made it.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        // 41 bits of milliseconds end in 2093, far inside what a timestamp can hold.
        Timestamp::from_millisecond((Self::EPOCH_MS + self.millis()) as i64)
            .unwrap_or(Timestamp::MAX)
    }
}

impl TryFrom<u64> for Uid {
    type Error = InvalidUid;

    fn try_from(value: u64) -> Result<Self, InvalidUid> {
        if (1..=i64::MAX as u64).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidUid { text: value.to_string() })
        }
    }
}

impl FromStr for Uid {
    type Err = InvalidUid;

    /// Accepts canonical decimal digits only: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, InvalidUid> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        text.parse::<u64>()
            .ok()
            .filter(|_| canonical)
            .and_then(|value| Self::try_from(value).ok())
            .ok_or_else(|| InvalidUid { text: excerpt(text) })
    }
}

impl TryFrom<String> for Uid {
    type Error = InvalidUid;

    fn try_from(text: String) -> Result<Self, InvalidUid> {
        text.parse()
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> String {
        uid.to_string()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::LowerHex for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_survive(millis in 1..=Uid::MAX_MILLIS, worker in 0..Uid::WORKERS, sequence in 0..Uid::SEQUENCES) {
            let uid = Uid::from_parts(millis, worker, sequence).expect("in range");
            prop_assert_eq!((uid.millis(), uid.worker(), uid.sequence()), (millis, worker, sequence));
            prop_assert_eq!(uid.to_string().parse::<Uid>().expect("round trip"), uid);
        }
    }

    #[test]
    fn parts_out_of_range_are_refused() {
        assert!(Uid::from_parts(0, 1024, 0).is_none());
        assert!(Uid::from_parts(0, 0, 4096).is_none());
        assert!(Uid::from_parts(Uid::MAX_MILLIS + 1, 0, 0).is_none());
        assert!(Uid::from_parts(0, 0, 0).is_none());
    }

    #[test]
    fn a_uid_is_a_string_in_json() {
        let uid = Uid::try_from(9_007_199_254_740_993).expect("valid");
        assert_eq!(serde_json::to_string(&uid).expect("serialises"), "\"9007199254740993\"");
        assert!(serde_json::from_str::<Uid>("9007199254740993").is_err());
        for wrong in ["\"0\"", "\"-1\"", "\"007\"", "\"+7\"", "\"9223372036854775808\"", "\"\""] {
            assert!(serde_json::from_str::<Uid>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_epoch_is_2024() {
        let uid = Uid::from_parts(0, 0, 1).expect("valid");
        assert_eq!(uid.timestamp().to_string(), "2024-01-01T00:00:00Z");
    }
}
