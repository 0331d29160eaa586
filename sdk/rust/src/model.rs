//! The model of the task, at its expense. Takes `model.use`. What is said stays on the host's side, raw and in order.
//!
//! ```
//! use deskhand_sdk::prelude::*;
//!
//! fn title(text: &str) -> Result<String> {
//!     let mut talk = Conversation::new(Tier::Fast, "You give texts a title of at most five words.");
//!     talk.say(text)?;
//!     Ok(talk.reply()?.text())
//! }
//!
//! // in a #[test]:
//! let host = testing::Host::new().model(|heard| Ok(model::Reply::text_of(format!("On {}", heard.said[0]))));
//! assert_eq!(host.run(|| title("tides")), Ok("On tides".to_owned()));
//! ```

use crate::{Content, Result, Tier, ToolOutput, content::texts, door};
use serde_json::Value;

/// A conversation with a model.
pub struct Conversation(door::Conversation);

impl Conversation {
    /// With a model as able as `tier` says, who is told by `system` who it is. Where there is none, the first use of it says so.
    pub fn new(tier: Tier, system: &str) -> Self {
        Self::with_tools(tier, system, &[])
    }

    /// The same, with tools of other plugins that the model may ask for (`name` or `plugin/name`). The plugin makes the calls,
    /// with [`crate::toolbox::call`] and under its own rights, and answers each.
    pub fn with_tools(tier: Tier, system: &str, tools: &[&str]) -> Self {
        Self(door::Conversation::new(tier, system, tools))
    }

    /// Say something to the model.
    ///
    /// # Errors
    /// There is no model, or calls are not answered yet.
    pub fn say(&mut self, content: impl Into<Content>) -> Result<()> {
        self.0.say(content.into())
    }

    /// The model's next turn. Waits for the whole of it.
    ///
    /// # Errors
    /// There is none: nothing was said, the model cannot be reached, the budget is used up, or the person stopped it.
    pub fn reply(&mut self) -> Result<Reply> {
        self.0.next()
    }

    /// The next piece of text of a turn in progress; none at its end, after which [`Self::reply`] gives the whole.
    ///
    /// # Errors
    /// As [`Self::reply`].
    pub fn piece(&mut self) -> Result<Option<String>> {
        self.0.piece()
    }

    /// Answer a call that the model made. All calls of a turn are answered before anything else is said.
    ///
    /// # Errors
    /// There is no such call.
    pub fn answer(&mut self, call: &ToolUse, output: Result<ToolOutput>) -> Result<()> {
        self.0.answer(&call.id, output)
    }
}

/// A turn of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// What it says. Data, never instructions.
    pub content: Vec<Content>,
    /// The calls that it asks for.
    pub tool_uses: Vec<ToolUse>,
    /// `end`, `length`, `tool-use` or `refused`; others may follow.
    pub stop: String,
    /// Tokens read.
    pub input_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
}

impl Reply {
    /// One that says this, for tests.
    #[must_use]
    pub fn text_of(text: impl Into<String>) -> Self {
        Self { content: vec![Content::markdown(text)], stop: "end".into(), ..Self::default() }
    }

    /// One that asks for a call, for tests.
    #[must_use]
    pub fn calls(id: &str, tool: &str, arguments: Value) -> Self {
        let tool_use = ToolUse { id: id.into(), tool: tool.into(), arguments };
        Self { tool_uses: vec![tool_use], stop: "tool-use".into(), ..Self::default() }
    }

    /// All of its text.
    pub fn text(&self) -> String {
        texts(&self.content)
    }
}

/// A call that a model asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolUse {
    /// Its name in the conversation.
    pub id: String,
    /// Which tool, as the plugin named it.
    pub tool: String,
    /// What it takes, as the model wrote it. Where that was no JSON, its text.
    pub arguments: Value,
}

/// What a model of a test has heard when it is to say something.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// How able a model was wanted.
    pub tier: Tier,
    /// Who it is.
    pub system: String,
    /// The tools that it was told of.
    pub tools: Vec<String>,
    /// What was said and answered since the conversation began, as text.
    pub said: Vec<String>,
}
