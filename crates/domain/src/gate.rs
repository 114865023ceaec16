//! What must be shown before an item counts as completed.
//!
//! What an item's own gates may ask for is what can be read off the item. Commands come from settings
//! alone: whoever may write an item must not decide what runs on the machine of whoever completes
//! it. See `docs/adr/0026-gates-are-asked-by-complete.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{CheckId, Criterion, Evidence, ItemType, Record};

/// A gate that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown gate '{0}': use criteria, evidence, subtasks, or, in settings, \"cmd: COMMAND\"")]
pub struct UnknownGate(String);

/// What an item itself must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Requirement {
    /// Every acceptance criterion is ticked.
    Criteria,
    /// Every acceptance criterion has evidence that can show it.
    Evidence,
    /// Every sub-task is ticked.
    Subtasks,
}

impl Requirement {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Criteria, Self::Evidence, Self::Subtasks];

    /// Its name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Criteria => "criteria",
            Self::Evidence => "evidence",
            Self::Subtasks => "subtasks",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Requirement {
    type Err = UnknownGate;

    /// In any case.
    fn from_str(text: &str) -> Result<Self, UnknownGate> {
        Self::ALL
            .into_iter()
            .find(|requirement| requirement.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownGate(crate::text::excerpt(text)))
    }
}

impl TryFrom<String> for Requirement {
    type Error = UnknownGate;

    fn try_from(text: String) -> Result<Self, UnknownGate> {
        text.parse()
    }
}

impl From<Requirement> for &'static str {
    fn from(requirement: Requirement) -> &'static str {
        requirement.as_str()
    }
}

/// One thing that must be shown, as settings ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// By the item itself.
    Requirement(Requirement),
    /// By a command that ends with status 0.
    Command(String),
}

impl FromStr for Gate {
    type Err = UnknownGate;

    /// A requirement by its name, or `cmd: COMMAND`.
    fn from_str(text: &str) -> Result<Self, UnknownGate> {
        match text.trim().strip_prefix("cmd:").map(str::trim) {
            Some("") => Err(UnknownGate(crate::text::excerpt(text))),
            Some(command) => Ok(Self::Command(command.to_owned())),
            None => Ok(Self::Requirement(text.trim().parse()?)),
        }
    }
}

/// As settings have it: a requirement's name, or `cmd: COMMAND`.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requirement(requirement) => requirement.fmt(f),
            Self::Command(command) => write!(f, "cmd: {command}"),
        }
    }
}

/// What settings ask of items of each type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// Of every type that has no list of its own.
    pub default: Vec<Gate>,
    /// In place of the default.
    pub of_type: BTreeMap<ItemType, Vec<Gate>>,
    /// Why settings cannot be told what they ask for, each in words. Whoever wrote them meant to ask
    /// for something, so no gate is met while there is any.
    pub unclear: Vec<String>,
}

impl Gates {
    /// What `item` itself must show: what its type asks for, and what it asks for on top.
    pub fn requirements(&self, item: &Record) -> impl Iterator<Item = Requirement> {
        let of_type = self.of(item).iter().filter_map(|gate| match gate {
            Gate::Requirement(requirement) => Some(*requirement),
            Gate::Command(_) => None,
        });
        let asked: Vec<_> = of_type.chain(item.gates.iter().copied()).collect();
        Requirement::ALL.into_iter().filter(move |requirement| asked.contains(requirement))
    }

    /// The commands that must succeed for `item`, in their order.
    pub fn commands(&self, item: &Record) -> impl Iterator<Item = &str> {
        self.of(item).iter().filter_map(|gate| match gate {
            Gate::Requirement(_) => None,
            Gate::Command(command) => Some(command.as_str()),
        })
    }

    /// All that is asked of `item`, in the words of settings.
    pub fn asked_of(&self, item: &Record) -> impl Iterator<Item = String> {
        let shown = self.requirements(item).map(|requirement| requirement.to_string());
        let commands = self.commands(item).map(|command| Gate::Command(command.to_owned()));
        shown.chain(commands.map(|command| command.to_string()))
    }

