//! The commands of `deskhand`, a file each.

pub(crate) mod available;
pub(crate) mod change;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod grants;
pub(crate) mod history;
pub(crate) mod log;
pub(crate) mod manual;
pub(crate) mod purge;
pub(crate) mod restore;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod steer;
pub(crate) mod tasks;
pub(crate) mod undo;
pub(crate) mod why;
