//! Where the usual servers of models are, so that nobody has to look it up.

use deskhand_models::Wire;

/// A server.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) wire: Wire,
    pub(super) url: &'static str,
    /// Whether it wants a key.
    pub(super) key: bool,
}

const fn chat(name: &'static str, url: &'static str) -> Preset {
    Preset { name, wire: Wire::Chat, url, key: true }
}

const fn here(name: &'static str, url: &'static str) -> Preset {
    Preset { name, wire: Wire::Chat, url, key: false }
}

/// By the vendors' documentation; the ports are those that the programs take when nothing else is said.
pub(super) const PRESETS: [Preset; 12] = [
    Preset { name: "anthropic", wire: Wire::Anthropic, url: "https://api.anthropic.com", key: true },
    chat("openai", "https://api.openai.com/v1"),
    chat("google", "https://generativelanguage.googleapis.com/v1beta/openai"),
    chat("mistral", "https://api.mistral.ai/v1"),
    chat("deepseek", "https://api.deepseek.com/v1"),
    chat("groq", "https://api.groq.com/openai/v1"),
    chat("together", "https://api.together.xyz/v1"),
    chat("openrouter", "https://openrouter.ai/api/v1"),
    here("ollama", "http://localhost:11434/v1"),
    here("llama.cpp", "http://localhost:8080/v1"),
    here("lmstudio", "http://localhost:1234/v1"),
    here("vllm", "http://localhost:8000/v1"),
];

/// The names, for the command line.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The server of this name.
pub(super) fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
