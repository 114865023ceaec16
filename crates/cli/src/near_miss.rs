//! Words that people and agents bring along from other trackers, and what they are called here. They
//! are told, not obeyed: a command has one name.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What to type instead of a word that is no command.
const WORDS: [(&[&str], &[&str]); 27] = [
    (&["add", "make", "open", "todo", "task", "bug", "epic", "story"], &["create TITLE"]),
    (&["begin", "doing", "wip"], &["claim ID", "start ID"]),
    (&["take", "grab", "pick", "acquire", "lock", "checkout"], &["claim ID"]),
    (&["next", "pop", "pull", "dequeue"], &["claim --next", "ready"]),
    (&["unclaim", "drop", "abandon", "unlock", "yield", "unassign"], &["release ID"]),
    (&["assign", "delegate"], &["update ID --assignee NAME", "handoff ID --to NAME"]),
    (&["finish", "resolve", "fix", "closed", "completed"], &["complete ID"]),
    (&["reject", "wontfix", "skip", "abort"], &["cancel ID"]),
    (&["defer", "pause", "stuck", "hold"], &["block ID"]),
    (&["undone", "uncomplete", "restart"], &["reopen ID"]),
    (&["comment", "comments", "annotate", "append"], &["note ID TEXT"]),
    (&["edit", "set", "modify", "change", "rename", "mod"], &["update ID"]),
    (&["status", "move", "mv", "state"], &["start ID", "complete ID", "show ID", "prime"]),
    (&["priority", "title", "describe", "due", "parent"], &["update ID", "show ID"]),
    (&["rm", "remove", "del", "destroy", "purge"], &["delete ID"]),
    (&["view", "get", "cat", "info", "read", "inspect"], &["show ID"]),
    (&["issues", "tasks", "all", "board", "backlog", "kanban"], &["list"]),
    (&["find", "grep", "query", "filter"], &["search TEXT", "list"]),
    (&["stats", "summary", "overview", "count"], &["prime", "list"]),
    (&["onboard", "quickstart", "instructions", "context", "agent"], &["prime"]),
    (&["link", "depend", "depends", "needs", "relate", "unlink"], &["dep add ID --needs ID"]),
    (&["tree", "graph", "path"], &["dep tree ID"]),
    (&["tag", "tags", "untag", "labels"], &["label ID add LABEL"]),
    (&["wait", "poll", "tail", "follow", "subscribe", "events"], &["watch"]),
    (&["tick", "criteria", "subtask"], &["check ID ENTRY"]),
    (&["sync", "push", "commit", "hooks"], &["setup git"]),
    (&["validate", "lint", "repair", "fsck"], &["doctor"]),
];

/// Adds to `error` what to type instead of a word that is no command, where the word is known.
pub(crate) fn add_suggestion(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let word = word.to_lowercase();
    let known = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
    let Some((_, commands)) = known else { return };
    let commands: Vec<_> = commands.iter().map(|command| format!("`jerry {command}`")).collect();
    let said = StyledStr::from(format!("here it is {}", commands.join(" or ")));
    // What is spelled alike means something else.
    error.remove(ContextKind::SuggestedSubcommand);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![said]));
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use rstest::rstest;

    use super::*;
    use crate::Cli;

    fn names(command: &clap::Command) -> Vec<String> {
        let of = |command: &clap::Command| {
            std::iter::once(command.get_name().to_owned())
                .chain(command.get_all_aliases().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        command.get_subcommands().flat_map(of).collect()
    }

    #[test]
    fn what_is_suggested_is_a_command_and_what_is_a_command_is_obeyed() {
        let commands = names(&Cli::command());
        for (words, suggestions) in WORDS {
            for word in words {
                assert!(!commands.contains(&(*word).to_owned()), "{word} is a command");
            }
            for suggestion in suggestions {
                let words = suggestion.split(' ').map(|word| match word {
                    "ID" => "WORK-001",
                    word => word,
                });
                let parsed = Cli::try_parse_from(std::iter::once("jerry").chain(words));
                // `update ID` lacks what is to be updated, which is no matter of grammar.
                assert!(parsed.is_ok(), "jerry {suggestion}: {}", parsed.expect_err("no command"));
            }
        }
    }

    #[rstest]
    #[case("add", "`jerry create TITLE`")]
    #[case("Comment", "`jerry note ID TEXT`")]
    #[case("next", "`jerry claim --next` or `jerry ready`")]
    #[case("creat", "'create'")]
    fn a_near_miss_is_told_the_right_word(#[case] word: &str, #[case] expected: &str) {
        for line in [&["jerry", word, "x"][..], &["jerry", "items", word]] {
            let mut error = Cli::try_parse_from(line).expect_err("no command");
            add_suggestion(&mut error);
            assert!(error.render().to_string().contains(expected), "{error}");
        }
    }
}
