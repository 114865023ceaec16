//! What happened in a scenario: steps on the disk, and the moments in which a command was answered.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::disk::{Bytes, Disk, Op, Tree};

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Step(Op),
    /// A command came to its end and was answered with success: what it did has to last.
    Acknowledged,
    /// A command was killed: what it did may last or not.
    Killed,
}

/// The disk before a scenario, and what happened in it.
#[derive(Clone)]
pub(super) struct Trace {
    pub(super) base: Disk,
    pub(super) events: Vec<Event>,
}

/// What a power cut must leave, at one moment of a trace.
#[derive(Debug, Clone, Default)]
pub(super) struct Expectation {
    /// The contents that each file that matters may have; `None` for absent.
    files: BTreeMap<String, Vec<Option<Bytes>>>,
    /// The uids that items or tombstones must have: those that were acknowledged.
    pub(super) uids: BTreeSet<String>,
    /// The uids that were there before.
    old_uids: BTreeSet<String>,
    /// Contents that must be found somewhere, whatever the file is called by then.
    kept: Vec<Bytes>,
    /// Whether there must be a store.
    pub(super) is_store: bool,
    /// The greatest number that must be known as reserved.
    reserved: Option<u64>,
    /// Whether a command has done something and was not answered.
    pub(super) is_in_flight: bool,
    pub(super) promise: Promise,
}

/// What a scenario promises beside the files themselves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Promise {
    /// Something in the store was wrong before: until the doctor has been, not all is shown.
    pub(super) is_damaged: bool,
    /// Files whose content is found ever after, if only as a copy.
    pub(super) copies: &'static [&'static str],
}

/// The root of the store in every scenario.
pub(super) const STORE: &str = ".jerry";

const ITEMS: &str = ".jerry/data/items/";
const TOMBSTONES: &str = ".jerry/data/tombstones/";
pub(super) const FORMAT: &str = ".jerry/data/format.json";
pub(super) const SEQUENCES: &str = ".jerry/data/sequences.json";

/// Whether a file is one whose content was promised.
pub(super) fn matters(path: &str) -> bool {
    is_item(path) || is_setting(path) || [FORMAT, "out.jsonl"].contains(&path)
}

/// Whether a file is an item or a tombstone, not one on its way to become one.
fn is_item(path: &str) -> bool {
    let folder = [ITEMS, TOMBSTONES].into_iter().find_map(|folder| path.strip_prefix(folder));
    folder.is_some_and(|name| !name.starts_with('.'))
}

fn that_matter(tree: &Tree) -> BTreeMap<&str, &Bytes> {
    let files = tree.iter().filter_map(|(path, content)| Some((path.as_str(), content.as_ref()?)));
    files.filter(|(path, _)| matters(path)).collect()
}

impl Expectation {
    /// What was there before and is durable.
    pub(super) fn of_base(base: &Tree, promise: Promise) -> Self {
        let files = that_matter(base).into_iter();
        let files = files.map(|(path, content)| (path.to_owned(), vec![Some(content.clone())]));
        let uids: BTreeSet<_> = identities(base.iter()).map(|(_, uid)| uid).collect();
        let kept = promise.copies.iter().filter_map(|path| base.get(*path).cloned().flatten());
        Self {
            files: files.collect(),
            old_uids: uids.clone(),
            uids,
            kept: kept.collect(),
            is_store: base.contains_key(FORMAT),
            reserved: reserved_in(base),
            is_in_flight: false,
            promise,
        }
    }

    /// Something is visible that was not yet acknowledged.
    pub(super) fn may_be(&mut self, visible: &Tree) {
        self.is_in_flight = true;
        let now = that_matter(visible);
        for (path, allowed) in &mut self.files {
            let content = now.get(path.as_str()).map(|content| (*content).clone());
            if !allowed.contains(&content) {
                allowed.push(content);
            }
        }
        for (path, content) in now {
            if !self.files.contains_key(path) {
                self.files.insert(path.to_owned(), vec![None, Some(content.clone())]);
            }
        }
    }

