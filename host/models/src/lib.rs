//! Language models over the network: Anthropic Messages, and OpenAI's chat completions as many servers speak them
//! (Ollama, llama.cpp, vLLM, gateways).
//!
//! A [`Conversation`] holds what was said. A [`Client`] sends it, reads the streamed answer, tries again where that
//! helps, and hands back a [`Reply`]: what the model said, kept as the server wrote it so that it can be sent back
//! unchanged, with what it used and cost. What happens meanwhile is told to the caller as [`Happening`]s.
//!
//! ```no_run
//! # async fn example(client: &deskhand_models::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use deskhand_models::{Conversation, Outcome, Piece};
//! let mut conversation = Conversation::new("You tidy folders.", vec![])?;
//! conversation.say(vec![Piece::text("What is here?")])?;
//! let reply = client.reply(&conversation, &mut |_| ()).await?;
//! if reply.outcome == Outcome::Finished {
//!     println!("{}", reply.said.text());
//! }
//! conversation.accept(reply.said)?;
//! # Ok(())
//! # }
//! ```
//!
//! This room imports the vocabulary and the egress, and knows no other. Time, chance and keys come from outside.

mod anthropic;
mod block;
mod chat;
pub mod client;
pub mod config;
pub mod content;
pub mod conversation;
pub mod error;
mod failure;
pub mod key;
pub mod money;
pub mod reply;
pub mod retry;
pub mod sse;
pub mod usage;

pub use client::{Client, Model, Replying};
pub use config::{BadConfig, ModelConfig, Wire};
pub use content::{BadInput, Call, LONGEST_NAME, Part, Piece, Said, Tool, ToolResult, is_name};
pub use conversation::{Conversation, Misplaced, Turn};
pub use error::{Failure, ModelError};
pub use key::{Keys, NoKey};
pub use money::{Money, Price};
pub use reply::{Happening, Outcome, Reply};
pub use retry::{Chance, Jitter, Patience};
pub use usage::Usage;
