//! Where one logs in is shown by name before anything is sent there, unless it is where the server itself is.

use super::{Waiting, browse, log_in, shop, state};
use crate::terminal::Terminal;

/// A part of the question that no terminal breaks.
const QUESTION: &str = "log in at localhost";

/// What is said where something waits for the person to agree.
fn nothing_sent(host: &str, site: &str) -> String {
    format!(
        "You are not logged in to the MCP server `shop`: nothing was sent to {host}: the MCP server `shop` has you log in there, which is somewhere else, and nobody is here to agree to that. If you know it, say so with: deskhand mcp login shop --at {site}\n"
    )
}

#[test]
fn somewhere_else_is_not_gone_to_where_nobody_agrees() {
    let (desk, provider) = shop("elsewhere");
    let ran = Waiting::begin(&desk, &[]).end();
    assert_eq!((ran.code, ran.stderr), (3, nothing_sent("localhost", provider.site())));
    let mut terminal = Terminal::run(&desk.place, &["mcp", "login", "shop", "--no-browser"], &[]);
    terminal.wait(QUESTION).press("n\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, 4, "{screen}");
    assert_eq!(provider.count("provider"), 0);
}

#[test]
fn somewhere_else_is_gone_to_once_the_person_agrees_and_is_kept_as_agreed() {
    let (desk, provider) = shop("elsewhere");
    let mut terminal = Terminal::run(&desk.place, &["mcp", "login", "shop", "--no-browser"], &[]);
    terminal.wait(QUESTION).press("y\r");
    terminal.wait("Open this address in a browser, and log in to `shop` there:").wait("Ctrl-C ends it.");
    let screen: String = terminal.screen().split_whitespace().collect();
    let (_, address) = screen.split_once("there:").unwrap();
    let address = address.split("Deskhandwaits").next().unwrap();
    assert_eq!(browse(&desk, address), "200");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(screen.matches(QUESTION).count(), 1, "{screen}");
    assert_eq!(state(&desk), "may be sent to, logged in by localhost");
    // the login is renewed there without another question
    super::let_it_be_over(&desk);
    assert!(desk.deskhand(&["mcp", "test", "shop"]).ok().contains("2 tools"));
    assert_eq!(provider.count("token refresh_token"), 1);
}

#[test]
fn a_host_that_the_person_names_is_not_asked_about() {
    let (desk, provider) = shop("elsewhere");
    log_in(&desk, &provider, &[]).ok();
    assert_eq!(state(&desk), "may be sent to, logged in by localhost");
}

/// Each port of this computer is another program, whatever the host is called.
#[test]
fn another_program_of_this_computer_is_somewhere_else() {
    let (desk, provider) = shop("well");
    let ran = Waiting::begin(&desk, &[]).end();
    assert_eq!((ran.code, ran.stderr), (3, nothing_sent("127.0.0.1", provider.site())));
    // nor does an agreement to one say anything of the others
    let other =
        Waiting::begin(&desk, &["--at", "127.0.0.1:1", "--at", &provider.site().replace("127.0.0.1", "localhost")]);
    assert_eq!(other.end().code, 3);
    let mut terminal = Terminal::run(&desk.place, &["mcp", "login", "shop", "--no-browser"], &[]);
    terminal.wait("log in at 127.0.0.1").press("n\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, 4, "{screen}");
    assert_eq!(provider.count("provider"), 0);
}

#[test]
fn this_computer_is_named_with_a_port() {
    let (desk, provider) = shop("well");
    let ran = Waiting::begin(&desk, &["--at", "127.0.0.1"]).end();
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            2,
            "`127.0.0.1` is this computer, where another program is at each port. Name the port as well, as in: deskhand mcp login shop --at 127.0.0.1:8080\n"
        )
    );
    assert_eq!(provider.count("provider"), 0);
}

#[test]
fn what_takes_no_login_is_not_logged_in_to() {
    let desk = crate::kit::Desk::new();
    desk.deskhand(&["mcp", "add", "shop", "--", "true"]).ok();
    let ran = desk.deskhand(&["mcp", "login", "shop"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "The MCP server `shop` is a program on this computer, which takes no login.\n")
    );
    desk.deskhand(&["mcp", "add", "shop", "--yes", "--url", "http://127.0.0.1:1/mcp", "--key-env", "LANG"]).ok();
    let ran = desk.deskhand(&["mcp", "login", "shop"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            2,
            "The MCP server `shop` is given a key, and so takes no login. Without it: deskhand mcp remove shop, and add it anew\n"
        )
    );
}
