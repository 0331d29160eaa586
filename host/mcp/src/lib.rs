//! The Model Context Protocol (<https://modelcontextprotocol.io>), both sides of it: servers of others are asked for what they
//! have ([`client`]), and programs of the person's are served with what is installed and granted ([`server`]).
//!
//! This room imports the vocabulary, the permissions, the way out, and the agent, whose [`deskhand_agent::tool::Call`] and
//! [`deskhand_agent::tool::Output`] the server side carries. It is the only one that sees `rmcp` and an HTTP server. It
//! keeps no record: the application does, behind [`client::Host`] and [`server::Offer`].

pub mod client;
mod pace;
pub mod server;
