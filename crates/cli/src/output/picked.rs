//! Answers of which only some fields are wanted, one line for each item: for whoever pays for every
//! word.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Answer, Json, Style, line};
use crate::exit::{Code, Failure};

/// An answer whose items have the wanted fields alone.
pub(crate) struct Picked {
    kind: &'static str,
    answer: Value,
    /// The field of the answer that has the items, or the one item.
    under: &'static str,
    fields: Vec<String>,
}

impl Picked {
    /// What is left of `answer`, which has its items, or its one item, `under` a field, and whose
    /// items have the fields `known`.
    ///
    /// # Errors
    /// [`Code::Usage`] for a field that items do not have.
    pub(crate) fn of<T: jerry_contract::Answer>(
        answer: &T,
        under: &'static str,
        known: &[String],
        fields: Vec<String>,
    ) -> Result<Self, Failure> {
        if let Some(unknown) = fields.iter().find(|field| !known.contains(field)) {
            return Err(Failure::new(Code::Usage, format!("there is no field '{unknown}'"))
                .with("known", known)
                .hint(format!("these are known: {}", known.join(", "))));
        }
        let mut answer =
            serde_json::to_value(answer).map_err(|error| Failure::of(Code::Internal, &error))?;
        match &mut answer[under] {
            Value::Array(items) => items.iter_mut().for_each(|item| *item = pick(item, &fields)),
            item => *item = pick(item, &fields),
        }
        Ok(Self { kind: T::KIND, answer, under, fields })
    }

    fn items(&self) -> &[Value] {
        match &self.answer[self.under] {
            Value::Array(items) => items,
            item => std::slice::from_ref(item),
        }
    }
}

fn pick(item: &Value, fields: &[String]) -> Value {
    let picked = fields.iter().map(|field| (field.clone(), item[field.as_str()].clone()));
    Value::Object(picked.collect::<Map<_, _>>())
}

impl Answer for Picked {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer(self.kind, &self.answer)
    }

    /// The fields in the order in which they were asked for, with tabs between them.
    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.items().iter().try_for_each(|item| {
            let fields = self.fields.iter().map(|field| said(&item[field.as_str()]));
            writeln!(out, "{}", fields.collect::<Vec<_>>().join("\t"))
        })
    }
}

/// A value in a line; `-` for none.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => line(text).into_owned(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().map(said).collect::<Vec<_>>().join(",")
        }
        value => line(&value.to_string()).into_owned(),
    }
}
