//! `deskhand vm …`, and where commands and code of the agent run: in a guest, where its image is built, else in a sandbox of this
//! computer, where the person allows that.

mod allow;
mod build;
mod built;
mod check;
mod command;
mod doctor;
mod fetch;
mod guest;
mod index;
mod info;
mod mirror;
mod prune;
mod shell;
mod shelter;

pub(crate) use command::VmCommand;
pub(crate) use doctor::doctor;
pub(crate) use shelter::{Shelter, places, sandboxes};
