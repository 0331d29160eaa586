//! Write plugins for Deskhand.
//!
//! A plugin is a crate with functions whose arguments are types. The attributes `#[command]`, `#[tool]`, `#[agent]` and
//! `#[agent_loop]` say what a function is; a [`Skill`] and an [`Extractor`] are values; `plugin!` says which of them the
//! plugin has. All that a plugin may do goes through this crate's
//! modules, one for each interface of `deskhand:plugin`; a component keeps only the interfaces that its code uses, and that
//! list is what the person sees before installing it.
//!
//! ```
//! use deskhand_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Arguments {
//!     /// What the new name ends with.
//!     suffix: String,
//! }
//!
//! /// Add a suffix to the name of every file of a folder.
//! #[command(forms = ["with {suffix}"], triggers = ["add a suffix to all files"])]
//! pub fn suffix(arguments: Arguments) -> Result<Reply> {
//!     let folder = files::folder()?;
//!     for entry in files::walk(&folder).depth(1) {
//!         let entry = entry?;
//!         if entry.is_file() {
//!             let name = format!("{}{}", entry.path.name(), arguments.suffix);
//!             changes::move_file(&entry, &entry.path.with_name(&name)?)?;
//!         }
//!     }
//!     changes::propose("Add a suffix", View::Table)?;
//!     Ok(Reply::nothing())
//! }
//!
//! deskhand_sdk::plugin! { commands: [suffix] }
//!
//! // the same code runs natively against a folder in memory, so it is tested with plain `cargo test`
//! let host = testing::Host::new().folder("Notes").file("Notes/a.txt", "text");
//! host.run(|| suffix(Arguments { suffix: ".old".into() })).unwrap();
//! assert_eq!(host.tree(), ["Notes/a.txt.old"]);
//! ```

pub mod agent;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
pub mod changes;
mod content;
#[cfg_attr(target_family = "wasm", path = "door/wasm.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "door/native.rs")]
mod door;
mod error;
pub mod extractor;
pub mod files;
pub mod http;
pub mod invocation;
pub mod log;
pub mod memory;
pub mod model;
pub mod path;
#[doc(hidden)]
pub mod plugin;
pub mod schema;
pub mod skill;
pub mod store;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod time;
pub mod toolbox;
pub mod user;
pub mod vm;

pub use agent::{Profile, Tier};
pub use content::{Body, Content, Reply, ToolOutput};
pub use deskhand_sdk_macros::{agent, agent_loop, command, plugin, tool};
pub use error::{Code, Error, Result};
pub use extractor::{Extracted, Extractor};
pub use skill::{Guidance, Skill};

/// The version of `deskhand:plugin` that this SDK speaks.
pub const INTERFACE: &str = "0.1.0";

/// What a plugin needs at hand: `use deskhand_sdk::prelude::*;`.
pub mod prelude {
    #[cfg(not(target_family = "wasm"))]
    pub use crate::testing;
    pub use crate::{
        Code, Content, Error, Extracted, Extractor, Profile, Reply, Result, Skill, Tier, ToolOutput, agent, agent_loop,
        changes::{self, View},
        command,
        files::{self, Fact},
        http, invocation, log, memory,
        model::{self, Conversation},
        path::FilePath,
        store,
        time::{Date, DateTime, Moment},
        tool, toolbox, user, vm,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_interface_is_that_of_the_bindings() {
        let worlds = include_str!("../../../wit/worlds.wit");
        assert!(worlds.starts_with(&format!("package deskhand:plugin@{};", super::INTERFACE)));
    }
}

// the examples of the authors' page are compiled and run as this crate's own
#[cfg(doctest)]
#[doc = include_str!("../../../docs/authoring.md")]
struct Authoring;
