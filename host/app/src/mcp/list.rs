//! `deskhand mcp list`, and what is told of a server anywhere.

use super::{
    declared::{Declared, Origin, all},
    login::{Known, LoginStore},
};
use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{columns, line, list},
};
use deskhand_mcp::client::ServerConfig;
use deskhand_permissions::{Duration, Scope};
use deskhand_vocabulary::{ServerName, text::shortened};
use serde::Serialize;

/// The most characters of a program in a list.
const PROGRAM: usize = 60;

/// A server, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: ServerName,
    /// Its program as a person would type it, or its address.
    reached: String,
    /// The host of its address.
    host: Option<String>,
    from: Origin,
    /// What the person has to give before it can be used.
    lacks: Vec<String>,
    consent: Consent,
    login: Login,
}

/// Whether the person is logged in to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Login {
    /// It has not wanted a login.
    None,
    /// It wants one.
    Wanted,
    /// There is one, made with this host.
    At(String),
}

impl Login {
    fn of(desk: &Desk, name: &ServerName) -> Result<Self> {
        let known = LoginStore::of(&desk.home).known(name).map_err(Failure::failed)?;
        Ok(match known {
            None => Self::None,
            Some(known) if !known.is_there() => Self::Wanted,
            Some(Known { at, .. }) => Self::At(at),
        })
    }
}

/// Whether it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Consent {
    /// Its program runs in a sandbox, and needs no agreement or has it.
    Confined,
    /// The person agreed, until they take it back.
    Given,
    /// The person is asked at the next task; until then it is off.
    Asked,
}

impl Row {
    pub(super) fn of(desk: &Desk, server: &Declared) -> Result<Self> {
        let wanted = scope(&server.name, &server.config);
        let grants = desk.gate()?.grants()?;
        let given = grants.iter().any(|grant| grant.scope == wanted && grant.duration == Duration::Always);
        let consent = match given || server.plugin().is_none() {
            true if is_confined(desk, &server.config) => Consent::Confined,
            _ if given => Consent::Given,
            _ => Consent::Asked,
        };
        Ok(Self {
            name: server.name.clone(),
            reached: server.config.line(),
            host: server.config.host(),
            from: server.origin.clone(),
            lacks: server.lacks.clone(),
            consent,
            login: Login::of(desk, &server.name)?,
        })
    }

    /// Whether its program runs in a sandbox, and needs no further agreement.
    pub(super) fn is_confined(&self) -> bool {
        self.consent == Consent::Confined
    }

    pub(super) fn print(&self) {
        output::text(&format!("{}\n", serde_json::to_string(self).unwrap_or_default()));
    }

    /// Whether it may be used, in a sentence.
    pub(super) fn consent_said(&self) -> String {
        let name = &self.name;
        match (&self.host, self.consent) {
            (_, Consent::Confined) => {
                "It runs in a sandbox: it sees the folders of a task, what it writes there is a proposal, and you are asked before \
                 it sends anything.\n"
                    .to_owned()
            }
            (None, Consent::Given) => "It may run as you, as you agreed.\n".to_owned(),
            (None, Consent::Asked) => {
                format!("It is off until you agree to it: deskhand mcp allow {name}\n")
            }
            (Some(host), Consent::Given) => format!("What the agent asks of it may go to {host}, as you agreed.\n"),
            (Some(host), Consent::Asked) => {
                format!(
                    "Before it is used you are asked whether something may go to {host}. Agree in advance: deskhand mcp allow {name}\n"
                )
            }
        }
    }

    /// True if it is used in no task until the person does something.
    pub(super) const fn is_off(&self) -> bool {
        !self.lacks.is_empty() || matches!((&self.host, self.consent), (None, Consent::Asked))
    }

    /// True if it wants a login that is not there.
    pub(super) fn wants_login(&self) -> bool {
        self.login == Login::Wanted
    }

    /// Whether it may be used, in a few words.
    pub(super) fn state(&self) -> String {
        let consent = match (&self.host, self.consent) {
            _ if !self.lacks.is_empty() => return format!("off until you give {}", list(&self.lacks)),
            (_, Consent::Confined) => "in a sandbox",
            (None, Consent::Given) => "may run as you",
            (None, Consent::Asked) => "off until you agree",
            (Some(_), Consent::Given) => "may be sent to",
            (Some(_), Consent::Asked) => "asks first",
        };
        match &self.login {
            Login::None => consent.to_owned(),
            Login::Wanted => format!("{consent}, log in with: deskhand mcp login {}", self.name),
            Login::At(at) => format!("{consent}, logged in by {at}"),
        }
    }

    fn cells(&self) -> Vec<String> {
        let from = match &self.from {
            Origin::Settings => "you".to_owned(),
            Origin::Plugin(plugin) => plugin.to_string(),
        };
        [self.name.as_str(), &shortened(&self.reached, PROGRAM), &from, &self.state()].map(line).to_vec()
    }
}

/// Whether its program runs in a sandbox on this computer.
pub(super) fn is_confined(desk: &Desk, config: &ServerConfig) -> bool {
    config.command.is_some() && config.sandbox && crate::sandbox::available(desk).is_ok()
}

/// What has to be granted for a server to be used.
pub(super) fn scope(name: &ServerName, config: &ServerConfig) -> Scope {
    match config.host() {
        Some(host) => Scope::Host { host },
        None => Scope::Server { server: name.clone(), setup: config.setup() },
    }
}

pub(super) fn run(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let rows: Vec<Row> = all(&desk)?.values().map(|server| Row::of(&desk, server)).collect::<Result<_>>()?;
    if options.json {
        rows.iter().for_each(Row::print);
    } else if rows.is_empty() {
        output::text("There is no MCP server yet. Add one, such as: deskhand mcp add git -- uvx mcp-server-git\n");
    } else {
        let heading = ["NAME", "PROGRAM OR ADDRESS", "FROM", "STATE"].map(str::to_owned).to_vec();
        output::text(&columns(&std::iter::once(heading).chain(rows.iter().map(Row::cells)).collect::<Vec<_>>()));
    }
    Ok(Exit::Done)
}
