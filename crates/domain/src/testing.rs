//! Generators of items, edits and stamps for property tests, here so that every crate draws its
//! items from one place: as strange as a file may hold, and valid.

use std::time::Duration;

use jiff::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Number, Value};

use crate::{
    Actor, Artifact, CheckId, ChecklistKind, Claim, Credentials, Criterion, Edit, Event, Evidence,
    Extra, HistoryEntry, ITEM_SCHEMA, ItemRef, ItemType, Label, Link, LinkKind, LinkTarget, Note,
    Phase, Prefix, Priority, Reach, Record, RequestId, Requirement, SessionName, Source, Stamp,
    Status, Subtask, Title, Transition, Uid, WorkId, WorkItem,
};

/// Any valid item as a file may hold it, with unknown fields at every level. Its history is that
/// of an item that came from elsewhere: one entry, for the version it has.
pub fn item() -> impl Strategy<Value = WorkItem> {
    (identity(), relations(), contents(), moments(), extra()).prop_filter_map(
        "fields that do not agree",
        |(identity, relations, contents, moments, extra)| {
            let (id, uid, version, item_type, title, status, priority) = identity;
            let (parent, depends_on, links, labels, assignee, claim, phase) = relations;
            let (gates, texts, acceptance_criteria, subtasks, notes, findings, artifacts, sources) =
                contents;
            let (heading, description, external_ref, imported) = texts;
            let (created_at, updated_at, started_at, completed_at, due_at, stamp) = moments;
            let mut entry: HistoryEntry = stamp.entry(version, Event::IMPORTED, Vec::new());
            entry.extra = extra.clone();
            WorkItem::try_from(Record {
                schema: ITEM_SCHEMA,
                id,
                uid,
                version,
                item_type,
                title,
                heading,
                description,
                status,
                priority,
                phase,
                assignee,
                claim,
                labels,
                parent,
                depends_on,
                links,
                gates,
                acceptance_criteria,
                subtasks,
                notes,
                findings,
                artifacts,
                sources,
                external_ref,
                created_at,
                updated_at,
                started_at,
                completed_at,
                due_at,
                imported,
                history: vec![entry],
                displaced: Vec::new(),
                extra,
            })
            .ok()
        },
    )
}

fn identity() -> impl Strategy<Value = (WorkId, Uid, u64, ItemType, Title, Status, Priority)> {
    (work_id(), uid(), 1..u64::from(u32::MAX), item_type(), title(), status(), priority())
}

#[allow(clippy::type_complexity, reason = "a list of fields, named where it is taken apart")]
fn relations() -> impl Strategy<
    Value = (
        Option<ItemRef>,
        Vec<ItemRef>,
        Vec<Link>,
        Vec<Label>,
        Option<Actor>,
        Option<Claim>,
        Option<Phase>,
    ),
> {
    let depends_on = vec(item_ref(), 0..4).prop_map(|references| {
        references.into_iter().fold(Vec::new(), |mut kept: Vec<ItemRef>, reference| {
            if !kept.iter().any(|own| own.same_target(&reference)) {
                kept.push(reference);
            }
            kept
        })
    });
    let phase = "[A-Za-z0-9 ]{0,8}[0-9]".prop_filter_map("a phase", |text| Phase::new(&text).ok());
    (
        option::of(item_ref()),
        depends_on,
        vec(link(), 0..3),
        btree_set(label(), 0..4).prop_map(|labels| labels.into_iter().collect()),
        option::of(actor()),
        option::of(claim()),
        option::of(phase),
    )
}

type Texts = (Option<String>, Option<String>, Option<String>, Option<Value>);

#[allow(clippy::type_complexity, reason = "a list of fields, named where it is taken apart")]
fn contents() -> impl Strategy<
    Value = (
        Vec<Requirement>,
        Texts,
        Vec<Criterion>,
        Vec<Subtask>,
        Vec<Note>,
        Vec<String>,
        Vec<Artifact>,
        Vec<Source>,
    ),
