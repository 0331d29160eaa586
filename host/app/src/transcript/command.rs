//! `deskhand task`

use super::{Transcript, delete, html, import, read::read, redact::Redactor, text};
use crate::{
    cli::Json,
    desk::Desk,
    document,
    exit::Exit,
    failure::{Failure, Result},
    output, show,
};
use clap::{Args, Subcommand, ValueEnum};
use deskhand_records::ImportedId;
use deskhand_vocabulary::TaskId;
use std::{path::PathBuf, str::FromStr};

/// See the module.
#[derive(Debug, Args)]
pub(crate) struct TaskCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show all that was said and done in a task
    Show(Show),
    /// Write a task as one page of HTML or as JSON, without secrets
    Export(Export),
    /// Take in a task of another computer, to be looked at
    Import(Import),
    /// List the tasks that were imported
    Imported(Json),
    /// Destroy what was said and done in a task; that it happened stays on record
    Delete(Delete),
}

/// A task of this computer by its number, or an imported one, as i1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Own(TaskId),
    Imported(ImportedId),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let own = text.parse().map(Self::Own);
        own.or_else(|_| text.parse().map(Self::Imported))
            .map_err(|_| "a task is a number, such as 7, or i and a number for an imported one, such as i1".to_owned())
    }
}

#[derive(Debug, Args)]
struct Show {
    /// The task, as `deskhand tasks` or `deskhand task imported` lists it
    task: Named,
    #[command(flatten)]
    json: Json,
}

/// What an exported task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that any browser shows
    Html,
    /// For another Deskhand, or a program
    Json,
}

#[derive(Debug, Args)]
struct Export {
    /// The task
    task: Named,
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Into this file, which must not be there yet; without it, to standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file that `deskhand task export --format json` has written
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The task
    task: Named,
    /// Forget the notes that it remembered as well
    #[arg(long)]
    pub(super) notes: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

impl TaskCommand {
    pub(crate) fn run(&self) -> Result {
        match &self.command {
            Command::Show(options) => show(&Desk::open_whatever(options.json.json)?, options),
            Command::Export(options) => export(&Desk::open_whatever(false)?, options),
            Command::Import(options) => import::import(&Desk::open_whatever(options.json.json)?, options),
            Command::Imported(options) => import::list(&Desk::open_whatever(options.json)?),
            Command::Delete(options) => {
                let desk = Desk::open_whatever(false)?;
                match options.task {
                    Named::Own(task) => delete::delete(&desk, task, options),
                    Named::Imported(id) => delete::delete_imported(&desk, id, options),
                }
            }
        }
    }
}

/// The document of a task without secrets, and what is to be said of it first.
fn document_of(desk: &Desk, task: Named) -> Result<(Transcript, Option<&'static str>)> {
    let (transcript, notice) = match task {
        Named::Own(task) => (read(desk.records()?, task)?, None),
        Named::Imported(id) => (import::imported(desk, id)?, Some(import::NOTICE)),
    };
    Ok((Redactor::of(desk)?.redact(&transcript)?, notice))
}

fn json(transcript: &Transcript) -> Result<String> {
    serde_json::to_string_pretty(transcript).map(|text| format!("{text}\n")).map_err(Failure::failed)
}

fn show(desk: &Desk, options: &Show) -> Result {
    let (transcript, notice) = document_of(desk, options.task)?;
    if desk.json {
        output::text(&json(&transcript)?);
        return Ok(Exit::Done);
    }
    if let Some(notice) = notice {
        output::text(&format!("{notice}\n\n"));
    }
    output::text(&text::text(&transcript, &desk.clock.zone()));
    Ok(Exit::Done)
}

fn export(desk: &Desk, options: &Export) -> Result {
    let (transcript, notice) = document_of(desk, options.task)?;
    let text = match options.format {
        Format::Html => html::html(&transcript, notice, &desk.clock.zone()),
        Format::Json => json(&transcript)?,
    };
    document::write(options.to.as_deref(), &text)?;
    if let Some(to) = &options.to {
        let left_out = match transcript.redacted {
            0 => "No secret was found in it".to_owned(),
            count => format!("{} left out", show::counted(count, "secret")),
        };
        output::text(&format!("Written to {}. {left_out}; look it through before you give it away.\n", show::path(to)));
    }
    Ok(Exit::Done)
}
