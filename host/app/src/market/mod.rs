//! `deskhand market …`, `deskhand plugin search|install|uninstall|update|list` and `deskhand tuf-conformance`: what is
//! done is done by the marketplace, the gate and the runtime; here it is asked for and shown.

mod added;
mod admin;
mod install;
mod list;
mod quarantine;
mod spec;
mod update;

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    output,
};
use deskhand_marketplace::MarketError;
use deskhand_vocabulary::{Entry, Event, Log as _, MarketplaceName, PluginId, Sha256};
use spec::{Spec, VersionSpec};
use std::{path::PathBuf, process::ExitCode};

pub(crate) use added::{doctor, refresh};
pub(crate) use install::named;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum MarketCommand {
    /// Trust a marketplace, by its fingerprint
    Add(Add),
    /// Trust a marketplace no more; what is installed stays
    Remove(Named),
    /// List the marketplaces that you added and those that you publish
    List(crate::cli::Json),
    /// Make a marketplace in an empty folder, and its keys
    Init(Init),
    /// Publish plugins to a marketplace of yours, and renew it
    Publish(Publish),
    /// Renew a marketplace of yours before it expires
    Renew(Renew),
    /// Replace a key of a marketplace of yours that is lost or stolen
    Rotate(Rotate),
    /// Offer a version no more; where it is installed it keeps running
    Yank(Yank),
    /// Withdraw a version everywhere, for good
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// What you want to call it: 1 to 64 of a-z, 0-9 and `-`, starting with a letter
    name: MarketplaceName,
    /// Where it is
    folder: PathBuf,
    /// Its fingerprint, as its admin told you
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Sha256>,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// What you call it
    name: MarketplaceName,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// What it is called: 1 to 64 of a-z, 0-9 and `-`, starting with a letter
    name: MarketplaceName,
    /// The folder to hand out; empty, or not there yet
    folder: PathBuf,
    /// The file for a root key, in a folder of its own. Give two, and the third goes to Deskhand's key folder; or three
    #[arg(long, value_name = "FILE")]
    root_key_out: Vec<PathBuf>,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// The marketplace
    name: MarketplaceName,
    /// Plugins, as `deskhand plugin build` makes them
    #[arg(required = true, value_name = "COMPONENT")]
    components: Vec<PathBuf>,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Renew {
    /// The marketplace
    name: MarketplaceName,
    /// Renew its root as well, which takes two root keys
    #[arg(long)]
    root: bool,
    #[command(flatten)]
    keys: RootKeys,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RootKeys {
    /// A file with a root key, if it is not where it was written to. Can be given several times
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Which {
    /// One of the three root keys
    Root,
    /// The key that signs what is offered
    Targets,
    /// The key that signs that it is the newest
    Online,
    /// Both keys that publishing uses
    Publishing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {
    /// The marketplace
    name: MarketplaceName,
    /// Which key
    which: Which,
    /// The lost root key: its id, or the beginning of it, as `deskhand market list` shows it
    #[arg(long, value_name = "ID", required_if_eq("which", "root"))]
    lost: Option<String>,
    /// The file for the new root key, in a folder that holds no other root key
    #[arg(long, value_name = "FILE", required_if_eq("which", "root"))]
    new_key_out: Option<PathBuf>,
    #[command(flatten)]
    keys: RootKeys,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Yank {
    /// The marketplace
    name: MarketplaceName,
    /// The version, as PLUGIN@VERSION
    version: VersionSpec,
    /// Why, for the people who see it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Offer it again
    #[arg(long, conflicts_with = "reason")]
    undo: bool,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The marketplace
    name: MarketplaceName,
    /// The version, as PLUGIN@VERSION
    version: VersionSpec,
    /// Why, for the people whose plugin stops
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
    /// Search the marketplaces that you added
    Search(Search),
    /// Install a plugin and what it needs
    Install(Install),
    /// Uninstall a plugin
    Uninstall(Uninstall),
    /// Update what is installed; an update that may do more asks first, and until then the old version runs
    Update(Update),
    /// List what is installed
    List(crate::cli::Json),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Words to look for; without them, everything
    words: Vec<String>,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// What: NAME, MARKETPLACE:NAME, or either with @VERSION or @RANGE
    #[arg(value_name = "PLUGIN")]
    plugin: Spec,
    /// Take versions as well that their author does not call finished
    #[arg(long)]
    pre: bool,
    /// Install without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    /// What: NAME, or MARKETPLACE:NAME
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// Even if other plugins need it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: crate::cli::Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Update {
    /// What: NAME, or MARKETPLACE:NAME; without it, everything
    #[arg(value_name = "PLUGIN")]
    plugins: Vec<String>,
    /// Agree to updates that may do more without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    json: crate::cli::Json,
}

pub(crate) fn run_market(command: MarketCommand) -> Result {
    match command {
        MarketCommand::Add(options) => added::add(&options),
        MarketCommand::Remove(options) => added::remove(&options),
        MarketCommand::List(options) => list::marketplaces(&options),
        MarketCommand::Init(options) => admin::init(&options),
        MarketCommand::Publish(options) => admin::publish(&options),
        MarketCommand::Renew(options) => admin::renew(&options),
        MarketCommand::Rotate(options) => admin::rotate(&options),
        MarketCommand::Yank(options) => admin::yank(&options),
        MarketCommand::Revoke(options) => admin::revoke(&options),
    }
}

pub(crate) fn run_plugin(command: PluginCommand) -> Result {
    match command {
        PluginCommand::Search(options) => list::search(&options),
        PluginCommand::Install(options) => install::install(&options),
        PluginCommand::Uninstall(options) => install::uninstall(&options),
        PluginCommand::Update(options) => update::update(&options),
        PluginCommand::List(options) => list::plugins(&options),
    }
}

/// The verifier behind the command line of the tuf-conformance suite.
pub(crate) fn conformance(arguments: Vec<String>) -> ExitCode {
    match deskhand_marketplace::conformance::run(arguments.into_iter().map(Into::into)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::aside(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

impl From<MarketError> for Failure {
    fn from(error: MarketError) -> Self {
        Self::failed(error)
    }
}

impl Desk {
    /// Put what happened to a marketplace on the record.
    fn record_marketplace(&self, name: &MarketplaceName, change: &str, root: u64) -> Result<()> {
        let event = Event::Marketplace { name: name.to_string(), change: change.to_owned(), root };
        self.records()?.append(Entry { task: None, event, content: None })?;
        Ok(())
    }

    /// Put what happened to a plugin on the record.
    fn record_plugin(&self, plugin: &PluginId, change: &str, version: String, component: Sha256) -> Result<()> {
        let event = Event::Plugin { plugin: plugin.clone(), change: change.to_owned(), version, component };
        self.records()?.append(Entry { task: None, event, content: None })?;
        Ok(())
    }

    /// Say it, unless a program listens: then `json` is said.
    fn report(&self, text: &str, json: &serde_json::Value) {
        if self.json { output::text(&format!("{json}\n")) } else { output::text(text) }
    }
}
