//! Servers and providers that are careless, broken or after the login of somebody. Nothing is kept of such a login, and nothing
//! of it goes elsewhere.

use super::{Waiting, browse, log_in, shop, state, tokens};
use crate::kit::Desk;
use std::process::Command;

/// How a login with such a provider ends: the code, and what is said.
fn ends(how: &str) -> (i32, String) {
    let (desk, provider) = shop(how);
    let ran = log_in(&desk, &provider, &["--within", "10"]);
    assert_eq!(provider.count("elsewhere"), 0, "{:?}", provider.seen());
    assert!(!tokens(&desk).exists());
    let stderr = ran.stderr.replace(&provider.issuer, "ISSUER").replace(&provider.mcp.replace("/mcp", ""), "SERVER");
    let said = stderr.strip_prefix("You are not logged in to the MCP server `shop`: ").unwrap();
    (ran.code, no_port(said.strip_suffix(".\n").unwrap()))
}

/// Where something else listens is another port each time.
fn no_port(text: &str) -> String {
    match text.split_once("http://localhost:") {
        Some((before, after)) => {
            format!("{before}http://localhost{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        }
        None => text.to_owned(),
    }
}

const GIVEN_UP: &str = "Somebody may be trying to get at the login, so it was given up";

#[test]
fn what_is_not_safe_is_not_begun() {
    for (how, expected) in [
        (
            "no-pkce",
            "127.0.0.1 does not offer to protect the login with PKCE (S256), so nothing was begun there. Ask whoever runs it to switch that on",
        ),
        (
            "insecure",
            "where its tokens are from is `http://auth.example.com/token`, which is neither an https address nor one on this computer, so nothing is sent there",
        ),
        ("issuer-other", &format!("who it logs in with should be ISSUER/, and is https://evil.example. {GIVEN_UP}")),
        (
            "resource-other",
            &format!(
                "what SERVER/.well-known/oauth-protected-resource/mcp says of a login is not for this server. {GIVEN_UP}"
            ),
        ),
    ] {
        assert_eq!(ends(how), (1, expected.to_owned()), "{how}");
    }
}

#[test]
fn nothing_is_sent_on_to_elsewhere() {
    for (how, path) in [
        ("redirects-resource", "/.well-known/oauth-protected-resource/mcp"),
        ("redirects-metadata", "/.well-known/oauth-authorization-server"),
        ("redirects-registration", "/reg"),
        ("redirects-token", "/token"),
    ] {
        let expected = format!("127.0.0.1 points to http://localhost{path}, which is not followed");
        assert_eq!(ends(how), (1, expected), "{how}");
    }
}

#[test]
fn an_answer_of_another_issuer_is_not_traded() {
    assert_eq!(
        ends("iss-wrong"),
        (1, format!("the answer is from https://evil.example, and ISSUER was asked. {GIVEN_UP}"))
    );
    assert_eq!(ends("iss-missing"), (1, format!("ISSUER does not say who it is. {GIVEN_UP}")));
}

#[test]
fn an_answer_that_is_no_token_is_told_without_its_words() {
    for (how, expected) in [
        ("junk", "127.0.0.1 answered with what is no answer to a login"),
        ("huge", "the answer of 127.0.0.1 is larger than the 1048576 bytes that are allowed"),
    ] {
        assert_eq!(ends(how), (1, expected.to_owned()), "{how}");
    }
    let late = "the login was not over within 10 s, and is not waited for any longer";
    assert_eq!(ends("hang"), (3, late.to_owned()));
}

#[test]
fn who_says_no_is_not_logged_in() {
    assert_eq!(ends("declined"), (1, "127.0.0.1 says: Not today. (access_denied)".to_owned()));
}

#[test]
fn where_the_metadata_lies_it_is_found() {
    for how in ["well-known", "openid"] {
        let (desk, provider) = shop(how);
        log_in(&desk, &provider, &[]).ok();
        assert!(desk.deskhand(&["mcp", "test", "shop"]).ok().contains("2 tools"), "{how}");
    }
}

#[test]
fn an_answer_to_something_else_is_turned_away_and_the_wait_goes_on() {
    let (desk, provider) = shop("well");
    let waiting = Waiting::of(&desk, &provider, &[]);
    let landing = waiting.landing();
    assert_eq!(browse(&desk, &format!("{landing}?code=stolen&state=guessed")), "400");
    assert_eq!(browse(&desk, &format!("{landing}?error=access_denied&state=guessed")), "400");
    assert_eq!(browse(&desk, &landing.replace("/callback", "/")), "404");
    assert_eq!(browse(&desk, &waiting.open), "200");
    waiting.end().ok();
    assert_eq!(state(&desk), "may be sent to, logged in by 127.0.0.1");
}

#[test]
fn who_does_not_come_back_is_not_waited_for_without_end() {
    let (desk, provider) = shop("well");
    let ran = Waiting::of(&desk, &provider, &["--within", "1"]).end();
    let late = "You are not logged in to the MCP server `shop`: the login was not over within 1 s, and is not waited for any longer.\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (3, late));
    // nor is who stops it
    let waiting = Waiting::of(&desk, &provider, &[]);
    assert!(Command::new("kill").args(["-INT", &waiting.child.id().to_string()]).status().unwrap().success());
    assert_eq!(waiting.end().code, 130);
    assert_eq!(state(&desk), "may be sent to");
}

#[test]
fn a_server_that_wants_no_login_says_nothing_of_one() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", server.local_addr().unwrap());
    // it ends with the test
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for stream in server.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let desk = Desk::new();
    desk.deskhand(&["mcp", "add", "shop", "--url", &url]).ok();
    let ran = desk.deskhand(&["mcp", "login", "shop"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            1,
            "You are not logged in to the MCP server `shop`: it does not say where to log in. If it takes a key instead, give it one with: deskhand mcp add NAME --key\n"
        )
    );
}
