//! What people type for an item, and what files say.

use jerry_domain::{Prefix, Uid, WorkId};

use crate::{Target, must};

pub(crate) const TARGET: Target = Target {
    name: "id",
    words: &[
        "WORK",
        "work",
        "-",
        "0",
        "042",
        "999999999999",
        "1000000000000",
        "9223372036854775807",
        "9223372036854775808",
        "+",
        " ",
        "..",
        "/",
        "\0",
        "ß",
        "ı",
        "٣",
        "A1",
    ],
    rewrite: |bytes| lenient(bytes).map(|id| id.to_string().into_bytes()),
    again: |bytes| {
        let id: WorkId = std::str::from_utf8(bytes).ok()?.parse().ok()?;
        Some(id.to_string().into_bytes())
    },
    laws: |bytes, written| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let id = lenient(bytes).ok_or("it is no id")?;
        let plain = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-');
        must(written.iter().all(plain), || format!("{id} could leave its folder"))?;
        must(lenient(written) == Some(id.clone()), || format!("{id} means another item"))?;
        let again = WorkId::new(id.prefix().clone(), id.number()).map_err(|it| it.to_string())?;
        must(again == id, || format!("{id} does not come from its parts"))?;
        if let Ok(strict) = text.parse::<WorkId>() {
            must(strict == id && bytes == written, || format!("{id} has two spellings"))?;
        }
        if let Ok(uid) = text.parse::<Uid>() {
            must(uid.to_string() == text, || format!("{uid} has two spellings"))?;
            let parts = Uid::from_parts(uid.millis(), uid.worker(), uid.sequence());
            must(parts == Some(uid), || format!("{uid} does not come from its parts"))?;
            let _ = uid.timestamp();
        }
        Ok(())
    },
};

fn lenient(bytes: &[u8]) -> Option<WorkId> {
    let text = std::str::from_utf8(bytes).ok()?;
    // Neither may panic, whatever the other says.
    let _ = (text.parse::<Uid>(), text.parse::<WorkId>(), Prefix::new(text));
    WorkId::parse_lenient(text, &Prefix::new("WORK").ok()?).ok()
}
