//! `deskhand memory`

use super::{edit, list, place::Place, transfer};
use crate::{
    cli::{Json, most},
    desk::Desk,
    failure::Result,
};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// See the module.
#[derive(Debug, Args)]
pub(crate) struct MemoryCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a note that later tasks are told
    Add(Add),
    /// List the notes, the newest first
    List(List),
    /// Find notes by their words
    Search(Search),
    /// Show a note whole, with where it came from
    Show(Show),
    /// Put other words into a note, here or in your editor
    Edit(Edit),
    /// Take notes out for good
    Forget(Forget),
    /// Write all notes as JSON, to be imported elsewhere
    Export(Export),
    /// Take in notes that were exported
    Import(Import),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    pub(super) place: Place,
    /// What it says
    #[arg(required = true, value_name = "TEXT")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) place: Place,
    /// How many; 0 for all
    #[arg(long, default_value_t = 20, value_parser = most)]
    pub(super) limit: u64,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Search {
    #[command(flatten)]
    pub(super) place: Place,
    /// How many; 0 for all
    #[arg(long, default_value_t = 20, value_parser = most)]
    pub(super) limit: u64,
    /// Words that they hold
    #[arg(required = true, value_name = "WORDS")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The number of a note, as `deskhand memory list` lists it
    pub(super) note: u64,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Edit {
    /// The number of a note
    pub(super) note: u64,
    /// What it is to say; without it, your editor opens
    #[arg(value_name = "TEXT")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Forget {
    /// The numbers of notes
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NOTE")]
    pub(super) notes: Vec<u64>,
    /// All of them
    #[arg(long)]
    pub(super) all: bool,
    /// Do not ask
    #[arg(long, short, requires = "all")]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Into this file, which must not be there yet; without it, to standard output
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file that `deskhand memory export` has written
    pub(super) file: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) json: Json,
}

impl MemoryCommand {
    pub(crate) fn run(&self) -> Result {
        match &self.command {
            Command::Add(options) => edit::add(&Desk::open_whatever(options.json.json)?, options),
            Command::List(options) => list::list(&Desk::open_whatever(options.json.json)?, options),
            Command::Search(options) => list::search(&Desk::open_whatever(options.json.json)?, options),
            Command::Show(options) => list::show(&Desk::open_whatever(options.json.json)?, options),
            Command::Edit(options) => edit::edit(&Desk::open_whatever(options.json.json)?, options),
            Command::Forget(options) => edit::forget(&Desk::open_whatever(options.json.json)?, options),
            Command::Export(options) => transfer::export(&Desk::open_whatever(false)?, options),
            Command::Import(options) => transfer::import(&Desk::open_whatever(options.json.json)?, options),
        }
    }
}
