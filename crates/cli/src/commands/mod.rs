//! The commands, one file each: its options, its call of the application, its answer.

mod apply;
mod blocked;
mod check;
mod claim;
mod complete;
mod completions;
mod config;
mod create;
mod delete;
mod demo;
mod dep;
mod dep_tree;
mod diff;
mod doctor;
mod export;
mod history;
mod id;
mod import;
mod init;
mod label;
mod list;
mod locate;
mod locks;
mod man;
mod many;
mod mcp;
mod merge_driver;
mod note;
mod prime;
mod program;
mod ready;
mod schema;
mod search;
mod setup;
mod show;
mod transition;
mod undo;
mod update;
mod watch;
mod why;
mod work;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use crate::exit::Failure;
use crate::output::Answer;
use crate::session::Session;

/// What a command comes to.
pub(crate) type Outcome = Result<Box<dyn Answer>, Failure>;

/// Everything that jerry does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a store in this folder; one that is there stays as it is
    Init(Lazy<init::Arguments>),
    /// Print where the store is, and why it is that one
    Where(Lazy<locate::Arguments>),
    #[command(flatten)]
    Item(Item),
    /// The commands about items, under one name
    #[command(visible_alias = "item")]
    Items(Lazy<Items>),
    /// Make and change many items as a plan says, all or none
    Apply(Lazy<apply::Arguments>),
    /// Bring in items from files
    Import(Lazy<import::Arguments>),
    /// Hand items out, for another store or another program
    Export(Lazy<export::Arguments>),
    /// Print what an agent must know before it begins
    Prime(Lazy<prime::Arguments>),
    /// Look at the locks
    Locks(Lazy<locks::Arguments>),
    /// Find what is wrong with the store, and put it right
    Doctor(Lazy<doctor::Arguments>),
    /// Make uids, or take ids and uids apart
    Id(Lazy<id::Arguments>),
    /// Look at the settings and change them
    Config(Lazy<config::Arguments>),
    /// Serve an agent: a server of the Model Context Protocol on standard input and output
    Mcp(Lazy<mcp::Arguments>),
    /// Let other programs know of jerry, and take it back without a trace
    Setup(Lazy<setup::Arguments>),
    /// Print the JSON Schemas of all answers and of an item's file
    Schema(Lazy<schema::Arguments>),
    /// Make one of two versions of an item's file; git calls it, see `setup git`
    MergeDriver(Lazy<merge_driver::Arguments>),
    /// Print what makes a shell complete jerry's commands and ids
    Completions(Lazy<completions::Arguments>),
    /// Print a manual page
    Man(Lazy<man::Arguments>),
    /// See many processes share a store, some of them killed, and nothing lost
    Demo(Lazy<demo::Arguments>),
    /// One of them
    #[command(hide = true)]
    DemoAgent(Lazy<demo::worker::Arguments>),
}

/// What is done with items.
#[derive(Debug, Subcommand)]
pub enum Item {
    /// Make an item, or many
    #[command(visible_alias = "new")]
    Create(Lazy<create::Arguments>),
    /// Make an item quickly and print its id alone
    Q(Lazy<create::Quick>),
    /// List the open items
    #[command(visible_alias = "ls")]
    List(Lazy<list::Arguments>),
    /// List what can be begun: pending, unclaimed, waiting for nothing
    Ready(Lazy<ready::Arguments>),
    /// Wait for items to change, and tell how they did
    Watch(Lazy<watch::Arguments>),
    /// List what waits, and for what
    Blocked(Lazy<blocked::Arguments>),
    /// Tell what holds an item up, down to what somebody could work on now
    Why(Lazy<why::Arguments>),
    /// Show an item in full
    Show(Lazy<show::Arguments>),
    /// Change an item's fields
    Update(Lazy<update::Arguments>),
    /// Take an item for oneself, so that nobody else writes to it, and begin it
    Claim(Lazy<claim::Claim>),
    /// Claim an item, run a command on it, and complete it or give it back
    Work(Lazy<work::Arguments>),
    /// Pass a claimed item on to someone
    Handoff(Lazy<claim::Handoff>),
    /// Begin an item, or go on with a blocked one
    Start(Lazy<transition::Start>),
    /// Say that work on an item cannot go on
    Block(Lazy<transition::Block>),
    /// Finish an item
    #[command(visible_aliases = ["done", "close"])]
    Complete(Lazy<complete::Arguments>),
    /// Give an item up
    Cancel(Lazy<transition::Cancel>),
    /// Put back an item that was begun, for someone else to begin
    Release(Lazy<claim::Release>),
    /// Take up again a completed or cancelled item
    Reopen(Lazy<transition::Reopen>),
    /// Add a note to an item
    Note(Lazy<note::Arguments>),
    /// Tick the acceptance criteria and sub-tasks of an item, or add some
    Check(Lazy<check::Arguments>),
    /// Add and remove labels
    Label(Lazy<label::Arguments>),
    /// Say what an item waits for and what it has to do with
    Dep(Lazy<dep::Arguments>),
    /// Tell what was written, the latest first: to an item, or to all of them
    #[command(visible_alias = "log")]
    History(Lazy<history::Arguments>),
    /// Show what the last write of an item changed, or what lies between two versions
    Diff(Lazy<diff::Arguments>),
    /// Take back the last write of an item, if it was the actor's; undo again to redo
    Undo(Lazy<undo::Arguments>),
    /// Delete an item; its number is never used again
    Delete(Lazy<delete::Arguments>),
    /// Find a text in everything that items say
    Search(Lazy<search::Arguments>),
}

