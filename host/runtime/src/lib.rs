//! The runtime of plugins: installs, loads, limits and calls WebAssembly components. No other room sees wasmtime.
//!
//! It imports the vocabulary, the records, the gate, the egress and the workspace; its main type is [`Runtime`].
//!
//! A plugin is *installed* (a row of the index and a file), *compiled* (native code in the cache), *loaded* (mapped and
//! linked, the last ones used) and *running* (a store for one call, dropped with it). What it may reach is what its
//! component imports, within that what its manifest declares, and within that what the gate allows at each call.

mod bindings;
mod cache;
mod call;
mod capability;
mod compile;
mod config;
mod durable;
mod engine;
mod fault;
mod imports;
mod index;
mod inspect;
mod install;
mod invocation;
mod limits;
mod load;
mod machine;
mod output;
pub mod reference;
mod reply;
mod rights;
mod roles;
mod runtime;
mod services;
mod slots;

pub use compile::{CompileFailure, compile_child_main};
pub use config::{COMPILE_SUBCOMMAND, Compiler, Config};
pub use fault::{PluginFault, Trace, Trapped};
pub use imports::{INTERFACE, Refusal};
pub use index::{
    Edition, IndexError, Installed, ListedAbout, ListedAgent, ListedCommand, ListedSkill, ListedTool, Listing, Plugins,
    Release,
};
pub use inspect::{Inspection, MAX_COMPONENT, Refused as InspectionRefused, Warning, inspect, read_manifest};
pub use install::{InstallError, Outcome};
pub use invocation::Invocation;
pub use reply::{
    Body, CallError, CatalogTool, Code, Content, Extracted, Guidance, Profile, Refused, Reply, ToolOutput, ToolPage,
};
pub use rights::{hosts, of_gate as refused_by_gate};
pub use runtime::Runtime;
pub use services::{
    Agents, Caller, Credentials, ModelCall, ModelReply, Models, Network, NoCredential, Opening, Place, Places, Process,
    Program, Said, Services, Talk, Work,
};
