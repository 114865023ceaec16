//! Readers and writers that are wrong on purpose. Whoever gives inputs to the targets must notice
//! each of them.

use std::thread;
use std::time::Duration;

use crate::Rewrite;

/// From how many bytes on a text is a great one.
const GREAT: usize = 1 << 16;

/// A reader and writer with a fault.
pub struct Fault {
    /// What is wrong with it.
    pub name: &'static str,
    /// The target in whose place it stands.
    pub target: &'static str,
    /// What it takes to see it.
    pub seen: Seen,
    /// Rewrites with the fault, where jerry's own rewriting is given.
    pub rewrite: fn(Rewrite<'_>, &[u8]) -> Option<Vec<u8>>,
}

/// What it takes to see a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Texts that nearly are what they should be.
    ByTheirContents,
    /// Texts of a great size; how long it takes for these when it goes wrong.
    BySize(Duration),
}

/// All of them.
pub static FAULTS: [Fault; 12] = [
    Fault {
        name: "an item loses an unknown field",
        target: "item",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = String::from_utf8(own(bytes)?).ok()?;
            let (head, tail) = text.rsplit_once(",\n  \"")?;
            let known = super::item::ITEM.iter().any(|(key, _)| tail.starts_with(key));
            Some(if known { text.into_bytes() } else { format!("{head}\n}}\n").into_bytes() })
        },
    },
    Fault {
        name: "an item's numbers are spelt anew",
        target: "item",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = own(bytes)?;
            Some(String::from_utf8(text).ok()?.replace("E4", "e+4").into_bytes())
        },
    },
    Fault {
        name: "an item with something behind it is read",
        target: "item",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let end = bytes.iter().rposition(|byte| *byte == b'}')?;
            own(&bytes[..=end])
        },
    },
    Fault {
        name: "an item's key may stand there twice",
        target: "item",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            // Of two, the later counts.
            let read = || serde_json::from_str::<serde_json::Value>(text).ok();
            own(bytes).or_else(|| own(&serde_json::to_vec(&read()?).ok()?))
        },
    },
    Fault {
        name: "an index with a NUL ends the program",
        target: "index",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            assert!(!bytes.contains(&0), "a NUL");
            own(bytes)
        },
    },
    Fault {
        name: "a mark is written shorter than it was",
        target: "slot",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| Some(own(bytes)?.into_iter().filter(|byte| *byte != b'0').collect()),
    },
    Fault {
        name: "sequences forget a prefix",
        target: "sequences",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = String::from_utf8(own(bytes)?).ok()?;
            Some(text.replacen("\"boot\"", "\"root\"", 1).into_bytes())
        },
    },
    Fault {
        name: "an id keeps the case in which it was typed",
        target: "id",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| own(bytes).map(|_| bytes.to_vec()),
    },
    Fault {
        name: "a settings file loses a line at every edit",
        target: "config",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = own(bytes)?;
            let cut = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            Some(text[..cut].to_vec())
        },
    },
    Fault {
        name: "a document is escaped twice",
        target: "markdown",
        seen: Seen::ByTheirContents,
        rewrite: |own, bytes| {
            let text = String::from_utf8(own(bytes)?).ok()?;
            Some(text.replace("\\|", "\\\\|").into_bytes())
        },
    },
    Fault {
        name: "a document takes a thousand times its size",
        target: "markdown",
        seen: Seen::BySize(Duration::from_secs(60)),
        rewrite: |own, bytes| {
            let many = vec![b'x'; if bytes.len() < GREAT { 0 } else { bytes.len() * 1024 }];
            // Whoever looked at it could tell.
            own(bytes).filter(|_| many.iter().all(|byte| *byte == b'x'))
        },
    },
    Fault {
        name: "an item that is too long is pondered",
        target: "item",
        seen: Seen::BySize(Duration::from_millis(500)),
        rewrite: |own, bytes| {
            if bytes.len() >= GREAT {
                thread::sleep(Duration::from_secs(5));
            }
            own(bytes)
        },
    },
];
