//! The commands, one file each: its options, its call of the application, its answer.

mod check;
mod completions;
mod config;
mod create;
mod delete;
mod dep;
mod doctor;
mod export;
mod id;
mod import;
mod init;
mod label;
mod list;
mod locate;
mod locks;
mod man;
mod note;
mod ready;
mod search;
mod show;
mod transition;
mod update;

use clap::Subcommand;

use crate::exit::Failure;
use crate::output::Answer;
use crate::session::Session;

/// What a command comes to.
pub(crate) type Outcome = Result<Box<dyn Answer>, Failure>;

/// Everything that jerry does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a store in this folder; one that is there stays as it is
    Init(init::Arguments),
    /// Print where the store is, and why it is that one
    Where(locate::Arguments),
    #[command(flatten)]
    Item(Item),
    /// The commands about items, under one name
    #[command(subcommand, visible_alias = "item")]
    Items(Item),
    /// Bring in items from files
    Import(import::Arguments),
    /// Hand items out, for another store or another program
    Export(export::Arguments),
    /// Look at the locks
    Locks(locks::Arguments),
    /// Find what is wrong with the store, and put it right
    Doctor(doctor::Arguments),
    /// Make uids, or take ids and uids apart
    Id(id::Arguments),
    /// Look at the settings and change them
    Config(config::Arguments),
    /// Print what makes a shell complete jerry's commands and ids
    Completions(completions::Arguments),
    /// Print a manual page
    Man(man::Arguments),
}

/// What is done with items.
#[derive(Debug, Subcommand)]
pub enum Item {
    /// Make an item, or many
    #[command(visible_alias = "new")]
    Create(Box<create::Arguments>),
    /// Make an item quickly and print its id alone
    Q(create::Quick),
    /// List the open items
    #[command(visible_alias = "ls")]
    List(list::Arguments),
    /// List what can be begun: pending, unclaimed, waiting for nothing
    Ready(ready::Arguments),
    /// Show an item in full
    Show(show::Arguments),
    /// Change an item's fields
    Update(Box<update::Arguments>),
    /// Begin an item, or go on with a blocked one
    Start(transition::Start),
    /// Say that work on an item cannot go on
    Block(transition::Block),
    /// Finish an item
    #[command(visible_aliases = ["done", "close"])]
    Complete(transition::Complete),
    /// Give an item up
    Cancel(transition::Cancel),
    /// Put back an item that was begun, for someone else to begin
    Release(transition::Release),
    /// Take up again a completed or cancelled item
    Reopen(transition::Reopen),
    /// Add a note to an item
    Note(note::Arguments),
    /// Tick the acceptance criteria and sub-tasks of an item, or add some
    Check(check::Arguments),
    /// Add and remove labels
    Label(label::Arguments),
    /// Say what an item waits for and what it has to do with
    Dep(dep::Arguments),
    /// Delete an item; its number is never used again
    Delete(delete::Arguments),
    /// Find a text in everything that items say
    Search(search::Arguments),
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Init(arguments) => arguments.run(session),
            Self::Where(arguments) => arguments.run(session),
            Self::Item(item) | Self::Items(item) => item.run(session).await,
            Self::Import(arguments) => arguments.run(session).await,
            Self::Export(arguments) => arguments.run(session).await,
            Self::Locks(arguments) => arguments.run(session).await,
            Self::Doctor(arguments) => arguments.run(session).await,
            Self::Id(arguments) => arguments.run(session).await,
            Self::Config(arguments) => arguments.run(session),
            Self::Completions(arguments) => arguments.run(),
            Self::Man(arguments) => arguments.run(),
        }
    }
}

impl Item {
    async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Create(arguments) => arguments.run(session).await,
            Self::Q(arguments) => arguments.run(session).await,
            Self::List(arguments) => arguments.run(session).await,
            Self::Ready(arguments) => arguments.run(session).await,
            Self::Show(arguments) => arguments.run(session).await,
            Self::Update(arguments) => arguments.run(session).await,
            Self::Start(arguments) => arguments.run(session).await,
            Self::Block(arguments) => arguments.run(session).await,
            Self::Complete(arguments) => arguments.run(session).await,
            Self::Cancel(arguments) => arguments.run(session).await,
            Self::Release(arguments) => arguments.run(session).await,
            Self::Reopen(arguments) => arguments.run(session).await,
            Self::Note(arguments) => arguments.run(session).await,
            Self::Check(arguments) => arguments.run(session).await,
            Self::Label(arguments) => arguments.run(session).await,
            Self::Dep(arguments) => arguments.run(session).await,
            Self::Delete(arguments) => arguments.run(session).await,
            Self::Search(arguments) => arguments.run(session).await,
        }
    }
}
