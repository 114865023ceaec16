//! Words that people and agents bring along from other trackers, and what they are called here. They
//! are told, not obeyed: a command has one name.

use clap::CommandFactory;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::Cli;

/// What to type instead of a word that is no command.
const WORDS: [(&[&str], &[&str]); 32] = [
    (&["add", "make", "todo", "task", "bug", "epic", "story", "issue"], &["create TITLE"]),
    (&["open"], &["reopen ID", "create TITLE"]),
    (&["unblock", "resume", "continue"], &["start ID"]),
    (&["begin", "doing", "wip"], &["claim ID", "start ID"]),
    (&["take", "grab", "pick", "acquire", "lock", "checkout"], &["claim ID"]),
    (&["next", "pop", "pull", "dequeue"], &["claim --next", "ready"]),
    (&["unclaim", "drop", "abandon", "unlock", "yield", "unassign"], &["release ID"]),
    (&["assign", "delegate"], &["update ID --assignee NAME", "handoff ID --to NAME"]),
    (&["finish", "resolve", "fix", "closed", "completed"], &["complete ID"]),
    (&["reject", "wontfix", "skip", "abort"], &["cancel ID"]),
    (&["defer", "pause", "stuck", "hold"], &["block ID"]),
    (&["stop"], &["release ID", "block ID"]),
    (&["undone", "uncomplete", "restart"], &["reopen ID"]),
    (&["comment", "comments", "annotate", "append"], &["note ID TEXT"]),
    (&["edit", "set", "modify", "change", "rename", "mod"], &["update ID"]),
    (&["status", "move", "mv", "state"], &["start ID", "complete ID", "show ID", "prime"]),
    (&["priority", "title", "describe", "due", "parent"], &["update ID", "show ID"]),
    (&["rm", "remove", "del", "destroy", "purge"], &["delete ID"]),
    (&["view", "get", "cat", "info", "read", "inspect"], &["show ID"]),
    (&["issues", "tasks", "all", "board", "backlog", "kanban"], &["list"]),
    (&["find", "grep", "query", "filter"], &["search TEXT", "list"]),
    (&["stats", "summary", "overview", "count", "progress"], &["prime", "list"]),
    (&["onboard", "quickstart", "instructions", "context", "agent"], &["prime"]),
    (&["link", "depend", "depends", "needs", "relate", "unlink"], &["dep add ID --needs ID"]),
    (&["tree", "graph", "path"], &["dep tree ID"]),
    (&["tag", "tags", "untag", "labels"], &["label ID add LABEL"]),
    (&["wait", "poll", "tail", "follow", "subscribe", "events"], &["watch"]),
    (&["tick", "criteria", "criterion"], &["check ID ENTRY"]),
    (&["subtask", "subtasks"], &["check ID --add-subtask TEXT", "check ID ENTRY"]),
    (&["sync", "push", "commit", "hooks"], &["setup git"]),
    (&["validate", "lint", "repair", "fsck"], &["doctor"]),
    (&["version"], &["--version"]),
];

/// What to type instead of an option that a command does not have.
const OPTIONS: [(&[&str], &str); 5] = [
    (&["--label", "--labels", "--tag", "--add-label"], "label ID add LABEL"),
    (&["--note", "--notes", "--comment"], "note ID TEXT"),
    (&["--needs", "--depends-on", "--blocked-by", "--deps"], "dep add ID --needs ID"),
    (&["--evidence"], "check ID ENTRY --evidence TEXT"),
    (&["--criterion", "--acceptance"], "check ID --add TEXT"),
];

/// Adds to `error` what to type instead of a word or an option that there is not, where it is known.
pub(crate) fn add_suggestion(error: &mut clap::Error) {
    let said = match error.kind() {
        ErrorKind::InvalidSubcommand => instead_of_word(error),
        ErrorKind::UnknownArgument => instead_of_option(error),
        _ => None,
    };
    let Some(said) = said else { return };
    // What is spelled alike means something else.
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::SuggestedArg);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(said)]));
}

