//! `deskhand market` and `deskhand plugin search|install|uninstall|update|list`

use crate::failure::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum MarketCommand {}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {}

pub(crate) fn run_market(command: MarketCommand) -> Result {
    match command {}
}

pub(crate) fn run_plugin(command: PluginCommand) -> Result {
    match command {}
}
