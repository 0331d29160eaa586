//! The client of MCP servers (Model Context Protocol, <https://modelcontextprotocol.io>): programs on this computer, spoken
//! to through their standard input and output, and servers at an address. A server is started when it is first needed and
//! stopped when it idles. Whatever it says is data from a stranger: it is bounded in size, count and time, and what is wrong
//! with it is an error that names the server, never the end of the task.
//!
//! Only starting and listing are tried again; a call never is. A deadline stands still while the server has the person
//! asked. Nothing is done without the permit for it. A program runs in a sandbox where there is one, and what it writes to the
//! folders of the task is pending there like any other change.
//!
//! Its main type is [`Server`].

pub mod answer;
pub mod config;
mod connection;
pub mod error;
mod handler;
pub mod host;
mod http;
pub mod login;
pub mod offer;
mod program;
pub mod sandbox;
mod server;
mod stderr;
mod stdout;
mod wait;
mod watch;

pub use answer::{Answer, Body, Content};
pub use config::{BadConfig, ServerConfig};
pub use error::McpError;
pub use host::{Change, Elicited, Host};
pub use login::{Login, LoginError, Logins, Session};
pub use offer::{Offer, Prompt, Resource, Tool};
pub use program::find as find_program;
pub use sandbox::{Sandbox, Within, Wrote};
pub use server::{Opening, Parts, Secrets, Server};
pub use watch::{WATCH_SUBCOMMAND, watch_main};
