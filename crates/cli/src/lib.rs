//! The command line of jerry: reads arguments, calls the application, shows what it answers. The
//! rules are elsewhere.

mod args;
mod commands;
mod complete;
pub mod composition;
pub mod exit;
#[cfg(test)]
mod golden;
mod named_file;
mod near_miss;
pub mod output;
mod session;
pub mod settings;
mod shell;
mod signals;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser};

pub use args::{Cli, Global};
pub use session::Session;

use exit::{Code, Failure, exit};
use output::{Answer, Json, Style, block, complain};

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).complete();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(mut error) => {
            near_miss::add_suggestion(&mut error);
            return unparsed(&error, asks_for_json(&arguments));
        }
    };
    let style = Style::of_stdout(std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty()));
    let json = cli.global.json;
    let session = Session::new(cli.global, style, Box::new(|name| std::env::var_os(name)));
    match pollster::block_on(cli.command.run(&session)) {
        Ok(answer) => show(answer.as_ref(), json, style),
        Err(failure) => fail(&failure, json),
    }
}

/// Carries out one command inside this process, with `env` as its environment, and returns what the
/// program would print under `--json`. The first of `arguments` is the program's name.
///
/// # Errors
/// The failure that the program would show, whose code tells its exit status.
pub fn call<I>(arguments: I, env: settings::Env) -> Result<serde_json::Value, Failure>
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let cli = Cli::try_parse_from(arguments)
        .map_err(|error| usage(&error, &error.render().to_string()))?;
    let session = Session::new(cli.global, Style::PLAIN, env);
    let answer = pollster::block_on(cli.command.run(&session))?;
    if let Some(failure) = answer.complaint() {
        return Err(failure);
    }
    let mut text = Vec::new();
    answer.json(Json::new(&mut text)).map_err(|error| unwritten(&error))?;
    serde_json::from_slice(&text).map_err(|error| unwritten(&error.into()))
}

/// Shows what a command answered, and tells how the program ends.
fn show(answer: &dyn Answer, json: bool, style: Style) -> ExitCode {
    let written =
        to_stdout(|out| if json { answer.json(Json::new(out)) } else { answer.text(out, style) });
    if !json {
        answer.remarks(style);
    }
    if let Err(error) = written {
        complain(&unwritten(&error));
        return exit(Code::Storage);
    }
    match answer.complaint() {
        // Under --json the answer itself says it: two objects would be none.
        Some(failure) if json => exit(failure.code),
        Some(failure) => {
            complain(&failure);
            exit(failure.code)
        }
        None => ExitCode::SUCCESS,
    }
}

fn fail(failure: &Failure, json: bool) -> ExitCode {
    if json {
        if let Err(error) = to_stdout(|out| Json::new(out).error(failure)) {
            complain(&unwritten(&error));
        }
    } else {
        complain(failure);
    }
    exit(failure.code)
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::io("the result cannot be written to standard output", error)
        .hint("the command itself was carried out")
}

/// All that a program prints goes through here. A reader that has seen enough is no error.
fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is still in the buffer is wanted by nobody.
            let _ = out.into_parts();
            Ok(())
        }
        done => done,
    }
}

/// Help and version are answers; everything else that is no command is a usage error.
fn unparsed(error: &clap::Error, json: bool) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            match to_stdout(|out| out.write_all(text.as_bytes())) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    complain(&unwritten(&error));
                    exit(Code::Storage)
                }
            }
        }
        _ if json => fail(&usage(error, &text), true),
        _ => {
            let _ = io::stderr().lock().write_all(block(&text).as_bytes());
            exit(Code::Usage)
        }
    }
}

fn usage(error: &clap::Error, text: &str) -> Failure {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut failure = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Failure::new(Code::Usage, "no command was given").hint("see `jerry --help`")
        }
        _ => Failure::new(Code::Usage, message.trim()),
    };
    if let Some(argument) = error.get(ContextKind::InvalidArg) {
        failure = failure.with("argument", argument.to_string());
    }
    let hint = rest.split("\n\n").next().unwrap_or_default().trim();
    if failure.hint.is_none() && !hint.is_empty() { failure.hint(hint) } else { failure }
}

/// Arguments that are no command cannot say whether JSON is wanted, except by the word itself.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|it| *it != "--").any(|argument| argument == "--json")
}
