//! Models are added, chosen, tried and removed, against a scripted server; their keys are seen by nobody.

use crate::{
    said::{masked, said},
    terminal::Terminal,
};
use deskhand_model_server::{ModelServer, Reply};
use deskhand_tests::{Place, Ran, deskhand, files_with, keyring::session};
use insta::assert_snapshot;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path};

const KEY: &str = "sk-test-0123456789abcdef";

fn with_key(place: &Place, arguments: &[&str]) -> Ran {
    place.piped(arguments.iter().chain(&["--key-stdin"]), &format!("{KEY}\n"))
}

/// A model of the scripted server, whose key is in the file.
fn added(place: &Place, server: &ModelServer) -> Ran {
    let url = format!("{}/v1", server.url());
    with_key(place, &["model", "add", "fast", "--wire", "chat", "--url", &url, "--model", "scripted"])
}

/// What a run said, without the port of the server.
fn shown(place: &Place, server: &ModelServer, ran: &Ran) -> String {
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let text = said(place, ran).replace(&port, "PORT");
    // how long a server took differs
    let lines = text.lines().map(|line| match line.split_once(" answered in ") {
        Some((before, after)) => format!("{before} answered in TIME s:{}\n", after.split_once(':').unwrap().1),
        None => format!("{line}\n"),
    });
    lines.collect()
}

fn holding_key(folder: &Path) -> Vec<String> {
    files_with(folder, KEY)
}

/// The way of most people, on a computer without a keyring.
#[test]
fn added_tried_and_removed() {
    let place = Place::new();
    let server = ModelServer::start();
    server.reply(Reply::new().text("Hello."));
    server.reply(Reply::new().text("Hello."));
    let each = [
        added(&place, &server),
        place.deskhand(["model", "list"]),
        place.deskhand(["model", "list", "--json"]),
        place.deskhand(["model", "test"]),
    ];
    let mut whole: String = each.iter().map(|ran| shown(&place, &server, ran)).collect();
    let keys = place.path("deskhand/data/model-keys.json");
    assert_eq!(keys.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(holding_key(&place.path("deskhand")), ["model-keys.json"]);
    let heard = server.exchanges().pop().unwrap().heard;
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {KEY}").as_str()));

    // with a price, the answer of a program says what it cost
    let priced = place.deskhand(["model", "add", "fast", "--price-input", "3", "--price-output", "15"]);
    whole.push_str(&shown(&place, &server, &priced));
    let tested = place.deskhand(["model", "test", "fast", "--json"]).ok();
    let tested: serde_json::Value = serde_json::from_str(&tested).unwrap();
    assert_eq!(
        (&tested["ok"], &tested["said"], &tested["outcome"]["outcome"]),
        (&true.into(), &"Hello.".into(), &"finished".into())
    );
    let (input, output) = (tested["usage"]["input"].as_u64().unwrap(), tested["usage"]["output"].as_u64().unwrap());
    assert!(input > 0 && output > 0, "{tested}");
    let millionths = (input * 3 + output * 15) as f64 / 1e6;
    assert_eq!(tested["cost"].as_str().unwrap().parse::<f64>().unwrap(), millionths);
    assert!(tested["sent"].as_u64().unwrap() > 200, "{tested}");

    // each connection was decided and is on record
    let log = place.deskhand(["log", "--json"]).ok();
    let kinds: Vec<String> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| match event["event"].as_str().unwrap() {
            "decided" => format!("{} {}", event["rule"], event["action"]["host"]),
            "sent" => format!("sent {} {}", event["status"], event["host"]),
            other => other.to_owned(),
        })
        .collect();
    let one = ["\"person.command\" \"127.0.0.1\"", "sent 200 \"127.0.0.1\""];
    assert_eq!(kinds, [one, one].concat());

    whole.push_str(&shown(&place, &server, &place.deskhand(["model", "remove", "fast"])));
    whole.push_str(&shown(&place, &server, &place.deskhand(["model", "list"])));
    assert_eq!(holding_key(&place.path("deskhand")), [""; 0]);
    assert!(!whole.contains(KEY), "{whole}");
    assert_snapshot!(whole);
    server.finish();
}

