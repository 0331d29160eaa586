//! The person at the other end: at a terminal, behind a pipe, or a program that reads JSON lines.

mod client;
mod editor;
mod json;
mod keyboard;
mod keys;
mod listening;
mod prompt;
mod secret;
mod silent;
mod terminal;
mod typing;
mod waiting;

pub(crate) use client::{Client, OfCall};
pub(crate) use editor::edit;
pub(crate) use json::{JsonLines, print as print_json};
pub(crate) use keyboard::restore;
pub(crate) use listening::Listening;
pub(crate) use secret::secret;
pub(crate) use silent::Silent;
pub(crate) use terminal::Terminal;
pub(crate) use waiting::Waiting;

use deskhand_agent::steering::Steering;
use deskhand_vocabulary::{Person, Stop};
use std::{io::IsTerminal as _, sync::Arc};

/// Whoever is there: `json` is for a program; otherwise a person, if input and output are a terminal.
pub(crate) fn find(json: bool, stop: &Stop) -> Arc<dyn Person> {
    if json {
        Arc::new(JsonLines)
    } else if is_at_terminal() {
        Arc::new(Terminal::new(stop.clone()))
    } else {
        Arc::new(Silent)
    }
}

/// Ring the bell of the terminal, if the person wants it and there is one.
pub(crate) fn ring(wanted: bool) {
    if wanted && std::io::stdout().is_terminal() {
        crate::output::control("\u{7}");
    }
}

/// Hand on to a task what the person types, until what is returned is dropped. Nothing where nobody types: for a program,
/// without a terminal, and in the background of one.
pub(crate) fn listen(json: bool, steering: &Arc<Steering>) -> Option<Listening> {
    if json || !is_at_terminal() || !keyboard::is_in_front() {
        return None;
    }
    // without a thread for it, the task is steered from another terminal
    Listening::begin(Arc::clone(steering)).ok()
}

pub(crate) fn is_at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
