//! The gate that every effect passes: what kinds of action exist, what is granted, which rules decide, and the
//! [`Permit`] without which no effect happens. Imports the vocabulary and the records.

pub mod context;
mod decisions;
pub mod effect;
pub mod explain;
pub mod folder;
pub mod gate;
pub mod kind;
pub mod permit;
pub mod rules;
pub mod table;
pub mod words;

pub use context::{Context, Standing};
pub use deskhand_records::{Duration, Grant, Scope};
pub use effect::{Effect, Folders, is_here};
pub use explain::Explanation;
pub use folder::CannotOpen;
pub use gate::{Gate, GrantError, Judgement, Refused};
pub use kind::Kind;
pub use permit::Permit;
pub use rules::{Finding, Verdict};
pub use words::{NotAnAction, parse_action, parse_action_of, words};
