//! The Tavily API, `POST /search` (docs.tavily.com, Tavily Search).

use crate::Hit;
use deskhand_sdk::prelude::*;
use serde_json::json;

const HOME: &str = "https://api.tavily.com";

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
    content: String,
    #[serde(default)]
    published_date: Option<String>,
}

pub(crate) fn search(base: Option<&str>, words: &str, count: u32) -> Result<Vec<Hit>> {
    let request = http::post(format!("{}/search", base.unwrap_or(HOME)));
    let request = request.json(&json!({ "query": words, "max_results": count, "search_depth": "basic" }))?;
    let response = request.header("accept", "application/json").credential("tavily").seconds(15).send()?;
    let answer: Answer = response.success()?.json()?;
    let hit = |one: One| Hit::new(&one.title, &one.url, &one.content, one.published_date);
    Ok(answer.results.into_iter().filter_map(hit).collect())
}
