//! What was said, turn by turn, and its form on each wire. Each turn is written once and kept, so that the beginning of a
//! request is the same byte for byte in the next: prompt caches live from it, and a long task does not get slower.

use crate::{
    anthropic, chat,
    config::{ModelConfig, Wire},
    content::{Call, LONGEST_NAME, Piece, Said, Tool, ToolResult, is_name},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

/// A turn. They alternate, beginning with the person's side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "turn", rename_all = "kebab-case")]
pub enum Turn {
    /// What was said to the model.
    Told {
        /// The results of all calls of the turn before, in their order.
        results: Vec<ToolResult>,
        /// What else was said.
        pieces: Vec<Piece>,
    },
    /// What the model said.
    Said(Said),
}

/// Something that does not fit at this place of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// There is nothing to answer.
    #[error("there is nothing for the model to answer yet")]
    NothingToAnswer,
    /// Calls are not answered.
    #[error("the calls {} have no result yet", calls.join(", "))]
    Unanswered {
        /// Their ids.
        calls: Vec<String>,
    },
    /// A result has no open call, or the call has a result already.
    #[error("there is no open call {call} for a result")]
    NoSuchCall {
        /// The id.
        call: String,
    },
    /// A reply does not follow on what it answers, or says nothing.
    #[error("a reply cannot stand here")]
    NoReplyHere,
    /// A tool has a name that cannot be sent, or that another has.
    #[error(
        "the tool name {name:?} cannot be used: it must be unique, of letters, digits, _ and -, and at most {LONGEST_NAME} of them"
    )]
    ToolName {
        /// The name.
        name: String,
    },
}

#[derive(Clone, Debug)]
struct Kept {
    turn: Turn,
    anthropic: OnceLock<Arc<str>>,
    chat: OnceLock<Arc<str>>,
}

impl Kept {
    const fn new(turn: Turn) -> Self {
        Self { turn, anthropic: OnceLock::new(), chat: OnceLock::new() }
    }
}

/// A conversation: the system prompt, the tools, and the turns. The first two never change within one.
#[derive(Clone, Debug)]
pub struct Conversation {
    system: String,
    tools: Arc<[Tool]>,
    turns: Vec<Kept>,
    ids: HashSet<String>,
    /// What stands before the turns, and the settings that it was made with.
    front: OnceLock<(ModelConfig, Arc<str>)>,
}

impl Conversation {
    /// A new one.
    ///
    /// # Errors
    /// [`Misplaced::ToolName`].
    pub fn new(system: impl Into<String>, tools: Vec<Tool>) -> Result<Self, Misplaced> {
        let mut names = HashSet::new();
        for tool in &tools {
            if !is_name(&tool.name) || !names.insert(tool.name.as_str()) {
                return Err(Misplaced::ToolName { name: tool.name.clone() });
            }
        }
        Ok(Self {
            system: system.into(),
            tools: tools.into(),
            turns: Vec::new(),
            ids: HashSet::new(),
            front: OnceLock::new(),
        })
    }

    /// One that was kept, turn by turn.
    ///
    /// # Errors
    /// [`Misplaced`] where the turns do not follow on each other.
    pub fn resume(
        system: impl Into<String>,
        tools: Vec<Tool>,
        turns: impl IntoIterator<Item = Turn>,
    ) -> Result<Self, Misplaced> {
        let mut conversation = Self::new(system, tools)?;
        for turn in turns {
            match turn {
                Turn::Said(said) => conversation.accept(said)?,
                Turn::Told { results, pieces } => {
                    if !results.is_empty() {
                        conversation.answer(results)?;
                    }
                    if !pieces.is_empty() {
                        conversation.say(pieces)?;
                    }
                }
            }
        }
        Ok(conversation)
    }

    /// The turns so far.
    pub fn turns(&self) -> impl ExactSizeIterator<Item = &Turn> {
        self.turns.iter().map(|kept| &kept.turn)
    }

    /// The tools.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The calls that have no result yet.
    pub fn open_calls(&self) -> Vec<&Call> {
        match self.turns.last().map(|kept| &kept.turn) {
            Some(Turn::Said(said)) => said.calls().collect(),
            _ => Vec::new(),
        }
    }

