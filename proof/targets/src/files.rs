//! The small files of a store: what can be derived, and who holds what.

use std::collections::HashSet;

use jerry_domain::{Prefix, WorkId};
use jerry_infra_fs::proof::{index, owner, sequences, slot};
use serde_json::Value;

use crate::json::Json;
use crate::{Target, must};

const BOOT: &str = "1c4e1c5a-0000-4000-8000-000000000001";
const OTHER_BOOT: &str = "1c4e1c5a-0000-4000-8000-000000000002";

/// The cache behind every list. The checksum is made to fit, or nothing would get past it.
pub(crate) const INDEX: Target = Target {
    name: "index",
    words: &[
        "[",
        "]",
        "]}\n",
        ",",
        "\n",
        "\r\n",
        "\"WORK-001.json\"",
        "null",
        "0",
        "-1",
        "1e3",
        "9223372036854775807",
        "18446744073709551615",
        "\"pending\"",
        "\"medium\"",
        "\"task\"",
        "[0,0]",
        "\"WORK-002\"",
        "\\u0041",
        "{\"schema\":1,\"crc32\":\"00000000\",\"rows\":[\n",
    ],
    rewrite: |bytes| index::rewritten(&with_checksum(bytes)?).map(|(text, _)| text.into_bytes()),
    again: |bytes| {
        let text = std::str::from_utf8(bytes).ok()?;
        index::rewritten(text).map(|(text, _)| text.into_bytes())
    },
    laws: |bytes, written| {
        let before = with_checksum(bytes).and_then(|text| index::rewritten(&text));
        let after = std::str::from_utf8(written).ok().and_then(index::rewritten);
        let (Some((_, before)), Some((_, after))) = (before, after) else {
            return Err("what could be read cannot be read again".to_owned());
        };
        let before: HashSet<_> =
            before.into_iter().flatten().map(|own| format!("{own:?}")).collect();
        for summary in after.iter().flatten() {
            must(before.contains(&format!("{summary:?}")), || format!("{summary:?} came up"))?;
            let row = index::row(summary).and_then(|row| index::summary(&row));
            must(row.as_ref() == Some(summary), || format!("{summary:?} became {row:?}"))?;
        }
        // A row that this version cannot read is kept as it stands, and the item's file read instead.
        if after.iter().all(Option::is_some) {
            Json::read(written)?;
        }
        Ok(())
    },
};

/// The text with a first line that fits the others; as it is where it says so itself.
fn with_checksum(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    if index::rewritten(text).is_some() {
        return Some(text.to_owned());
    }
    let body = text.split_once('\n').map_or(text, |(_, body)| body);
    Some(index::with_checksum(body.strip_suffix("]}\n").unwrap_or(body)))
}

/// The numbers.
pub(crate) const SEQUENCES: Target = Target {
    name: "sequences",
    words: &[
        "{",
        "}",
        "\"",
        ":",
        ",",
        "\"prefixes\":",
        "\"WORK\":",
        "\"reserved\":",
        "\"next\":",
        "\"boot\":",
        "\"0000000000064\"",
        "\"0999999999999\"",
        "\"1000000000000\"",
        "\"18446744073709551615\"",
        "\"+1\"",
        "\"-1\"",
        "unknown",
        "1c4e1c5a-0000-4000-8000-000000000001",
    ],
    rewrite: sequences::rewritten,
    again: sequences::rewritten,
    laws: |bytes, written| {
        Json::read(bytes)?;
        let table: Value = serde_json::from_slice(written).map_err(|error| error.to_string())?;
        let prefixes = table["prefixes"].as_object().ok_or("it has no prefixes")?;
        for (prefix, sequence) in prefixes {
            let prefix = Prefix::new(prefix).map_err(|error| error.to_string())?;
            let number = |field: &str| sequence[field].as_str().and_then(|own| own.parse().ok());
            let reserved: u64 = number("reserved").ok_or("it has no number")?;
            for (boot, count) in [(BOOT, 1), (OTHER_BOOT, 3), ("unknown", 70)] {
                taken(bytes, &prefix, count, boot, reserved)?;
            }
        }
        Ok(())
    },
};

