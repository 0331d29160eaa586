//! Lines for the plugin's log, which `deskhand log` shows. For the author, not for the person at work.

use crate::door;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// For the author at work.
    Debug,
    /// What happened.
    Info,
    /// Something that should not be, and that the call went on from.
    Warn,
    /// Something that kept the call from doing its work.
    Error,
}

/// Write a line, with named values.
pub fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    door::log(level, message, fields);
}

/// A line for the author at work.
pub fn debug(message: &str) {
    write(Level::Debug, message, &[]);
}

/// What happened.
pub fn info(message: &str) {
    write(Level::Info, message, &[]);
}

/// Something that should not be, and that the call goes on from.
pub fn warn(message: &str) {
    write(Level::Warn, message, &[]);
}

/// Something that keeps the call from doing its work.
pub fn error(message: &str) {
    write(Level::Error, message, &[]);
}