fn instead_of_word(error: &clap::Error) -> Option<String> {
    let word = text(error, ContextKind::InvalidSubcommand)?.to_lowercase();
    let path = commands_of(error);
    if let [first, ..] = &path[..]
        && !["items", "item"].contains(&first.as_str())
    {
        let is_near = error.get(ContextKind::SuggestedSubcommand).is_some();
        return if is_near { None } else { known_below(&path) };
    }
    let (_, commands) = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()))?;
    let commands: Vec<_> = commands.iter().map(|command| format!("`jerry {command}`")).collect();
    Some(format!("here it is {}", commands.join(" or ")))
}

fn instead_of_option(error: &clap::Error) -> Option<String> {
    let option = text(error, ContextKind::InvalidArg)?;
    let option = option.split('=').next()?;
    let (_, command) = OPTIONS.iter().find(|(options, _)| options.contains(&option))?;
    Some(format!("here it is `jerry {command}`"))
}

/// What can stand behind the commands of `path`, of which there are few.
fn known_below(path: &[String]) -> Option<String> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for name in path {
        command = command.find_subcommand(name)?;
    }
    let names = command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
    let names: Vec<_> = names.map(clap::Command::get_name).collect();
    Some(format!("there are {}", names.join(", ")))
}

/// The commands that were understood before the word that was not.
fn commands_of(error: &clap::Error) -> Vec<String> {
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    let words = usage.split_whitespace().skip_while(|word| *word != "jerry").skip(1);
    words.take_while(|word| !word.starts_with(['[', '<', '-'])).map(str::to_owned).collect()
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

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
                assert_is_command(words);
            }
        }
        for (_, suggestion) in OPTIONS {
            assert_is_command(suggestion.split(' ').map(|word| match word {
                "ID" => "WORK-001",
                "ENTRY" => "AC-001.1",
                word => word,
            }));
        }
    }

    fn assert_is_command<'a>(words: impl Iterator<Item = &'a str>) {
        let words: Vec<_> = std::iter::once("jerry").chain(words).collect();
        match Cli::try_parse_from(&words) {
            // `update ID` lacks what is to be updated, which is no matter of grammar.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::DisplayVersion => {}
            Err(error) => panic!("{words:?}: {error}"),
        }
    }

    #[rstest]
    #[case("update 1 --label x", "`jerry label ID add LABEL`")]
    #[case("update 1 --label=x", "`jerry label ID add LABEL`")]
    #[case("complete 1 --note x", "`jerry note ID TEXT`")]
    #[case("start 1 --note x", "`jerry note ID TEXT`")]
    #[case("items update 1 --needs 2", "`jerry dep add ID --needs ID`")]
    #[case("setup vim", "git, claude, codex, cursor, gemini, agents-md")]
    #[case("setup add", "git, claude")]
    #[case("locks show", "list, clean, break")]
    #[case("setup claud", "'claude'")]
    #[case("complete 1 --reson x", "'--reason'")]
    fn options_and_targets_that_there_are_not(#[case] line: &str, #[case] expected: &str) {
        let words = std::iter::once("jerry").chain(line.split(' '));
        let mut error = Cli::try_parse_from(words).expect_err("no command");
        add_suggestion(&mut error);
        let said = error.render().to_string();
        assert!(said.contains(expected) && !said.contains("as a value"), "{said}");
    }

    #[rstest]
    #[case("add", "`jerry create TITLE`")]
    #[case("Comment", "`jerry note ID TEXT`")]
    #[case("next", "`jerry claim --next` or `jerry ready`")]
    #[case("unblock", "`jerry start ID`")]
    #[case("open", "`jerry reopen ID`")]
    #[case("stop", "`jerry release ID` or `jerry block ID`")]
    #[case("subtask", "`jerry check ID --add-subtask TEXT`")]
    #[case("issue", "`jerry create TITLE`")]
    #[case("progress", "`jerry prime`")]
    #[case("version", "`jerry --version`")]
    #[case("creat", "'create'")]
    fn a_near_miss_is_told_the_right_word(#[case] word: &str, #[case] expected: &str) {
        for line in [&["jerry", word, "x"][..], &["jerry", "items", word]] {
            let mut error = Cli::try_parse_from(line).expect_err("no command");
            add_suggestion(&mut error);
            assert!(error.render().to_string().contains(expected), "{error}");
        }
    }
}
