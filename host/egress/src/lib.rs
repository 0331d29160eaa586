//! The way out of the machine: whatever Deskhand sends to another host leaves through here, and nothing else opens a
//! connection. Models, plugins, MCP servers and the virtual machine all hold an [`Outlet`] of the one [`Egress`].
//!
//! Before each hop a [`Judge`] is asked about the host, and without its word nothing is sent; that is the gate. The
//! address that is connected to is the one that was checked, so that a name cannot be turned to a private address
//! afterwards. Redirects are followed hop by hop, and credentials stay with the host that they are for. How much went
//! out and came in is told to a [`Recorder`].
//!
//! Programs in a sandbox come out through a [`Gateway`], a proxy on a socket of this machine.
//!
//! This room imports nothing of ours. It is a thin layer on `reqwest`, of which no other room knows.

pub mod address;
mod egress;
pub mod error;
pub mod gateway;
pub mod judge;
pub mod proxy;
pub mod record;
pub mod request;
mod resolve;
mod response;
pub mod secret;
pub mod timer;

pub use address::Kind;
pub use bytes::Bytes;
pub use egress::{CONNECT, Egress, Outlet, Parts};
pub use error::EgressError;
pub use gateway::Gateway;
pub use judge::{Ask, Judge, Judged, Judgement, Reach};
pub use proxy::{BadProxy, Proxies};
pub use record::{Ended, Recorder, Traffic};
pub use request::{Limits, Redirects, Request};
pub use reqwest::Url;
pub use resolve::{Found, Lookup, SystemLookup, is_local_name};
pub use response::Response;
pub use secret::Secret;
pub use timer::{SystemTimer, Timer, Waiting};
