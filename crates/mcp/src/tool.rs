//! What a tool is, and how one is called.

use std::sync::Arc;

use jerry_application::Request;
use jerry_contract::{Answer, Code, Envelope, Failure, OneItem};
use jerry_domain::{Credentials, Edit, RequestId, WorkItem};
use rmcp::model::{JsonObject, Tool as Description, ToolAnnotations};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::desk::{Desk, Id};

/// What a call comes to: an answer of the contract, in its envelope.
pub(crate) type Outcome = Result<Value, Failure>;

/// Something that an agent can ask for.
pub(crate) trait Tool {
    /// Its name.
    const NAME: &'static str;
    /// What agents are told about it. They read it every time; it is short.
    const ABOUT: &'static str;
    /// What it does with items.
    const EFFECT: Effect;
    /// What it takes, besides what all with its effect take. The descriptions in its schema are the
    /// documentation of its fields.
    type Arguments: DeserializeOwned + JsonSchema;

    /// Does it. May block: it is called on a thread of its own.
    async fn call(arguments: Self::Arguments, call: Call<'_>) -> Outcome;
}

/// One call, apart from what the tool takes itself.
pub(crate) struct Call<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) change: Change,
    /// Whether nobody waits for the answer any more.
    pub(crate) is_given_up: &'a dyn Fn() -> bool,
}

impl Call<'_> {
    /// The request to the application.
    pub(crate) fn request(&self) -> Request {
        let Change { reason, request_id, if_version, fence } = self.change.clone();
        let session = Some(self.desk.session.clone());
        let credentials = Credentials { session, fence, ..Credentials::default() };
        let request = Request::new(self.desk.actor.clone());
        Request { reason, request_id, if_version, credentials, ..request }
    }

    /// Makes `edits` as one write of the item that the agent calls `id`.
    pub(crate) async fn edit(&self, id: &Id, edits: Vec<Edit>) -> Outcome {
        let id = self.desk.id(id)?;
        let update = self.desk.modify().edit(&id, edits, &self.request()).await?;
        written(&update.into_item())
    }
}

/// What a tool does with items, and so which arguments of [`Change`] it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Reads,
    /// It makes new ones.
    Makes,
    /// It writes one that is there.
    Writes,
}

impl Effect {
    /// The fields of [`Change`] that count.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Reads => &[],
            Self::Makes => &["reason", "request_id"],
            Self::Writes => &["reason", "request_id", "if_version", "fence"],
        }
    }
}

/// What tools take that write.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Change {
    /// Why; goes into the item's history.
    pub(crate) reason: Option<String>,
    /// Your own name for this request: a repeat of it is answered as the first, and changes nothing.
    pub(crate) request_id: Option<RequestId>,
    /// Only if the item has this version.
    pub(crate) if_version: Option<u64>,
    /// The fence of the claim you act under. Needed only for claims of another session.
    pub(crate) fence: Option<u64>,
}

/// A tool as the server has it.
pub(crate) struct Entry {
    pub(crate) description: Description,
    /// Takes the arguments, and the schema that they must have.
    pub(crate) call: fn(JsonObject, &JsonObject, &Desk, &dyn Fn() -> bool) -> Outcome,
}

impl Entry {
    pub(crate) fn of<T: Tool>() -> Self {
        let mut annotations = ToolAnnotations::new();
        annotations.read_only_hint = Some(T::EFFECT == Effect::Reads);
        // History keeps whatever a write replaces.
        annotations.destructive_hint = Some(false);
        annotations.open_world_hint = Some(false);
        let description = Description::new(T::NAME, T::ABOUT, Arc::new(schema::<T>()));
        Self { description: description.with_annotations(annotations), call: call::<T> }
    }
}

fn call<T: Tool>(
    arguments: JsonObject,
    schema: &JsonObject,
    desk: &Desk,
    is_given_up: &dyn Fn() -> bool,
) -> Outcome {
    refuse_unknown(&arguments, schema)?;
    let arguments = Value::Object(arguments);
    let change = match T::EFFECT {
        Effect::Reads => Change::default(),
        Effect::Makes | Effect::Writes => parse(&arguments)?,
    };
    let call = Call { desk, change, is_given_up };
    pollster::block_on(T::call(parse(&arguments)?, call))
}

