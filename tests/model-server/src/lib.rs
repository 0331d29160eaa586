//! A scripted model server on loopback, for tests and benchmarks: it speaks the streaming wire of Anthropic Messages and
//! of OpenAI's chat completions, answers from a script, records every request, and checks on each of them what the
//! vendors check and what a client must not lose: that roles alternate, that each tool use is answered once, that what the
//! model said comes back unchanged, that the prompt's prefix stays the same byte for byte.
//!
//! ```
//! use deskhand_model_server::{ModelServer, Reply};
//! let server = ModelServer::start();
//! server.reply(Reply::new().call("call_1", "read", r#"{"path":"a.txt"}"#));
//! server.reply(Reply::new().text("It says hello."));
//! let _base = server.url();
//! ```
//!
//! An answer is a row of [`http::Piece`]s, and a piece may be a [`gate::Gate`] that the test opens: what the client has
//! seen at a moment is then certain without a sleep. The server is threads and blocking sockets, so that it serves tests
//! with and without an asynchronous runtime.

#![expect(clippy::expect_used, reason = "a test that cannot be set up, or a broken protocol, ends it")]

mod check;
pub mod gate;
pub mod http;
pub mod reply;
mod server;

pub use gate::{Gate, Opener, gate};
pub use http::{Answer, Heard, HttpServer, Piece};
pub use reply::{Reply, Stop, Stream, Wire};
pub use server::{Exchange, ModelServer, Step, error};
