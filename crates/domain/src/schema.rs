//! JSON Schemas of the values, by which programs are told what they may write. Behind the feature
//! `schema`, so that whoever only works with items does without the generator.
//!
//! Values that are checked when they are made are described by hand, since no derive could know
//! their rules; what only puts values together derives its schema where it is defined.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Actor, CheckId, Day, ItemType, Label, Phase, Priority, RequestId, SessionName, Status, Title,
    Uid, WorkId,
};

macro_rules! described {
    ($($value:ty, $name:literal => $schema:tt;)*) => {$(
        impl JsonSchema for $value {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

described! {
    Status, "status" => { "type": "string", "enum": Status::ALL.map(Status::as_str) };
    Priority, "priority" => { "type": "string", "enum": Priority::ALL.map(Priority::as_str) };
    ItemType, "type" => { "type": "string", "enum": ItemType::ALL.map(ItemType::as_str) };
    WorkId, "id" => { "type": "string", "pattern": "^[A-Z][A-Z0-9]{0,15}-[0-9]{3,12}$" };
    Uid, "uid" => { "type": "string", "pattern": "^[0-9]{1,19}$" };
    Title, "title" => { "type": "string", "minLength": 1, "maxLength": Title::MAX_CHARS };
    Actor, "actor" => { "type": "string", "minLength": 1, "maxLength": Actor::MAX_CHARS };
    SessionName, "session" => {
        "type": "string", "minLength": 1, "maxLength": SessionName::MAX_CHARS
    };
    RequestId, "request_id" => {
        "type": "string", "minLength": 1, "maxLength": RequestId::MAX_CHARS
    };
    Phase, "phase" => { "type": "string", "minLength": 1, "maxLength": Phase::MAX_CHARS };
    CheckId, "check_id" => {
        "type": "string", "pattern": "^\\S+$", "maxLength": CheckId::MAX_CHARS
    };
    Day, "day" => { "type": "string" };
    Label, "label" => { "type": "string", "pattern": "^[^\\s,]+$", "maxLength": Label::MAX_CHARS };
}
