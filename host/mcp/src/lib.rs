//! The Model Context Protocol. A program of the person's is served with what is installed and granted: see [`server`].
//!
//! This room imports the vocabulary and the agent, whose [`deskhand_agent::tool::Call`] and
//! [`deskhand_agent::tool::Output`] go over the wire, and is the only one that sees `rmcp` and an HTTP server. It decides
//! nothing and keeps no record: the application does, behind [`server::Offer`].

pub mod server;