/// What `items` takes.
#[derive(Debug, Args)]
pub struct Items {
    #[command(subcommand)]
    item: Item,
}

/// Options that are set up only for the command that was typed: setting up those of all commands
/// would take longer than most commands do.
#[derive(Debug)]
pub struct Lazy<T>(Box<T>);

impl<T: Args> Args for Lazy<T> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(set_up::<T>)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        command.defer(set_up::<T>)
    }
}

/// The command itself says what it does, not what it takes.
fn set_up<T: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned();
    let command = T::augment_args(command);
    match about {
        Some(about) => command.about(about),
        None => command,
    }
}

impl<T: FromArgMatches> FromArgMatches for Lazy<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(|arguments| Self(Box::new(arguments)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Init(arguments) => arguments.0.run(session),
            Self::Where(arguments) => arguments.0.run(session),
            Self::Item(item) => item.run(session).await,
            Self::Items(items) => items.0.item.run(session).await,
            Self::Apply(arguments) => arguments.0.run(session).await,
            Self::Import(arguments) => arguments.0.run(session).await,
            Self::Export(arguments) => arguments.0.run(session).await,
            Self::Prime(arguments) => arguments.0.run(session).await,
            Self::Locks(arguments) => arguments.0.run(session).await,
            Self::Doctor(arguments) => arguments.0.run(session).await,
            Self::Id(arguments) => arguments.0.run(session).await,
            Self::Config(arguments) => arguments.0.run(session),
            Self::Setup(arguments) => arguments.0.run(session),
            Self::Schema(arguments) => arguments.0.run(),
            Self::Mcp(arguments) => arguments.0.run(session),
            Self::MergeDriver(arguments) => arguments.0.run(),
            Self::Completions(arguments) => arguments.0.run(),
            Self::Man(arguments) => arguments.0.run(),
            Self::Demo(arguments) => arguments.0.run(session),
            Self::DemoAgent(arguments) => arguments.0.run(session).await,
        }
    }
}

impl Item {
    async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Create(arguments) => arguments.0.run(session).await,
            Self::Q(arguments) => arguments.0.run(session).await,
            Self::List(arguments) => arguments.0.run(session).await,
            Self::Ready(arguments) => arguments.0.run(session).await,
            Self::Watch(arguments) => arguments.0.run(session).await,
            Self::Blocked(arguments) => arguments.0.run(session).await,
            Self::Why(arguments) => arguments.0.run(session).await,
            Self::Show(arguments) => arguments.0.run(session).await,
            Self::Update(arguments) => arguments.0.run(session).await,
            Self::Claim(arguments) => arguments.0.run(session).await,
            Self::Work(arguments) => arguments.0.run(session).await,
            Self::Handoff(arguments) => arguments.0.run(session).await,
            Self::Start(arguments) => arguments.0.run(session).await,
            Self::Block(arguments) => arguments.0.run(session).await,
            Self::Complete(arguments) => arguments.0.run(session).await,
            Self::Cancel(arguments) => arguments.0.run(session).await,
            Self::Release(arguments) => arguments.0.run(session).await,
            Self::Reopen(arguments) => arguments.0.run(session).await,
            Self::Note(arguments) => arguments.0.run(session).await,
            Self::Check(arguments) => arguments.0.run(session).await,
            Self::Label(arguments) => arguments.0.run(session).await,
            Self::Dep(arguments) => arguments.0.run(session).await,
            Self::History(arguments) => arguments.0.run(session).await,
            Self::Diff(arguments) => arguments.0.run(session).await,
            Self::Undo(arguments) => arguments.0.run(session).await,
            Self::Delete(arguments) => arguments.0.run(session).await,
            Self::Search(arguments) => arguments.0.run(session).await,
        }
    }
}
