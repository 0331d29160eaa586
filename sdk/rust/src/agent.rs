//! A sub-agent: who works on a part of a task, apart from the rest. The plugin says who it is and what it may use;
//! Deskhand's own loop does the work.

use crate::Content;
use schemars::JsonSchema;
use serde_json::Value;

/// How able a model is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// For many small things.
    Fast,
    /// For most work.
    #[default]
    Balanced,
    /// For what is hard.
    Deep,
}

impl Tier {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Deep => "deep",
        }
    }
}

/// Who a sub-agent is, and how it works on one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Who it is.
    pub system_prompt: String,
    /// What it is told first.
    pub opening: Vec<Content>,
    /// Those of the caller's tools that it is to have; none if empty.
    pub tools: Vec<String>,
    /// How able a model it needs.
    pub tier: Tier,
    /// The most turns of the model.
    pub max_turns: u32,
    /// JSON Schema of its answer, if that is structured.
    pub answer_schema: Option<Value>,
}

impl Profile {
    /// A sub-agent of this prompt, which is told `task`, has no tools and at most 20 turns.
    pub fn new(system_prompt: impl Into<String>, task: impl Into<String>) -> Self {
        Self {
            system_prompt: system_prompt.into(),
            opening: vec![Content::text(task)],
            tools: Vec::new(),
            tier: Tier::default(),
            max_turns: 20,
            answer_schema: None,
        }
    }

    /// And it is told this as well.
    #[must_use]
    pub fn told(mut self, content: Content) -> Self {
        self.opening.push(content);
        self
    }

    /// With these of the caller's tools.
    #[must_use]
    pub fn tools<'a>(mut self, tools: impl IntoIterator<Item = &'a str>) -> Self {
        self.tools.extend(tools.into_iter().map(ToOwned::to_owned));
        self
    }

    /// With a model of this tier.
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// With at most so many turns.
    #[must_use]
    pub fn max_turns(mut self, turns: u32) -> Self {
        self.max_turns = turns;
        self
    }

    /// Its answer is a value of this type.
    #[must_use]
    pub fn answers<T: JsonSchema>(self) -> Self {
        self.answer_schema(crate::schema::of::<T>())
    }

    /// Its answer fits this schema.
    #[must_use]
    pub fn answer_schema(mut self, schema: Value) -> Self {
        self.answer_schema = Some(schema);
        self
    }
}
