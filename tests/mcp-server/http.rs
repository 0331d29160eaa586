//! Over HTTP: who is let in, and who is not.

use crate::kit::place;
use deskhand_tests::{Place, deskhand};
use serde_json::json;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

/// A server over HTTP, ended with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) token: String,
    /// Where the token is kept.
    kept: PathBuf,
}

impl Server {
    pub(crate) fn start(place: &Place, options: &[&str]) -> Self {
        Self::start_as("tester", place, options)
    }

    /// The same for a client of another name.
    fn start_as(name: &str, place: &Place, options: &[&str]) -> Self {
        let mut command = place.command(deskhand());
        command.args(["mcp", "serve", "--client", name, "--http"]).args(options);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        let address = first.strip_prefix(&format!("The client {name} is served at http://127.0.0.1:")).unwrap();
        let port = address.strip_suffix("/mcp").unwrap().parse().unwrap();
        let second = lines.next().unwrap();
        let path = second.strip_prefix("Its token is in ").unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        let token = fs::read_to_string(path).unwrap().trim().to_owned();
        Self { child, port, token, kept: path.into() }
    }

    /// Send these lines of headers and this body: the status, and all that came.
    fn send(&self, headers: &[&str], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = headers.iter().map(|line| format!("{line}\r\n")).collect::<String>();
        let length = body.len();
        let fixed =
            "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let request = format!("POST /mcp HTTP/1.1\r\n{head}{fixed}Content-Length: {length}\r\n\r\n{body}");
        // one that is refused may be answered before it is sent to its end
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hello() -> String {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}},
    })
    .to_string()
}

#[test]
fn only_who_has_the_token_is_served() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: 127.0.0.1:{}", server.port);
    let token = format!("Authorization: Bearer {}", server.token);
    let (status, answer) = server.send(&[&host, &token], &hello());
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"serverInfo\""), "{answer}");
    assert!(answer.to_lowercase().contains("mcp-session-id: "), "{answer}");
    let wrong = format!("Authorization: Bearer {}", "0".repeat(64));
    assert_eq!(server.send(&[&host], &hello()).0, 401);
    assert_eq!(server.send(&[&host, &wrong], &hello()).0, 401);
    // a page that a browser was made to load from elsewhere
    assert_eq!(server.send(&[&host, &token, "Origin: http://evil.example"], &hello()).0, 403);
    assert_eq!(server.send(&[&host, &token, "Origin: null"], &hello()).0, 403);
    let rebound = format!("Host: evil.example:{}", server.port);
    assert_eq!(server.send(&[&rebound, &token], &hello()).0, 403);
    assert_eq!(server.send(&["Host: 127.0.0.1:1", &token], &hello()).0, 403);
    assert_eq!(server.send(&[&host, &token, "Origin: http://localhost:6274"], &hello()).0, 200);
}

#[test]
fn what_is_too_much_or_no_message_is_refused() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: localhost:{}", server.port);
    let token = format!("Authorization: Bearer {}", server.token);
    let status = |headers: &[&str], body: &str| server.send(headers, body).0;
    assert_eq!(status(&[&host, &token], &"x".repeat((8 << 20) + 1)), 413);
    let long = format!("X-Long: {}", "x".repeat(64 << 10));
    assert_eq!(status(&[&host, &token, &long], &hello()), 431);
    assert!(matches!(status(&[&host, &token], "{{{"), 400 | 415 | 422));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).to_string();
    let made_up = "Mcp-Session-Id: 00000000-0000-4000-8000-000000000000";
    assert_eq!(status(&[&host, &token, made_up], &list), 404);
    assert!(matches!(status(&[&host, &token], &list), 400 | 404 | 422));
    // and still it serves
    assert_eq!(status(&[&host, &token], &hello()), 200);
}

#[test]
fn sessions_are_bounded() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: localhost:{}", server.port);
    let token = format!("Authorization: Bearer {}", server.token);
    let served = (0..70).filter(|_| server.send(&[&host, &token], &hello()).0 == 200).count();
    assert_eq!(served, 64);
}

