//! `search`: the web, through the search engine that the person chose. What comes back has one shape, whichever it is.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod brave;
mod plain;
mod searxng;
mod tavily;

use deskhand_sdk::prelude::*;
pub use plain::plain;

/// The most results of one search; no engine gives more in one answer.
pub const MOST: u32 = 20;
/// How many if the caller does not say.
const USUAL: u32 = 8;

/// Which search engine is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// A SearXNG of your own or of somebody whom you trust; `base-url` says where. No key.
    #[default]
    Searxng,
    /// The Brave Search API, with the key `brave`.
    Brave,
    /// The Tavily API, with the key `tavily`.
    Tavily,
}

/// What the person sets.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct Settings {
    /// Which search engine is used.
    pub engine: Engine,
    /// Where it is, such as `http://127.0.0.1:8888`; needed for SearXNG, and for the others only where it is elsewhere.
    pub base_url: Option<String>,
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What to search for, as one would type it into a search engine.
    pub query: String,
    /// How many results at most, up to 20.
    #[serde(default = "usual")]
    pub count: u32,
}

const fn usual() -> u32 {
    USUAL
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Found {
    /// The best first.
    pub results: Vec<Hit>,
}

/// A page that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hit {
    /// Its title.
    pub title: String,
    /// Its address.
    pub url: String,
    /// A few words of it.
    pub snippet: String,
    /// When it was published, as the search engine says, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
}

impl Hit {
    /// A result of an engine, as plain text. None if its address is none of the web.
    fn new(title: &str, url: &str, snippet: &str, published: Option<String>) -> Option<Self> {
        let url = url.trim();
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        let published = published.filter(|date| !date.trim().is_empty());
        is_web.then(|| Self { title: plain(title), url: url.to_owned(), snippet: plain(snippet), published })
    }
}

/// Search the web. Returns titles, addresses and a few words of each page that was found; open an address to read the page.
#[tool(title = "Search the web", read_only)]
pub fn search(query: Query) -> Result<Found> {
    let words = query.query.trim();
    if words.is_empty() {
        return Err(Error::invalid("the query is empty; say what to search for"));
    }
    let count = query.count.clamp(1, MOST);
    let settings: Settings = invocation::config()?;
    let base = settings.base_url.as_deref().map(|base| base.trim_end_matches('/'));
    let hits = match settings.engine {
        Engine::Searxng => {
            let base = base.ok_or_else(|| {
                Error::unsupported(
                    "no search engine is set up. Set `base-url` to the address of a SearXNG, or `engine` to `brave` or \
                     `tavily`, under [plugins.websearch] in the settings",
                )
            })?;
            searxng::search(base, words)
        }
        Engine::Brave => brave::search(base, words, count),
        Engine::Tavily => tavily::search(base, words, count),
    };
    let mut results = hits.map_err(|error| error.while_doing("the search engine could not be asked"))?;
    results.truncate(count as usize);
    Ok(Found { results })
}

deskhand_sdk::plugin! { tools: [search], config: Settings }