fn mentions(bytes: &[u8], boot: &str) -> bool {
    bytes.windows(boot.len()).any(|part| part == boot.as_bytes())
}

/// Numbers are given out once, and what was reserved in another boot is not given out at all.
fn taken(
    bytes: &[u8],
    prefix: &Prefix,
    count: u64,
    boot: &str,
    reserved: u64,
) -> Result<(), String> {
    let Some((first, text)) = sequences::taken(bytes, prefix, count, boot) else { return Ok(()) };
    let sane = first.clone().count() as u64 == count && *first.end() <= WorkId::MAX_NUMBER;
    must(sane, || format!("{first:?} are not {count} numbers"))?;
    if boot == "unknown" || !mentions(bytes, boot) {
        must(*first.start() > reserved, || format!("{first:?} were reserved up to {reserved}"))?;
    }
    let mut last = *first.end();
    let mut text = text;
    for boot in [boot, OTHER_BOOT] {
        let Some((next, after)) = sequences::taken(&text, prefix, count, boot) else { break };
        must(*next.start() > last, || format!("{next:?} after {last}"))?;
        (last, text) = (*next.end(), after);
    }
    Ok(())
}

/// The mark of a worker slot, and the floor below all marks.
pub(crate) const SLOT: Target = Target {
    name: "slot",
    words: &[
        "{",
        "}",
        "\"boot\":",
        "\"high_water\":",
        ",",
        "\"",
        "00000000000000000000",
        "+7",
        " ",
        "9007199254740993",
        "9007199254740992",
        "18446744073709551615",
        "\n",
        "1c4e1c5a-0000-4000-8000-000000000001",
        "\"x\":1,",
    ],
    rewrite: |bytes| slot::mark_text(BOOT, slot::mark(bytes, BOOT).0?),
    again: |bytes| slot::mark_text(BOOT, slot::mark(bytes, BOOT).0?),
    laws: |bytes, written| {
        Json::read(bytes)?;
        let (high_water, in_place) = slot::mark(bytes, BOOT);
        let high_water = high_water.ok_or("it has no mark")?;
        if !mentions(bytes, OTHER_BOOT) {
            let (later, stays) = slot::mark(bytes, OTHER_BOOT);
            must(later == Some(high_water) && !stays, || "another boot believes it".to_owned())?;
        }
        if in_place {
            must(bytes == written, || "it is not as jerry writes it".to_owned())?;
            // One write over the same bytes, as jerry does it.
            let next = slot::mark_text(BOOT, high_water + 1).ok_or("no text")?;
            let mut over = bytes.to_vec();
            over[..next.len()].copy_from_slice(&next);
            let read = slot::mark(&over, BOOT);
            must(read.0 == Some(high_water + 1), || format!("{high_water} became {read:?}"))?;
        }
        let floor = slot::floor(bytes, BOOT);
        must(floor.is_none_or(|own| own == high_water), || format!("the floor is {floor:?}"))
    },
};

/// Who holds a lock. It is padded, and may be torn.
pub(crate) const OWNER: Target = Target {
    name: "owner",
    words: &[
        "{\"place\":",
        "{\"holder\":",
        "\"machine\":",
        "\"boot\":",
        "\"namespaces\":",
        "null",
        "\"pid\":",
        "\"started\":",
        "\"host\":",
        "\"user\":",
        "\"command\":",
        "\"since\":",
        ",",
        "\"}}",
        "4294967295",
        "4294967296",
        "-1",
        "2026-01-01T00:00:00.000Z",
        "   ",
        "\n",
        "pid:[4026531836]",
        "\\u001b[2J",
    ],
    rewrite: owner::rewritten,
    again: owner::rewritten,
    laws: |_, written| Json::read(written).map(drop),
};
