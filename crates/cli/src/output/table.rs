//! Rows under headings, fitted to the width of a terminal.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Paint, Style};

/// One cell: text without control characters, and how to paint it.
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), paint: Paint::Plain }
    }

    pub(crate) fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint }
    }
}

/// Writes a table whose last column takes the width that the others leave, cut with `…`.
pub(crate) fn write<const N: usize>(
    out: &mut dyn Write,
    style: Style,
    headings: [&str; N],
    rows: &[[Cell; N]],
) -> io::Result<()> {
    let mut widths = headings.map(UnicodeWidthStr::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    let before_last: usize = widths[..N - 1].iter().map(|width| width + 2).sum();
    widths[N - 1] = style.width.saturating_sub(before_last).max(20);

    let headings = headings.map(|heading| Cell::painted(heading, Paint::Bold));
    for row in std::iter::once(&headings).chain(rows) {
        for (column, cell) in row.iter().enumerate() {
            let text = cut(&cell.text, widths[column]);
            out.write_all(style.paint(cell.paint, &text).as_bytes())?;
            if column + 1 < N {
                let gap = widths[column] + 2 - text.width();
                write!(out, "{:gap$}", "")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_cut_to_the_terminal() {
        let style = Style { terminal: true, colour: false, width: 30 };
        let mut out = Vec::new();
        let rows = [
            [Cell::new("WORK-001"), Cell::new("A title that is too long for it")],
            [Cell::new("WORK-1000"), Cell::new("世界世界世界世界世界世界世界")],
        ];
        write(&mut out, style, ["ID", "TITLE"], &rows).expect("in memory");
        let text = String::from_utf8(out).expect("text");
        assert!(text.lines().all(|line| line.width() <= 31), "{text}");
        assert_eq!(text.lines().next(), Some("ID         TITLE"));
        assert!(text.contains('…'));
    }

    #[test]
    fn colour_does_not_move_columns() {
        let style = Style { terminal: true, colour: true, width: 80 };
        let mut out = Vec::new();
        let rows = [[Cell::painted("x", Paint::Red), Cell::new("y")]];
        write(&mut out, style, ["ONE", "TWO"], &rows).expect("in memory");
        let text = String::from_utf8(out).expect("text");
        assert!(text.ends_with("\u{1b}[31mx\u{1b}[0m    y\n"), "{text:?}");
    }
}
