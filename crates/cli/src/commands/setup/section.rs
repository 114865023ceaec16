//! A marked section of a text that belongs to somebody else.
//!
//! To take it away leaves the text as it was, byte by byte. What has to be remembered for that stands
//! in the section's last line break:
//! - a text that ended with a line break, and one that did not exist: the section ends with one;
//! - a text that did not, or was empty: the section does not, and a line break before it, where there
//!   is one, belongs to it.
//!
//! Lines end as they do in the text, of which the first line decides; the section's own say which that was.
//!
//! So what ended with a line break, and leaves nothing or only what such a file begins with, is a file
//! that was made for it.

use std::ops::Range;
use std::path::Path;

use jerry_infra_fs::{AtomicFileError, AtomicFiles, TextEdit};

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
    /// Does `action` in the file at `path` below `folder`, one of `files`; answers how the section
    /// stood before. What is not to be changed is not written, nor a folder made for it.
    ///
    /// # Errors
    /// [`Code::Invalid`] when the section begins and does not end, or the file cannot have one; those
    /// of the files.
    pub(super) fn apply(
        &self,
        files: &AtomicFiles,
        folder: &Path,
        path: &Path,
        action: Action,
    ) -> Result<State, Failure> {
        refuse_what_is_no_file(&folder.join(path))?;
        let files = files.below(folder.to_owned());
        let text = files.read_text(path).map_err(|error| unread(&folder.join(path), error))?;
        let found = self.state(path, text.as_deref())?;
        if action == Action::Check || (action, found) == (Action::Remove, State::Absent) {
            return Ok(found);
        }
        let mut was = State::Absent;
        files.edit_text(path, |text| {
            was = self.state(path, text)?;
            Ok::<_, NotChanged>(match (action, was) {
                (Action::Check, _)
                | (Action::Write, State::Current)
                | (Action::Remove, State::Absent) => None,
                (Action::Write, _) => Some(TextEdit::Replace(self.put_into(path, text)?)),
                (Action::Remove, _) => Some(self.taken_from(path, text.unwrap_or_default())?),
            })
        })?;
        Ok(was)
    }

    fn state(&self, path: &Path, text: Option<&str>) -> Result<State, Failure> {
        let text = text.unwrap_or_default();
        let Some(range) = self.find(path, text)? else { return Ok(State::Absent) };
        let is_single = self.find(path, &text[range.end..])?.is_none();
        // git and editors may have changed the line breaks.
        let is_own = text[range].lines().eq(self.block("\n").lines());
        Ok(if is_single && is_own { State::Current } else { State::Outdated })
    }

    fn put_into(&self, path: &Path, text: Option<&str>) -> Result<String, Failure> {
        let Some(text) = text else { return Ok(format!("{}{}\n", self.preface, self.block("\n"))) };
        let Some(range) = self.find(path, text)? else {
            let end = line_end(text);
            let block = self.block(end);
            return Ok(match text {
                "" => block,
                text if text.ends_with('\n') => format!("{text}{block}{end}"),
                text => format!("{text}{end}{block}"),
            });
        };
        let mut rest = text[range.end..].to_owned();
        while let Some(another) = self.find(path, &rest)? {
            rest = without(&rest, another);
        }
        let end = line_end(&text[range.clone()]);
        let last = if text[range.clone()].ends_with('\n') { end } else { "" };
        Ok(format!("{}{}{last}{rest}", &text[..range.start], self.block(end)))
    }

    fn taken_from(&self, path: &Path, text: &str) -> Result<TextEdit, Failure> {
        let mut left = text.to_owned();
        let mut made_for_it = false;
        while let Some(range) = self.find(path, &left)? {
            let ended = left[range.clone()].ends_with('\n');
            left = without(&left, range);
            made_for_it = ended && left.replace("\r\n", "\n") == self.preface;
        }
        Ok(if made_for_it { TextEdit::Remove } else { TextEdit::Replace(left) })
    }

    /// The section without its last line break, in lines that end with `end`.
    fn block(&self, end: &str) -> String {
        let body = self.body.trim_end_matches('\n');
        [self.begin, body, self.end].join("\n").replace('\n', end)
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

/// How the lines of a text end that is not empty, or would if it had several.
fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The text without the section in `range`, with the line break before it where that is the section's.
fn without(text: &str, range: Range<usize>) -> String {
    let (before, section, after) = (&text[..range.start], &text[range.clone()], &text[range.end..]);
    if section.ends_with('\n') {
        return format!("{before}{after}");
    }
    let own = before.strip_suffix(line_end(section)).or(before.strip_suffix('\n'));
    own.unwrap_or(before).to_owned()
}

/// What cannot have a section, with what to do about each.
fn refuse_what_is_no_file(path: &Path) -> Result<(), Failure> {
    let place = path.display();
    let wrong = |what: &str, hint: &str| {
        Err(Failure::new(Code::Invalid, format!("{place} is {what}"))
            .with("path", place.to_string())
            .hint(hint))
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            let target = std::fs::read_link(path).unwrap_or_default();
            let hint = match target.file_name().and_then(|name| name.to_str()) {
                Some("AGENTS.md") => "`jerry setup agents-md` writes into the file it points at",
                Some("CLAUDE.md") => "`jerry setup claude` writes into the file it points at",
                Some("GEMINI.md") => "`jerry setup gemini` writes into the file it points at",
                _ => "put a file of its own in its place; jerry does not write through links",
            };
            let target = target.display();
            wrong(&format!("a symbolic link to {target}"), hint)
        }
        Ok(found) if found.is_dir() => {
            wrong("a folder", "move it away: agents look for a file of this name")
        }
        Ok(found) if !found.is_file() => wrong("no regular file", "put a text file in its place"),
        // What else there is to say reading says.
        _ => Ok(()),
    }
}