/// What goes wrong is said in one message, without the key, although the server repeats it.
#[test]
fn a_server_that_does_not_answer_as_it_should() {
    let place = Place::new();
    let server = ModelServer::start();
    assert_eq!(added(&place, &server).code, 0);
    let told = format!("invalid key {KEY} given");
    server.fail(401, "authentication_error", &told);
    server.fail(404, "not_found_error", "no model scripted");
    let mut whole = String::new();
    for _ in 0..2 {
        whole.push_str(&shown(&place, &server, &place.deskhand(["model", "test"])));
    }
    server.fail(401, "authentication_error", &told);
    whole.push_str(&shown(&place, &server, &place.deskhand(["model", "test", "--json"])));
    server.finish();
    // nobody listens there any more
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let gone = place.deskhand(["model", "add", "gone", "--wire", "chat", "--url", &url, "--model", "m", "--no-key"]);
    assert_eq!(gone.code, 0);
    let ran = place.deskhand(["model", "test", "gone"]);
    whole.push_str(&said(&place, &ran).replace(&port.to_string(), "PORT").replace(" in 0 s", " in N s"));
    assert!(!whole.contains(KEY), "{whole}");
    assert_eq!(holding_key(&place.path("deskhand")), ["model-keys.json"]);
    assert_snapshot!(whole);
}

/// Requests go through the proxy that the environment names, and past none that it names wrongly.
#[test]
fn through_a_proxy() {
    let place = Place::new();
    let server = ModelServer::start();
    server.reply(Reply::new().text("Hello."));
    let add = ["model", "add", "far", "--wire", "chat", "--url", "http://models.example.com/v1", "--model", "scripted"];
    assert_eq!(with_key(&place, &add).code, 0);
    let through = |proxy: &str| {
        let mut command = place.command(deskhand());
        Ran::of(command.args(["model", "test"]).env("HTTP_PROXY", proxy).output().unwrap())
    };
    let ran = through(&server.url());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let heard = server.exchanges().pop().unwrap().heard;
    assert_eq!(heard.target, "http://models.example.com/v1/chat/completions");
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let ran = through("ftp://proxy.example.com");
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            1,
            "HTTP_PROXY does not name a proxy that can be used: its kind is not known; http, https, socks4 and socks5 are. Write it like http://proxy.example.com:3128, or unset it.\n"
        )
    );
    server.finish();
}

/// A key in the environment is kept nowhere.
#[test]
fn a_key_of_the_environment() {
    let place = Place::new();
    let server = ModelServer::start();
    server.reply(Reply::new().text("Hello."));
    let add = [
        "model",
        "add",
        "cloud",
        "--wire",
        "anthropic",
        "--url",
        &server.url(),
        "--model",
        "scripted",
        "--key-env",
        "MY_KEY",
    ];
    let mut whole = shown(&place, &server, &place.deskhand(add));
    whole.push_str(&shown(&place, &server, &place.deskhand(["model", "test"])));
    let mut command = place.command(deskhand());
    let ran = Ran::of(command.args(["model", "test"]).env("MY_KEY", KEY).output().unwrap());
    whole.push_str(&shown(&place, &server, &ran));
    assert_eq!(server.exchanges().pop().unwrap().heard.header("x-api-key"), Some(KEY));
    assert_eq!(holding_key(&place.path("deskhand")), [""; 0]);
    assert_snapshot!(whole);
    server.finish();
}

/// What cannot be done is said with what to do instead, and nothing is half-done.
#[test]
fn what_does_not_fit() {
    let place = Place::new();
    let commands: [&[&str]; 14] = [
        &["model", "test"],
        &["model", "use", "x"],
        &["model", "remove", "x"],
        &["model", "add", "a b", "--preset", "openai", "--model", "m"],
        &["model", "add", "x", "--model", "m"],
        &["model", "add", "x", "--wire", "chat", "--url", "http://127.0.0.1:1/v1"],
        &["model", "add", "x", "--preset", "openai", "--model", "m"],
        &["model", "add", "x", "--preset", "openai", "--model", "m", "--url", "file:///etc/passwd", "--no-key"],
        &[
            "model",
            "add",
            "x",
            "--preset",
            "openai",
            "--model",
            "m",
            "--url",
            "https://me:secret@host.example",
            "--no-key",
        ],
        &["model", "add", "x", "--preset", "openai", "--model", "m", "--price-input", "cheap", "--price-output", "1"],
        &["model", "add", "x", "--preset", "ollama", "--model", "m"],
        &["model", "add", "x", "--preset", "openai", "--model", "m", "--no-key"],
        &["model", "add", "y", "--preset", "openai", "--model", "m", "--no-key"],
        &["model", "use", "z"],
    ];
    let whole: String = commands
        .iter()
        .map(|command| format!("=== {}\n{}", command.join(" "), said(&place, &place.deskhand(*command))))
        .collect();
    let mut wrong = String::new();
    for (what, key) in [("nothing", ""), ("two lines", "one\ntwo"), ("a letter that cannot be sent", "sk-ä")] {
        let arguments = ["model", "add", "w", "--preset", "openai", "--model", "m", "--key-stdin"];
        wrong.push_str(&format!("=== {what}\n{}", said(&place, &place.piped(arguments, key))));
    }
    assert_snapshot!(format!("{whole}{wrong}"));
    let settings = fs::read_to_string(place.path("deskhand/config/config.toml")).unwrap();
    assert_eq!(
        settings,
        "[models.x]\nwire = \"chat\"\nurl = \"http://localhost:11434/v1\"\nmodel = \"m\"\n\n\
         [models.y]\nwire = \"chat\"\nurl = \"https://api.openai.com/v1\"\nmodel = \"m\"\n\n[agent]\nmodel = \"x\"\n"
    );
    assert!(!place.path("deskhand/data/model-keys.json").exists());
}

