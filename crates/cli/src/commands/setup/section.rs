//! A marked section of a text that belongs to somebody else.
//!
//! To take it away leaves the text as it was, byte by byte. What has to be remembered for that stands
//! in the section's last line break:
//! - a text that ended with a line break, and one that did not exist: the section ends with one;
//! - a text that did not, or was empty: the section does not, and a line break before it, where there
//!   is one, belongs to it.
//!
//! So what ended with a line break, and leaves nothing or only what such a file begins with, is a file
//! that was made for it.

use std::ops::Range;
use std::path::Path;

use jerry_infra_fs::{AtomicFiles, TextEdit};

use super::{Action, State};
use crate::composition::NotChanged;
use crate::exit::{Code, Failure};

/// A section and what is to stand in it.
pub(super) struct Section<'a> {
    /// What a file begins with that is made for the section; empty, or whole lines.
    pub(super) preface: &'a str,
    /// The whole line that begins it, a comment in the language of the file.
    pub(super) begin: &'a str,
    /// The whole line that ends it.
    pub(super) end: &'a str,
    /// What stands between the two: lines, of which none is one of them.
    pub(super) body: &'a str,
}

impl Section<'_> {
    /// Does `action` in the file at `path` among `files`; answers how the section stood before.
    ///
    /// # Errors
    /// [`Code::Invalid`] when the section begins and does not end; those of the files.
    pub(super) fn apply(
        &self,
        files: &AtomicFiles,
        path: &Path,
        action: Action,
    ) -> Result<State, Failure> {
        let mut was = State::Absent;
        let mut edit = |text: Option<&str>| {
            was = self.state(path, text)?;
            Ok::<_, NotChanged>(match (action, was) {
                (Action::Check, _)
                | (Action::Write, State::Current)
                | (Action::Remove, State::Absent) => None,
                (Action::Write, _) => Some(TextEdit::Replace(self.put_into(path, text)?)),
                (Action::Remove, _) => Some(self.taken_from(path, text.unwrap_or_default())?),
            })
        };
        if action == Action::Check {
            edit(files.read_text(path).map_err(NotChanged::from)?.as_deref())?;
        } else {
            files.edit_text(path, edit)?;
        }
        Ok(was)
    }

    fn state(&self, path: &Path, text: Option<&str>) -> Result<State, Failure> {
        let text = text.unwrap_or_default();
        Ok(match self.find(path, text)? {
            None => State::Absent,
            // git and editors may have changed the line breaks.
            Some(range) if text[range.clone()].lines().eq(self.block().lines()) => State::Current,
            Some(_) => State::Outdated,
        })
    }

    fn put_into(&self, path: &Path, text: Option<&str>) -> Result<String, Failure> {
        let block = self.block();
        let Some(text) = text else { return Ok(format!("{}{block}\n", self.preface)) };
        Ok(match self.find(path, text)? {
            Some(range) => {
                let last = if text[range.clone()].ends_with('\n') { "\n" } else { "" };
                format!("{}{block}{last}{}", &text[..range.start], &text[range.end..])
            }
            None if text.is_empty() => block,
            None if text.ends_with('\n') => format!("{text}{block}\n"),
            None => format!("{text}\n{block}"),
        })
    }

    fn taken_from(&self, path: &Path, text: &str) -> Result<TextEdit, Failure> {
        let Some(range) = self.find(path, text)? else {
            return Ok(TextEdit::Replace(text.to_owned()));
        };
        let (before, after) = (&text[..range.start], &text[range.end..]);
        Ok(match text[range].ends_with('\n') {
            true if before == self.preface && after.is_empty() => TextEdit::Remove,
            true => TextEdit::Replace(format!("{before}{after}")),
            false => TextEdit::Replace(before.strip_suffix('\n').unwrap_or(before).to_owned()),
        })
    }

    fn block(&self) -> String {
        format!("{}\n{}\n{}", self.begin, self.body.trim_end_matches('\n'), self.end)
    }

    /// Where the section stands, its last line break included.
    fn find(&self, path: &Path, text: &str) -> Result<Option<Range<usize>>, Failure> {
        let mut begin = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            match (begin, line.trim_end()) {
                (None, line) if line == self.begin => begin = Some(start),
                (Some(begin), line) if line == self.end => return Ok(Some(begin..at)),
                _ => {}
            }
        }
        if begin.is_none() {
            return Ok(None);
        }
        let message =
            format!("{} has the line '{}' and no '{}'", path.display(), self.begin, self.end);
        Err(Failure::new(Code::Invalid, message)
            .hint("add the line that is missing behind the section, or remove the section by hand"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECTION: Section<'_> =
        Section { preface: "", begin: "# begin", end: "# end", body: "one\ntwo\n" };

    fn path() -> &'static Path {
        Path::new("file")
    }

    fn put(text: Option<&str>) -> String {
        SECTION.put_into(path(), text).expect("whole")
    }

    fn taken(text: &str) -> TextEdit {
        SECTION.taken_from(path(), text).expect("whole")
    }

    #[rstest]
    #[case("")]
    #[case("\n")]
    #[case("a")]
    #[case("a\n")]
    #[case("a\r\nb\r\n")]
    #[case("a\r\nb")]
    #[case("\n\n a \n\n")]
    fn what_was_there_comes_back_byte_by_byte(#[case] text: &str) {
        let with = put(Some(text));
        assert!(with.contains("# begin\none\ntwo\n# end"), "{with}");
        assert_eq!(put(Some(&with)), with, "written twice it stands once");
        assert_eq!(SECTION.state(path(), Some(&with)).expect("whole"), State::Current);
        assert_eq!(taken(&with), TextEdit::Replace(text.to_owned()));
    }

    #[test]
    fn a_file_that_was_made_for_it_goes_with_it() {
        let with = put(None);
        assert_eq!(with, "# begin\none\ntwo\n# end\n");
        assert_eq!(taken(&with), TextEdit::Remove);
    }

    #[test]
    fn what_a_file_made_for_it_begins_with_goes_too_unless_more_was_written() {
        let section = Section { preface: "---\nx: 1\n---\n", ..SECTION };
        let with = section.put_into(path(), None).expect("whole");
        assert_eq!(with, "---\nx: 1\n---\n# begin\none\ntwo\n# end\n");
        assert_eq!(section.taken_from(path(), &with).expect("whole"), TextEdit::Remove);
        let more = TextEdit::Replace("---\nx: 1\n---\nmore\n".to_owned());
        assert_eq!(section.taken_from(path(), &format!("{with}more\n")).expect("whole"), more);
        let other = section.put_into(path(), Some("---\ny: 1\n---\n")).expect("whole");
        assert!(other.starts_with("---\ny: 1\n---\n# begin"), "{other}");
    }

    #[test]
    fn what_was_written_around_it_since_stays() {
        let with = format!("before\n{}after\n", put(None));
        assert_eq!(taken(&with), TextEdit::Replace("before\nafter\n".to_owned()));
        let behind = format!("{}\nafter\n", put(Some("before")));
        assert_eq!(taken(&behind), TextEdit::Replace("before\nafter\n".to_owned()));
    }

    #[test]
    fn an_older_one_is_replaced_where_it_stands() {
        let old = "a\n# begin\nolder\n# end\nb\n";
        assert_eq!(SECTION.state(path(), Some(old)).expect("whole"), State::Outdated);
        assert_eq!(put(Some(old)), "a\n# begin\none\ntwo\n# end\nb\n");
    }

    #[test]
    fn other_line_breaks_are_not_another_section() {
        let with = put(Some("a\n")).replace('\n', "\r\n");
        assert_eq!(SECTION.state(path(), Some(&with)).expect("whole"), State::Current);
        assert_eq!(taken(&with), TextEdit::Replace("a\r\n".to_owned()));
    }

    #[test]
    fn half_a_section_is_left_alone() {
        assert!(SECTION.put_into(path(), Some("# begin\nmine\n")).is_err());
        assert!(SECTION.taken_from(path(), "# begin\nmine\n").is_err());
        assert_eq!(SECTION.state(path(), Some("# end\n")).expect("none"), State::Absent);
    }
}
