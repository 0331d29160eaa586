//! What a person asked for, as a command with arguments: typed (`/organize by type`) or said in plain words.
//!
//! Nothing here knows any command. All that is known of one stands in its plugin's manifest (name, triggers, forms,
//! argument schema); all that is known of language stands in `lexicon/`.

mod catalogue;
mod explain;
mod forms;
mod given;
mod lexicon;
mod matching;
mod meaning;
mod schema;
mod slash;
mod table;
mod words;

pub(crate) use catalogue::Catalogue;
pub(crate) use explain::{lacking, unsure, using, would_use};
pub(crate) use matching::{Match, choose};
pub(crate) use slash::{NotTyped, Typed, parse, typed};

use deskhand_vocabulary::{PluginId, manifest::Command};

/// An installed command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// Whose.
    pub(crate) plugin: PluginId,
    /// As its manifest declares it.
    pub(crate) command: Command,
}