    /// What keeps the item `before` from being completed as `after`, if the commands `succeeded`.
    /// The gates are those that it has before: the same write cannot lower them.
    #[must_use]
    pub fn unmet(&self, before: &Record, after: &Record, succeeded: &[String]) -> Vec<Unmet> {
        let mut unmet = self.unshown(before, after);
        let commands =
            self.commands(before).filter(|command| !succeeded.iter().any(|it| it == command));
        unmet.extend(commands.map(|command| Unmet::NotRun { command: command.to_owned() }));
        unmet
    }

    /// What the item `before` does not show itself, as `after`.
    #[must_use]
    pub fn unshown(&self, before: &Record, after: &Record) -> Vec<Unmet> {
        let unclear = |reason: &String| Unmet::Unclear { reason: reason.clone() };
        let mut unmet: Vec<_> = self.unclear.iter().map(unclear).collect();
        for requirement in self.requirements(before) {
            match requirement {
                Requirement::Criteria => {
                    let open = after.acceptance_criteria.iter().filter(|own| !own.done);
                    unmet.extend(open.map(|own| Unmet::Unticked { check: own.id.clone() }));
                }
                Requirement::Evidence => {
                    let is_shown = |own: &&Criterion| own.evidence.iter().any(Evidence::can_show);
                    let bare = after.acceptance_criteria.iter().filter(|own| !is_shown(own));
                    unmet.extend(bare.map(|own| Unmet::WithoutEvidence { check: own.id.clone() }));
                }
                Requirement::Subtasks => {
                    let open = after.subtasks.iter().filter(|own| !own.done);
                    unmet.extend(open.map(|own| Unmet::Unticked { check: own.id.clone() }));
                }
            }
        }
        unmet
    }

    fn of(&self, item: &Record) -> &[Gate] {
        self.of_type.get(&item.item_type).unwrap_or(&self.default)
    }
}

/// Whether `after` asks for the same work as `before`, so that what was found out about the one is
/// true of the other. Notes, ticks and evidence do not change what is asked for.
#[must_use]
pub fn asks_the_same(before: &Record, after: &Record) -> bool {
    let criteria = |item: &Record| {
        let of = item.acceptance_criteria.iter();
        of.map(|own| (own.id.clone(), own.text.clone())).collect::<Vec<_>>()
    };
    let subtasks = |item: &Record| {
        let of = item.subtasks.iter();
        of.map(|own| (own.id.clone(), own.text.clone())).collect::<Vec<_>>()
    };
    before.uid == after.uid
        && before.item_type == after.item_type
        && before.title == after.title
        && before.description == after.description
        && before.gates == after.gates
        && criteria(before) == criteria(after)
        && subtasks(before) == subtasks(after)
}

/// What keeps an item from being completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Unmet {
    /// A criterion or sub-task is not ticked.
    Unticked {
        /// Which.
        check: CheckId,
    },
    /// Nothing shows that a criterion holds.
    WithoutEvidence {
        /// Which.
        check: CheckId,
    },
    /// It cannot be told what must be shown.
    Unclear {
        /// Why.
        reason: String,
    },
    /// A command that must succeed was not run.
    NotRun {
        /// The command.
        command: String,
    },
    /// A command that must succeed did not.
    Failed {
        /// The command.
        command: String,
        /// How it ended: `exit status 1`.
        ended: String,
    },
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unticked { check } => write!(f, "{check} is not ticked"),
            Self::WithoutEvidence { check } => write!(f, "{check} has no evidence"),
            Self::Unclear { reason } => f.write_str(reason),
            Self::NotRun { command } => write!(f, "`{command}` was not run"),
            Self::Failed { command, ended } => write!(f, "`{command}` failed: {ended}"),
        }
    }
}