/// Who does not know what the server calls its models chooses from those that it offers.
#[test]
fn one_of_those_that_the_server_offers() {
    let place = Place::new();
    let server = ModelServer::start();
    let url = format!("{}/v1", server.url());
    let arguments = ["model", "add", "fast", "--wire", "chat", "--url", &url, "--no-key"];
    let ran = place.deskhand(arguments);
    let expected = "Say which model with --model, as its server calls it. 127.0.0.1 offers: scripted.\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, expected));
    let mut terminal = Terminal::run(&place, &arguments, &[]);
    terminal.answer("Number (n for no): ", "");
    assert_eq!(terminal.end().0, 4);
    assert_eq!(place.deskhand(["model", "list", "--json"]).ok(), "");
    let mut terminal = Terminal::run(&place, &arguments, &[]);
    terminal.wait("Which of the models at 127.0.0.1?\n  1  scripted\n").answer("Number (n for no): ", "1");
    assert_eq!(terminal.end().0, 0);
    let listed: serde_json::Value = serde_json::from_str(&place.deskhand(["model", "list", "--json"]).ok()).unwrap();
    assert_eq!(listed["model"], "scripted");
    server.finish();
}

/// Another model at the same host needs no second key; one at another host never gets it.
#[test]
fn a_key_belongs_to_a_host() {
    let place = Place::new();
    let add = |name: &str, more: &[&str]| {
        let arguments = [&["model", "add", name, "--model", "m", "--json"][..], more].concat();
        let ran = place.deskhand(arguments);
        let row = serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap_or_default();
        (ran.code, row["key"].as_str().map(str::to_owned))
    };
    let key = Some("file:api.openai.com".to_owned());
    assert_eq!(with_key(&place, &["model", "add", "one", "--preset", "openai", "--model", "m"]).code, 0);
    assert_eq!(add("two", &["--preset", "openai"]), (0, key.clone()));
    assert_eq!(add("three", &["--preset", "mistral"]), (3, None));
    assert_eq!(add("one", &["--url", "https://evil.example.com/v1"]), (3, None));
    assert_eq!(add("one", &["--context", "9"]), (0, key.clone()));
    // the key is there as long as a model has it
    assert_eq!(place.deskhand(["model", "remove", "one"]).code, 0);
    assert_eq!(holding_key(&place.path("deskhand")), ["model-keys.json"]);
    assert_eq!(place.deskhand(["model", "remove", "two"]).code, 0);
    assert_eq!(holding_key(&place.path("deskhand")), [""; 0]);
}

/// A model at another host takes the place of one only where the person says so, and gets nothing that was set for it.
#[test]
fn a_model_is_put_in_the_place_of_another() {
    let place = Place::new();
    let settings = place.path("deskhand/config/config.toml");
    let one =
        "[models.one]\nwire = \"chat\"\nurl = \"https://a.example/v1\"\nmodel = \"m\"\nheaders = { x-token = \"1\" }\n";
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(&settings, one).unwrap();
    let other = ["model", "add", "one", "--url", "https://b.example/v1", "--model", "n", "--no-key"];
    let ran = place.deskhand(other);
    let expected = "Nobody is there to be asked, and the model `one` stays as it is (m at a.example). Add --yes.\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (3, expected));
    let mut terminal = Terminal::run(&place, &other, &[]);
    terminal.wait("There is a model `one` already: m at a.example. Put one at b.example in its place?");
    terminal.answer("[Y]es, [N]o: ", "n");
    assert_eq!(terminal.end().0, 4);
    assert_eq!(fs::read_to_string(&settings).unwrap(), one);
    let replaced = place.deskhand([&other[..], &["--yes"]].concat()).ok();
    assert!(replaced.starts_with("The model `one` is replaced: n at b.example.\n"), "{replaced}");
    let text = fs::read_to_string(&settings).unwrap();
    assert!(
        text.starts_with("[models.one]\nwire = \"chat\"\nurl = \"https://b.example/v1\"\nmodel = \"n\"\n"),
        "{text}"
    );
    assert!(!text.contains("x-token"), "{text}");
}

