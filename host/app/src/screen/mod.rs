//! What a person sees of a task that an agent works on, while it runs: at a terminal, as lines for a pipe and for a screen
//! reader, and as JSON lines for a program.

mod board;
mod call;
mod flow;
mod json;
mod lines;
mod markdown;
mod notice;
mod steps;
mod style;
mod terminal;
#[cfg(test)]
mod tests;

pub(crate) use call::titled;
pub(crate) use notice::{VOID, budget, reflected, retrying};

use crate::output;
use deskhand_agent::screen::Screen;
use std::{env, sync::Arc};

/// The screen of this run: `json` is for a program; `plain` is for a screen reader, and says all in words, a line each.
pub(crate) fn find(json: bool, plain: bool) -> Arc<dyn Screen> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if plain {
        output::keep_to_lines();
    }
    if json {
        Arc::new(json::JsonLines)
    } else if !output::is_painted_anew() {
        Arc::new(lines::Lines::new(plain))
    } else {
        Arc::new(terminal::Terminal::new(style::Styles { colour: set("NO_COLOR").is_none() }))
    }
}
