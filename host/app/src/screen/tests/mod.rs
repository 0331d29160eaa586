//! What each screen makes of the same task.

mod looks;
mod script;
