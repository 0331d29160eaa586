//! Which model, where, and what is particular about its server. Read from the person's settings.

use crate::money::Price;
use deskhand_egress::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI's chat completions.
    Chat,
}

/// How prompts are marked for the server's cache (Anthropic; the other wire needs no marks).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// One mark for the whole request, which the server moves on by itself. Nothing in the messages changes.
    #[default]
    Automatic,
    /// Marks on the system prompt and on the last message, for servers that do not know the other. The mark moves with each
    /// request; what is cached does not depend on it.
    Marks,
    /// None.
    Off,
}

/// What ends a stream of chat completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// `[DONE]`, as OpenAI and nearly all servers send it.
    #[default]
    Done,
    /// A finish reason is enough, for servers that leave `[DONE]` out.
    FinishReason,
}

/// The name of the limit of the output (chat).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputField {
    /// What most servers read.
    #[serde(rename = "max_tokens")]
    MaxTokens,
    /// What OpenAI's own reads.
    #[serde(rename = "max_completion_tokens")]
    MaxCompletionTokens,
}

/// How the key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `x-api-key`, which is Anthropic's way.
    ApiKey,
    /// `authorization: Bearer` (RFC 6750), which is the others'.
    Bearer,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// How its server is spoken to.
    pub wire: Wire,
    /// The base address: `https://api.anthropic.com`, `https://api.openai.com/v1`, `http://localhost:11434/v1`.
    pub url: String,
    /// What the server calls the model.
    pub model: String,
    /// The name of its key; none for a server that wants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How the key is sent, where it is not the wire's usual way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// How much it can hold, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// The most it may say in one reply, in tokens. Anthropic's wire wants a number: 16,384 where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The longest silence, in seconds, before the connection is given up; 300 where none is given. Models that think
    /// say nothing for minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<u64>,
    /// How prompts are marked for the cache.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cache: Cache,
    /// What ends a stream.
    #[serde(default, skip_serializing_if = "is_default")]
    pub end: End,
    /// The name of the limit of the output, where it is not the server's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_field: Option<OutputField>,
    /// Whether reasoning that chat completions carry beside the text is left out of what is sent back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub forget_reasoning: bool,
    /// The version of the API (Anthropic); 2023-06-01 where none is given, which gateways know as well. 2026-10-21 is used
    /// alike, but refuses options such as `temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Further headers, such as `anthropic-beta`. Keys do not belong here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Further members of each request, such as `temperature` or `thinking`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A model that cannot be used as it is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model {model} cannot be used: {reason}")]
pub struct BadConfig {
    /// The model.
    pub model: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// Members of a request that the settings cannot take over.
const OURS: [&str; 9] = [
    "cache_control",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "stream",
    "stream_options",
    "system",
    "tools",
];

impl ModelConfig {
    /// A model with nothing particular.
    pub fn new(wire: Wire, url: &str, model: &str) -> Self {
        Self {
            wire,
            url: url.to_owned(),
            model: model.to_owned(),
            key: None,
            auth: None,
            context: None,
            output: None,
            price: None,
            silence: None,
            cache: Cache::default(),
            end: End::default(),
            output_field: None,
            forget_reasoning: false,
            version: None,
            headers: BTreeMap::new(),
            options: Map::new(),
        }
    }

    /// Where requests go. A base with or without `/v1` is understood.
    pub(crate) fn endpoint(&self) -> String {
        let base = self.url.trim_end_matches('/');
        match self.wire {
            Wire::Anthropic => format!("{}/v1/messages", base.strip_suffix("/v1").unwrap_or(base)),
            Wire::Chat => format!("{base}/chat/completions"),
        }
    }

    /// Where the server lists its models.
    pub(crate) fn list(&self) -> String {
        let base = self.url.trim_end_matches('/');
        match self.wire {
            Wire::Anthropic => format!("{}/v1/models?limit=1000", base.strip_suffix("/v1").unwrap_or(base)),
            Wire::Chat => format!("{base}/models"),
        }
    }

    pub(crate) fn auth(&self) -> Auth {
        self.auth.unwrap_or(match self.wire {
            Wire::Anthropic => Auth::ApiKey,
            Wire::Chat => Auth::Bearer,
        })
    }

    pub(crate) fn output_field(&self) -> OutputField {
        let openai = self.url.starts_with("https://api.openai.com/");
        self.output_field.unwrap_or(if openai { OutputField::MaxCompletionTokens } else { OutputField::MaxTokens })
    }

    /// The host that requests go to: a name or an address.
    pub fn host(&self) -> Option<String> {
        Request::get(&self.endpoint()).ok().map(|request| request.host())
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// [`BadConfig`] where the address or what is to be sent beside does not do.
    pub fn check(&self) -> Result<(), BadConfig> {
        let bad = |reason: String| Err(BadConfig { model: self.model.clone(), reason });
        if self.model.is_empty() {
            return bad("it has no name".to_owned());
        }
        if let Some(taken) = self.options.keys().find(|name| OURS.contains(&name.as_str())) {
            return bad(format!("{taken} cannot be set as an option, because Deskhand sets it itself"));
        }
        let secret =
            |name: &&String| ["authorization", "x-api-key", "cookie"].contains(&name.to_ascii_lowercase().as_str());
        if let Some(name) = self.headers.keys().find(secret) {
            return bad(format!("the header {name} would put a key into the settings. Name a key instead"));
        }
        if let Err(error) = Request::get(&self.endpoint()) {
            return bad(error.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Auth, ModelConfig, OutputField, Wire};

    #[test]
    fn a_model_is_read_from_settings() {
        let text = "wire = 'anthropic'\nurl = 'https://api.anthropic.com/'\nmodel = 'm'\nkey = 'anthropic'\ncache = 'marks'\n\
                    [price]\ninput = '3'\noutput = '15'\n[options]\nthinking = { type = 'enabled', budget_tokens = 2000 }\n";
        let config: ModelConfig = toml::from_str(text).unwrap();
        assert_eq!(
            (config.endpoint().as_str(), config.auth()),
            ("https://api.anthropic.com/v1/messages", Auth::ApiKey)
        );
        assert_eq!(config.options["thinking"]["budget_tokens"], 2000);
        assert_eq!(toml::from_str::<ModelConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
        assert!(toml::from_str::<ModelConfig>("wire = 'chat'\nurl = 'x'\nmodel = 'm'\nmodle = 'm'").is_err());
    }

    #[test]
    fn a_base_address_may_end_either_way() {
        let at = |wire, url: &str| ModelConfig::new(wire, url, "m").endpoint();
        assert_eq!(at(Wire::Anthropic, "https://gate.example/a/v1/"), "https://gate.example/a/v1/messages");
        assert_eq!(at(Wire::Chat, "http://localhost:11434/v1/"), "http://localhost:11434/v1/chat/completions");
        let field = |url: &str| ModelConfig::new(Wire::Chat, url, "m").output_field();
        assert_eq!(field("https://api.openai.com/v1"), OutputField::MaxCompletionTokens);
        assert_eq!(field("https://api.openai.com.evil.example/v1"), OutputField::MaxTokens);
    }

    #[test]
    fn settings_take_over_nothing_of_ours() {
        let mut config = ModelConfig::new(Wire::Chat, "http://x", "m");
        config.options.insert("messages".into(), "x".into());
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "the model m cannot be used: messages cannot be set as an option, because Deskhand sets it itself"
        );
        let mut config = ModelConfig::new(Wire::Chat, "http://x", "m");
        config.headers.insert("Authorization".into(), "x".into());
        assert!(config.check().unwrap_err().reason.contains("would put a key into the settings"));
    }
}
