//! `http`: what a plugin may send where, over the egress and a server on this computer.

use crate::kit::{Bench, Scripted, command_module, component, config, manifest, text, with_manifest};
use deskhand_egress::{Egress, Ended, Parts, Proxies, Recorder, Secret, SystemLookup, SystemTimer, Traffic};
use deskhand_runtime::{CallError, Code, Credentials, Network, NoCredential};
use deskhand_vocabulary::{Answer, PluginId, Question};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// A server that answers what `answer` makes of the head of each request, and remembers the heads.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = heads.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut reader = BufReader::new(stream);
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 2 {}
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                reader.read_exact(&mut body).unwrap();
                head.push_str(&String::from_utf8(body).unwrap());
                seen.lock().unwrap().push(head.clone());
                let _ = reader.get_mut().write_all(answer(&head).as_bytes());
            }
        });
        Self { port, heads }
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Remembers each hop.
#[derive(Default)]
struct Hops(Mutex<Vec<Traffic>>);

impl Recorder for Hops {
    fn record(&self, traffic: &Traffic) {
        self.0.lock().unwrap().push(traffic.clone());
    }
}

fn network(recorder: Arc<Hops>) -> Network {
    let egress = Egress::new(Parts {
        proxies: Proxies::default(),
        lookup: Arc::new(SystemLookup),
        timer: Arc::new(SystemTimer::default()),
        user_agent: "test".to_owned(),
    });
    Network { egress, recorder }
}

/// A command that gets the address of its arguments (a JSON string), with the credential `key` if `signed`, and answers
/// the body.
fn getter(scope: &[&str], signed: bool) -> Vec<u8> {
    let import = format!(r#"(import "deskhand:plugin/http@0.1.0" "fetch" (func $fetch (param{})))"#, " i32".repeat(15));
    let body = format!(
        "(call $fetch (i32.const 1300) (i32.const 3)
          (i32.add (local.get $arguments) (i32.const 1)) (i32.sub (local.get $arguments_length) (i32.const 2))
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const {}) (i32.const 1310) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then (return (i32.const 1024))))
        (call $answer (i32.load (i32.const 1040)) (i32.load (i32.const 1044)))",
        u8::from(signed)
    );
    let data = r#"(data (i32.const 1300) "GET") (data (i32.const 1310) "key")"#;
    let module = command_module(&import, &body).replace("(func $go", &format!("{data} (func $go"));
    let world = "import deskhand:plugin/http@0.1.0; export deskhand:plugin/command@0.1.0;";
    let mut manifest = manifest(&[]);
    let mut permissions = vec![json!({ "kind": "hosts.connect", "scope": scope, "reason": "to test" })];
    if signed {
        permissions.push(json!({ "kind": "credentials.use", "scope": ["key"], "reason": "to test" }));
        manifest["credentials"] = json!([{
            "name": "key", "title": "A key", "hosts": ["config.url", "api.example.com"], "header": "x-key", "prefix": "Key "
        }]);
    }
    manifest["permissions"] = json!(permissions);
    with_manifest(component(world, &module), &manifest)
}

fn refused(bench: &Bench, address: &str) -> (Code, String) {
    match bench.go_with(json!(address)).unwrap_err() {
        CallError::Refused { refused, .. } => (refused.code, refused.message),
        other => panic!("{other:?}"),
    }
}

fn online(answer: Answer) -> Bench {
    let mut bench = Bench::with(config(), Scripted::new(move |_| Ok(answer.clone())));
    bench.services.network = Some(network(Arc::default()));
    bench
}

#[test]
fn the_host_of_a_configured_address_is_reached_and_it_is_recorded() {
    let server = Server::new(|_| answer("found"));
    let mut bench = online(Answer::No);
    let hops = Arc::<Hops>::default();
    bench.services.network = Some(network(hops.clone()));
    bench.configuration = Some(json!({ "url": server.address("/") }));
    bench.install(&getter(&["config.url"], false));
    assert_eq!(text(&bench.go_with(json!(server.address("/a?q=1"))).unwrap()), "found");
    assert!(server.heads()[0].starts_with("GET /a?q=1 HTTP/1.1\r\n"), "{:?}", server.heads());
    let hops = hops.0.lock().unwrap();
    let [hop] = &hops[..] else { panic!("{hops:?}") };
    assert_eq!((hop.host.as_str(), hop.status, hop.ended), ("127.0.0.1", Some(200), Ended::Whole));
    assert_eq!((hop.method.as_str(), hop.scheme.as_str(), hop.path.as_str()), ("GET", "http", "/a"));
}