/// What is typed is not shown, and the terminal is as before afterwards.
#[test]
fn a_key_is_typed_unseen() {
    let place = Place::new();
    let arguments = ["model", "add", "claude", "--preset", "anthropic", "--model", "m"];
    let mut terminal = Terminal::run(&place, &arguments, &[]);
    terminal.answer("Key for api.anthropic.com, which is not shown: ", KEY);
    let (code, screen) = terminal.end();
    assert!(!screen.contains("sk-test"), "{screen}");
    assert_snapshot!(format!("{code}\n{screen}"));
    assert_eq!(holding_key(&place.path("deskhand")), ["model-keys.json"]);
    // nothing typed keeps it
    let mut terminal = Terminal::run(&place, &arguments, &[]);
    terminal.answer("(nothing to keep the one that is there): ", "");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(holding_key(&place.path("deskhand")), ["model-keys.json"]);
    // and a person who changes their mind adds nothing
    let mut terminal = Terminal::run(&place, &["model", "add", "other", "--preset", "mistral", "--model", "m"], &[]);
    terminal.wait("Key for api.mistral.ai, which is not shown: ").press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!place.deskhand(["model", "list"]).stdout.contains("other"));
}

/// A key file that others can read is not used.
#[test]
fn a_key_file_that_others_can_read() {
    let place = Place::new();
    let server = ModelServer::start();
    assert_eq!(added(&place, &server).code, 0);
    let file = place.path("deskhand/data/model-keys.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let ran = place.deskhand(["model", "test"]);
    let expected = "`fast` does not work: scripted at 127.0.0.1 gave no reply: the key file:127.0.0.1 could not be read: others can read \
                    PLACE/deskhand/data/model-keys.json. Close it with: chmod 600 PLACE/deskhand/data/model-keys.json.\n";
    assert_eq!((ran.code, masked(&place, &ran.stderr)), (1, expected.to_owned()));
    server.finish();
}

/// What a model may read is agreed to by host, and taken back like any grant.
#[test]
fn agreed_in_advance() {
    let place = Place::new();
    assert_eq!(with_key(&place, &["model", "add", "claude", "--preset", "anthropic", "--model", "m"]).code, 0);
    let whole: String = [
        &["why", "--agent", "send", "api.anthropic.com"][..],
        &["model", "allow", "claude"],
        &["model", "list"],
        &["grants"],
        &["why", "--agent", "send", "api.anthropic.com"],
        &["why", "--agent", "connect", "api.anthropic.com"],
        &["why", "--agent", "send", "localhost"],
        &["revoke", "1"],
        &["model", "list", "--json"],
    ]
    .iter()
    .map(|command| format!("=== {}\n{}", command.join(" "), said(&place, &place.deskhand(*command))))
    .collect();
    assert_snapshot!(whole);
}

/// On a computer with a keyring, keys lie there and in no file.
#[test]
fn in_the_keyring() {
    let place = Place::new();
    let server = ModelServer::start();
    server.reply(Reply::new().text("Hello."));
    let script = format!(
        "printf %s {KEY} | \"$0\" model add fast --wire chat --url {}/v1 --model scripted --key-stdin\n\
         \"$0\" model list\n\"$0\" model test\n\"$0\" model remove fast\n\
         printf %s {KEY} | \"$0\" model add fast --wire chat --url {}/v1 --model scripted --key-stdin --key-in-file\n",
        server.url(),
        server.url()
    );
    let ran = Ran::of(session(&place, &script).output().unwrap());
    let said = shown(&place, &server, &ran);
    let lines = [
        "Its key lies in the system's keyring.",
        " keyring  stays here",
        "scripted at 127.0.0.1 answered in TIME s: Hello.",
        "Its key is removed from the system's keyring.",
        "Its key lies in PLACE/deskhand/data/model-keys.json, which only you can read.",
    ];
    assert_eq!(lines.map(|line| said.contains(line)), [true; 5], "{said}");
    assert!(!said.contains(KEY), "{said}");
    let heard = server.exchanges().pop().unwrap().heard;
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    // the keyring's own file is encrypted; only the last, which was wanted so, lies in ours
    assert_eq!(holding_key(place.dir.path()), ["model-keys.json"]);
    server.finish();
}