#[test]
fn a_token_is_kept_until_another_is_made() {
    let (place, _) = place();
    let one = Server::start(&place, &[]).token.clone();
    assert_eq!(one.len(), 64);
    assert_eq!(Server::start(&place, &[]).token, one);
    assert_ne!(Server::start(&place, &["--new-token"]).token, one);
}

#[test]
fn who_has_no_token_keeps_nobody_out() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: 127.0.0.1:{}", server.port);
    let connect = || TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    // who is refused is let go of, whatever else they meant to ask
    let mut refused = connect();
    refused.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(refused, "GET /mcp HTTP/1.1\r\n{host}\r\n\r\nGET /mcp HTTP/1.1\r\n{host}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(answer.matches("HTTP/1.1 401").count(), 1, "{answer}");
    // and those that say nothing go when others come
    let mut silent: Vec<TcpStream> = (0..100).map(|_| connect()).collect();
    let token = format!("Authorization: Bearer {}", server.token);
    assert_eq!(server.send(&[&host, &token], &hello()).0, 200);
    silent[0].set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(silent[0].read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn what_an_old_token_listens_to_ends_with_it() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: 127.0.0.1:{}", server.port);
    let token = format!("Authorization: Bearer {}", server.token);
    let (_, greeted) = server.send(&[&host, &token], &hello());
    let session = greeted.lines().find(|line| line.to_lowercase().starts_with("mcp-session-id: ")).unwrap().trim();
    let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    assert_eq!(server.send(&[&host, &token, session], &begun).0, 202);
    let mut listening = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    listening.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let accept = "Accept: text/event-stream";
    write!(listening, "GET /mcp HTTP/1.1\r\n{host}\r\n{token}\r\n{session}\r\n{accept}\r\n\r\n").unwrap();
    let mut heard = [0; 4096];
    let read = listening.read(&mut heard).unwrap();
    assert!(heard[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&heard[..read]));
    let _other = Server::start(&place, &["--new-token"]);
    // this would be told to whoever listens
    place.deskhand(["plugin", "uninstall", "home:websearch"]).ok();
    let mut rest = String::new();
    while !rest.contains("list_changed") {
        match listening.read(&mut heard).unwrap() {
            0 => return,
            read => rest.push_str(&String::from_utf8_lossy(&heard[..read])),
        }
    }
    panic!("it goes on to be told: {rest}");
}

#[test]
fn a_token_is_that_of_one_client() {
    let (place, _) = place();
    let servers = ["editor", "browser"].map(|name| Server::start_as(name, &place, &[]));
    let status = |at: &Server, of: &Server| {
        let host = format!("Host: 127.0.0.1:{}", at.port);
        at.send(&[&host, &format!("Authorization: Bearer {}", of.token)], &hello()).0
    };
    let [editor, browser] = &servers;
    assert_eq!([status(editor, editor), status(browser, editor)], [200, 401]);
    assert_eq!([status(browser, browser), status(editor, browser)], [200, 401]);
}

#[test]
fn a_token_holds_only_while_it_is_the_one_that_is_kept() {
    let (place, _) = place();
    let server = Server::start(&place, &[]);
    let host = format!("Host: 127.0.0.1:{}", server.port);
    let status = |token: &str| server.send(&[&host, &format!("Authorization: Bearer {token}")], &hello()).0;
    assert_eq!(status(&server.token), 200);
    let other = Server::start(&place, &["--new-token"]);
    assert_eq!((status(&server.token), status(&other.token)), (401, 200));
    // one that others can read is no secret
    fs::set_permissions(&server.kept, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(status(&other.token), 401);
    fs::set_permissions(&server.kept, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(status(&other.token), 200);
    fs::remove_file(&server.kept).unwrap();
    assert_eq!((status(&server.token), status(&other.token)), (401, 401));
}
