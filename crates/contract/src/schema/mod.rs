//! JSON Schemas of every answer and of an item's file.
//!
//! Those of answers that several adapters give come from their types. The others, which one command
//! gives, stand in `other.json`, the item's file in `item-file.json`; the tests of the command line
//! hold every answer that they see against them.

use jerry_application::PlanFile;
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Applied, Because, BlockedItems, Chain, ChangedItems, Difference, Explained, Failed,
    History, Hits, Items, Primed, Results, Row, SCHEMA, ShownItem, Tree, Worked,
};

/// What the schema of an item's file is called among the kinds of answers.
pub const ITEM_FILE: &str = "item-file";

/// What the schema of a plan is called among the kinds of answers.
pub const PLAN_FILE: &str = "plan";

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const OTHER: &str = include_str!("other.json");
const ITEM_FILE_SCHEMA: &str = include_str!("item-file.json");

/// The schema of every kind of answer, and of an item's file, by its name.
///
/// # Errors
/// Never: a test reads them all.
pub fn schemas() -> serde_json::Result<Map<String, Value>> {
    let mut all = Map::new();
    add::<ShownItem<'static>>(&mut all);
    add::<Items<'static>>(&mut all);
    add::<Hits<'static>>(&mut all);
    add::<Explained<'static>>(&mut all);
    add::<BlockedItems<'static>>(&mut all);
    add::<Because<'static>>(&mut all);
    add::<Tree<'static>>(&mut all);
    add::<Chain<'static>>(&mut all);
    add::<History<'static>>(&mut all);
    add::<Difference<'static>>(&mut all);
    add::<ChangedItems<'static>>(&mut all);
    add::<Primed<'static>>(&mut all);
    add::<Worked<'static>>(&mut all);
    add::<Applied<'static>>(&mut all);
    add::<Results<'static>>(&mut all);
    add::<Failed<'static>>(&mut all);
    // Only `show` tells more than the item.
    if let Some(Value::Array(required)) = all["item"].get_mut("required") {
        required.retain(|field| field != "progress" && field != "gates");
    }
    offer_some_fields(&mut all["item"], "/properties/item", "work_item");
    offer_some_fields(&mut all["items"], "/properties/items/items", "row");
    let others: Map<String, Value> = serde_json::from_str(OTHER)?;
    for (kind, mut schema) in others {
        resolve(&mut schema)?;
        all.insert(kind.clone(), enveloped(&kind, schema));
    }
    all.insert(PLAN_FILE.to_owned(), named(schema_for!(PlanFile).to_value()));
    all.insert(ITEM_FILE.to_owned(), named(serde_json::from_str(ITEM_FILE_SCHEMA)?));
    Ok(all)
}

/// An item as answers have it: as its file has it, references as ids.
///
/// # Errors
/// As [`schemas`].
pub(crate) fn whole_item() -> serde_json::Result<Value> {
    let mut schema: Value = serde_json::from_str(ITEM_FILE_SCHEMA)?;
    let id = schema["properties"]["id"].clone();
    schema["description"] = json!("Every field of an item as its file has it, references as ids.");
    schema["properties"]["parent"] = json!({ "anyOf": [id, { "type": "null" }] });
    schema["properties"]["depends_on"]["items"] = id;
    schema["properties"]["links"]["items"]["properties"]["target"] = json!({ "type": "string" });
    Ok(schema)
}

fn add<T: Answer + JsonSchema>(all: &mut Map<String, Value>) {
    all.insert(T::KIND.to_owned(), enveloped(T::KIND, schema_for!(T).to_value()));
}

/// The schema of the whole answer whose fields `schema` describes.
fn enveloped(kind: &str, mut schema: Value) -> Value {
    let mut properties = Map::new();
    properties.insert("schema".to_owned(), json!({ "type": "integer", "const": SCHEMA }));
    properties.insert("kind".to_owned(), json!({ "type": "string", "const": kind }));
    if let Value::Object(fields) = schema["properties"].take() {
        properties.extend(fields);
    }
    let mut required = vec![json!("schema"), json!("kind")];
    if let Value::Array(fields) = schema["required"].take() {
        required.extend(fields);
    }
    schema["properties"] = Value::Object(properties);
    schema["required"] = Value::Array(required);
    named(schema)
}

/// What stands in the definitions for an item of which only some fields were asked for.
pub const SOME_FIELDS: &str = "some_fields";

/// Lets what stands at `place` also be only some fields of the definition `whole`, as `--fields` and
/// `--compact` print them.
fn offer_some_fields(schema: &mut Value, place: &str, whole: &str) {
    let mut some = schema["$defs"][whole].clone();
    if let Value::Object(rules) = &mut some {
        rules.remove("required");
        rules.insert("minProperties".to_owned(), json!(1));
        rules.insert(
            "description".to_owned(),
            json!("The fields that --fields or --compact names."),
        );
    }
    schema["$defs"][SOME_FIELDS] = some;
    if let Some(place) = schema.pointer_mut(place) {
        let reference = format!("#/$defs/{SOME_FIELDS}");
        *place = json!({ "anyOf": [place.take(), { "$ref": reference }] });
    }
}

/// The schema, with the dialect that it is written in.
fn named(schema: Value) -> Value {
    let mut whole = Map::from_iter([("$schema".to_owned(), json!(DIALECT))]);
    if let Value::Object(rules) = schema {
        whole.extend(rules);
    }
    Value::Object(whole)
}

/// Puts an item, or the row of a list, in place of a reference to it.
fn resolve(schema: &mut Value) -> serde_json::Result<()> {
    match schema {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some("item") => *schema = whole_item()?,
            Some("row") => *schema = row(),
            _ => fields.values_mut().try_for_each(resolve)?,
        },
        Value::Array(values) => values.iter_mut().try_for_each(resolve)?,
        _ => {}
    }
    Ok(())
}

/// A row, with everything that it refers to in place.
fn row() -> Value {
    let settings = schemars::generate::SchemaSettings::default().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<Row<'static>>().to_value()
}
