//! Keeps text that people wrote from driving the terminal that shows it.

use std::borrow::Cow;
use std::io;

use serde_json::ser::Formatter;

/// `text` as one line: control characters and characters that reorder text are shown as escapes.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_hostile)
}

/// `text` with its line breaks and tabs, and all else as [`line`] does.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_hostile(c) && c != '\n' && c != '\t')
}

fn escape(text: &str, hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hostile) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !hostile(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c => safe.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// JSON text as [`SafeJson`] would have written it. Between strings JSON has no such characters,
/// so that the escapes always stand inside one.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let hostile = |c| is_hostile(c) && c != '\n';
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if hostile(c) => safe.push_str(&unicode(c)),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// All hostile characters are in the basic plane, so that four digits suffice.
fn unicode(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

/// C0, DEL and C1 move the cursor or switch modes; line separators break lines; bidirectional
/// embeddings and overrides make text read other than it is. The weak marks that people write in
/// Arabic and Hebrew are not among them.
fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes JSON in which nothing drives a terminal: what JSON itself would let through (DEL, C1,
/// bidirectional marks) is written as `\uXXXX`, which every parser reads as the same character.
pub(crate) struct SafeJson;

impl Formatter for SafeJson {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hostile(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(unicode(c).as_bytes())?;
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Serialize;

    #[rstest]
    #[case::plain("Grüße, 世界 👩‍💻", "Grüße, 世界 👩‍💻")]
    #[case::escape("a\u{1b}[2Jb", "a\\u{1b}[2Jb")]
    #[case::bell("\u{7}", "\\u{7}")]
    #[case::delete("\u{7f}", "\\u{7f}")]
    #[case::c1_csi("\u{9b}31m", "\\u{9b}31m")]
    #[case::line_break("a\r\nb\tc", "a\\r\\nb\\tc")]
    #[case::bidi("\u{202e}txt.exe", "\\u{202e}txt.exe")]
    #[case::isolate("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}")]
    #[case::separator("a\u{2028}b", "a\\u{2028}b")]
    fn nothing_drives_the_terminal(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(line(text), shown);
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("a\n\tb\u{1b}c\r"), "a\n\tb\\u{1b}c\\r");
    }

    #[test]
    fn json_is_safe_and_means_the_same() {
        let text = "a\u{9b}b\u{7f}c\u{202e}d\u{1b}\"\\\n";
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, SafeJson);
        text.serialize(&mut serializer).expect("serialises");
        let json = String::from_utf8(bytes).expect("text");
        assert!(!json.contains(is_hostile), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("parses"), text);
        let plain = serde_json::to_string(text).expect("serialises");
        assert_eq!(super::json(&plain), json);
    }
}
