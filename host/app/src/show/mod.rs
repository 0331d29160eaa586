//! How things look to a person: plans, sizes, tables. Pure: data in, text out. Text that is not Deskhand's own is made
//! safe here, and nowhere else.

mod columns;
mod plan;
mod quantity;
mod tree;

pub(crate) use columns::columns;
pub(crate) use plan::{Detail, plan, removals, sensitive};
pub(crate) use quantity::{bytes, count, counted};

use deskhand_vocabulary::{Principal, text};

/// One line of untrusted text.
pub(crate) fn line(text: &str) -> String {
    text::safe(text, false)
}

/// Several lines of untrusted text.
pub(crate) fn lines(text: &str) -> String {
    text::safe(text, true)
}

/// Who says something: nothing for Deskhand itself, the plugin's name for a plugin.
pub(crate) fn origin(origin: &Principal) -> String {
    match origin {
        Principal::Person => String::new(),
        Principal::Plugin(plugin) => format!("[{plugin}] "),
    }
}
