//! SearXNG, `GET /search?format=json` (docs.searxng.org, Search API). Its operator must allow the format `json`.

use crate::Hit;
use deskhand_sdk::prelude::*;

#[derive(Deserialize)]
struct Answer {
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default, rename = "publishedDate")]
    published: Option<String>,
}

pub(crate) fn search(base: &str, words: &str) -> Result<Vec<Hit>> {
    let request = http::get(format!("{base}/search")).query([("q", words), ("format", "json")]);
    let response = request.header("accept", "application/json").seconds(15).send()?;
    if response.status == 403 {
        return Err(Error::unsupported(
            "this SearXNG does not answer programs. Whoever runs it can allow it: `formats: [html, json]` under `search` \
             in its settings.yml",
        ));
    }
    let answer: Answer = response.success()?.json()?;
    let hit = |one: One| Hit::new(&one.title, &one.url, one.content.as_deref().unwrap_or_default(), one.published);
    Ok(answer.results.into_iter().filter_map(hit).collect())
}