/// The schema of everything that the tool takes.
fn schema<T: Tool>() -> JsonObject {
    let mut schema = schema_of::<T::Arguments>();
    // All agents pay for these words, at every start.
    schema.remove("title");
    schema.remove("description");
    let mut common = schema_of::<Change>();
    let properties = schema.entry("properties").or_insert_with(|| JsonObject::new().into());
    if let (Some(own), Some(common)) =
        (properties.as_object_mut(), common.get_mut("properties").and_then(Value::as_object_mut))
    {
        for name in T::EFFECT.arguments() {
            own.extend(common.remove_entry(*name));
        }
    }
    properties.as_object_mut().into_iter().flat_map(JsonObject::values_mut).for_each(shorten);
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    schema
}

/// Leaves away what tells an agent nothing, in the schema of one argument: that an optional one may
/// be `null` too, unless that is its way to say something; how wide a number is; empty defaults.
fn shorten(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.shift_remove("format");
    let defaults_to = fields.shift_remove("default");
    if defaults_to != Some(Value::Null) {
        drop_null(fields);
    }
    if let Some(Value::String(said)) = fields.get_mut("description") {
        *said = said.replace('\n', " ");
    }
    fields.get_mut("items").into_iter().for_each(shorten);
    if let Some(Value::Object(inner)) = fields.get_mut("properties") {
        inner.values_mut().for_each(shorten);
    }
}

fn drop_null(fields: &mut JsonObject) {
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

fn schema_of<T: JsonSchema>() -> JsonObject {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    match settings.into_generator().into_root_schema_for::<T>().to_value() {
        Value::Object(schema) => schema,
        // No tool takes everything or nothing.
        _ => JsonObject::new(),
    }
}

/// An argument with a typing error in its name would be an argument that is not looked at.
fn refuse_unknown(arguments: &JsonObject, schema: &JsonObject) -> Result<(), Failure> {
    let known = schema.get("properties").and_then(Value::as_object);
    let is_known = |name: &String| known.is_some_and(|known| known.contains_key(name));
    match arguments.keys().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => {
            let known: Vec<_> = known.into_iter().flat_map(JsonObject::keys).cloned().collect();
            let message = format!("there is no argument '{name}'; there are {}", known.join(", "));
            Err(usage(message).with("argument", name.as_str()).with("known", known))
        }
    }
}

fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let (path, reason) = (error.path().to_string(), error.inner());
        let reason = in_words(&reason.to_string());
        // The path of the whole is a dot.
        match path.as_str() {
            "." => usage(reason),
            _ => usage(format!("{path}: {reason}")).with("argument", path),
        }
    })
}

/// What was wrong with an argument, without the names that its types have here.
fn in_words(reason: &str) -> String {
    match reason.rsplit_once(", expected ") {
        Some((found, "u32" | "u64" | "usize")) => {
            format!("{found}, expected a whole number that is not negative")
        }
        Some((found, wanted)) if wanted.starts_with("struct ") => {
            format!("{found}, expected an object")
        }
        _ => reason.to_owned(),
    }
}

/// The arguments are not what the tool takes.
pub(crate) fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Code::Usage, message).hint(crate::hint::USAGE)
}

/// The answer as it is sent.
pub(crate) fn say<T: Answer>(answer: &T) -> Outcome {
    serde_json::to_value(Envelope::of(answer)).map_err(|error| Failure::of(Code::Internal, &error))
}

/// An item as it is after a write. Without its history, which grows with every one.
pub(crate) fn written(item: &WorkItem) -> Outcome {
    say(&OneItem::from(item)).map(without_history)
}

/// The same answer without the item's history.
pub(crate) fn without_history(mut answer: Value) -> Value {
    if let Some(item) = answer.get_mut("item").and_then(Value::as_object_mut) {
        item.shift_remove("history");
    }
    answer
}
