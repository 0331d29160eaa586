//! Keys that plugins sign in with: given by the person, put on requests by Deskhand, and seen by nobody else.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use deskhand_model_server::{Answer, Heard, HttpServer};
use deskhand_tests::files_with;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
};

const KEY: &str = "BSA-test-0123456789abcdef";

/// A server that remembers what it heard.
struct Engine {
    server: HttpServer,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Engine {
    fn new(answer: impl Fn(&Heard) -> Answer + Send + Sync + 'static) -> Self {
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let remembered = Arc::clone(&heard);
        let server = HttpServer::start(move |request| {
            remembered.lock().unwrap().push(request.clone());
            answer(request)
        });
        Self { server, heard }
    }

    /// Of the shape that Brave answers in, which repeats the key that it was sent as servers sometimes do.
    fn brave() -> Self {
        Self::new(|request| {
            let key = request.header("x-subscription-token").unwrap_or("none");
            let found = json!({"web": {"results": [
                {"title": "Tides", "url": "https://tides.example/", "description": format!("Found with {key}.")}
            ]}});
            Answer::new(200, "application/json", found.to_string())
        })
    }

    fn tavily() -> Self {
        Self::new(|_| {
            let found =
                json!({"results": [{"title": "Tides", "url": "https://tides.example/", "content": "Of tides."}]});
            Answer::new(200, "application/json", found.to_string())
        })
    }

    /// The only request that it heard.
    fn only(&self) -> Heard {
        let heard = self.heard.lock().unwrap();
        let [only] = &heard[..] else { panic!("{heard:?}") };
        only.clone()
    }

    /// A person with a model and with this engine.
    fn desk(&self, engine: &str) -> Desk {
        Desk::with_plugins(&settings(engine, &self.server.url()))
    }
}

fn settings(engine: &str, base: &str) -> String {
    format!("[plugins.websearch]\nengine = \"{engine}\"\nbase-url = \"{base}\"\n")
}

fn connect(desk: &Desk, credential: &str) -> String {
    let ran = desk.place.piped(["plugin", "connect", "websearch", credential, "--key-stdin"], &format!("{KEY}\n"));
    ran.ok()
}

/// The model searches once, and says that it is done. What the search gave.
fn search(desk: &Desk) -> String {
    searched(desk, &["Done."])
}

/// The same where nothing comes of it, of which the model is told before it ends.
fn refused(desk: &Desk) -> String {
    searched(desk, &["Done.", "It could not be searched."])
}

fn searched(desk: &Desk, replies: &[&str]) -> String {
    // a conversation of its own each time
    let request = format!("search for tides, try {}", desk.server.conversations() + 1);
    desk.says([calls(&[("websearch__search", json!({"query": "tides"}))])]);
    desk.says(replies.iter().map(|text| said(text)));
    let ran = desk.run(&["--yes", "--json", &request]);
    desk.server.finish();
    assert!(!ran.stdout.contains(KEY), "{}", ran.stdout);
    desk.last_heard().into_iter().find(|line| line.starts_with("result: ")).unwrap()
}

#[test]
fn brave_is_searched_with_the_key_that_the_person_connected() {
    let engine = Engine::brave();
    let desk = engine.desk("brave");
    let why = refused(&desk);
    assert!(why.contains("the credential `brave` of home:websearch is not connected"), "{why}");
    assert!(why.contains("deskhand plugin connect home:websearch brave"), "{why}");
    assert!(engine.heard.lock().unwrap().is_empty());

    let file = desk.place.path("deskhand/data/plugin-keys.json");
    let told = connect(&desk, "brave");
    assert_eq!(
        told,
        format!(
            "The key `brave` of home:websearch is connected. Deskhand sends it to 127.0.0.1 and api.search.brave.com \
             alone; the plugin does not see it.\nNo keyring answers here, so it lies in {}, which only you can read.\n",
            file.display()
        )
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let found = search(&desk);
    assert!(found.contains("https://tides.example/") && found.contains("Found with [key]."), "{found}");
    let heard = engine.only();
    assert_eq!(heard.header("x-subscription-token"), Some(KEY));
    assert_eq!(heard.target, "/res/v1/web/search?q=tides&count=8");

    // it lies in one place alone, and is in no record
    assert_eq!(files_with(&desk.place.path("deskhand"), KEY), ["plugin-keys.json"]);
    for said in
        [&["log", "--json", "--limit", "0"][..], &["plugin", "connections"], &["plugin", "connections", "--json"]]
    {
        assert!(!desk.deskhand(said).ok().contains(KEY));
    }
    let log = desk.deskhand(&["log", "--json", "--limit", "0"]).ok();
    let log: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| log.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let [connected] = &of("credential")[..] else { panic!("{log:?}") };
    assert_eq!(
        (&connected["change"], &connected["hosts"]),
        (&json!("connected"), &json!(["127.0.0.1", "api.search.brave.com"]))
    );
    let used = of("decided").into_iter().filter(|event| event["action"]["action"] == "use-credential").count();
    assert!(used >= 1, "{log:?}");

    // whoever disconnects it has it nowhere any more
    let told = desk.deskhand(&["plugin", "disconnect", "websearch"]).ok();
    assert_eq!(told, "The key `brave` of home:websearch is disconnected. It is forgotten.\n");
    assert_eq!(files_with(&desk.place.path("deskhand"), KEY), [""; 0]);
    assert!(refused(&desk).contains("is not connected"));
    assert_eq!(desk.deskhand(&["plugin", "disconnect", "websearch"]).code, 1);
}

#[test]
fn tavily_is_posted_to_with_a_bearer_token_of_the_environment() {
    let engine = Engine::tavily();
    let desk = engine.desk("tavily");
    let told = desk.deskhand(&["plugin", "connect", "home:websearch", "tavily", "--key-env", "TAVILY_KEY"]).ok();
    assert!(told.ends_with("It is taken from the variable TAVILY_KEY each time.\n"), "{told}");
    // not set: said, and nothing goes out
    let why = refused(&desk);
    assert!(why.contains("the variable TAVILY_KEY is not set"), "{why}");
    assert!(engine.heard.lock().unwrap().is_empty());

    desk.says([calls(&[("websearch__search", json!({"query": "tides"}))]), said("Done.")]);
    let arguments = ["run", "--folder", "Files", "--yes", "search for tides again"];
    let ran = desk.place.command(deskhand_tests::deskhand()).args(arguments).env("TAVILY_KEY", KEY).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    desk.server.finish();
    assert!(desk.last_heard().pop().unwrap().contains("Of tides."));
    let heard = engine.only();
    assert_eq!((heard.method.as_str(), heard.target.as_str()), ("POST", "/search"));
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(files_with(&desk.place.path("deskhand"), KEY), [""; 0]);
}

/// A server that sends on to another gets the key; the other does not.
#[test]
fn a_redirect_to_another_server_leaves_the_key_behind() {
    let other = Engine::brave();
    let target = format!("{}/elsewhere", other.server.url());
    let engine = Engine::new(move |_| Answer::new(307, "text/plain", "").header("location", &target));
    let desk = engine.desk("brave");
    connect(&desk, "brave");
    let found = search(&desk);
    assert!(found.contains("Found with none."), "{found}");
    assert_eq!(engine.only().header("x-subscription-token"), Some(KEY));
    let heard = other.only();
    assert!(heard.headers.iter().all(|(_, value)| !value.contains(KEY)), "{heard:?}");
}

/// A key goes to the hosts that it was given for, whatever the settings or the plugin say later.
#[test]
fn a_key_goes_to_no_host_that_the_person_did_not_see() {
    let engine = Engine::brave();
    let desk = Desk::with_plugins("");
    let config = desk.place.path("deskhand/config/config.toml");
    let before = fs::read_to_string(&config).unwrap();
    assert!(connect(&desk, "brave").contains("Deskhand sends it to api.search.brave.com alone"));
    fs::write(&config, format!("{before}{}", settings("brave", &engine.server.url()))).unwrap();
    let why = refused(&desk);
    assert!(
        why.contains("connected the credential `brave` of home:websearch for api.search.brave.com, not for 127.0.0.1"),
        "{why}"
    );
    assert!(engine.heard.lock().unwrap().is_empty());

    // at a terminal they see where it would go, and may keep the key
    let mut terminal = Terminal::run(&desk.place, &["plugin", "connect", "websearch", "brave"], &[]);
    terminal.wait("It goes to 127.0.0.1 and api.search.brave.com, and nowhere else.");
    terminal.answer("which is not shown (nothing to keep the one that is there): ", "");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(search(&desk).contains("https://tides.example/"));
    assert_eq!(engine.only().header("x-subscription-token"), Some(KEY));

    // a plugin that goes takes its keys along
    let gone = desk.deskhand(&["plugin", "uninstall", "--force", "websearch"]).ok();
    assert!(gone.ends_with("The key `brave` that you had connected is forgotten.\n"), "{gone}");
    assert_eq!(files_with(&desk.place.path("deskhand"), KEY), [""; 0]);
}

#[test]
fn a_key_is_typed_unseen_and_listed_by_where_it_lies() {
    let desk = Desk::with_plugins("");
    let mut terminal = Terminal::run(&desk.place, &["plugin", "connect", "websearch", "tavily"], &[]);
    terminal.answer("Key `tavily` of home:websearch, which is not shown: ", KEY);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("The key of the Tavily API, from https://app.tavily.com"), "{screen}");
    assert!(!screen.contains("BSA-test"), "{screen}");
    let listed = desk.deskhand(&["plugin", "connections", "--json"]).ok();
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short = listed.iter().map(|row| json!([row["credential"], row["connected"], row["key"], row["hosts"]]));
    assert_eq!(
        short.collect::<Vec<_>>(),
        [
            json!(["brave", false, null, ["api.search.brave.com"]]),
            json!(["tavily", true, "file:home:websearch/tavily", ["api.tavily.com"]])
        ]
    );
}

#[test]
fn what_cannot_be_connected_is_said() {
    let desk = Desk::with_plugins("");
    for (arguments, code, told) in [
        (&["websearch"][..], 2, "home:websearch has several keys: `brave`, `tavily`. Say which one.\n"),
        (&["websearch", "bing"], 2, "home:websearch has no key `bing`. It has: `brave`, `tavily`.\n"),
        (&["organize"], 2, "home:organize signs in nowhere, so it has no key to be connected.\n"),
        (&["nothing"], 1, "nothing is not installed. `deskhand plugin list` shows what is.\n"),
        (
            &["websearch", "brave"],
            3,
            "The key `brave` of home:websearch is missing, and nobody is there to be asked, so nothing was connected. Give it with --key-stdin or --key-env VARIABLE.\n",
        ),
    ] {
        let ran = desk.deskhand(&[&["plugin", "connect"], arguments].concat());
        assert_eq!((ran.code, ran.stderr.to_lowercase()), (code, told.to_lowercase()), "{arguments:?}");
    }
    let ran = desk.place.piped(["plugin", "connect", "websearch", "brave", "--key-stdin"], "two words\n");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(desk.deskhand(&["plugin", "connections"]).ok().contains("not connected"));
}
