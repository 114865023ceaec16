//! Every answer, and every item's file, is as its schema says. Stricter than a schema: what it does
//! not name is not there.

use jerry_contract::{ITEM_FILE, PLAN_FILE, SOME_FIELDS, schemas};
use serde_json::{Map, Value};

use super::*;

/// Panics unless `answer` is as the schema of its kind says, with whole items.
pub(super) fn check(answer: &Value) {
    assert_valid(kind(answer), answer, false);
}

/// Panics unless `answer` is as the schema of its kind says of items with some fields.
pub(super) fn check_some_fields(answer: &Value) {
    assert_valid(kind(answer), answer, true);
}

fn kind(answer: &Value) -> &str {
    answer["kind"].as_str().expect("a kind")
}

fn assert_valid(kind: &str, value: &Value, some_fields: bool) {
    let all = schemas().expect("they can be read");
    let schema = all.get(kind).unwrap_or_else(|| {
        panic!("the kind '{kind}' has no schema: add it to crates/contract/src/schema")
    });
    let faults = Checker { root: schema, some_fields }.faults(schema, value, kind);
    assert!(faults.is_empty(), "{faults:#?}");
}

struct Checker<'a> {
    root: &'a Value,
    /// Whether an item may have only some of its fields.
    some_fields: bool,
}

impl Checker<'_> {
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let Value::Object(rules) = schema else { return Vec::new() };
        let mut faults = Vec::new();
        let mut fault = |what: String| faults.push(format!("{at}: {what}"));
        if let Some(reference) = rules.get("$ref").and_then(Value::as_str) {
            if !self.some_fields && reference.ends_with(SOME_FIELDS) {
                return vec![format!("{at}: not all fields were asked for")];
            }
            let target = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
            return self.faults(target.expect("what is referred to is there"), value, at);
        }
        if let Some(types) = rules.get("type") {
            let one = std::slice::from_ref(types);
            let types = types.as_array().map_or(one, Vec::as_slice);
            if !types.iter().any(|name| is_of(name.as_str().expect("a name"), value)) {
                fault(format!("is no {types:?}: {value}"));
            }
        }
        if rules.get("const").is_some_and(|constant| constant != value) {
            fault(format!("is not {}: {value}", rules["const"]));
        }
        let values = rules.get("enum").and_then(Value::as_array);
        if values.is_some_and(|values| !values.contains(value)) {
            fault(format!("is none of {values:?}: {value}"));
        }
        for any in ["anyOf", "oneOf"].iter().filter_map(|rule| rules.get(*rule)) {
            let mut tried = any.as_array().expect("a list").iter();
            if !tried.any(|schema| self.faults(schema, value, at).is_empty()) {
                fault(format!("is none of what it may be: {value}"));
            }
        }
        match value {
            Value::Object(fields) => faults.extend(self.in_object(rules, fields, at)),
            Value::Array(values) => {
                let items = rules.get("items").unwrap_or(&Value::Null);
                for (index, value) in values.iter().enumerate() {
                    faults.extend(self.faults(items, value, &format!("{at}/{index}")));
                }
            }
            _ => {}
        }
        faults
    }

    fn in_object(
        &self,
        rules: &Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        for name in rules.get("required").and_then(Value::as_array).into_iter().flatten() {
            let name = name.as_str().expect("a name");
            if !fields.contains_key(name) {
                faults.push(format!("{at}: has no {name}"));
            }
        }
        let Some(known) = rules.get("properties").and_then(Value::as_object) else {
            let values = rules.get("additionalProperties").unwrap_or(&Value::Null);
            let check = |(name, value)| self.faults(values, value, &format!("{at}/{name}"));
            return faults.into_iter().chain(fields.iter().flat_map(check)).collect();
        };
        for (name, value) in fields {
            match known.get(name) {
                Some(schema) => {
                    faults.extend(self.faults(schema, value, &format!("{at}/{name}")));
                }
                None if rules.get("additionalProperties") == Some(&Value::Bool(true)) => {}
                None => faults.push(format!("{at}: the schema does not know {name}")),
            }
        }
        faults
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

#[test]
fn every_version_of_an_items_file_is_as_its_schema_says() {
    let mut jerry = Jerry::with_items();
    jerry.quietly("claim 3 --session s");
    jerry.quietly("handoff 3 --to ann --session s --note 'Yours'");
    let written = jerry.memory.items.written();
    assert!(written.len() > 10);
    for item in written {
        assert_valid(ITEM_FILE, &serde_json::to_value(item).expect("JSON"), false);
    }
}

#[test]
fn what_a_schema_does_not_allow_is_noticed() {
    let jerry = Jerry::with_items();
    let (_, answer) = jerry.answer(Style::PLAIN, "list --json");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut answer = answer.clone();
        change(&mut answer);
        let all = schemas().expect("they can be read");
        Checker { root: &all["items"], some_fields: false }.faults(&all["items"], &answer, "items")
    };
    assert_eq!(changed(&|_| ()), [""; 0]);
    let faults: [&dyn Fn(&mut Value); 6] = [
        &|answer| answer["total"] = "2".into(),
        &|answer| answer["items"][0]["status"] = "done".into(),
        &|answer| answer["items"][0]["new"] = Value::Null,
        &|answer| drop(answer["items"][0].as_object_mut().expect("an item").remove("title")),
        &|answer| answer["items"][0]["parent"] = 3.into(),
        &|answer| answer["schema"] = 2.into(),
    ];
    for (index, fault) in faults.iter().enumerate() {
        assert_eq!(changed(fault).len(), 1, "{index}: {:?}", changed(fault));
    }
}

