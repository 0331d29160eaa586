//! `deskhand vm …`, and where commands and code of the agent run: in a sandbox of this computer, where the person allows that.
//! Guests are built, looked at and tried here; no command of the agent runs in one yet.

mod allow;
mod build;
mod check;
mod command;
mod doctor;
mod info;
mod mirror;
mod prune;
mod shell;
mod shelter;

pub(crate) use command::VmCommand;
pub(crate) use doctor::doctor;
pub(crate) use shelter::{Shelter, sandboxes};
