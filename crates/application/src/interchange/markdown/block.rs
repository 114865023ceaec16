//! Text of several lines: the description and whole sections.
//!
//! It is Markdown and stands as it is, but for lines that would be taken for the document's own:
//! `## …` and `---` get one more leading space, which Markdown does not mind. Fenced code is left
//! alone; a fence that nothing closes gets a backslash, or it would swallow what follows.

/// A line that the document itself is made of.
fn is_structure(line: &str) -> bool {
    let line = line.trim_start_matches(' ');
    line.starts_with("## ") || is_rule(line)
}

/// A rule between sections.
pub(super) fn is_rule(line: &str) -> bool {
    line.trim_end() == "---"
}

/// The mark of a code fence and its length; also whether it can close one.
fn fence(line: &str) -> Option<(u8, usize, bool)> {
    let mark = *line.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.bytes().take_while(|byte| *byte == mark).count();
    let rest = &line[length..];
    // A backtick after the mark makes it a code span.
    let opens = length >= 3 && !(mark == b'`' && rest.contains('`'));
    opens.then_some((mark, length, rest.trim().is_empty()))
}

/// For each line whether it is within fenced code or one of its fences; and whether it looks like
/// the opening of fenced code that nothing closes.
pub(super) fn fenced(lines: &[&str]) -> Vec<Fenced> {
    let fences: Vec<_> = lines.iter().map(|line| fence(line)).collect();
    // From behind: the longest closing fence of each mark that is still to come.
    let mut longest = [0; 2];
    let index = |mark: u8| usize::from(mark == b'~');
    let mut closable = vec![false; lines.len()];
    for (at, fence) in fences.iter().enumerate().rev() {
        if let Some((mark, length, closes)) = *fence {
            closable[at] = longest[index(mark)] >= length;
            if closes {
                longest[index(mark)] = longest[index(mark)].max(length);
            }
        }
    }
    let mut within: Option<(u8, usize)> = None;
    let state = fences.iter().zip(closable).map(|(fence, closable)| match (within, *fence) {
        (Some((mark, length)), Some((own, own_length, true)))
            if own == mark && own_length >= length =>
        {
            within = None;
            Fenced::Inside
        }
        (Some(_), _) => Fenced::Inside,
        (None, Some((mark, length, _))) if closable => {
            within = Some((mark, length));
            Fenced::Inside
        }
        (None, Some(_)) => Fenced::Unclosed,
        (None, None) => Fenced::Outside,
    });
    state.collect()
}

/// Where a line stands with respect to fenced code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fenced {
    /// Within it, or one of its fences.
    Inside,
    /// Not within it.
    Outside,
    /// Not within it, though it looks like a beginning.
    Unclosed,
}

/// Writes `text` so that it can stand in a section.
pub(super) fn encode(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').collect();
    let written = lines.iter().zip(fenced(&lines)).map(|(line, state)| match state {
        Fenced::Inside => (*line).to_owned(),
        Fenced::Unclosed => format!("\\{line}"),
        Fenced::Outside if is_structure(line) => format!(" {line}"),
        Fenced::Outside if is_escaped_fence(line) => format!("\\{line}"),
        Fenced::Outside => (*line).to_owned(),
    });
    written.collect::<Vec<_>>().join("\n")
}

/// Reads what stands in a section.
pub(super) fn decode(lines: &[&str]) -> String {
    let read = lines.iter().zip(fenced(lines)).map(|(line, state)| match state {
        Fenced::Outside if is_structure(line) => line.strip_prefix(' ').unwrap_or(line),
        Fenced::Outside if is_escaped_fence(line) => line.strip_prefix('\\').unwrap_or(line),
        _ => line,
    });
    read.collect::<Vec<_>>().join("\n")
}

fn is_escaped_fence(line: &str) -> bool {
    line.starts_with('\\') && fence(line.trim_start_matches('\\')).is_some()
}

/// `lines` without the blank ones and the rules around them.
pub(super) fn trimmed<'a, 'b>(mut lines: &'b [&'a str]) -> &'b [&'a str] {
    while let Some((_, rest)) = lines.split_first().filter(|(line, _)| line.trim().is_empty()) {
        lines = rest;
    }
    let empty = |line: &&str| line.trim().is_empty() || is_rule(line);
    while let Some((_, rest)) = lines.split_last().filter(|(line, _)| empty(line)) {
        lines = rest;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("## Overview\ntext", " ## Overview\ntext")]
    #[case(" ## Overview", "  ## Overview")]
    #[case("### Deeper", "### Deeper")]
    #[case("a\n---\nb", "a\n ---\nb")]
    #[case("```\n## in code\n```", "```\n## in code\n```")]
    #[case("```sh\n## open", "\\```sh\n ## open")]
    #[case("\\```", "\\\\```")]
    #[case("````\n```\n## still code\n````", "````\n```\n## still code\n````")]
    fn structure_is_hidden(#[case] text: &str, #[case] written: &str) {
        assert_eq!(encode(text), written);
        assert_eq!(decode(&written.split('\n').collect::<Vec<_>>()), text);
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(lines in prop::collection::vec(
            "( {0,2}|\\\\{0,2})(## a|# b|---|```|````|~~~|```sh|``` `|text|)", 0..12,
        )) {
            let text = lines.join("\n");
            let written = encode(&text);
            let written: Vec<_> = written.split('\n').collect();
            prop_assert_eq!(decode(&written), text.as_str());
            // What follows in the document is never swallowed.
            let mut document = written.clone();
            document.extend(["", "## Next", "```", "code", "```"]);
            prop_assert_eq!(fenced(&document)[written.len() + 1], Fenced::Outside);
            for (line, state) in written.iter().zip(fenced(&written)) {
                prop_assert!(state == Fenced::Inside || !(line.starts_with("## ") || is_rule(line)));
            }
        }
    }
}