/// What only some fields are asked of is as its schema says, and no whole item.
#[test]
fn answers_with_some_fields_are_as_their_schemas_say() {
    let jerry = Jerry::with_items();
    for command in [
        "list --json --fields id,labels,parent",
        "list --json --compact",
        "ready --json --fields progress",
        "ready --json --compact",
        "show 6 --json --fields title,acceptance_criteria",
        "show 6 --json --compact",
    ] {
        let (status, answer) = jerry.answer(Style::PLAIN, command);
        assert_eq!(status, 0, "{command}: {answer}");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        check_some_fields(&answer);
        let kind = kind(&answer);
        let all = schemas().expect("they can be read");
        let whole = Checker { root: &all[kind], some_fields: false };
        assert_ne!(whole.faults(&all[kind], &answer, kind), [""; 0], "{command}");
        let mut wrong = answer.clone();
        match kind {
            "item" => wrong["item"]["title"] = 7.into(),
            _ => wrong["items"][0]["title"] = 7.into(),
        }
        let some = Checker { root: &all[kind], some_fields: true };
        assert_ne!(some.faults(&all[kind], &wrong, kind), [""; 0], "{command}");
    }
}

#[test]
fn what_the_merge_driver_answers_is_as_its_schema_says() {
    let mut jerry = Jerry::with_items();
    let item = jerry.memory.items.written().remove(0);
    let name = format!("data/items/{}.json", item.id);
    let files = ["base", "ours", "theirs"].map(|name| jerry.folder.path().join(name));
    for file in &files {
        let text = serde_json::to_string(&item).expect("JSON");
        #[expect(clippy::disallowed_methods, reason = "writes test data")]
        std::fs::write(file, text).expect("written");
    }
    let [base, ours, theirs] = files.map(|file| file.display().to_string());
    jerry.json(&format!("merge-driver {base} {ours} {theirs} {name}"));
    assert!(jerry.transcript.contains("\"kind\": \"merged\""), "{}", jerry.transcript);
}

#[test]
fn every_kind_is_in_the_documents() {
    let page = include_str!("../../tests/docs-introduction.md");
    let tables: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for kind in schemas()
        .expect("they can be read")
        .keys()
        .filter(|kind| ![ITEM_FILE, PLAN_FILE].contains(&kind.as_str()))
    {
        let name = format!("`{kind}`");
        let first = |line: &&str| line.split(" | ").next().is_some_and(|cell| cell.contains(&name));
        assert!(tables.iter().any(first), "{kind} is not in docs-introduction.md");
    }
}

#[test]
fn schemas_are_printed() {
    let mut jerry = Jerry::new();
    jerry.run(Style::PLAIN, "schema id");
    jerry.json("schema error");
    jerry.json("schema no-such");
    insta::assert_snapshot!(jerry.transcript);
    let all: Value = serde_json::from_str(&jerry.answer(Style::PLAIN, "schema").1).expect("JSON");
    assert!(all["item-file"]["properties"].is_object());
}
