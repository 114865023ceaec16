//! The parts of a document, before anyone asks what they mean.

use super::block::{self, Fenced};
use super::inline::{self, Place};

/// A line and its number in the document, from 1.
pub(super) type Line<'a> = (usize, &'a str);

/// A part of a document under one heading.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) line: usize,
    pub(super) title: &'a str,
    pub(super) lines: Vec<Line<'a>>,
}

/// A document in its parts.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) heading: Option<&'a str>,
    /// What stands between the heading and the first section.
    pub(super) preamble: Vec<Line<'a>>,
    pub(super) sections: Vec<Section<'a>>,
}

/// Takes a document apart.
pub(super) fn outline(text: &str) -> Outline<'_> {
    let windows = text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let strip = |line| if windows { str::strip_suffix(line, '\r').unwrap_or(line) } else { line };
    let lines: Vec<&str> = text.split('\n').map(strip).collect();
    let mut outline = Outline { heading: None, preamble: Vec::new(), sections: Vec::new() };
    for ((index, line), fenced) in lines.iter().enumerate().zip(block::fenced(&lines)) {
        let number = index + 1;
        let plain = fenced != Fenced::Inside;
        if let Some(title) = line.strip_prefix("## ").filter(|_| plain) {
            outline.sections.push(Section { line: number, title, lines: Vec::new() });
        } else if let Some(section) = outline.sections.last_mut() {
            section.lines.push((number, line));
        } else if let (Some(heading), None) = (line.strip_prefix("# "), outline.heading) {
            outline.heading = Some(heading);
        } else {
            outline.preamble.push((number, line));
        }
    }
    outline
}

/// A table, and the lines around it.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// Lower case, without emphasis.
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<(Line<'a>, Vec<&'a str>)>,
    pub(super) rest: Vec<Line<'a>>,
}

/// Whether each of `lines` is within fenced code, where nothing is a table or a list.
fn fenced(lines: &[Line<'_>]) -> Vec<bool> {
    let lines: Vec<_> = lines.iter().map(|(_, line)| *line).collect();
    block::fenced(&lines).into_iter().map(|state| state == Fenced::Inside).collect()
}

/// The first table in `lines`. Rows that have other than its number of cells are among the rest.
pub(super) fn table<'a>(lines: &[Line<'a>]) -> Option<Table<'a>> {
    let is_row = |line: &str| line.trim_start().starts_with('|');
    let rule = |line: &str| {
        let dashes = |cell: &&str| {
            let dashes = cell.trim_matches(':');
            !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
        };
        let cells = inline::cells(line, None);
        !cells.is_empty() && cells.iter().all(dashes)
    };
    let fenced = fenced(lines);
    let begins =
        |(place, two): (usize, &[Line<'a>])| !fenced[place] && is_row(two[0].1) && rule(two[1].1);
    let start = lines.windows(2).enumerate().position(begins)?;
    let (_, head) = lines[start];
    let header: Vec<_> = inline::cells(head, None).into_iter().map(key).collect();
    let mut rows = Vec::new();
    let mut rest = lines[..start].to_vec();
    let mut after = lines[start + 2..].iter();
    for (number, row) in after.by_ref() {
        if !is_row(row) {
            rest.push((*number, row));
            break;
        }
        let cells = inline::cells(row, Some(header.len()));
        if cells.len() == header.len() {
            rows.push(((*number, *row), cells));
        } else {
            rest.push((*number, row));
        }
    }
    rest.extend(after);
    Some(Table { header, rows, rest })
}

/// A name as it is compared: lower case, without emphasis and colon.
pub(super) fn key(text: &str) -> String {
    let text = text.trim().trim_matches('*').trim().trim_end_matches(':');
    inline::decode(text, Place::Cell).to_lowercase()
}

/// One entry of a list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    /// Its lines as they stand, the marker and the indentation that it asks for taken off.
    pub(super) raw: Vec<String>,
}

/// The entries of a list, and the lines that belong to none.
pub(super) fn list<'a>(lines: &[Line<'a>]) -> (Vec<Entry>, Vec<Line<'a>>) {
    let mut entries: Vec<(Entry, usize)> = Vec::new();
    let mut rest = Vec::new();
    let mut blank = 0;
    for ((number, line), fenced) in lines.iter().zip(fenced(lines)) {
        if fenced {
            rest.push((*number, *line));
        } else if let Some((width, text)) = marker(line) {
            entries.push((Entry { line: *number, raw: vec![text.to_owned()] }, width));
        } else if line.trim().is_empty() {
            blank += 1;
            rest.push((*number, *line));
            continue;
        } else if let (true, Some((entry, width))) =
            (line.starts_with([' ', '\t']), entries.last_mut())
        {
            rest.truncate(rest.len() - blank);
            entry.raw.extend(std::iter::repeat_n(String::new(), blank));
            let indent = line.bytes().take(*width).take_while(|byte| *byte == b' ').count();
            entry.raw.push(line[indent..].to_owned());
        } else {
            rest.push((*number, *line));
        }
        blank = 0;
    }
    (entries.into_iter().map(|(entry, _)| entry).collect(), rest)
}

/// The width of a list marker at the margin, and what follows it.
fn marker(line: &str) -> Option<(usize, &str)> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = &line[digits..];
    let mark =
        if digits > 0 { mark.strip_prefix(['.', ')']) } else { mark.strip_prefix(['-', '*', '+']) };
    match mark? {
        "" => Some((digits + 2, "")),
        rest => rest.strip_prefix(' ').map(|text| (digits + 2, text)),
    }
}

impl Entry {
    /// Its text.
    pub(super) fn text(&self) -> String {
        let lines = self.raw.iter().enumerate().map(|(index, line)| {
            let indent = match index {
                0 => 0,
                _ => line.len() - line.trim_start_matches([' ', '\t']).len(),
            };
            let (indent, line) = line.split_at(indent);
            format!("{indent}{}", inline::decode(line, Place::Line))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Writes `text` as an entry behind a marker of `width`, and `before` between the two.
pub(super) fn write_entry(marker: &str, before: &str, text: &str) -> String {
    let lines: Vec<_> = text.split('\n').collect();
    let mut out = format!("{marker}{before}");
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            out.push_str(&inline::encode(line, Place::Line));
        } else if line.trim().is_empty() || lines[index - 1].trim().is_empty() {
            // A blank line, or one after it, would not be taken for a part of the entry.
            out.push_str("<br>");
            out.push_str(&inline::encode(line, Place::Line));
        } else {
            let body = line.trim_start_matches([' ', '\t']);
            out.push('\n');
            out.push_str(&" ".repeat(marker.len()));
            out.push_str(&line[..line.len() - body.len()]);
            out.push_str(&inline::encode(body, Place::Line));
        }
    }
    out.trim_end().to_owned()
}