    /// Say something to the model. After its calls this comes after the results. What is said before the model has
    /// answered is one turn.
    ///
    /// # Errors
    /// [`Misplaced::Unanswered`] where calls have no result yet; [`Misplaced::NothingToAnswer`] where all of it is blank.
    pub fn say(&mut self, pieces: Vec<Piece>) -> Result<(), Misplaced> {
        if pieces.iter().all(Piece::is_blank) {
            return Err(Misplaced::NothingToAnswer);
        }
        let open: Vec<String> = self.open_calls().into_iter().map(|call| call.id.clone()).collect();
        if !open.is_empty() {
            return Err(Misplaced::Unanswered { calls: open });
        }
        if let Some(last) = self.turns.last_mut()
            && let Turn::Told { pieces: before, .. } = &mut last.turn
        {
            before.extend(pieces);
            (last.anthropic, last.chat) = (OnceLock::new(), OnceLock::new());
            return Ok(());
        }
        self.turns.push(Kept::new(Turn::Told { results: Vec::new(), pieces }));
        Ok(())
    }

    /// Answer all open calls, in whichever order.
    ///
    /// # Errors
    /// [`Misplaced`] where a call has no result, or a result no call; nothing is kept then.
    pub fn answer(&mut self, results: Vec<ToolResult>) -> Result<(), Misplaced> {
        let open: Vec<String> = self.open_calls().into_iter().map(|call| call.id.clone()).collect();
        let mut left = results;
        let mut ordered = Vec::with_capacity(open.len());
        let mut missing = Vec::new();
        for id in open {
            match left.iter().position(|result| result.call == id) {
                Some(at) => ordered.push(left.remove(at)),
                None => missing.push(id),
            }
        }
        if let Some(result) = left.into_iter().next() {
            return Err(Misplaced::NoSuchCall { call: result.call });
        }
        if !missing.is_empty() {
            return Err(Misplaced::Unanswered { calls: missing });
        }
        if !ordered.is_empty() {
            self.turns.push(Kept::new(Turn::Told { results: ordered, pieces: Vec::new() }));
        }
        Ok(())
    }

    /// Keep what the model said. A reply that was [`crate::Outcome::Refused`] is better not kept.
    ///
    /// # Errors
    /// [`Misplaced::NoReplyHere`] where it follows on nothing, or says nothing.
    pub fn accept(&mut self, said: Said) -> Result<(), Misplaced> {
        if said.is_empty() || !matches!(self.turns.last().map(|kept| &kept.turn), Some(Turn::Told { .. })) {
            return Err(Misplaced::NoReplyHere);
        }
        self.ids.extend(said.calls().map(|call| call.id.clone()));
        self.turns.push(Kept::new(Turn::Said(said)));
        Ok(())
    }

    /// Whether a call of this id was there before.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The body of a request: settings, system prompt and tools first, then the turns, so that each request begins like
    /// the one before.
    pub(crate) fn body(&self, config: &ModelConfig) -> Result<String, Misplaced> {
        match self.turns.last().map(|kept| &kept.turn) {
            None => return Err(Misplaced::NothingToAnswer),
            Some(Turn::Told { .. }) => {}
            Some(Turn::Said(_)) => {
                let calls: Vec<String> = self.open_calls().into_iter().map(|call| call.id.clone()).collect();
                return Err(match calls.is_empty() {
                    true => Misplaced::NothingToAnswer,
                    false => Misplaced::Unanswered { calls },
                });
            }
        }
        let make = || match config.wire {
            Wire::Anthropic => anthropic::front(config, &self.system, &self.tools),
            Wire::Chat => chat::front(config, &self.system, &self.tools),
        };
        let kept = self.front.get_or_init(|| (config.clone(), make().into()));
        let written =
            |kept: &Kept| kept.anthropic.get().or_else(|| kept.chat.get()).map_or(1024, |turn| turn.len() + 1);
        let mut body = String::with_capacity(kept.1.len() + self.turns.iter().map(written).sum::<usize>());
        body.push_str(&if kept.0 == *config { Arc::clone(&kept.1) } else { make().into() });
        let last = self.turns.len() - 1;
        for (at, kept) in self.turns.iter().enumerate() {
            if !body.ends_with('[') {
                body.push(',');
            }
            match config.wire {
                Wire::Anthropic if at == last && config.cache == crate::config::Cache::Marks => {
                    body.push_str(&anthropic::message(&kept.turn, true));
                }
                Wire::Anthropic => {
                    body.push_str(kept.anthropic.get_or_init(|| anthropic::message(&kept.turn, false).into()));
                }
                Wire::Chat if config.forget_reasoning => body.push_str(&chat::messages(&kept.turn, true)),
                Wire::Chat => body.push_str(kept.chat.get_or_init(|| chat::messages(&kept.turn, false).into())),
            }
        }
        body.push_str("]}");
        Ok(body)
    }
}
