//! Text within one line: a table cell, an entry of a list, a heading.
//!
//! Code spans stand as they are, with every `|` in them. Outside them a `|` in a cell is `\|`, a
//! line break is `<br>`, and whatever else would be misread is a numeric character reference, as
//! Markdown has them: `&#96;` for a lone backtick. [`decode`] takes back what [`encode`] does,
//! and leaves all other Markdown alone.

use std::ops::Range;

/// What must not stand in a text outside code spans, and no code span may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// A cell of a table.
    Cell,
    /// One of several names in a cell, with commas between.
    Name,
    /// Elsewhere on a line.
    Line,
    /// Before a mark that must not occur in it.
    Before(&'static str),
    /// The same in a cell.
    CellBefore(&'static str),
}

impl Place {
    fn is_in_cell(self) -> bool {
        matches!(self, Self::Cell | Self::Name | Self::CellBefore(_))
    }

    fn mark(self) -> Option<&'static str> {
        match self {
            Self::Name => Some(","),
            Self::Before(mark) | Self::CellBefore(mark) => Some(mark),
            Self::Cell | Self::Line => None,
        }
    }
}

/// Writes `text` so that it can stand at `place`.
pub(super) fn encode(text: &str, place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    let spans = code_spans(text);
    let mut spans = spans.into_iter().filter(|span| fits(&text[span.clone()], place)).peekable();
    let first = text.chars().next().filter(|c| c.is_whitespace());
    let last = text.chars().next_back().filter(|c| c.is_whitespace());
    let (start, end) = (first.map_or(0, char::len_utf8), last.map_or(0, char::len_utf8));
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some(span) = spans.next_if(|span| span.start == at) {
            out.push_str(&text[span.clone()]);
            at = span.end;
            continue;
        }
        let rest = &text[at..];
        let edge = at < start || at + end >= text.len();
        let marked = place.mark().is_some_and(|mark| rest.starts_with(mark));
        match c {
            '\n' => out.push_str("<br>"),
            '|' if place.is_in_cell() => out.push_str("\\|"),
            '\\' if place.is_in_cell() && rest[1..].starts_with('|') => reference(&mut out, c),
            '<' if rest.starts_with("<br>") => reference(&mut out, c),
            '&' if referenced(rest).is_some() => reference(&mut out, c),
            '`' => reference(&mut out, c),
            c if marked || c.is_control() && c != '\t' => reference(&mut out, c),
            c if edge && c.is_whitespace() => reference(&mut out, c),
            c => out.push(c),
        }
        at += c.len_utf8();
    }
    out
}

/// Reads what stands at `place`.
pub(super) fn decode(text: &str, place: Place) -> String {
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let mut spans = code_spans(text).into_iter().peekable();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some(span) = spans.next_if(|span| span.start == at) {
            out.push_str(&text[span.clone()]);
            at = span.end;
            continue;
        }
        let rest = &text[at..];
        at += if place.is_in_cell() && rest.starts_with("\\|") {
            out.push('|');
            2
        } else if rest.starts_with("<br>") {
            out.push('\n');
            4
        } else if let Some((referenced, length)) = referenced(rest) {
            out.push(referenced);
            length
        } else {
            out.push(c);
            c.len_utf8()
        };
    }
    out
}

/// The cells of a table row. A `|` in a code span is text; if that leaves other than `columns`
/// cells, backticks are taken for text instead.
pub(super) fn cells(row: &str, columns: Option<usize>) -> Vec<&str> {
    let row = row.trim();
    let with_spans = split(row, &code_spans(row));
    match columns {
        Some(columns) if with_spans.len() != columns => {
            let without = split(row, &[]);
            if without.len() == columns { without } else { with_spans }
        }
        _ => with_spans,
    }
}

