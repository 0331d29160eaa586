//! The person at the other end: at a terminal, behind a pipe, or a program that reads JSON lines.

mod editor;
mod input;
mod json;
mod secret;
mod silent;
mod terminal;
mod waiting;

pub(crate) use editor::edit;
pub(crate) use json::{JsonLines, print as print_json};
pub(crate) use secret::secret;
pub(crate) use silent::Silent;
pub(crate) use terminal::Terminal;
pub(crate) use waiting::Waiting;

use deskhand_vocabulary::{Person, Stop};
use std::{io::IsTerminal as _, sync::Arc};

/// Whoever is there: `json` is for a program; otherwise a person, if input and output are a terminal.
pub(crate) fn find(json: bool, stop: &Stop) -> Arc<dyn Person> {
    if json {
        Arc::new(JsonLines)
    } else if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        Arc::new(Terminal::new(stop.clone()))
    } else {
        Arc::new(Silent)
    }
}
