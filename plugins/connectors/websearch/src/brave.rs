//! The Brave Search API, `GET /res/v1/web/search` (api-dashboard.search.brave.com, Web Search).

use crate::Hit;
use deskhand_sdk::prelude::*;

const HOME: &str = "https://api.search.brave.com";

#[derive(Deserialize)]
struct Answer {
    /// Left out where nothing was found.
    #[serde(default)]
    web: Option<Web>,
}

#[derive(Deserialize)]
struct Web {
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    page_age: Option<String>,
}

pub(crate) fn search(base: Option<&str>, words: &str, count: u32) -> Result<Vec<Hit>> {
    let address = format!("{}/res/v1/web/search", base.unwrap_or(HOME));
    let request = http::get(address).query([("q", words), ("count", &count.to_string())]);
    let response = request.header("accept", "application/json").credential("brave").seconds(15).send()?;
    let answer: Answer = response.success()?.json()?;
    let hit = |one: One| Hit::new(&one.title, &one.url, &one.description, one.page_age);
    Ok(answer.web.map(|web| web.results).unwrap_or_default().into_iter().filter_map(hit).collect())
}
