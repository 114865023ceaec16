//! What the files of a case say, so that two runs of one command can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::ground::{Made, done};
use super::scenario::Also;

/// Files by their path in the case's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Temporary files, and what was prepared to become a lock.
    pub(super) litter: BTreeSet<String>,
}

/// How a state stands to the one before the command and the one that the command should make.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Something is not as it was.
    pub(super) changed: bool,
    /// Everything is as it should become.
    pub(super) complete: bool,
    /// What is neither.
    pub(super) strange: Vec<String>,
}

impl State {
    pub(super) fn read(folder: &Path, also: Also) -> Made<Self> {
        let mut state = Self::default();
        state.add(folder, "", also)?;
        if also == Also::Derived {
            let numbers = state.numbers().to_string().into_bytes();
            state.files.insert(NUMBERS.to_owned(), numbers);
        }
        Ok(state)
    }

    fn add(&mut self, folder: &Path, shown: &str, also: Also) -> Made<()> {
        for entry in done(shown, fs::read_dir(folder))? {
            let entry = done(shown, entry)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            let is_folder = done(&path, entry.file_type())?.is_dir();
            if is_prepared(&name) || (temporary(&name) && !is_folder) {
                self.litter.insert(path);
            } else if is_folder {
                self.add(&entry.path(), &path, also)?;
            } else if belongs(&path, also) {
                let text = if also == Also::Locks && path.starts_with(LOCKS) {
                    Vec::new()
                } else {
                    done(&path, fs::read(entry.path()))?
                };
                self.files.insert(without_nonce(&path), text);
            }
        }
        Ok(())
    }

    /// How the numbers on record stand to those that exist. Which they are says nothing: gaps are
    /// fine.
    fn numbers(&self) -> Value {
        let Some(text) = self.files.get(NUMBERS) else { return "sound".into() };
        let Ok(table) = serde_json::from_slice::<Value>(text) else { return "corrupt".into() };
        let sequence = &table["prefixes"]["WORK"];
        let number = |field: &str| sequence[field].as_str().and_then(|it| it.parse::<u64>().ok());
        let next = match sequence["boot"] == "unknown" {
            true => number("reserved").map(|reserved| reserved + 1),
            false => number("next"),
        };
        let of_file = |path: &String| {
            let name = path.strip_prefix(".jerry/data/")?.rsplit_once("/WORK-")?.1;
            name.strip_suffix(".json")?.parse::<u64>().ok()
        };
        let greatest = self.files.keys().filter_map(of_file).max();
        if next > greatest { "sound".into() } else { "behind".into() }
    }

    /// Nothing, where there is no store: what lies about of an unfinished one is none.
    pub(super) fn of_store(self) -> Self {
        match self.files.contains_key(".jerry/data/format.json") {
            true => self,
            false => Self { files: BTreeMap::new(), ..self },
        }
    }

    /// Compares this state with the one before and the one wanted.
    pub(super) fn compare(&self, old: &Self, new: &Self) -> Comparison {
        let known = old.uids();
        let mut comparison = Comparison { changed: false, complete: true, strange: Vec::new() };
        let paths: BTreeSet<_> =
            [self, old, new].into_iter().flat_map(|state| state.files.keys()).collect();
        for path in paths {
            let text = |state: &Self| state.files.get(path).cloned();
            let (is, was, shall) = (text(self), text(old), text(new));
            let as_was = is == was;
            let as_shall = is == shall
                || matches!((&is, &shall), (Some(is), Some(shall))
                    if comparable(is, &known) == comparable(shall, &known));
            comparison.changed |= !as_was;
            comparison.complete &= as_shall;
            if !as_was && !as_shall && path != JOURNAL {
                comparison.strange.push(match &is {
                    Some(text) => format!("{path} holds {}", String::from_utf8_lossy(text)),
                    None => format!("{path} is gone"),
                });
            }
        }
        if !comparison.complete {
            // After a fault some number may be left out, and an item gets the one behind it.
            let (is, shall) = (self.masked(&known), new.masked(&known));
            comparison.complete = is == shall;
            let elsewhere = |path: &str| {
                let text = self.files.get(path).map(|text| masked(text, &known));
                text.is_some_and(|text| shall.contains(&text))
            };
            let path = |what: &str| what.split(" holds ").next().map(str::to_owned);
            comparison.strange.retain(|what| !path(what).is_some_and(|path| elsewhere(&path)));
        }
        // Litter that was there before may be what the command is to remove.
        let still = |state: &Self| state.litter.intersection(&old.litter).count();
        comparison.changed |= still(self) != old.litter.len();
        comparison.complete &= still(self) == still(new);
        comparison
    }

    /// Every text, whatever the numbers.
    fn masked(&self, known: &BTreeSet<String>) -> Vec<Vec<u8>> {
        let mut texts: Vec<_> = self.files.values().map(|text| masked(text, known)).collect();
        texts.sort_unstable();
        texts
    }

    /// The uid of every item and tombstone.
    fn uids(&self) -> BTreeSet<String> {
        let values = self.files.values().filter_map(|text| serde_json::from_slice(text).ok());
        let uid = |value: Value| {
            let item = if value["item"].is_object() { &value["item"] } else { &value };
            item["uid"].as_str().map(str::to_owned)
        };
        values.filter_map(uid).collect()
    }

    /// Whether something is still to be written, which the next command writes.
    pub(super) fn is_under_way(&self) -> bool {
        self.files.contains_key(JOURNAL)
    }

    /// Every file that should hold JSON and does not.
    pub(super) fn damaged(&self) -> Vec<String> {
        let json = self.files.iter().filter(|(path, _)| path.ends_with(".json"));
        json.filter(|(_, text)| serde_json::from_slice::<Value>(text).is_err())
            .map(|(path, _)| format!("{path} does not parse"))
            .collect()
    }
}

/// What is there of several writes until the last of them is made.
const JOURNAL: &str = ".jerry/data/journal.json";
const NUMBERS: &str = ".jerry/data/sequences.json";
const LOCKS: &str = ".jerry/local/locks/";

fn belongs(path: &str, also: Also) -> bool {
    match path {
        "input" | "first.jsonl" => false,
        NUMBERS | ".jerry/data/index.json" => also == Also::Derived,
        ".jerry/local/config.toml" => true,
        _ if path.starts_with(LOCKS) => also == Also::Locks,
        _ => !path.starts_with(".jerry/local/"),
    }
}

/// Whether a file of this name is on its way to become another.
pub(super) fn temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

fn is_prepared(name: &str) -> bool {
    name.starts_with("prepare-") || name.starts_with("swept-")
}

fn without_nonce(path: &str) -> String {
    match path.rsplit_once("/owner-") {
        Some((lock, _)) => format!("{lock}/owner"),
        None => path.to_owned(),
    }
}

/// A text without what differs from run to run: times, and uids that were made in it.
fn comparable(text: &[u8], known: &BTreeSet<String>) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(text) else { return text.to_owned() };
    level(&mut value, known);
    value.to_string().into_bytes()
}

/// [`comparable`], whatever the numbers.
fn masked(text: &[u8], known: &BTreeSet<String>) -> Vec<u8> {
    let mut text = comparable(text, known);
    text.iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|digit| *digit = b'0');
    text
}

fn level(value: &mut Value, known: &BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(uid) if name == "uid" && !known.contains(uid) => {
                        "new".clone_into(uid);
                    }
                    field => level(field, known),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|it| level(it, known)),
        Value::String(text) if is_time(text) => "then".clone_into(text),
        _ => {}
    }
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes.ends_with(b"Z")
}
