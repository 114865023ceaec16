//! Hints, in the words of those who have tools and no command line.
//!
//! The errors themselves speak of commands, which is right for most of their readers. A command that is
//! also a tool is named as the tool; one that is none stays, for whoever has a shell. An option is
//! named as the argument; what asks for one that no tool has is left out.

use jerry_contract::{Code, Failure};

/// What options are called here, longer wordings first.
const ARGUMENTS: [(&str, &str); 6] = [
    (" or the --session it was claimed in", ""),
    (", or wait longer with --lock-timeout", ""),
    ("--fence N", "its fence"),
    ("--fence", "fence"),
    ("--since", "since"),
    ("--if-version", "if_version"),
];

/// How to write over what is there.
const REPLACE: &str = "read what is there with `show`, and send what it shall be with if_version, the \
                       version that you have read";

/// What arguments have to be like.
pub(crate) const USAGE: &str = "the tool's input schema says what it takes";

/// Where everything that there was to say is about options.
const NOTHING_LEFT: &str = "there is no tool for it: a person can decide it with the jerry command";

/// What to do about `failure`.
pub(crate) fn for_agents(failure: &Failure) -> String {
    match failure.code {
        Code::WouldReplace => return REPLACE.to_owned(),
        Code::Usage if failure.hint.is_none() => return USAGE.to_owned(),
        _ => {}
    }
    let clauses: Vec<_> = failure.remedy().split("; ").filter_map(clause).collect();
    match clauses.is_empty() {
        true => NOTHING_LEFT.to_owned(),
        false => clauses.join("; "),
    }
}

/// One clause of a hint; `None` where it asks for what no tool has.
fn clause(said: &str) -> Option<String> {
    let mut parts = Vec::new();
    for (place, part) in said.split('`').enumerate() {
        if place % 2 == 1 {
            parts.push(format!("`{}`", command(part)));
            continue;
        }
        let renamed = ARGUMENTS
            .iter()
            .fold(part.to_owned(), |text, (option, argument)| text.replace(option, argument));
        if renamed.contains("--") {
            return None;
        }
        parts.push(renamed);
    }
    Some(parts.concat())
}

/// The tool, with what it takes besides the id, that does what `command` does.
fn command(command: &str) -> String {
    let words: Vec<_> = command.split(' ').collect();
    let tool = match words.as_slice() {
        ["jerry", tool @ ("show" | "complete" | "claim" | "release" | "update"), _] => tool,
        ["jerry", "diff" | "history", ..] => "show` with `history",
        ["jerry", "check", _, _, ..] if !words.contains(&"--add") => "update` with `check",
        ["jerry", "reopen", _] => "update` with `status",
        _ => command,
    };
    tool.to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("take another item; --force does it all the same", "take another item")]
    #[case("--force does it all the same", NOTHING_LEFT)]
    #[case("look with `jerry show WORK-1`, then decide", "look with `show`, then decide")]
    #[case("look with `jerry diff WORK-1`", "look with `show` with `history`")]
    #[case(
        "`jerry check WORK-1 AC-1.1 --evidence commit:SHA` ticks it",
        "`update` with `check` ticks it"
    )]
    #[case("`jerry check WORK-1 --add TEXT` adds one", "`jerry check WORK-1 --add TEXT` adds one")]
    #[case("`jerry ready --explain` shows it", "`jerry ready --explain` shows it")]
    #[case("show --fence N or the --session it was claimed in", "show its fence")]
    #[case("watch from now on, without --since", "watch from now on, without since")]
    fn hints_are_about_tools(#[case] of_commands: &str, #[case] of_tools: &str) {
        let failure = Failure::new(Code::Usage, "x").hint(of_commands);
        assert_eq!(for_agents(&failure), of_tools);
    }
}
