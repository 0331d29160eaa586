//! The tool over answers as each search engine gives them, and over those that none should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_sdk::{
    http::{Request, Response},
    prelude::*,
};
use deskhand_websearch::{Found, Hit, Query, search};
use serde_json::{Value, json};
use testing::Host;

fn ask(host: &Host, words: &str, count: u32) -> Result<Found> {
    host.run(|| search(Query { query: words.to_owned(), count }))
}

fn served(settings: &Value, base: &str, answer: impl Fn(&Request) -> Response + 'static) -> Host {
    let host = Host::new().config(settings).credential("brave").credential("tavily");
    host.server(base, move |request| Ok(answer(request)))
}

fn json_answer(body: &Value) -> Response {
    Response::new(200, body.to_string()).with_header("content-type", "application/json")
}

fn hit(title: &str, url: &str, snippet: &str, published: Option<&str>) -> Hit {
    Hit {
        title: title.to_owned(),
        url: url.to_owned(),
        snippet: snippet.to_owned(),
        published: published.map(ToOwned::to_owned),
    }
}

#[test]
fn searxng_is_asked_for_json() {
    let answer = json!({
        "query": "tide hamburg", "number_of_results": 0, "answers": [], "suggestions": [], "unresponsive_engines": [],
        "results": [
            { "url": "https://www.bsh.de/tide", "title": "Tide &amp; Pegel", "content": "High water in <b>Hamburg</b> at 14:02.",
              "engine": "duckduckgo", "score": 4.0, "category": "general", "publishedDate": null },
            { "url": "https://example.org/a", "title": "A", "content": null, "publishedDate": "2024-05-01T00:00:00" },
            { "url": "javascript:alert(1)", "title": "No page", "content": "" }
        ]
    });
    let settings = json!({ "base-url": "http://127.0.0.1:8888/" });
    let host = served(&settings, "http://127.0.0.1:8888/", move |_| json_answer(&answer));
    assert_eq!(
        ask(&host, "tide hamburg", 8).unwrap().results,
        [
            hit("Tide & Pegel", "https://www.bsh.de/tide", "High water in Hamburg at 14:02.", None),
            hit("A", "https://example.org/a", "", Some("2024-05-01T00:00:00")),
        ]
    );
    let [request] = &host.requests()[..] else { panic!("{:?}", host.requests()) };
    assert_eq!(request.url, "http://127.0.0.1:8888/search?q=tide%20hamburg&format=json");
    assert_eq!((request.method.as_str(), &request.credential), ("GET", &None));
}

#[test]
fn brave_is_asked_with_its_key() {
    let answer = json!({
        "type": "search", "query": { "original": "grüne Wellen" }, "mixed": {},
        "web": { "type": "search", "results": [
            { "title": "One", "url": "https://one.example/", "is_source_local": false,
              "description": "The <strong>green</strong> wave.", "page_age": "2025-01-02T10:00:00", "age": "January 2, 2025",
              "meta_url": { "scheme": "https", "hostname": "one.example" } },
            { "title": "Two", "url": "https://two.example/", "description": "Another." }
        ] }
    });
    let host = served(&json!({ "engine": "brave" }), "https://api.search.brave.com/", move |_| json_answer(&answer));
    assert_eq!(
        ask(&host, "grüne Wellen", 1).unwrap().results,
        [hit("One", "https://one.example/", "The green wave.", Some("2025-01-02T10:00:00"))]
    );
    let [request] = &host.requests()[..] else { panic!("{:?}", host.requests()) };
    assert_eq!(request.url, "https://api.search.brave.com/res/v1/web/search?q=gr%C3%BCne%20Wellen&count=1");
    assert_eq!(request.credential.as_deref(), Some("brave"));
    // nothing found is no `web` at all
    let none = served(&json!({ "engine": "brave" }), "https://api.search.brave.com/", |_| {
        json_answer(&json!({"type": "search"}))
    });
    assert_eq!(ask(&none, "x", 5).unwrap().results, []);
}

#[test]
fn tavily_is_posted_to_with_its_key() {
    let answer = json!({
        "query": "wave", "follow_up_questions": null, "answer": null, "images": [], "response_time": 0.9,
        "results": [{ "title": "W", "url": "https://w.example/", "content": "Of waves.", "score": 0.98, "raw_content": null }]
    });
    let settings = json!({ "engine": "tavily", "base-url": "https://proxy.example/t/" });
    let host = served(&settings, "https://proxy.example/t/search", move |_| json_answer(&answer));
    assert_eq!(ask(&host, " wave ", 50).unwrap().results, [hit("W", "https://w.example/", "Of waves.", None)]);
    let [request] = &host.requests()[..] else { panic!("{:?}", host.requests()) };
    assert_eq!((request.method.as_str(), request.credential.as_deref()), ("POST", Some("tavily")));
    let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!({ "query": "wave", "max_results": 20, "search_depth": "basic" }));
}

#[test]
fn an_answer_that_is_none_is_said_and_nothing_is_made_up() {
    let failure = |settings: Value, base: &str, response: Response| {
        let host = served(&settings, base, move |_| response.clone());
        let error = ask(&host, "x", 5).unwrap_err();
        (error.code, error.message, error.retry_after_ms)
    };
    let searxng = || json!({ "base-url": "http://127.0.0.1:8888" });
    let brave = || json!({ "engine": "brave" });
    for body in [
        "",
        "<html>",
        "{}",
        "[]",
        "{\"results\":{}}",
        "{\"results\":[{\"title\":\"no address\"}]}",
        "{\"results\":[{\"url\":7}]}",
    ] {
        let (code, message, _) = failure(searxng(), "http://127.0.0.1:8888", Response::new(200, body));
        assert_eq!(code, Code::Failed, "{body}");
        assert!(
            message.starts_with("the search engine could not be asked: what the server answered does not fit:"),
            "{message}"
        );
    }
    let (code, message, _) = failure(searxng(), "http://127.0.0.1:8888", Response::new(403, "Forbidden"));
    assert_eq!(code, Code::Unsupported);
    assert!(message.contains("formats: [html, json]"), "{message}");
    assert_eq!(
        failure(brave(), "https://api.search", Response::new(429, "{}").with_header("retry-after", "2")),
        (
            Code::Exhausted,
            "the search engine could not be asked: the server answered with status 429".to_owned(),
            Some(2000)
        )
    );
    assert_eq!(failure(brave(), "https://api.search", Response::new(401, "{}")).0, Code::Denied);
    assert_eq!(failure(brave(), "https://api.search", Response::new(502, "")).0, Code::Unavailable);
}

#[test]
fn what_is_not_set_up_is_said() {
    let error = ask(&Host::new(), "x", 5).unwrap_err();
    assert_eq!(error.code, Code::Unsupported);
    assert!(error.message.starts_with("no search engine is set up. Set `base-url`"), "{}", error.message);
    let host = Host::new().config(&json!({ "engine": "brave" })).server("https://", |_| Ok(Response::new(200, "{}")));
    assert_eq!(ask(&host, "x", 5).unwrap_err().code, Code::Denied);
    assert_eq!(host.requests(), []);
    assert_eq!(ask(&host, "  ", 5).unwrap_err().code, Code::Invalid);
}