#[test]
fn a_host_that_is_not_in_the_manifest_is_not_reached() {
    let server = Server::new(|_| answer("never"));
    let bench = online(Answer::Yes);
    bench.install(&getter(&["api.example.com", "*"], false));
    let (code, message) = refused(&bench, &server.address("/"));
    assert_eq!(code, Code::Denied);
    assert!(message.contains("does not declare the right `hosts.connect`"), "{message}");
    // naming this computer in the manifest does not make it a host that the person meant
    bench.install(&getter(&["127.0.0.1"], false));
    let (code, message) = refused(&bench, &server.address("/"));
    assert_eq!(code, Code::Denied);
    assert!(message.contains("which is in this computer's own network"), "{message}");
    assert_eq!((server.heads(), bench.person.asked.lock().unwrap().len()), (Vec::new(), 0));
}

#[test]
fn each_hop_is_decided_and_a_host_of_the_network_is_asked_about() {
    let server = Server::new(|_| {
        "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: http://api.example.com/b\r\ncontent-length: 0\r\n\r\n"
            .to_owned()
    });
    let mut bench = online(Answer::No);
    bench.configuration = Some(json!({ "url": server.address("/") }));
    bench.install(&getter(&["config.url", "*.example.com"], false));
    let (code, message) = refused(&bench, &server.address("/a"));
    assert_eq!(code, Code::Denied);
    assert_eq!(message, "nothing was sent to api.example.com: you declined, and nothing was done");
    let asked = bench.person.asked.lock().unwrap();
    let [Question::Choose { text, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(text, "official:test wants to send something to api.example.com. Let it?");
}

/// Holds one key, for these hosts.
struct Held(&'static [&'static str]);

impl Credentials for Held {
    fn is_connected(&self, plugin: &PluginId, name: &str) -> bool {
        plugin.to_string() == "official:test" && name == "key"
    }

    fn get(&self, plugin: &PluginId, name: &str, host: &str) -> Result<Secret, NoCredential> {
        if !self.is_connected(plugin, name) {
            return Err(NoCredential::NotConnected);
        }
        let hosts = || self.0.iter().map(|host| (*host).to_owned()).collect();
        if self.0.contains(&host) { Ok(Secret::new("s3cret-value")) } else { Err(NoCredential::Elsewhere(hosts())) }
    }
}

#[test]
fn a_credential_is_added_for_its_hosts_and_never_seen() {
    // a server that repeats what it was sent, as some do
    let server = Server::new(answer);
    let mut bench = online(Answer::Yes);
    bench.configuration = Some(json!({ "url": server.address("/") }));
    bench.install(&getter(&["config.url", "other.example.com"], true));
    let (code, message) = refused(&bench, &server.address("/a"));
    assert_eq!(code, Code::Denied);
    assert_eq!(
        message,
        "the credential `key` of official:test is not connected (A key). The person connects it with: deskhand plugin connect official:test key"
    );
    // not even to one that is declared, where the person connected it for others
    bench.services.credentials = Some(Arc::new(Held(&["api.example.com"])));
    assert_eq!(
        refused(&bench, &server.address("/a")),
        (
            Code::Denied,
            "the person connected the credential `key` of official:test for api.example.com, not for 127.0.0.1. They let it go there with: deskhand plugin connect official:test key".to_owned()
        )
    );
    bench.services.credentials = Some(Arc::new(Held(&["127.0.0.1"])));
    let reply = bench.go_with(json!(server.address("/a"))).unwrap();
    assert!(server.heads()[0].contains("\r\nx-key: Key s3cret-value\r\n"), "{:?}", server.heads());
    assert!(text(&reply).contains("\r\nx-key: Key [key]\r\n"), "{}", text(&reply));
    // to no other host, and not in the clear
    assert_eq!(
        refused(&bench, "https://other.example.com/"),
        (Code::Denied, "the credential `key` is not for other.example.com".to_owned())
    );
    assert_eq!(
        refused(&bench, "http://api.example.com/"),
        (Code::Denied, "the credential `key` goes over https alone, and the address is another".to_owned())
    );
}

#[test]
fn a_place_without_a_network_says_so() {
    let bench = Bench::new();
    bench.install(&getter(&["*"], false));
    assert_eq!(refused(&bench, "https://example.com/"), (Code::Unsupported, "there is no network here".to_owned()));
}
