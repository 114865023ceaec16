//! `docs/cli.md` says what the parser says. After a change of the command line, write it anew:
//!
//! ```sh
//! JERRY_WRITE_DOCS=1 cargo test -p jerry-cli --test docs
//! ```

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory};
use jerry_cli::Cli;
use jerry_cli::exit::{Code, status};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");

#[test]
#[expect(clippy::disallowed_methods, reason = "writes documentation, not a store")]
fn docs_cli_md_is_what_the_parser_says() {
    let mut root = Cli::command().term_width(100);
    root.build();
    let page = page(&root);
    if std::env::var_os("JERRY_WRITE_DOCS").is_some() {
        fs::create_dir_all(Path::new(DOCS).parent().expect("a folder")).expect("docs");
        fs::write(DOCS, &page).expect("written");
    }
    let kept = fs::read_to_string(DOCS).unwrap_or_default();
    assert!(
        kept == page,
        "docs/cli.md is stale: run JERRY_WRITE_DOCS=1 cargo test -p jerry-cli --test docs"
    );
}

fn page(root: &Command) -> String {
    let mut page = String::new();
    page.push_str("<!-- Generated from the parser: JERRY_WRITE_DOCS=1 cargo test -p jerry-cli --test docs -->\n\n");
    page.push_str("# The command line\n\n");
    page.push_str(include_str!("docs-introduction.md"));
    page.push_str("\n## Exit status and errors\n\n");
    errors(&mut page);
    page.push_str("\n## Options of every command\n\n");
    options(&mut page, root, |arg| arg.is_global_set());
    page.push_str("\n## Commands\n\n");
    for command in shown(root) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(page, "- [`jerry {0}`](#jerry-{0}): {about}", command.get_name()).expect("text");
    }
    for command in shown(root) {
        section(&mut page, command, "jerry", 3);
    }
    page
}

fn errors(page: &mut String) {
    page.push_str(
        "| status | `code` under `--json` | the same command may succeed after | what to do |\n",
    );
    page.push_str("|---|---|---|---|\n| 0 | | | |\n");
    for code in Code::ALL {
        let (name, retry_after, hint) = code.row();
        let after = retry_after.map_or_else(|| "–".to_owned(), |after| format!("{after} ms"));
        writeln!(page, "| {} | `{name}` | {after} | {hint} |", status(code)).expect("text");
    }
}

fn section(page: &mut String, command: &Command, path: &str, level: usize) {
    let path = format!("{path} {}", command.get_name());
    writeln!(page, "\n{} `{path}`\n", "#".repeat(level)).expect("text");
    if let Some(about) = command.get_about() {
        writeln!(page, "{about}.\n").expect("text");
    }
    let usage = command.clone().render_usage().to_string();
    writeln!(page, "```text\n{}\n```\n", usage.trim_start_matches("Usage: ")).expect("text");
    let aliases: Vec<_> = command.get_visible_aliases().collect();
    if !aliases.is_empty() {
        writeln!(page, "Also: {}.\n", aliases.join(", ")).expect("text");
    }
    if command.get_name() == "items" {
        page.push_str(
            "The same commands as at the top level: `jerry items list` is `jerry list`.\n",
        );
        return;
    }
    options(page, command, |arg| !arg.is_global_set());
    for inner in shown(command) {
        section(page, inner, &path, level + 1);
    }
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let visible = |inner: &&Command| !inner.is_hide_set() && inner.get_name() != "help";
    command.get_subcommands().filter(visible)
}

fn options(page: &mut String, command: &Command, which: impl Fn(&Arg) -> bool) {
    let ours = |arg: &&Arg| {
        which(arg) && !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
    };
    for arg in command.get_arguments().filter(ours) {
        writeln!(page, "- {}: {}", name(arg), help(arg)).expect("text");
    }
}

fn name(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.filter(|_| arg.get_action().takes_values());
    if arg.is_positional() {
        let more =
            if arg.get_num_args().is_some_and(|num| num.max_values() > 1) { "…" } else { "" };
        return format!("`<{}>{more}`", value.unwrap_or_default());
    }
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let value = value.map(|value| format!(" <{value}>")).unwrap_or_default();
    format!("{short}`--{}{value}`", arg.get_long().unwrap_or_default())
}

fn help(arg: &Arg) -> String {
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let possible: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() && !matches!(arg.get_action(), ArgAction::SetTrue) {
        write!(help, " ({})", possible.join(", ")).expect("text");
    }
    let default = arg.get_default_values().first().and_then(|value| value.to_str());
    if let Some(default) = default.filter(|default| *default != "false") {
        write!(help, " [default: {default}]").expect("text");
    }
    help
}
