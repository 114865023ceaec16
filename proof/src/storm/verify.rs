//! Holds what a store says against what was acknowledged. Reads the files itself, without the code
//! that wrote them: what it finds is what anyone would find.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use jerry_domain::ports::Tombstone;
use jerry_domain::{Event, Uid, WorkId, WorkItem};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claims;
use super::ledger::{Answer, Deed, Entry, Intent, PLANNED, Written, request_of};

/// What is noted of a command that failed.
const FAILED: &str = "the command ended with exit status 1";

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Something acknowledged is not there.
    Lost,
    /// Two got one number or one uid.
    Duplicate,
    /// Somebody wrote to what another had claimed, or under a claim that had ended.
    Robbed,
    /// A file does not hold what it should.
    Unreadable,
    /// Something is there that nobody wrote, or only a part of what somebody wrote.
    Strange,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) wrong: Wrong,
    pub(super) message: String,
}

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) items: BTreeMap<WorkId, WorkItem>,
    pub(super) stones: BTreeMap<WorkId, Tombstone>,
    unreadable: Vec<String>,
}

/// Reads every item and every tombstone in the folder `data`.
pub(super) fn read(data: &Path) -> io::Result<Found> {
    let mut unreadable = Vec::new();
    let items = files(&data.join("items"), &mut unreadable, |item: &WorkItem| &item.id)?;
    let stones =
        files(&data.join("tombstones"), &mut unreadable, |stone: &Tombstone| &stone.item.id)?;
    Ok(Found { items, stones, unreadable })
}

fn files<T: DeserializeOwned>(
    folder: &Path,
    unreadable: &mut Vec<String>,
    id_of: impl Fn(&T) -> &WorkId,
) -> io::Result<BTreeMap<WorkId, T>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Litter, which the doctor sweeps.
        if name.starts_with('.') && name.ends_with(".tmp") {
            continue;
        }
        match serde_json::from_slice::<T>(&fs::read(&path)?) {
            Ok(whole) if name == format!("{}.json", id_of(&whole)) => {
                found.insert(id_of(&whole).clone(), whole);
            }
            Ok(whole) => unreadable.push(format!("{name} holds {}", id_of(&whole))),
            Err(error) => unreadable.push(format!("{name}: {error}")),
        }
    }
    Ok(found)
}

/// The first finding of an answer of `doctor` that no kill explains.
pub(super) fn alarming(answer: &Value) -> Option<&Value> {
    // What a killed process leaves, or one that is at work: a temporary file, an item beside its
    // tombstone; and a cache that nobody had a reason to write anew.
    const HARMLESS: [&str; 3] = ["temp_litter", "deleted_item_present", "stale_index"];
    let harmless = |finding: &Value| {
        finding["ailment"].as_str().is_some_and(|ailment| HARMLESS.contains(&ailment))
    };
    answer["findings"].as_array()?.iter().find(|finding| !harmless(finding))
}

/// The request that made an item, of which this is the first version: its title begins with it.
pub(super) fn request_that_made(first: &WorkItem) -> &str {
    first.title.as_str().split(' ').next().unwrap_or_default()
}

/// Everything that is wrong.
pub(super) fn verify(entries: &[Entry], found: &Found) -> Vec<Finding> {
    let mut check = Check { found, by_request: HashMap::new(), findings: Vec::new() };
    for text in &found.unreadable {
        check.add(Wrong::Unreadable, text.clone());
    }
    for entry in entries {
        if check.by_request.insert(&entry.intent.request, entry).is_some() {
            check.add(Wrong::Strange, format!("{} was asked twice", entry.intent.request));
        }
    }
    check.identities(entries);
    entries.iter().for_each(|entry| check.kept(entry));
    let present = found.items.values();
    present.chain(found.stones.values().map(|stone| &stone.item)).for_each(|item| {
        check.whole(item);
        check.findings.extend(claims::broken(item, &check.by_request));
    });
    let deletions = found.stones.values();
    let robbed = deletions.filter_map(|it| claims::robbed_by_deletion(it, &check.by_request));
    check.findings.extend(robbed);
    found.stones.keys().for_each(|id| check.wanted(id, entries));
    check.halves(entries);
    check.findings
}

