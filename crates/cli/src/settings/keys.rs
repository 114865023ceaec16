//! The settings that there are.

use jerry_domain::{Actor, Gate, Prefix, UnknownGate};
use toml_edit::Value;

use super::{Origin, Setting, parse_duration, parse_lease};
use crate::exit::{Code, Failure};

/// One setting that there is.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// The variable that sets it; empty for none.
    pub variable: &'static str,
    /// What it is where no layer says otherwise; empty for none.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Whether a file has it as a list.
    pub is_list: bool,
    pub(super) check: fn(&str) -> Result<(), String>,
}

impl Key {
    /// What stands in the list that `text` is; `None` where the setting is no list, or this is none.
    #[must_use]
    pub fn list(self, text: &str) -> Option<Vec<String>> {
        let gates = self.is_list.then(|| parse_gates(text).ok()).flatten()?;
        Some(gates.iter().map(Gate::to_string).collect())
    }

    /// The setting where no layer says otherwise.
    pub(crate) fn by_default(self) -> Setting {
        let value = self.default.to_owned();
        Setting { key: self, value, origin: Origin::Default, fault: None }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

/// The letters before the number of a new item's id.
pub const PREFIX: Key = Key {
    name: "prefix",
    variable: "JERRY_PREFIX",
    default: "WORK",
    about: "the letters before the number of a new item's id",
    is_list: false,
    check: |text| text.parse::<Prefix>().map(drop).map_err(|error| error.to_string()),
};

/// Who acts.
pub const ACTOR: Key = Key {
    name: "actor",
    variable: "JERRY_ACTOR",
    default: "",
    about: "who acts; user@host where it is not set",
    is_list: false,
    check: |text| text.parse::<Actor>().map(drop).map_err(|error| error.to_string()),
};

/// How long a claim stands after each write by its holder.
pub const LEASE: Key = Key {
    name: "lease",
    variable: "JERRY_LEASE",
    default: "4h",
    about: "how long a claim stands after each write by its holder, as 4h, 30m or 90s",
    is_list: false,
    check: |text| parse_lease(text).map(drop),
};

/// How long to wait for a lock.
pub const LOCK_TIMEOUT: Key = duration(
    "lock.timeout",
    "JERRY_LOCK_TIMEOUT",
    "30s",
    "how long to wait for a lock, as 30s, 500ms or 2m",
);

/// How often a directory lock is tried.
pub const LOCK_ATTEMPTS: Key = Key {
    name: "lock.attempts",
    variable: "JERRY_LOCK_ATTEMPTS",
    default: "2000",
    about: "how often a directory lock is tried within the timeout",
    is_list: false,
    check: |text| text.parse::<u32>().map(drop).map_err(|_| not_a_number(text)),
};

/// The first pause between two tries of a directory lock.
pub const LOCK_BACKOFF: Key = duration(
    "lock.backoff",
    "JERRY_LOCK_BACKOFF",
    "2ms",
    "the first pause between two tries of a directory lock; each later one doubles it",
);

/// The longest pause between two tries of a directory lock.
pub const LOCK_BACKOFF_MAX: Key = duration(
    "lock.backoff_max",
    "JERRY_LOCK_BACKOFF_MAX",
    "100ms",
    "the longest pause between two tries of a directory lock, jitter aside",
);

/// The random part of a pause.
pub const LOCK_JITTER: Key = duration(
    "lock.jitter",
    "JERRY_LOCK_JITTER",
    "20ms",
    "the longest random addition to a pause, which keeps waiters from asking in step",
);

/// What items of every type without a list of their own must show before they are completed.
pub const GATES_DEFAULT: Key = gates(
    "gates.default",
    "what items must show before they are completed: criteria, evidence, subtasks, \"cmd: COMMAND\"",
);

/// What items of one type must show, in the order of the types; in place of the default.
pub const GATES_OF_TYPES: [Key; 9] = [
    gates("gates.epic", "what epics must show, in place of gates.default"),
    gates("gates.story", "what stories must show, in place of gates.default"),
    gates("gates.feature", "what features must show, in place of gates.default"),
    gates("gates.task", "what tasks must show, in place of gates.default"),
    gates("gates.subtask", "what items of type subtask must show, in place of gates.default"),
    gates("gates.bug", "what bugs must show, in place of gates.default"),
    gates("gates.spike", "what spikes must show, in place of gates.default"),
    gates("gates.research", "what research must show, in place of gates.default"),
    gates("gates.chore", "what chores must show, in place of gates.default"),
];

const fn duration(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    about: &'static str,
) -> Key {
    let check = |text: &str| parse_duration(text).map(drop);
    Key { name, variable, default, about, is_list: false, check }
}

/// No variable sets gates: a project asks for them, not a shell.
const fn gates(name: &'static str, about: &'static str) -> Key {
    let check = |text: &str| parse_gates(text).map(drop);
    Key { name, variable: "", default: "", about, is_list: true, check }
}

pub(super) fn not_a_number(text: &str) -> String {
    format!("'{text}' is not a number")
}

/// A list as TOML writes it, or gates with commas between them, of which a command is the last: it may
/// have commas itself.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_gates(text: &str) -> Result<Vec<Gate>, String> {
    let gate = |text: &str| text.parse().map_err(|error: UnknownGate| error.to_string());
    if text.trim_start().starts_with('[') {
        let not_a_list = || "it is a list of texts: [\"criteria\", \"cmd: make test\"]".to_owned();
        let value: Value = text.trim().parse().map_err(|_| not_a_list())?;
        let list = value.as_array().ok_or_else(not_a_list)?;
        return list.iter().map(|value| gate(value.as_str().ok_or_else(not_a_list)?)).collect();
    }
    let mut gates = Vec::new();
    let mut rest = text;
    while let Some((first, others)) = rest.split_once(',') {
        if rest.trim_start().starts_with("cmd:") {
            break;
        }
        gates.push(gate(first)?);
        rest = others;
    }
    gates.push(gate(rest)?);
    Ok(gates)
}

/// Every setting.
pub const KEYS: [Key; 18] = [
    PREFIX,
    ACTOR,
    LEASE,
    LOCK_TIMEOUT,
    LOCK_ATTEMPTS,
    LOCK_BACKOFF,
    LOCK_BACKOFF_MAX,
    LOCK_JITTER,
    GATES_DEFAULT,
    GATES_OF_TYPES[0],
    GATES_OF_TYPES[1],
    GATES_OF_TYPES[2],
    GATES_OF_TYPES[3],
    GATES_OF_TYPES[4],
    GATES_OF_TYPES[5],
    GATES_OF_TYPES[6],
    GATES_OF_TYPES[7],
    GATES_OF_TYPES[8],
];

/// The key called `name`.
///
/// # Errors
/// A usage error that lists the keys there are.
pub fn key(name: &str) -> Result<Key, Failure> {
    KEYS.into_iter().find(|key| key.name == name).ok_or_else(|| {
        let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        Failure::new(Code::Usage, format!("there is no setting '{name}'"))
            .hint(format!("the settings are {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use jerry_domain::{ItemType, Requirement};
    use rstest::rstest;

    use super::*;

    #[test]
    fn each_type_has_its_gates() {
        for (item_type, key) in ItemType::ALL.into_iter().zip(GATES_OF_TYPES) {
            assert_eq!(key.name, format!("gates.{item_type}"));
            assert!(KEYS.contains(&key));
        }
    }

    #[rstest]
    #[case("[]", Some(0))]
    #[case("criteria", Some(1))]
    #[case("cmd: make test, lint", Some(1))]
    #[case("criteria, evidence,cmd: make test, lint", Some(3))]
    #[case("criteria,", None)]
    #[case("criteria,tests", None)]
    #[case(r#"["Criteria", "evidence", "cmd: make [x]"]"#, Some(3))]
    #[case("['subtasks']", Some(1))]
    #[case("", None)]
    #[case("tests", None)]
    #[case("cmd:", None)]
    #[case("[1]", None)]
    #[case("[\"criteria\"", None)]
    fn gates_are_lists_or_named_one_after_the_other(
        #[case] text: &str,
        #[case] count: Option<usize>,
    ) {
        assert_eq!(parse_gates(text).ok().map(|gates| gates.len()), count);
    }

    #[test]
    fn a_command_is_kept_as_it_is() {
        let gates = parse_gates(r#"["evidence", "cmd:  cargo test -- 'a b' "]"#).expect("valid");
        let command = Gate::Command("cargo test -- 'a b'".to_owned());
        assert_eq!(gates, [Gate::Requirement(Requirement::Evidence), command]);
    }
}
