//! The MCP servers that a plugin brings. They are shown as rights, whole: whoever agrees to a plugin agrees to which servers it
//! brings, and another program or another argument in a later version is another right.

use super::{Permission, PermissionKind};
use crate::{host::is_here, id::PluginName, text::word};
use serde::{Deserialize, Serialize};

/// A server of the Model Context Protocol: a program, or an address. It is off until the person allows it by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Unique within the plugin; the person calls it `plugin/name`.
    pub name: PluginName,
    /// Why, in the author's words, for the person who decides.
    pub reason: String,
    /// The program: a name that is looked for where the person's own programs are, or a whole path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables of its environment that have the values that they have for the person. Nothing else is in its environment but
    /// `secrets`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Variables of its environment whose values the person is asked for, and that are kept like keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The address of a server that speaks streamable HTTP; over https, and not on the person's own computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Server {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What is wrong, for the author.
    pub fn check(&self) -> Result<(), String> {
        match (&self.command, &self.url) {
            (Some(command), None) => self.check_program(command),
            (None, Some(_)) if !(self.args.is_empty() && self.env.is_empty() && self.secrets.is_empty()) => {
                Err("`args`, `env` and `secrets` are for a program, and this one is at an address".to_owned())
            }
            (None, Some(url)) => check_address(url),
            _ => Err("it has either a `command` or a `url`".to_owned()),
        }
    }

    fn check_program(&self, command: &str) -> Result<(), String> {
        if command.trim().is_empty() || command.contains('/') && !command.starts_with('/') {
            return Err("`command` is the name of a program, or its whole path".to_owned());
        }
        if self.args.iter().any(|given| given.contains('\0')) || command.contains('\0') {
            return Err("what a program is given cannot hold a zero byte".to_owned());
        }
        let is_variable = |name: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !name.is_empty() && name.bytes().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        let mut names: Vec<&String> = self.env.iter().chain(&self.secrets).collect();
        if let Some(wrong) = names.iter().find(|name| !is_variable(name)) {
            return Err(format!("`{}` is not the name of a variable", wrong.escape_debug()));
        }
        names.sort();
        match names.windows(2).find(|two| two[0] == two[1]) {
            Some(two) => Err(format!("the variable {} is named twice", two[0])),
            None => Ok(()),
        }
    }

    /// All of it in a line, which is another for another server: as a person would type it, with the variables before it whose
    /// values are theirs.
    pub fn line(&self) -> String {
        let Some(command) = &self.command else { return self.url.clone().unwrap_or_default() };
        let env = self.env.iter().map(|name| format!("{name}=[yours]"));
        let secrets = self.secrets.iter().map(|name| format!("{name}=[asked for]"));
        let words = std::iter::once(command).chain(&self.args).map(|given| word(given));
        env.chain(secrets).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// That it is brought, as a right.
    pub(super) fn right(&self) -> Permission {
        let scope = vec![format!("{}: {}", self.name, self.line())];
        Permission { kind: PermissionKind::ServersBring, scope, reason: self.reason.clone() }
    }
}

/// An https address (RFC 3986) whose host is plain, with nothing that could pass for another.
fn check_address(url: &str) -> Result<(), String> {
    let wrong = || Err(format!("`{}` is no https address that can be used", url.escape_debug()));
    let Some(rest) = url.strip_prefix("https://") else { return wrong() };
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong();
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) || port.parse::<u16>().is_err() {
        return wrong();
    }
    if is_here(host) {
        return Err(format!("`{url}` is on the person's own computer, where a plugin brings no server"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn program() -> Server {
        Server {
            name: "issues".parse().unwrap(),
            reason: "To read issues.".to_owned(),
            command: Some("uvx".to_owned()),
            args: vec!["issue server".to_owned()],
            env: vec!["PATH".to_owned()],
            secrets: vec!["KEY".to_owned()],
            url: None,
        }
    }

    fn wrong(server: &Server) -> String {
        server.check().err().unwrap_or_default()
    }

    #[test]
    fn a_server_is_a_program_or_an_address() {
        assert_eq!(program().line(), "PATH=[yours] KEY=[asked for] uvx 'issue server'");
        assert_eq!(wrong(&program()), "");
        let either = "it has either a `command` or a `url`";
        assert_eq!(wrong(&Server { url: Some("https://a.example".to_owned()), ..program() }), either);
        assert_eq!(wrong(&Server { command: None, ..program() }), either);
        let command = |command: &str| wrong(&Server { command: Some(command.to_owned()), ..program() });
        for relative in ["", " ", "./run", "bin/run"] {
            assert_eq!(command(relative), "`command` is the name of a program, or its whole path", "{relative}");
        }
        assert_eq!(command("/usr/bin/env"), "");
        assert_eq!(command("a\0"), "what a program is given cannot hold a zero byte");
        let variable = |name: &str| wrong(&Server { env: vec![name.to_owned()], ..program() });
        assert_eq!(variable("A=B"), "`A=B` is not the name of a variable");
        assert_eq!(variable("KEY"), "the variable KEY is named twice");
    }

    #[test]
    fn an_address_is_of_another_computer_and_over_https() {
        let address = |url: &str| {
            let (args, env, secrets) = (Vec::new(), Vec::new(), Vec::new());
            wrong(&Server { command: None, args, env, secrets, url: Some(url.to_owned()), ..program() })
        };
        assert_eq!(address("https://mcp.example.com:8443/mcp?a=b"), "");
        for url in [
            "http://mcp.example.com/",
            "https://",
            "https://me@mcp.example.com/",
            "https://MCP.example.com",
            "https://mcp.example.com\\@evil.example/",
            "https://mcp.example.com:port/",
            "https://[::1]/",
            "https://mcp.example.com/ ",
        ] {
            assert_eq!(address(url), format!("`{}` is no https address that can be used", url.escape_debug()));
        }
        assert!(address("https://localhost/mcp").contains("own computer"));
        let given = Server { command: None, url: Some("https://mcp.example.com".to_owned()), ..program() };
        assert_eq!(wrong(&given), "`args`, `env` and `secrets` are for a program, and this one is at an address");
    }
}