> {
    let imported = option::of(json().prop_filter("null is absent", |value| !value.is_null()));
    (
        proptest::sample::subsequence(Requirement::ALL.to_vec(), 0..=3),
        (option::of(text()), option::of(text()), option::of(text()), imported),
        numbered("AC", criterion(), |criterion| &mut criterion.id),
        numbered("ST", subtask(), |subtask| &mut subtask.id),
        vec(note(), 0..3),
        vec(text(), 0..3),
        vec(artifact(), 0..3),
        vec(source(), 0..3),
    )
}

/// A checklist whose entries have names that differ.
fn numbered<T: std::fmt::Debug>(
    short: &'static str,
    entry: impl Strategy<Value = T>,
    id_of: fn(&mut T) -> &mut CheckId,
) -> impl Strategy<Value = Vec<T>> {
    vec(entry, 0..3).prop_filter_map("checklist ids", move |mut entries| {
        for (index, entry) in entries.iter_mut().enumerate() {
            *id_of(entry) = CheckId::new(&format!("{short}-042.{}", index + 1)).ok()?;
        }
        Some(entries)
    })
}

#[allow(clippy::type_complexity, reason = "a list of fields, named where it is taken apart")]
fn moments() -> impl Strategy<
    Value = (Timestamp, Timestamp, Option<Timestamp>, Option<Timestamp>, Option<Timestamp>, Stamp),
> {
    (
        timestamp(),
        timestamp(),
        option::of(timestamp()),
        option::of(timestamp()),
        option::of(timestamp()),
        stamp(),
    )
}

/// One of a few ids, so that references meet; or any.
pub fn work_id() -> impl Strategy<Value = WorkId> {
    let number = prop_oneof![8 => 38..44_u64, 1 => 0..=WorkId::MAX_NUMBER];
    ("(WORK|WI|A1B2C3D4E5F6G7H8)", number).prop_filter_map("an id", |(prefix, number)| {
        WorkId::new(Prefix::new(&prefix).ok()?, number).ok()
    })
}

/// One of a few uids, so that references meet; or any.
pub fn uid() -> impl Strategy<Value = Uid> {
    let value = prop_oneof![4 => 1..12_u64, 1 => 1..=i64::MAX as u64];
    value.prop_filter_map("a uid", |value| Uid::try_from(value).ok())
}

/// A title of any characters that a title may have.
pub fn title() -> impl Strategy<Value = Title> {
    any::<String>().prop_filter_map("a title", |text| Title::new(&text).ok())
}

/// A few people and agents.
pub fn actor() -> impl Strategy<Value = Actor> {
    "(ada|bob|agent-[0-9]|é@ホスト)".prop_filter_map("an actor", |text| Actor::new(&text).ok())
}

/// A few labels, so that adding and removing meet.
pub fn label() -> impl Strategy<Value = Label> {
    "[a-e]|area/[a-c]|ü".prop_filter_map("a label", |text| Label::new(&text).ok())
}

fn check_id() -> impl Strategy<Value = CheckId> {
    "(AC|ST)-042\\.[1-4]".prop_filter_map("a checklist id", |text| CheckId::new(&text).ok())
}

fn item_type() -> impl Strategy<Value = ItemType> {
    proptest::sample::select(&ItemType::ALL[..])
}

fn status() -> impl Strategy<Value = Status> {
    proptest::sample::select(&Status::ALL[..])
}

fn priority() -> impl Strategy<Value = Priority> {
    proptest::sample::select(&Priority::ALL[..])
}

/// A text that says something, of any characters.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(any::<char>(), 1..20)
            .prop_map(|characters| characters.into_iter().collect())
    ]
    .prop_filter("says nothing", |text: &String| !text.trim().is_empty())
}

/// One of a few seconds, so that times coincide and run backwards; or any time.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    let near = (1_700_000_000..1_700_000_004_i64).prop_map(|second| (second, 0));
    let any = (Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(), 0..1_000_000_000);
    prop_oneof![3 => near, 1 => any]
        .prop_filter_map("a time", |(second, nano)| Timestamp::new(second, nano).ok())
}

