//! How one item points at another.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Extra, Uid, WorkId};

/// Points at an item. The uid decides which one; the id is what it was called when the reference
/// was written, and what people see.
///
/// In a file it is `{"id": "WORK-042", "uid": "…"}`, with `"note"` where there is one. A bare
/// `"WORK-042"` written by hand is accepted; the next write of the item completes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRef {
    /// What the item was called when the reference was written.
    pub id: WorkId,
    /// Which item it is, unless the reference was written by hand and not yet completed.
    pub uid: Option<Uid>,
    /// Why the one needs the other, in words.
    pub note: Option<String>,
    /// Fields that this version does not know; hardly a reference has any.
    pub extra: Option<Box<Extra>>,
}

impl ItemRef {
    /// A complete reference.
    #[must_use]
    pub fn new(id: WorkId, uid: Uid) -> Self {
        Self { id, uid: Some(uid), note: None, extra: None }
    }

    /// A reference by name alone, as people write it.
    #[must_use]
    pub fn bare(id: WorkId) -> Self {
        Self { id, uid: None, note: None, extra: None }
    }

    /// The same reference with a remark.
    #[must_use]
    pub fn with_note(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// Whether this points at the item called `id` whose identity is `uid`.
    #[must_use]
    pub fn points_at(&self, id: &WorkId, uid: Uid) -> bool {
        match self.uid {
            Some(own) => own == uid,
            None => self.id == *id,
        }
    }

    /// Whether both point at one item, as far as they tell.
    #[must_use]
    pub fn same_target(&self, other: &Self) -> bool {
        match (self.uid, other.uid) {
            (Some(one), Some(two)) => one == two,
            _ => self.id == other.id,
        }
    }
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

#[derive(Serialize, Deserialize)]
struct Fields {
    id: WorkId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    uid: Option<Uid>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
    #[serde(flatten)]
    extra: Extra,
}

impl Serialize for ItemRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, uid, note, extra } = self.clone();
        if uid.is_none() && note.is_none() && extra.is_none() {
            return id.serialize(serializer);
        }
        let extra = extra.map(|extra| *extra).unwrap_or_default();
        Fields { id, uid, note, extra }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ItemRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = ItemRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an item reference, \"WORK-042\" or {\"id\": …, \"uid\": …}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ItemRef, E> {
                text.parse().map(ItemRef::bare).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ItemRef, A::Error> {
                let Fields { id, uid, note, extra } =
                    Fields::deserialize(MapAccessDeserializer::new(map))?;
                let extra = (!extra.is_empty()).then(|| Box::new(extra));
                Ok(ItemRef { id, uid, note, extra })
            }
        }

        deserializer.deserialize_any(Form)
    }
}
