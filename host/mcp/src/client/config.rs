//! Which server, and how it is reached. Read from the person's settings.

use deskhand_egress::Request;
use deskhand_vocabulary::{Sha256, host::is_here, text::word};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// A server: either a program or an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The program: its path, or a name that is looked for where the person's own programs are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// All that is in its environment, beside `secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Variables of its environment whose values lie elsewhere: where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Whether the program runs in a sandbox, where there is one on this computer.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub sandbox: bool,
    /// Whether the program sees the folders of a task there.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub folders: bool,
    /// What else of this computer the program sees there, and cannot change: files and folders by their whole paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sees: Vec<PathBuf>,
    /// The address of a server that speaks streamable HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where its key lies, which is sent as a bearer token (RFC 6750).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What Deskhand is called where one logs in to the server, where it was registered there by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Where the secret of that client lies, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Further headers. Keys do not belong here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The longest that it may take to start, and to say what it has, in seconds; 60 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_seconds: Option<u64>,
    /// The longest that a call may take, in seconds; 300 where nothing is said. Waiting for the person does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_seconds: Option<u64>,
    /// After how many seconds without a call it is stopped; 300 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
const fn is_yes(value: &bool) -> bool {
    *value
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            secrets: BTreeMap::new(),
            sandbox: true,
            folders: true,
            sees: Vec::new(),
            url: None,
            key: None,
            client_id: None,
            client_secret: None,
            headers: BTreeMap::new(),
            start_seconds: None,
            call_seconds: None,
            idle_seconds: None,
        }
    }
}

/// A server that cannot be used as it is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(String);

/// The longest time that can be set, in seconds: a day.
const LONGEST: u64 = 86_400;