fn unread(path: &Path, error: AtomicFileError) -> Failure {
    let is_no_text = matches!(error, AtomicFileError::Malformed(_));
    let failure = Failure::from(NotChanged::from(error));
    match is_no_text {
        true => failure
            .with("path", path.display().to_string())
            .hint("save the file as UTF-8 text first; nothing in it was changed"),
        false => failure,
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
    #[case("\r\n")]
    #[case("a\r")]
    #[case("a\r\nb\n")]
    #[case("a\nb\r\n")]
    #[case("a\r\n\r")]
    #[case("\n\n a \n\n")]
    fn what_was_there_comes_back_byte_by_byte(#[case] text: &str) {
        let with = put(Some(text));
        let section = SECTION.block(line_end(text));
        assert!(with.contains(&section), "{with}");
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
    fn lines_end_as_in_the_file() {
        for text in ["a\r\nb\r\n", "a\r\nb"] {
            let with = put(Some(text));
            assert_eq!(with.matches('\n').count(), with.matches("\r\n").count(), "{with:?}");
        }
        let old = "a\r\n# begin\r\nolder\r\n# end\r\nb";
        assert_eq!(put(Some(old)), "a\r\n# begin\r\none\r\ntwo\r\n# end\r\nb");
    }

    /// As a merge may leave it.
    #[test]
    fn of_several_all_are_taken_and_one_is_left() {
        let twice = format!("a\n{}b\n{}c\n", put(None), put(None));
        assert_eq!(SECTION.state(path(), Some(&twice)).expect("whole"), State::Outdated);
        assert_eq!(taken(&twice), TextEdit::Replace("a\nb\nc\n".to_owned()));
        assert_eq!(put(Some(&twice)), format!("a\n{}b\nc\n", put(None)));
        assert_eq!(taken(&put(None).repeat(2)), TextEdit::Remove);
        assert!(SECTION.taken_from(path(), &format!("{}# begin\n", put(None))).is_err());
    }

    #[test]
    fn half_a_section_is_left_alone() {
        assert!(SECTION.put_into(path(), Some("# begin\nmine\n")).is_err());
        assert!(SECTION.taken_from(path(), "# begin\nmine\n").is_err());
        assert_eq!(SECTION.state(path(), Some("# end\n")).expect("none"), State::Absent);
    }
}