/// Who, when and why.
pub fn stamp() -> impl Strategy<Value = Stamp> {
    (timestamp(), actor(), option::of(text()), option::of(request_id()), credentials()).prop_map(
        |(at, actor, reason, request_id, credentials)| Stamp {
            at,
            actor,
            reason,
            request_id,
            credentials,
        },
    )
}

fn request_id() -> impl Strategy<Value = RequestId> {
    "[a-z0-9]{1,8}".prop_filter_map("a request", |text| RequestId::new(&text).ok())
}

/// Most often those of somebody who asks nobody, so that not every second write is refused.
fn credentials() -> impl Strategy<Value = Credentials> {
    (session(), prop_oneof![4 => Just(true), 1 => Just(false)])
        .prop_map(|(session, force)| Credentials { session, force, ..Credentials::default() })
}

fn session() -> impl Strategy<Value = Option<SessionName>> {
    option::of("[a-c]".prop_filter_map("a session", |text| SessionName::new(&text).ok()))
}

fn reach() -> impl Strategy<Value = Reach> {
    ("[ab]", option::of("[mn]")).prop_map(|(boot, machine)| Reach {
        boot,
        machine,
        extra: Extra::new(),
    })
}

/// Complete, bare, or bare with what a later version put beside it.
pub fn item_ref() -> impl Strategy<Value = ItemRef> {
    (work_id(), option::of(uid()), option::of(text()), extra()).prop_map(
        |(id, uid, note, extra)| {
            let extra = (!extra.is_empty()).then(|| Box::new(extra));
            ItemRef { id, uid, note, extra }
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (proptest::sample::select(&LinkKind::ALL[..]), link_target(), option::of(text()), extra())
        .prop_map(|(kind, target, note, extra)| Link { kind, target, note, extra })
}

/// A name that could be an item's is an item's: read back, it would be one.
fn link_target() -> impl Strategy<Value = LinkTarget> {
    let external = text().prop_filter("an item's name", |name| name.parse::<WorkId>().is_err());
    prop_oneof![item_ref().prop_map(LinkTarget::Item), external.prop_map(LinkTarget::External)]
}

fn requirement() -> impl Strategy<Value = Requirement> {
    proptest::sample::select(&Requirement::ALL[..])
}

fn criterion() -> impl Strategy<Value = Criterion> {
    (check_id(), text(), any::<bool>(), vec(evidence(), 0..3), extra())
        .prop_map(|(id, text, done, evidence, extra)| Criterion { id, text, done, evidence, extra })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (text(), option::of(text()), extra()).prop_map(|(text, source, extra)| Evidence {
        text,
        source,
        extra,
    })
}

fn subtask() -> impl Strategy<Value = Subtask> {
    (check_id(), text(), any::<bool>(), extra()).prop_map(|(id, text, done, extra)| Subtask {
        id,
        text,
        done,
        extra,
    })
}

fn note() -> impl Strategy<Value = Note> {
    (timestamp(), actor(), text(), extra()).prop_map(|(at, actor, text, extra)| Note {
        at,
        actor,
        text,
        extra,
    })
}

fn artifact() -> impl Strategy<Value = Artifact> {
    (option::of(text()), text(), option::of(text()), extra())
        .prop_map(|(kind, title, url, extra)| Artifact { kind, title, url, extra })
}

fn source() -> impl Strategy<Value = Source> {
    (text(), option::of(text()), extra()).prop_map(|(title, url, extra)| Source {
        title,
        url,
        extra,
    })
}

fn claim() -> impl Strategy<Value = Claim> {
    let lease = (option::of(any::<u32>().prop_map(u64::from)), option::of(timestamp()));
    let liveness = (option::of(actor()), option::of(reach()));
    (actor(), session(), any::<u64>(), timestamp(), lease, liveness, extra()).prop_map(
        |(holder, session, fence, since, lease, (handed_over_by, lock), extra)| {
            let (lease_seconds, expires_at) = lease;
            Claim {
                holder,
                session,
                fence,
                since,
                lease_seconds,
                expires_at,
                handed_over_by,
                lock,
                extra,
            }
        },
    )
}

/// Fields that no version knows. Most often none, so that items stay small.
pub fn extra() -> impl Strategy<Value = Extra> {
    let key = prop_oneof!["x[a-z]{0,3}", "x[/~.\" é]{1,3}"];
    let some = vec((key, json()), 1..4).prop_map(|fields| fields.into_iter().collect());
    prop_oneof![3 => Just(Extra::new()), 1 => some]
}

/// Any JSON value, numbers written in every way that JSON allows.
pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Numbers beyond every machine type, and those that a conversion would write differently.
pub fn number() -> impl Strategy<Value = Number> {
    let written = prop_oneof![
        "-?(0|[1-9][0-9]{0,30})",
        "-?(0|[1-9][0-9]{0,10})\\.[0-9]{1,12}",
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,4}",
        Just("1.10".to_owned()),
        Just("1e400".to_owned()),
        Just("12345678901234567890123".to_owned()),
        Just("-0".to_owned()),
        Just("-0.0".to_owned()),
    ];
    written.prop_filter_map("a number", |text| serde_json::from_str(&text).ok())
}

/// Any one edit. Some are refused by some items.
pub fn edit() -> impl Strategy<Value = Edit> {
    let kind = prop_oneof![Just(ChecklistKind::Criteria), Just(ChecklistKind::Subtasks)];
    let phase = "[A-Z]{1,3}".prop_filter_map("a phase", |text| Phase::new(&text).ok());
    let said = prop_oneof![4 => text(), 1 => Just(" \n".to_owned())];
    prop_oneof![
        title().prop_map(Edit::Title),
        option::of(any::<String>()).prop_map(Edit::Description),
        (option::of(any::<String>()), 0..4_u64)
            .prop_map(|(text, of)| Edit::ReplaceDescription { text, of }),
        said.clone().prop_map(Edit::AppendDescription),
        item_type().prop_map(Edit::Type),
        priority().prop_map(Edit::Priority),
        option::of(phase).prop_map(Edit::Phase),
        option::of(actor()).prop_map(Edit::Assignee),
        option::of(timestamp()).prop_map(Edit::DueAt),
        option::of(any::<String>()).prop_map(Edit::ExternalRef),
        label().prop_map(Edit::AddLabel),
        label().prop_map(Edit::RemoveLabel),
        option::of(item_ref()).prop_map(Edit::Parent),
        item_ref().prop_map(Edit::AddDependency),
        item_ref().prop_map(Edit::RemoveDependency),
        link().prop_map(Edit::AddLink),
        link_target().prop_map(Edit::RemoveLink),
        requirement().prop_map(Edit::AddGate),
        requirement().prop_map(Edit::RemoveGate),
        (kind.clone(), said.clone()).prop_map(|(kind, text)| Edit::AddCheck(kind, text)),
        (kind, said.clone()).prop_map(|(kind, text)| Edit::EnsureCheck(kind, text)),
        (check_id(), any::<bool>(), option::of(evidence()))
            .prop_map(|(id, done, evidence)| Edit::Check { id, done, evidence }),
        check_id().prop_map(Edit::RemoveCheck),
        said.clone().prop_map(Edit::AddFinding),
        artifact().prop_map(Edit::AddArtifact),
        source().prop_map(Edit::AddSource),
        said.prop_map(Edit::Note),
        proptest::sample::select(&Transition::ALL[..]).prop_map(Edit::Move),
        status().prop_map(Edit::MoveTo),
        (option::of(any::<u32>()), option::of(reach())).prop_map(|(lease, lock)| Edit::Claim {
            lease: lease.map(|seconds| Duration::from_secs(seconds.into())),
            lock,
        }),
        Just(Edit::Unclaim),
        actor().prop_map(Edit::HandOver),
    ]
}

/// A few writes, each of a few edits.
pub fn writes() -> impl Strategy<Value = Vec<(Vec<Edit>, Stamp)>> {
    vec((vec(edit(), 0..4), stamp()), 0..8)
}