    /// What is visible was acknowledged. What the command did not touch stays in doubt where a
    /// command before it was killed.
    pub(super) fn acknowledge(&mut self, before: &Tree, visible: &Tree) {
        let earlier = before;
        let (before, now) = (that_matter(before), that_matter(visible));
        for (path, allowed) in &mut self.files {
            let content = now.get(path.as_str()).copied();
            if before.get(path.as_str()).copied() != content {
                *allowed = vec![content.cloned()];
            }
        }
        let certain = |path: &String| self.files.get(path).is_none_or(|allowed| allowed.len() == 1);
        let certain = visible.iter().filter(|(path, _)| certain(path));
        self.uids.extend(identities(certain).map(|(_, uid)| uid));
        self.is_store |= now.contains_key(FORMAT);
        if visible.get(SEQUENCES) != earlier.get(SEQUENCES) {
            self.reserved = self.reserved.max(reserved_in(visible));
        }
        self.is_in_flight = false;
    }

    /// What of the expectation the bare files of `tree` break.
    pub(super) fn broken_by(&self, tree: &Tree) -> Option<String> {
        let now = that_matter(tree);
        for (path, allowed) in &self.files {
            let content = now.get(path.as_str()).map(|content| (*content).clone());
            if !allowed.contains(&content) {
                let what = if content.is_some() { "is torn or old" } else { "is lost" };
                return Some(format!("{path} {what}"));
            }
        }
        if let Some(path) = now.keys().find(|path| !self.files.contains_key(**path)) {
            return Some(format!("{path} came from nowhere"));
        }
        let found: BTreeMap<String, String> =
            identities(tree.iter()).map(|(id, uid)| (uid, id)).collect();
        if let Some(uid) = self.uids.iter().find(|uid| !found.contains_key(*uid)) {
            return Some(format!("the item {uid} is neither among the items nor deleted"));
        }
        let content_of = |kept: &&Bytes| tree.values().flatten().any(|content| content == *kept);
        if !self.kept.iter().all(|kept| content_of(&kept)) {
            return Some("a file was removed before a copy of it was durable".to_owned());
        }
        let lacks = |path: &String| is_setting(path) && !now.contains_key(path.as_str());
        if now.contains_key(FORMAT) && self.files.keys().any(lacks) {
            return Some("a store is finished before all of it is there".to_owned());
        }
        let reserved = reserved_in(tree);
        if reserved < self.reserved {
            return Some("numbers that were reserved are forgotten".to_owned());
        }
        let new = found.iter().filter(|(uid, _)| !self.old_uids.contains(*uid)).map(|(_, id)| id);
        new.into_iter()
            .find(|id| number(id) > reserved.unwrap_or(0))
            .map(|id| format!("{id} was used before its number was reserved"))
    }
}

/// The id and uid of every item and tombstone that can be read.
pub(super) fn identities<'a>(
    files: impl Iterator<Item = (&'a String, &'a Option<Bytes>)>,
) -> impl Iterator<Item = (String, String)> {
    let items = files.filter(|(path, _)| is_item(path));
    items.filter_map(|(_, content)| identity(content.as_ref()?))
}

/// The same contents come again and again.
fn identity(content: &Bytes) -> Option<(String, String)> {
    thread_local! {
        static KNOWN: RefCell<HashMap<Bytes, Option<(String, String)>>> = RefCell::default();
    }
    let parse = || {
        let value: Value = serde_json::from_slice(content).ok()?;
        let item = value.get("item").unwrap_or(&value);
        let text = |field| item.get(field).and_then(Value::as_str).map(str::to_owned);
        Some((text("id")?, text("uid")?))
    };
    KNOWN.with_borrow_mut(|known| match known.get(content) {
        Some(identity) => identity.clone(),
        None => known.entry(content.clone()).or_insert_with(parse).clone(),
    })
}

fn is_setting(path: &str) -> bool {
    [".jerry/config.toml", ".jerry/.gitignore"].contains(&path)
}

fn number(id: &str) -> u64 {
    id.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

/// The greatest number that is reserved.
fn reserved_in(tree: &Tree) -> Option<u64> {
    let value: Value = serde_json::from_slice(tree.get(SEQUENCES)?.as_ref()?).ok()?;
    let sequences = value.get("prefixes")?.as_object()?.values();
    sequences.filter_map(|sequence| sequence.get("reserved")?.as_str()?.parse().ok()).max()
}
