//! Files of the granted folders as resources, and that no address leads out of them.

use crate::kit::{Client, place};
use serde_json::json;
use std::{fs, os::unix::fs::symlink};

#[test]
fn files_are_listed_and_read() {
    let (place, folder) = place();
    fs::create_dir(folder.join("deep")).unwrap();
    fs::write(folder.join("deep/ä 100%.bin"), [0_u8, 159, 146, 150]).unwrap();
    let mut client = Client::greeted(&place, &["--read-only", "--folder", folder.to_str().unwrap()], false);
    let list = client.request("resources/list", json!({}));
    let uris: Vec<&str> =
        list["resources"].as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap()).collect();
    assert_eq!(
        uris,
        [
            "deskhand://files/papers/a.txt",
            "deskhand://files/papers/b.txt",
            "deskhand://files/papers/c.md",
            "deskhand://files/papers/deep/%C3%A4%20100%25.bin",
        ]
    );
    let read =
        |client: &mut Client, uri: &str| client.request("resources/read", json!({"uri": uri}))["contents"][0].clone();
    assert_eq!(read(&mut client, uris[0]), json!({"uri": uris[0], "mimeType": "text/plain", "text": "the same\n"}));
    let binary = read(&mut client, uris[3]);
    assert_eq!(binary["blob"], "AJ+Slg==");
    let templates = client.request("resources/templates/list", json!({}));
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "deskhand://files/{folder}/{+path}");
    client.leave();
    let log = place.deskhand(["log", "--task", "1", "--limit", "0"]).ok();
    assert!(log.contains("the client tester may read"), "{log}");
}

#[test]
fn many_files_come_in_pages() {
    let (place, folder) = place();
    for number in 0..1200 {
        fs::write(folder.join(format!("{number:04}.txt")), "x").unwrap();
    }
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    let (mut count, mut pages, mut cursor) = (0, 0, json!(null));
    loop {
        let params = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
        let page = client.request("resources/list", params);
        count += page["resources"].as_array().unwrap().len();
        pages += 1;
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((count, pages), (1203, 3));
    for cursor in ["x", "9:", "0:nonsense", ":"] {
        assert_eq!(client.refused("resources/list", json!({"cursor": cursor})).0, -32602, "{cursor}");
    }
    client.leave();
}

#[test]
fn no_address_leads_out() {
    let (place, folder) = place();
    fs::write(place.path("home/secret.txt"), "secret").unwrap();
    symlink(place.path("home/secret.txt"), folder.join("link.txt")).unwrap();
    symlink(place.path("home"), folder.join("linked")).unwrap();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    for uri in [
        "deskhand://files/papers/../secret.txt",
        "deskhand://files/papers/%2e%2e/secret.txt",
        "deskhand://files/papers/%2E%2E%2Fsecret.txt",
        "deskhand://files/papers/..%2fsecret.txt",
        "deskhand://files/papers//etc/passwd",
        "deskhand://files//etc/passwd",
        "deskhand://files/../../etc/passwd",
        "deskhand://files/papers/link.txt",
        "deskhand://files/papers/linked/secret.txt",
        "deskhand://files/papers/a.txt%00",
        "deskhand://files/papers/%EF%9C%AE%EF%9C%AE/secret.txt",
        "deskhand://files/papers",
        "deskhand://files/",
        "deskhand://skills/research/../../etc/passwd",
        "file:///etc/passwd",
        "",
    ] {
        let (code, _) = client.refused("resources/read", json!({"uri": uri}));
        assert!(matches!(code, -32002 | -32602 | -32603), "{uri}: {code}");
    }
    fs::write(folder.join("large.bin"), vec![b'x'; (4 << 20) + 1]).unwrap();
    let (_, reason) = client.refused("resources/read", json!({"uri": "deskhand://files/papers/large.bin"}));
    assert!(reason.contains("4194305 bytes"), "{reason}");
    client.leave();
}

#[test]
fn a_grant_that_is_taken_back_holds_no_more() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    let uri = json!({"uri": "deskhand://files/papers/a.txt"});
    client.request("resources/read", uri.clone());
    let grants = place.deskhand(["grants", "--json"]).ok();
    let grant: serde_json::Value = serde_json::from_str(grants.lines().next().unwrap()).unwrap();
    place.deskhand(["revoke", &grant["id"].to_string()]).ok();
    let (_, reason) = client.refused("resources/read", uri);
    assert!(reason.contains("rule `grant`"), "{reason}");
    client.leave();
}

#[test]
fn what_one_client_is_given_no_other_has() {
    let (place, folder) = place();
    let kept = ["--always", "--folder", folder.to_str().unwrap()];
    let files = |name, options: &[&str]| {
        let mut client = Client::start_as(name, &place, options);
        client.greet(false);
        let count = client.request("resources/list", json!({}))["resources"].as_array().unwrap().len();
        (client, count)
    };
    let (given, count) = files("editor", &kept);
    assert_eq!(count, 3);
    // while the first is served, and after it; under another name, and under the same without the folder
    let (mut other, count) = files("browser", &[]);
    assert_eq!(count, 0);
    let uri = json!({"uri": "deskhand://files/papers/a.txt"});
    let nothing = "there is no resource `deskhand://files/papers`";
    assert_eq!(other.refused("resources/read", uri.clone()), (-32002, nothing.to_owned()));
    given.leave();
    assert_eq!(other.refused("resources/read", uri), (-32002, nothing.to_owned()));
    other.leave();
    let (again, count) = files("editor", &[]);
    assert_eq!(count, 0);
    again.leave();
}
