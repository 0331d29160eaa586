//! A login is renewed where its token is over, once for all who use it, and ends where it cannot be.

use super::{DID, LOG_IN, kept, let_it_be_over, log_in, logged_in, read, state};
use crate::kit::said;
use deskhand_model_server::{Stream, Wire};
use deskhand_tests::deskhand;
use std::process::{Child, Stdio};

#[test]
fn whoever_renews_at_once_takes_up_what_one_of_them_got() {
    let (desk, provider) = logged_in("held");
    let before = kept(&desk);
    let_it_be_over(&desk);
    let decided = || desk.deskhand(&["log", "--json", "--limit", "0"]).ok().matches("\"decided\"").count();
    let already = decided();
    let mut children: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = desk.place.command(deskhand());
            command.args(["mcp", "test", "shop"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    // each has it on record that it may ask the server, and one asks for another token
    let all_are_at_it = || provider.count("token refresh_token") > 0 && decided() >= already + 4;
    assert!((0..500).any(|_| all_are_at_it()), "{} of {already}: {:?}", decided(), provider.seen());
    provider.at("/go");
    provider.at("/how?well");
    let codes: Vec<Option<i32>> = children.iter_mut().map(|child| child.wait().unwrap().code()).collect();
    assert_eq!(codes, [Some(0); 4]);
    assert_eq!(provider.count("token refresh_token"), 1);
    let after = kept(&desk);
    assert_ne!((&before["access_token"], &before["refresh_token"]), (&after["access_token"], &after["refresh_token"]));
}

#[test]
fn a_call_that_is_refused_because_the_token_is_over_is_made_once_it_is_renewed() {
    let (desk, provider) = logged_in("well");
    provider.at("/expire");
    desk.says([read(), said("Read.")]);
    let ran = desk.run(&["read it"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.last_heard().last().unwrap(), DID);
    assert_eq!((provider.count("token refresh_token"), provider.count("called")), (1, 1));
    desk.server.finish();
}

#[test]
fn a_login_that_is_over_is_said_and_one_made_meanwhile_is_taken_up() {
    let (desk, provider) = logged_in("well");
    desk.says([read(), read()]);
    let (stream, opener) = Stream::of(Wire::Anthropic, &read()).gated(2);
    desk.server.then(stream);
    desk.says([said("At last.")]);
    provider.at("/revoke");
    let mut child = desk.begin(&["read it until it works"]);
    assert!((0..2000).any(|_| state(&desk).ends_with("log in with: deskhand mcp login shop")));
    desk.wait_answered(2);
    assert_eq!(desk.last_heard().iter().filter(|line| **line == format!("result: {LOG_IN}")).count(), 2);
    log_in(&desk, &provider, &[]).ok();
    opener.open();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(desk.last_heard().last().unwrap(), DID);
    assert_eq!(provider.count("called"), 1);
}

#[test]
fn a_login_that_nothing_renews_is_asked_for_again() {
    let (desk, _provider) = logged_in("unrenewable");
    let_it_be_over(&desk);
    let test = desk.deskhand(&["mcp", "test", "shop"]);
    assert_eq!((test.code, test.stderr), (1, format!("{}{}\n", "The", &LOG_IN[3..])));
    assert_eq!(state(&desk), "may be sent to, log in with: deskhand mcp login shop");
}

#[test]
fn a_login_that_cannot_be_renewed_just_now_is_kept() {
    let (desk, provider) = logged_in("well");
    let settings = desk.place.path("deskhand/config/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("[mcp.shop]\n", "[mcp.shop]\nstart_seconds = 2\n")).unwrap();
    let_it_be_over(&desk);
    let not_renewed = "The MCP server `shop` was not asked: its login could not be renewed: ";
    for (how, expected) in [
        ("junk", format!("{not_renewed}127.0.0.1 answered with what is no token.\n")),
        ("huge", format!("{not_renewed}the answer of 127.0.0.1 is larger than the 1048576 bytes that are allowed.\n")),
        ("redirects-token", format!("{not_renewed}127.0.0.1 says: status 307.\n")),
        ("hang", "The MCP server `shop` did not start within 2 s, and is not waited for any longer.\n".to_owned()),
    ] {
        provider.at(&format!("/how?{how}"));
        let test = desk.deskhand(&["mcp", "test", "shop"]);
        assert_eq!((test.code, test.stderr), (1, expected), "{how}");
    }
    assert_eq!(provider.count("elsewhere"), 0);
    provider.at("/how?well");
    assert!(desk.deskhand(&["mcp", "test", "shop"]).ok().contains("2 tools"));
}