impl ServerConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What is wrong, for the person.
    pub fn check(&self) -> Result<(), BadConfig> {
        let bad = |reason: String| Err(BadConfig(reason));
        match (&self.command, &self.url) {
            (Some(command), None) if command.trim().is_empty() => return bad("`command` is empty".to_owned()),
            (Some(_), None) if self.key.is_some() || self.client_id.is_some() || !self.headers.is_empty() => {
                return bad(
                    "`key`, `client_id` and `headers` are for a server at an address, and this one is a program"
                        .to_owned(),
                );
            }
            _ if self.client_secret.is_some() && self.client_id.is_none() => {
                return bad("`client_secret` belongs to a `client_id`".to_owned());
            }
            _ if self.client_id.is_some() && self.key.is_some() => {
                return bad("a server has either a `key`, or a login with a `client_id`".to_owned());
            }
            (Some(_), None) => self.check_environment()?,
            (None, Some(_)) if !(self.args.is_empty() && self.env.is_empty() && self.secrets.is_empty()) => {
                return bad("`args`, `env` and `secrets` are for a program, and this one is at an address".to_owned());
            }
            (None, Some(_)) if !(self.sandbox && self.folders && self.sees.is_empty()) => {
                let reason = "`sandbox`, `folders` and `sees` are for a program, and this one is at an address";
                return bad(reason.to_owned());
            }
            (None, Some(url)) => self.check_address(url)?,
            _ => return bad("a server has either a `command` or a `url`".to_owned()),
        }
        let times = [self.start_seconds, self.call_seconds, self.idle_seconds];
        match times.into_iter().flatten().find(|seconds| !(1..=LONGEST).contains(seconds)) {
            Some(seconds) => bad(format!("a time is from 1 to {LONGEST} seconds, not {seconds}")),
            None => Ok(()),
        }
    }

    fn check_environment(&self) -> Result<(), BadConfig> {
        let texts = self.args.iter().chain(self.env.values()).chain(&self.command);
        if texts.into_iter().any(|text| text.contains('\0')) {
            return Err(BadConfig("what a program is given cannot hold a zero byte".to_owned()));
        }
        let wrong = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        match self.env.keys().chain(self.secrets.keys()).find(wrong) {
            Some(name) => Err(BadConfig(format!("`{}` is not the name of a variable", name.escape_debug()))),
            None => match self.sees.iter().find(|path| !path.is_absolute()) {
                Some(path) => Err(BadConfig(format!("`sees` has {} in it, which is no whole path", path.display()))),
                None => self.check_variables(),
            },
        }
    }

    fn check_variables(&self) -> Result<(), BadConfig> {
        match self.secrets.keys().find(|name| self.env.contains_key(*name)) {
            Some(name) => Err(BadConfig(format!("the variable {name} stands in `env` and in `secrets`"))),
            None => Ok(()),
        }
    }

    fn check_address(&self, url: &str) -> Result<(), BadConfig> {
        let mut request = Request::get(url).map_err(|error| BadConfig(error.to_string()))?;
        for (name, value) in &self.headers {
            request = request.header(name, value).map_err(|error| BadConfig(error.to_string()))?;
        }
        if self.key.is_some() && !request.is_secure() && !is_here(&request.host()) {
            return Err(BadConfig(
                "a key is only sent over https, or to this computer. Use an https address".to_owned(),
            ));
        }
        Ok(())
    }

    /// The host of its address; none for a program.
    pub fn host(&self) -> Option<String> {
        self.host_and_port().map(|(host, _)| host)
    }

    /// The same with the port.
    pub fn host_and_port(&self) -> Option<(String, u16)> {
        Request::get(self.url.as_deref()?).ok().map(|request| (request.host(), request.port()))
    }

    /// All that says which program runs, and how: what the person agrees to where it runs with their rights. Where secrets lie
    /// is a part of it, what they are is not; nor is what a sandbox shows.
    pub fn setup(&self) -> Sha256 {
        let Self { command, args, env, secrets, .. } = self;
        Sha256::of(json!([command, args, env, secrets]).to_string())
    }

    /// As a person would type it: the program with what it is given, or the address.
    pub fn line(&self) -> String {
        let Some(command) = &self.command else { return self.url.clone().unwrap_or_default() };
        let env = self.env.iter().map(|(name, value)| format!("{name}={}", word(value)));
        let secrets = self.secrets.iter().map(|(name, place)| format!("{name}=[{place}]"));
        let words = std::iter::once(command).chain(&self.args).map(|given| word(given));
        env.chain(secrets).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// The longest that starting and each list may take.
    pub(crate) fn start_limit(&self) -> Duration {
        Duration::from_secs(self.start_seconds.unwrap_or(60))
    }

    /// The longest that a call may take.
    pub(crate) fn call_limit(&self) -> Duration {
        Duration::from_secs(self.call_seconds.unwrap_or(300))
    }

    /// How long it is kept without a call.
    pub(crate) fn idle_limit(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.unwrap_or(300))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> ServerConfig {
        ServerConfig {
            command: Some("uvx".to_owned()),
            args: vec!["mcp-server-git".to_owned()],
            ..ServerConfig::default()
        }
    }

    fn wrong(config: &ServerConfig) -> String {
        config.check().err().map(|bad| bad.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_server_is_a_program_or_an_address() {
        let address = ServerConfig { url: Some("https://mcp.example.com/mcp".to_owned()), ..ServerConfig::default() };
        assert_eq!([wrong(&program()), wrong(&address)], ["", ""]);
        assert_eq!(address.host().as_deref(), Some("mcp.example.com"));
        let either = "a server has either a `command` or a `url`";
        assert_eq!(wrong(&ServerConfig::default()), either);
        assert_eq!(wrong(&ServerConfig { url: address.url.clone(), ..program() }), either);
        let key = Some("env:KEY".to_owned());
        assert_eq!(
            wrong(&ServerConfig { key, ..program() }),
            "`key`, `client_id` and `headers` are for a server at an address, and this one is a program"
        );
        let (client_id, place) = (Some("desk".to_owned()), Some("env:KEY".to_owned()));
        assert_eq!(
            wrong(&ServerConfig { client_id: client_id.clone(), client_secret: place.clone(), ..address.clone() }),
            ""
        );
        assert_eq!(
            wrong(&ServerConfig { client_secret: place.clone(), ..address.clone() }),
            "`client_secret` belongs to a `client_id`"
        );
        assert_eq!(
            wrong(&ServerConfig { client_id, key: place, ..address.clone() }),
            "a server has either a `key`, or a login with a `client_id`"
        );
        assert_eq!(
            wrong(&ServerConfig { args: program().args, ..address.clone() }),
            "`args`, `env` and `secrets` are for a program, and this one is at an address"
        );
        assert_eq!(
            wrong(&ServerConfig { url: Some("ftp://example.com".to_owned()), ..address }),
            "ftp://example.com is not an address that can be used: only http and https can be used"
        );
        let open = |url: &str| {
            wrong(&ServerConfig {
                url: Some(url.to_owned()),
                key: Some("env:KEY".to_owned()),
                ..ServerConfig::default()
            })
        };
        assert_eq!(open("http://127.0.0.1:1/mcp"), "");
        assert_eq!(
            open("http://mcp.example.com/mcp"),
            "a key is only sent over https, or to this computer. Use an https address"
        );
        assert_eq!(
            wrong(&ServerConfig { call_seconds: Some(0), ..program() }),
            "a time is from 1 to 86400 seconds, not 0"
        );
        let variable = |name: &str| BTreeMap::from([(name.to_owned(), "env:A".to_owned())]);
        assert_eq!(wrong(&ServerConfig { env: variable("A=B"), ..program() }), "`A=B` is not the name of a variable");
        assert_eq!(
            wrong(&ServerConfig { env: variable("A"), secrets: variable("A"), ..program() }),
            "the variable A stands in `env` and in `secrets`"
        );
    }

    #[test]
    fn another_program_is_another_setup() {
        let setup = program().setup();
        assert_eq!(ServerConfig { call_seconds: Some(3), ..program() }.setup(), setup);
        let env = BTreeMap::from([("LD_PRELOAD".to_owned(), "x".to_owned())]);
        for other in [
            ServerConfig { args: vec![], ..program() },
            ServerConfig { env: env.clone(), ..program() },
            ServerConfig { secrets: env, ..program() },
        ] {
            assert_ne!(other.setup(), setup);
        }
    }

    #[test]
    fn the_line_is_what_a_person_would_type() {
        let config = ServerConfig {
            args: vec!["a b".to_owned(), "it's".to_owned(), String::new()],
            env: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
            secrets: BTreeMap::from([("KEY".to_owned(), "keyring:git/KEY".to_owned())]),
            ..program()
        };
        assert_eq!(config.line(), r"A=1 KEY=[keyring:git/KEY] uvx 'a b' 'it'\''s' ''");
    }
}