fn split<'a>(row: &'a str, spans: &[Range<usize>]) -> Vec<&'a str> {
    let mut cells = Vec::new();
    let mut spans = spans.iter().peekable();
    let bytes = row.as_bytes();
    let (mut at, mut start) = (0, 0);
    while at < bytes.len() {
        if let Some(span) = spans.next_if(|span| span.start == at) {
            at = span.end;
            continue;
        }
        match bytes[at] {
            b'\\' if bytes.get(at + 1) == Some(&b'|') => at += 1,
            b'|' => {
                cells.push(row[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = row[start..].trim();
    if !last.is_empty() {
        cells.push(last);
    }
    // What stands before the first bar is no cell.
    if row.starts_with('|') {
        cells.remove(0);
    }
    cells
}

fn reference(out: &mut String, c: char) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// The character that `text` begins with as a numeric reference, and the reference's length.
fn referenced(text: &str) -> Option<(char, usize)> {
    const MOST_DIGITS: usize = 7;
    let digits = text.strip_prefix("&#")?;
    // No further than a reference can reach: there may be one at every other byte.
    let end = digits.bytes().take(MOST_DIGITS + 1).position(|byte| byte == b';')?;
    let digits = &digits[..end];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    char::from_u32(digits.parse().ok()?).map(|c| (c, end + 3))
}

/// Where the code spans are: from a run of backticks to the next run of the same length.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('`') {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    // For each run, the next one of its length; found from behind, in one pass.
    let mut next_of_length = std::collections::HashMap::new();
    let mut closes = vec![None; runs.len()];
    for (index, run) in runs.iter().enumerate().rev() {
        closes[index] = next_of_length.insert(run.len(), index);
    }
    let mut spans = Vec::new();
    let mut index = 0;
    while index < runs.len() {
        match closes[index] {
            Some(close) => {
                spans.push(runs[index].start..runs[close].end);
                index = close + 1;
            }
            None => index += 1,
        }
    }
    spans
}

/// Whether a code span can stand as it is.
fn fits(span: &str, place: Place) -> bool {
    let marked = place.mark().is_some_and(|mark| span.contains(mark));
    !marked && !span.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("a | b", r"a \| b")]
    #[case("`a | b`", "`a | b`")]
    #[case("a ` | b", r"a &#96; \| b")]
    #[case(r"a\|b", r"a&#92;\|b")]
    #[case(r"C:\dir \* \\", r"C:\dir \* \\")]
    #[case("one\ntwo", "one<br>two")]
    #[case("`one\ntwo`", "&#96;one<br>two&#96;")]
    #[case("a<br>b &#65; &amp; &#x41;", "a&#60;br>b &#38;#65; &amp; &#x41;")]
    #[case(" a ", "&#32;a&#32;")]
    #[case("bell\u{7}", "bell&#7;")]
    #[case("", "")]
    fn cells_are_written_so(#[case] text: &str, #[case] written: &str) {
        assert_eq!(encode(text, Place::Cell), written);
        assert_eq!(decode(written, Place::Cell), text);
    }

    #[rstest]
    #[case("| a | `b | c` | d |", None, &["a", "`b | c`", "d"])]
    #[case("| it`s | that`s |", Some(2), &["it`s", "that`s"])]
    #[case(r"| a \| b | |", None, &[r"a \| b", ""])]
    #[case("a | b", None, &["a", "b"])]
    #[case("||", None, &[""])]
    fn rows_are_split_so(
        #[case] row: &str,
        #[case] columns: Option<usize>,
        #[case] split: &[&str],
    ) {
        assert_eq!(cells(row, columns), split);
    }

    fn awkward() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop_oneof![
                Just("|".to_owned()),
                Just("`".to_owned()),
                Just("``".to_owned()),
                Just("\\".to_owned()),
                Just("<br>".to_owned()),
                Just("&#96;".to_owned()),
                Just("&".to_owned()),
                Just(" ".to_owned()),
                Just("\n".to_owned()),
                Just("\r".to_owned()),
                Just("\0".to_owned()),
                Just("](".to_owned()),
                Just("a".to_owned()),
                any::<char>().prop_map(String::from),
            ],
            0..20,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in awkward()) {
            for place in [Place::Cell, Place::Name, Place::Line, Place::Before("](")] {
                let written = encode(&text, place);
                prop_assert!(!written.contains('\n'));
                prop_assert_eq!(decode(&written, place), text.as_str());
            }
            prop_assert!(!encode(&text, Place::Before("](")).contains("]("));
        }

        #[test]
        fn a_row_gives_back_its_cells(texts in prop::collection::vec(awkward(), 1..5)) {
            let row = texts.iter().map(|text| format!(" {} |", encode(text, Place::Cell)));
            let row = format!("|{}", row.collect::<String>());
            let read: Vec<_> =
                cells(&row, Some(texts.len())).iter().map(|cell| decode(cell, Place::Cell)).collect();
            prop_assert_eq!(read, texts);
        }
    }
}
