//! `deskhand`: the command line. Wires the rooms together; what is decided, changed and recorded is decided, changed
//! and recorded below.

mod agent;
mod attachment;
mod author;
mod background;
mod choices;
mod cli;
mod commands;
mod configuration;
mod confirm;
mod credentials;
mod desk;
mod document;
mod exit;
mod failure;
mod instructions;
mod keys;
mod locale;
mod market;
mod mcp;
mod memory;
mod model;
mod outgoing;
mod output;
mod person;
mod request;
mod sandbox;
mod screen;
mod settings;
mod show;
mod task;
mod transcript;
mod vm;

use clap::Parser as _;
use cli::{Cli, Command, PluginCommand};
use exit::Exit;
use failure::Result;
use std::{io::Write as _, process::ExitCode};

fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => dispatch(cli.command).unwrap_or_else(|failure| {
            output::aside(&show::sentence(&failure.message));
            failure.exit.into()
        }),
        // help and the version come this way too, to standard output
        Err(error) => {
            if let Err(error) = error.print().and_then(|()| std::io::stdout().flush()) {
                output::lose(error);
            }
            u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8).into()
        }
    };
    // a question may still stand that nobody waits for any more
    person::restore();
    match output::lost() {
        Some(message) => {
            output::aside(&message);
            if code == ExitCode::SUCCESS { Exit::Failed.into() } else { code }
        }
        None => code,
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    let exit = match command {
        Command::Run(options) => commands::run::run(&options),
        Command::Resume(options) => commands::resume::run(&options),
        Command::Steer(options) => commands::steer::say(&options),
        Command::Pause(options) => commands::steer::pause(&options),
        Command::Cancel(options) => commands::steer::cancel(&options),
        Command::Inbox(options) => commands::tasks::inbox(&options),
        Command::Tasks(options) => commands::tasks::run(&options),
        Command::Task(options) => options.run(),
        Command::Undo(options) => commands::undo::run(&options),
        Command::History(options) => commands::history::run(&options),
        Command::Restore(options) => commands::restore::run(&options),
        Command::Purge(options) => commands::purge::run(&options),
        Command::Log(options) => commands::log::run(&options),
        Command::Grants(options) => commands::grants::list(&options),
        Command::Revoke(options) => commands::grants::revoke(&options),
        Command::Instructions(options) => options.run(),
        Command::Memory(options) => options.run(),
        Command::Why(options) => commands::why::run(&options),
        Command::Commands(options) => commands::available::run(&options),
        Command::Plugin(options) => match options.command {
            PluginCommand::Author(command) => author::run(command),
            PluginCommand::Use(command) => market::run_plugin(command),
            PluginCommand::SignIn(command) => credentials::run(command),
        },
        Command::Mcp(options) => options.command.run(),
        Command::Vm(options) => options.command.run(),
        Command::Model(options) => options.command.run(),
        Command::Market(options) => market::run_market(options.command),
        Command::Doctor(options) => commands::doctor::run(&options),
        Command::Config(options) => commands::config::run(&options),
        Command::Completions(options) => commands::manual::completions(&options),
        Command::Man(options) => commands::manual::man(&options),
        Command::Supervise { idle } => background::supervise(idle),
        Command::CompileComponent { arguments } => {
            return Ok(deskhand_runtime::compile_child_main(arguments.into_iter()));
        }
        Command::SandboxHelper { arguments } => return Ok(deskhand_confine::helper_main(arguments)),
        Command::WatchProgram { arguments } => return Ok(deskhand_mcp::client::watch_main(arguments)),
        Command::TufConformance { arguments } => return Ok(market::conformance(arguments)),
    };
    exit.map(Into::into)
}