struct Check<'a> {
    found: &'a Found,
    by_request: HashMap<&'a str, &'a Entry>,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn add(&mut self, wrong: Wrong, message: String) {
        self.findings.push(Finding { wrong, message });
    }

    /// No number and no uid for two: be they of items, of deleted ones, or drawn for nothing.
    fn identities(&mut self, entries: &[Entry]) {
        let mut uids: HashMap<Uid, String> = HashMap::new();
        let mut numbers: HashMap<WorkId, String> = HashMap::new();
        let mut twice = Vec::new();
        let mut uid_of = |uid: Uid, owner: String| {
            if let Some(other) = uids.insert(uid, owner.clone()).filter(|other| *other != owner) {
                twice.push(format!("{other} and {owner} have the uid {uid}"));
            }
        };
        for Entry { intent, answer } in entries {
            let request = &intent.request;
            match answer {
                Answer::Wrote(all) => {
                    for Written { id, uid, .. } in all.iter().filter(|it| it.is_new()) {
                        let owner = numbers.insert(id.clone(), request.clone());
                        if let Some(other) = owner {
                            self.add(Wrong::Duplicate, format!("{other} and {request} got {id}"));
                        }
                        if let Some(uid) = uid {
                            uid_of(*uid, id.to_string());
                        }
                    }
                }
                Answer::Drew { uids, numbers: drawn } => {
                    uids.iter().for_each(|uid| uid_of(*uid, format!("{request}, drawing {uid},")));
                    if uids.windows(2).any(|two| two[0] >= two[1]) {
                        self.add(Wrong::Duplicate, format!("{request} drew uids out of order"));
                    }
                    for id in drawn {
                        let owner = numbers.insert(id.clone(), request.clone());
                        let present =
                            self.found.items.contains_key(id) || self.found.stones.contains_key(id);
                        if owner.is_some() || present {
                            let message = format!("{request} drew {id}, and another got it");
                            self.add(Wrong::Duplicate, message);
                        }
                    }
                }
                _ => {}
            }
        }
        let Found { items, stones, .. } = self.found;
        items.iter().for_each(|(id, item)| uid_of(item.uid, id.to_string()));
        stones.iter().for_each(|(id, stone)| uid_of(stone.item.uid, id.to_string()));
        for message in twice {
            self.add(Wrong::Duplicate, message);
        }
        for (id, item) in items {
            if stones.get(id).is_some_and(|stone| stone.item.uid != item.uid) {
                self.add(Wrong::Duplicate, format!("{id} is a deleted item and another one"));
            }
        }
    }

    /// What was acknowledged is there.
    fn kept(&mut self, entry: &Entry) {
        let Entry { intent, answer } = entry;
        match answer {
            Answer::Wrote(all) => {
                for written in all {
                    if let Err(why) = self.written(intent, written) {
                        let (id, version) = (&written.id, written.version);
                        let deed = format!("{:?} {} of {id}", intent.deed, intent.request);
                        let message = format!("{deed}, acknowledged as version {version}: {why}");
                        self.add(Wrong::Lost, message);
                    }
                }
            }
            Answer::Deleted(written) => {
                if let Err(why) = self.deleted(written) {
                    let message = format!("deletion {} of {}: {why}", intent.request, written.id);
                    self.add(Wrong::Lost, message);
                }
            }
            Answer::Refused(Some(id)) if !self.found.stones.contains_key(id) => {
                let message = format!("{id} was said to be deleted and has no tombstone");
                self.add(Wrong::Lost, message);
            }
            _ => {}
        }
    }

    fn written(&self, intent: &Intent, written: &Written) -> Result<(), String> {
        let Written { id, uid, version } = written;
        let stone = || self.found.stones.get(id).map(|stone| &stone.item);
        let Some(item) = self.found.items.get(id).or_else(stone) else {
            return Err("there is no such item".to_owned());
        };
        if uid.is_some_and(|uid| uid != item.uid) {
            return Err(format!("the item has the uid {}", item.uid));
        }
        if written.is_new() {
            // The title that it was made with, however often it was changed since.
            let first = item.at_version(1).map_err(|error| error.to_string())?;
            let made = request_that_made(&first) == intent.request;
            return made.then_some(()).ok_or_else(|| format!("it was made as '{}'", first.title));
        }
        let name = if intent.deed == Deed::Work { intent.end() } else { intent.request.clone() };
        let ours = |request: &Option<String>| request.as_deref() == Some(name.as_str());
        let entries = item.history.iter().filter(|entry| ours(&entry.request_id));
        match entries.collect::<Vec<_>>()[..] {
            [entry] if entry.version == *version => Ok(()),
            [entry] => Err(format!("the history has it as version {}", entry.version)),
            [] => Err(format!("the history, of {} versions, has it not", item.version)),
            [..] => Err("the history has it more than once".to_owned()),
        }
    }

    fn deleted(&self, Written { id, uid, version }: &Written) -> Result<(), String> {
        let Some(stone) = self.found.stones.get(id) else {
            return Err("there is no tombstone".to_owned());
        };
        if self.found.items.contains_key(id) {
            return Err("it came back".to_owned());
        }
        let same = uid.is_none_or(|uid| uid == stone.item.uid) && *version == stone.item.version;
        same.then_some(()).ok_or_else(|| "the tombstone keeps another item".to_owned())
    }

    /// An item's parts agree, and each write of it is one that somebody asked for: who was refused
    /// wrote nothing, and who got no answer wrote all of it or nothing.
    fn whole(&mut self, item: &WorkItem) {
        let id = &item.id;
        let versions = item.history.iter().map(|entry| entry.version);
        if !versions.eq(1..=item.version) {
            let message = format!("{id}: version {} has gaps in its history", item.version);
            self.add(Wrong::Strange, message);
        }
        let noted = item.history.iter().filter_map(|entry| match entry.event == Event::NOTED {
            true => Some(entry.request_id.as_deref().unwrap_or_default()),
            // Work that failed says so with the same write that gives the item back.
            false => entry.changes.iter().find(|it| it.field.starts_with("notes/")).map(|_| FAILED),
        });
        if !noted.eq(item.notes.iter().map(|note| note.text.as_str())) {
            self.add(Wrong::Strange, format!("{id}: its notes are not those of its history"));
        }
        match item.at_version(1) {
            Ok(first) => {
                let request = request_that_made(&first);
                self.asked(id, request, 1);
            }
            Err(error) => self.add(Wrong::Strange, format!("{id}: {error}")),
        }
        for entry in item.history.iter().skip(1) {
            self.asked(id, entry.request_id.as_deref().unwrap_or_default(), entry.version);
        }
    }

    fn asked(&mut self, id: &WorkId, request: &str, version: u64) {
        let (request, is_end) = request_of(request);
        let of_another = |intent: &Intent| {
            let makes = intent.deed == Deed::Plan && version == 1;
            intent.item.as_ref().is_some_and(|item| item != id && !makes)
        };
        let why = match self.by_request.get(request) {
            None => "nobody asked for it",
            Some(Entry { intent, .. }) if is_end && intent.deed != Deed::Work => {
                "it ends what was no work"
            }
            Some(Entry { intent, .. }) if of_another(intent) => "it was asked of another item",
            Some(Entry { answer: Answer::Silence, .. }) => return,
            // What is acknowledged is the end.
            Some(Entry { intent, answer: Answer::Wrote(all) })
                if intent.deed == Deed::Work && !is_end && all.iter().any(|it| it.id == *id) =>
            {
                return;
            }
            Some(Entry { answer: Answer::Wrote(all), .. }) => {
                if all.iter().any(|it| (&it.id, it.version) == (id, version)) {
                    return;
                }
                "it was acknowledged as another"
            }
            Some(_) => "it was not acknowledged as a write",
        };
        self.add(Wrong::Strange, format!("{id}: version {version} is {request}; {why}"));
    }

    /// A plan is there as a whole, or nothing of it, whatever became of whoever asked for it.
    fn halves(&mut self, entries: &[Entry]) {
        let stones = self.found.stones.values().map(|stone| &stone.item);
        let all: Vec<_> = self.found.items.values().chain(stones).collect();
        let mut made: HashMap<String, usize> = HashMap::new();
        for first in all.iter().filter_map(|item| item.at_version(1).ok()) {
            let request = request_that_made(&first);
            *made.entry(request.to_owned()).or_default() += 1;
        }
        for Entry { intent, .. } in entries.iter().filter(|it| it.intent.deed == Deed::Plan) {
            let request = intent.request.as_str();
            let changed = all.iter().filter(|item| intent.item.as_ref() == Some(&item.id));
            let changed = changed.flat_map(|item| &item.history);
            let changed = changed.filter(|it| it.request_id.as_deref() == Some(request)).count();
            let made = made.get(request).copied().unwrap_or(0);
            if ![(0, 0), (PLANNED, 1)].contains(&(made, changed)) {
                let message = format!("of the plan {request} {made} are made, {changed} changed");
                self.add(Wrong::Strange, message);
            }
        }
    }

    /// Whoever is deleted was to be deleted.
    fn wanted(&mut self, id: &WorkId, entries: &[Entry]) {
        let wanted = entries.iter().any(|Entry { intent, answer }| {
            let answer = matches!(answer, Answer::Deleted(_) | Answer::Silence);
            intent.deed == Deed::Delete && intent.item.as_ref() == Some(id) && answer
        });
        if !wanted {
            self.add(Wrong::Lost, format!("{id} was deleted by nobody"));
        }
    }
}
