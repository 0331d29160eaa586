//! A server of the Model Context Protocol that wants a login, who gives it, and a browser: the official SDK, `oidc-provider`, as
//! `tests/setup` installs them, and `curl`.

use crate::{Place, root, target};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Where `tests/setup` installs what is needed.
pub fn modules() -> PathBuf {
    let modules = target().join("../mcp-logins");
    assert!(modules.join("installed").is_file(), "{} is not there: tests/setup", modules.display());
    modules.canonicalize().expect("it is there")
}

/// The server and the provider (`tests/agent/mcp/login/provider.mjs`), until this is dropped.
pub struct Provider {
    child: Child,
    /// The address of the server.
    pub mcp: String,
    /// The address of the provider.
    pub issuer: String,
}

impl Provider {
    /// Start both; `how` says what they do wrong.
    pub fn start(how: &str) -> Self {
        let modules = modules();
        let mut command = Command::new(modules.join("node_modules/node/bin/node"));
        command.arg(root().join("tests/agent/mcp/login/provider.mjs")).arg(modules).arg(how);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("node starts");
        let line = child.stdout.take().and_then(|stdout| BufReader::new(stdout).lines().next());
        let line = line.expect("it says where they are").expect("in text");
        let at: Value = serde_json::from_str(&line).expect("in JSON");
        let text = |name: &str| at[name].as_str().expect("an address").to_owned();
        Self { child, mcp: text("mcp"), issuer: text("issuer") }
    }

    /// The host and the port of the provider, as somebody names it who knows it.
    pub fn site(&self) -> &str {
        self.issuer.strip_prefix("http://").expect("it is on this computer")
    }

    /// What the server says at a path of its own.
    pub fn at(&self, path: &str) -> String {
        let url = self.mcp.replace("/mcp", path);
        let got = Command::new("curl").args(["-sf", &url]).output().expect("curl starts");
        assert!(got.status.success(), "{url}");
        String::from_utf8_lossy(&got.stdout).into_owned()
    }

    /// What both were asked, in order.
    pub fn seen(&self) -> Vec<String> {
        serde_json::from_str(&self.at("/seen")).expect("it answers with a list")
    }

    /// How often they were asked what begins so.
    pub fn count(&self, what: &str) -> usize {
        self.seen().iter().filter(|seen| seen.starts_with(what)).count()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // one that has ended by itself is no trouble
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `PATH` on which the desktop has a browser that goes where it is sent, with its cookies. It is only used where there is a
/// screen, as `DISPLAY` says.
pub fn browser(place: &Place) -> String {
    let folder = place.path("browser");
    fs::create_dir(&folder).expect("a new folder");
    let opener = folder.join("xdg-open");
    let jar = folder.join("cookies");
    let follows = format!("#!/bin/sh\nexec curl -s -L -o /dev/null -c '{0}' -b '{0}' \"$1\"\n", jar.display());
    fs::write(&opener, follows).expect("the place can be written");
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", folder.display())
}
