//! On a computer with a keyring, logins lie there and in no file.

use super::{browser, files_with, shop, tokens};
use deskhand_tests::{Ran, keyring::session};

#[test]
fn a_login_lies_in_the_keyring_until_it_is_ended() {
    let (desk, provider) = shop("well");
    let login = format!("\"$0\" mcp login shop --at {}", provider.site());
    let rest = "\"$0\" mcp test shop\n\"$0\" mcp list\ncat ../deskhand/data/logins.json\n\
                \"$0\" mcp logout shop\n\"$0\" mcp test shop\necho code $?\n";
    let mut command = session(&desk.place, &format!("{login}\n{rest}"));
    let ran = Ran::of(command.env("DISPLAY", ":9").env("PATH", browser(&desk.place)).output().unwrap());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let lines = [
        "You are logged in to `shop`, by 127.0.0.1. It allows `read`.\nIt lies in the system's keyring.\n",
        ": shop 1.0, with 2 tools,",
        "  may be sent to, logged in by 127.0.0.1\n",
        "\"place\": \"keyring:shop\"",
        "You are logged out of `shop`: the login is ended, and forgotten here.\ncode 1\n",
        "The MCP server `shop` wants a login. Log in with: deskhand mcp login shop\n",
    ];
    assert_eq!(lines.map(|line| said.contains(line)), [true; 6], "{said}");
    assert_eq!(provider.count("provider POST /token/revocation"), 2);
    // the keyring's own file is encrypted
    assert!(!tokens(&desk).exists());
    assert_eq!(files_with(desk.place.dir.path(), "refresh_token"), Vec::<String>::new());
}
