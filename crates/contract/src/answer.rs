//! The shapes of answers: one object, `schema` and `kind` first, every field always there.

use std::borrow::Cow;

use jerry_application::SearchResult;
use jerry_domain::ports::Unreadable;
use jerry_domain::{
    Actor, ClaimSummary, ItemType, Label, Phase, Priority, Progress, ProgressCount, Status,
    Summary, Timestamp, Title, Uid, WorkId, WorkItem,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::chain;
use crate::schema::whole_item;

/// The contract that this version keeps.
pub const SCHEMA: u32 = 1;

/// What can be said to a program.
pub trait Answer: Serialize {
    /// What the answer is: the value of its field `kind`.
    const KIND: &'static str;
}

/// An answer as it is written.
#[derive(Debug, Serialize)]
pub struct Envelope<'a, T> {
    schema: u32,
    kind: &'a str,
    #[serde(flatten)]
    fields: &'a T,
}

impl<'a, T: Answer> Envelope<'a, T> {
    /// The envelope of `answer`.
    #[must_use]
    pub fn of(answer: &'a T) -> Self {
        Self::new(T::KIND, answer)
    }
}

impl<'a, T> Envelope<'a, T> {
    /// An answer that has no type here, since only one command gives it.
    #[must_use]
    pub fn new(kind: &'a str, fields: &'a T) -> Self {
        Self { schema: SCHEMA, kind, fields }
    }
}

/// The answer of kind `item`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "item")]
pub struct OneItem<'a> {
    /// The item in full.
    pub item: Whole<'a>,
}

impl Answer for OneItem<'_> {
    const KIND: &'static str = "item";
}

impl<'a> From<&'a WorkItem> for OneItem<'a> {
    fn from(item: &'a WorkItem) -> Self {
        Self { item: Whole(item) }
    }
}

/// The answer of kind `item` to the question for one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "shown_item")]
pub struct ShownItem<'a> {
    /// The item in full.
    pub item: Whole<'a>,
    /// How far its parts are; `null` when it has none.
    pub progress: Option<Progress>,
    /// What must be shown before it is completed, as the settings and the item ask: `criteria`,
    /// `evidence`, `subtasks`, `cmd: COMMAND`.
    pub gates: Vec<String>,
}

impl Answer for ShownItem<'_> {
    const KIND: &'static str = "item";
}

/// Every field of an item, references as ids.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a>(pub &'a WorkItem);

impl Whole<'_> {
    /// The item as a value.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn value(self) -> serde_json::Result<Value> {
        let item = self.0;
        let mut value = serde_json::to_value(item)?;
        value["parent"] = serde_json::to_value(item.parent.as_ref().map(|parent| &parent.id))?;
        let needed = item.depends_on.iter().map(|needed| Value::from(needed.id.to_string()));
        value["depends_on"] = needed.collect();
        for (index, link) in item.links.iter().enumerate() {
            value["links"][index]["target"] = Value::from(link.target.to_string());
        }
        Ok(value)
    }
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl JsonSchema for Whole<'_> {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("work_item")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let schema = whole_item().ok().and_then(|schema| Schema::try_from(schema).ok());
        schema.unwrap_or_else(|| json_schema!({ "type": "object" }))
    }
}

/// The answer of kind `items`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "items")]
pub struct Items<'a> {
    /// As many as were asked for.
    pub items: Vec<Row<'a>>,
    /// How many there are without a limit.
    pub total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Items<'_> {
    const KIND: &'static str = "items";
}

impl<'a> Items<'a> {
    /// An answer with these items.
    #[must_use]
    pub fn new(
        items: &'a [Summary],
        total: usize,
        progress: &ProgressCount,
        unreadable: &'a [Unreadable],
    ) -> Self {
        let items = items.iter().map(|item| Row::new(item, progress)).collect();
        Self { items, total, unreadable: not_read(unreadable) }
    }
}

/// An item in a list: exactly these fields.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "row")]
#[allow(missing_docs)]
pub struct Row<'a> {
    pub id: &'a WorkId,
    pub uid: Uid,
    pub version: u64,
    #[serde(rename = "type")]
    pub item_type: ItemType,
    pub title: &'a Title,
    pub status: Status,
    pub priority: Priority,
    pub phase: Option<&'a Phase>,
    pub assignee: Option<&'a Actor>,
    pub claim: Option<&'a ClaimSummary>,
    pub labels: &'a [Label],
    pub parent: Option<&'a WorkId>,
    pub depends_on: Vec<&'a WorkId>,
    pub progress: Option<Progress>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Row<'_> {
    /// The names of its fields, in their order.
    #[must_use]
    pub fn fields() -> Vec<String> {
        let schema = schema_for!(Row<'static>);
        let fields = schema.get("properties").and_then(Value::as_object);
        fields.map_or_else(Vec::new, |fields| fields.keys().cloned().collect())
    }
}

impl<'a> Row<'a> {
    /// `progress` is that of all items.
    #[must_use]
    pub fn new(item: &'a Summary, progress: &ProgressCount) -> Self {
        Self {
            id: &item.id,
            uid: item.uid,
            version: item.version,
            item_type: item.item_type,
            title: &item.title,
            status: item.status,
            priority: item.priority,
            phase: item.phase.as_ref(),
            assignee: item.assignee.as_ref(),
            claim: item.claim.as_ref(),
            labels: &item.labels,
            parent: item.parent.as_ref().map(|parent| &parent.id),
            depends_on: item.depends_on.iter().map(|needed| &needed.id).collect(),
            progress: progress.of(&item.id, item.uid),
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
}

/// The answer of kind `hits`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "hits")]
pub struct Hits<'a> {
    /// As many as were asked for.
    pub hits: Vec<Hit<'a>>,
    /// How many there are without a limit.
    pub total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Hits<'_> {
    const KIND: &'static str = "hits";
}

/// An item in which a text was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "hit")]
pub struct Hit<'a> {
    /// The item.
    pub item: Row<'a>,
    /// The field that says it; `null` when the item has changed since.
    pub field: Option<&'a str>,
    /// What stands around the place.
    pub excerpt: Option<&'a str>,
}

impl<'a> From<&'a SearchResult> for Hits<'a> {
    fn from(found: &'a SearchResult) -> Self {
        let hits = found.hits.iter().map(|hit| Hit {
            item: Row::new(&hit.item, &found.progress),
            field: hit.excerpt.as_ref().map(|excerpt| excerpt.field),
            excerpt: hit.excerpt.as_ref().map(|excerpt| excerpt.text.as_str()),
        });
        Self { hits: hits.collect(), total: found.total, unreadable: not_read(&found.unreadable) }
    }
}

/// What could not be read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "unreadable")]
pub struct NotRead<'a> {
    /// The file.
    pub path: &'a str,
    /// The line, counted from 1; `null` when the file could not be read at all.
    pub line: Option<usize>,
    /// The column, counted from 1.
    pub column: Option<usize>,
    /// Why.
    pub message: String,
}

impl<'a> From<&'a Unreadable> for NotRead<'a> {
    fn from(error: &'a Unreadable) -> Self {
        match error {
            Unreadable::Malformed(error) => Self {
                path: &error.path,
                line: Some(error.line),
                column: Some(error.column),
                message: error.reason.clone(),
            },
            Unreadable::Storage(error) => {
                Self { path: &error.resource, line: None, column: None, message: chain(error) }
            }
        }
    }
}

/// What could not be read, in the order found.
pub(crate) fn not_read(unreadable: &[Unreadable]) -> Vec<NotRead<'_>> {
    unreadable.iter().map(NotRead::from).collect()
}
