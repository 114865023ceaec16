//! The status machine: where an item stands and which moves it allows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A status that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status '{0}': use pending, in_progress, blocked, completed or cancelled")]
pub struct UnknownStatus(String);

/// Where an item stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "&'static str")]
#[allow(missing_docs)]
pub enum Status {
    #[default]
    Pending,
    InProgress,
    Blocked,
    Completed,
    Cancelled,
}

/// A move from one status to another, by the verb that people use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Begin work, or go on with what was blocked.
    Start,
    /// Say that work cannot go on.
    Block,
    /// Finish.
    Complete,
    /// Give up.
    Cancel,
    /// Put back what was begun, for someone else to begin.
    Release,
    /// Take up again what was completed or cancelled.
    Reopen,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::InProgress, Self::Blocked, Self::Completed, Self::Cancelled];

    /// Its name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more is to be done: completed or cancelled.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// Where `transition` leads from here, or `None` where it is not allowed.
    #[must_use]
    pub fn after(self, transition: Transition) -> Option<Self> {
        match (self, transition) {
            (Self::Pending | Self::Blocked, Transition::Start) => Some(Self::InProgress),
            (Self::InProgress, Transition::Block) => Some(Self::Blocked),
            (Self::InProgress, Transition::Complete) => Some(Self::Completed),
            (Self::InProgress, Transition::Release) => Some(Self::Pending),
            (Self::Pending | Self::InProgress | Self::Blocked, Transition::Cancel) => {
                Some(Self::Cancelled)
            }
            (Self::Completed, Transition::Reopen) => Some(Self::InProgress),
            (Self::Cancelled, Transition::Reopen) => Some(Self::Pending),
            _ => None,
        }
    }

    /// The moves that are allowed from here, each with where it leads.
    pub fn moves(self) -> impl Iterator<Item = (Transition, Self)> {
        Transition::ALL
            .into_iter()
            .filter_map(move |transition| self.after(transition).map(|to| (transition, to)))
    }

    /// The move that leads from here to `to`, if there is one.
    #[must_use]
    pub fn transition_to(self, to: Self) -> Option<Transition> {
        self.moves().find(|(_, reached)| *reached == to).map(|(transition, _)| transition)
    }
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 6] =
        [Self::Start, Self::Block, Self::Complete, Self::Cancel, Self::Release, Self::Reopen];

    /// The verb.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Block => "block",
            Self::Complete => "complete",
            Self::Cancel => "cancel",
            Self::Release => "release",
            Self::Reopen => "reopen",
        }
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    /// In any case, with `-` or a space for `_`; `done` and `closed` read as completed.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let name = text.to_ascii_lowercase().replace(['-', ' '], "_");
        if name == "done" || name == "closed" {
            return Ok(Self::Completed);
        }
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or_else(|| UnknownStatus(crate::text::excerpt(text)))
    }
}

impl TryFrom<String> for Status {
    type Error = UnknownStatus;

    fn try_from(text: String) -> Result<Self, UnknownStatus> {
        text.parse()
    }
}

impl From<Status> for &'static str {
    fn from(status: Status) -> &'static str {
        status.as_str()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::*;

    #[test]
    fn the_machine_allows_these_moves_and_no_others() {
        let allowed = [
            (Pending, InProgress),
            (Pending, Cancelled),
            (InProgress, Blocked),
            (InProgress, Completed),
            (InProgress, Cancelled),
            (InProgress, Pending),
            (Blocked, InProgress),
            (Blocked, Cancelled),
            (Completed, InProgress),
            (Cancelled, Pending),
        ];
        for from in Status::ALL {
            for to in Status::ALL {
                assert_eq!(
                    from.transition_to(to).is_some(),
                    allowed.contains(&(from, to)),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn other_trackers_words_are_understood() {
        assert_eq!("done".parse(), Ok(Completed));
        assert_eq!("CLOSED".parse(), Ok(Completed));
        assert_eq!("In-Progress".parse(), Ok(InProgress));
        assert!("open".parse::<Status>().is_err());
    }
}
