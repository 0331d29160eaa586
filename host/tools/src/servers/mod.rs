//! MCP servers, as a model uses them. What they have is looked up and never listed in a request: only the servers know it, and
//! one that nobody needs is not started. What they say of themselves and what they answer is data; each call is decided on
//! with its arguments.

mod answers;
mod find;
mod host;

pub use host::TaskHost;

use crate::{arguments, own::NotDone};
use answers::{not_answered, output};
use deskhand_agent::tool::{Call, Effect, Outcome, Output, Tool, Tools};
use deskhand_mcp::client::{McpError, Offer, Opening, Server};
use deskhand_permissions::{
    Context, Gate, Permit, Refused, Scope,
    effect::{CallServerTool, ConfineServer, Connect, Described, ReadServer, StartServer},
};
use deskhand_vocabulary::{ServerName, Stop, Unanswered, text::shortened};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};
use tokio::runtime::Handle;

const FIND: &str = "mcp_find";
const CALL: &str = "mcp_call";
const READ: &str = "mcp_read";

/// See the module.
pub struct ServerTools {
    servers: Arc<[Arc<Server>]>,
    gate: Arc<Gate>,
    context: Context,
    handle: Handle,
    /// What the servers that were too slow to say what they have did not do in time.
    slow: Mutex<BTreeMap<ServerName, String>>,
}

impl fmt::Debug for ServerTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTools").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// See [`FIND`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindArguments {
    /// Words of what it should do or hold.
    query: String,
    /// Only of this server.
    #[serde(default)]
    server: Option<String>,
}

/// See [`CALL`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallArguments {
    /// A name that mcp_find gave, `server/tool`.
    tool: String,
    /// What it takes.
    #[schemars(schema_with = "object")]
    arguments: Value,
}

/// See [`READ`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArguments {
    /// Of which server.
    server: String,
    /// The address of a resource.
    #[serde(default)]
    resource: Option<String>,
    /// Or the name of a prompt.
    #[serde(default)]
    prompt: Option<String>,
    /// What the prompt takes.
    #[serde(default)]
    #[schemars(schema_with = "object")]
    arguments: Map<String, Value>,
}

fn object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "description": "What it takes." })
}

impl ServerTools {
    /// Of these servers, in the name of `context`. `handle` is of a runtime with time and network.
    pub fn new(servers: Arc<[Arc<Server>]>, gate: Arc<Gate>, context: Context, handle: Handle) -> Self {
        Self { servers, gate, context, handle, slow: Mutex::default() }
    }

    fn server(&self, name: &str) -> Result<&Arc<Server>, NotDone> {
        self.servers.iter().find(|server| server.name().as_str() == name).ok_or_else(|| {
            let known: Vec<String> = self.servers.iter().map(|server| format!("`{}`", server.name())).collect();
            NotDone::failed(format!("there is no MCP server `{}`; there are {}", shortened(name, 64), known.join(", ")))
        })
    }

    /// The server and the tool that a name means: the longest name of a server that it begins with, for that of one which a plugin
    /// brings has a slash itself.
    fn named<'t>(&self, tool: &'t str) -> Option<(&'t str, &'t str)> {
        let known = |server: &str| self.servers.iter().any(|one| one.name().as_str() == server);
        let split = |(at, _)| (&tool[..at], &tool[at + 1..]);
        let all = tool.match_indices('/').map(split);
        all.rev().find(|(server, _)| known(server)).or_else(|| tool.split_once('/'))
    }

    /// Have it decided whether the way to a server is opened.
    fn opening(&self, server: &Server) -> Result<Opening, NotDone> {
        let (name, config) = (server.name(), server.config());
        let waits = format!("the MCP server `{name}` waits for you to agree to it (deskhand mcp allow {name})");
        if let Some(host) = config.host() {
            return Ok(Opening::Address(self.decided(Connect::to(&host), waits)?));
        }
        if matches!(self.handle.block_on(server.is_confined()), Ok(true)) {
            return Ok(Opening::Confined(
                self.decided(ConfineServer::of(name, config.setup(), &config.line()), waits)?,
            ));
        }
        let start = StartServer::of(name, config.setup(), &config.line());
        Ok(Opening::Program(self.decided(start, waits)?))
    }

    /// A permit; where nobody is there to be asked, `waits` says what waits for them.
    fn decided<E: deskhand_permissions::Effect>(&self, effect: E, waits: String) -> Result<Permit<E>, NotDone> {
        match self.gate.permit(&self.context, effect) {
            Err(Refused::Unanswered(Unanswered::Absent)) => Err(NotDone::parked(waits)),
            decided => Ok(decided?),
        }
    }

    fn offer(&self, server: &Server, stop: &Stop) -> Result<Arc<Offer>, NotDone> {
        let opening = self.opening(server)?;
        self.handle.block_on(server.offer(opening, stop)).map_err(|error| not_answered(&error, false))
    }

    fn call_tool(&self, CallArguments { tool, arguments }: CallArguments, stop: &Stop) -> Result<Output, NotDone> {
        let wrong = || NotDone::failed("`tool` is the server and the tool with a slash between, as mcp_find gave it");
        let (server, name) = self.named(&tool).ok_or_else(wrong)?;
        let server = self.server(server)?;
        let offer = self.offer(server, stop)?;
        let missing = || {
            let name = shortened(name, 100);
            NotDone::failed(format!(
                "the MCP server `{}` has no tool `{name}`; mcp_find finds those that it has",
                server.name()
            ))
        };
        let tool = offer.tools.iter().find(|tool| tool.name == name).ok_or_else(missing)?;
        let arguments = if arguments.is_null() { json!({}) } else { arguments };
        arguments::fit(&tool.schema, &arguments).map_err(NotDone::failed)?;
        let described = Described {
            tool: tool.name.clone(),
            description: tool.description.clone(),
            reads_only: tool.reads_only,
            offer: tool.digest,
            changed: self.allowed_before(server, tool)?,
        };
        let waits = format!("the agent wants to call the tool `{}` of the MCP server `{}`", tool.name, server.name());
        let permit = self.decided(CallServerTool::of(server.name(), described, arguments), waits)?;
        let opening = self.opening(server)?;
        self.answered(server, server.call(opening, permit, stop))
    }

    /// Whether the person allowed the tool when the server described it otherwise.
    fn allowed_before(&self, server: &Server, tool: &deskhand_mcp::client::Tool) -> Result<bool, NotDone> {
        let grants = self.gate.grants().map_err(|error| NotDone::failed(error.to_string()))?;
        let mut allowed = grants.iter().filter_map(|grant| match &grant.scope {
            Scope::ServerTool { server: s, tool: t, offer } if s == server.name() && *t == tool.name => Some(*offer),
            _ => None,
        });
        Ok(allowed.any(|offer| offer != tool.digest))
    }

    fn read(&self, arguments: ReadArguments, stop: &Stop) -> Result<Output, NotDone> {
        let server = self.server(&arguments.server)?;
        let (what, is_prompt) = match (&arguments.resource, &arguments.prompt) {
            (Some(address), None) => (address, false),
            (None, Some(name)) => (name, true),
            _ => return Err(NotDone::failed("give either `resource` or `prompt`")),
        };
        let waits = format!("the agent wants to read `{}` of the MCP server `{}`", shortened(what, 100), server.name());
        let permit = self.decided(ReadServer::of(server.name(), what), waits)?;
        let opening = self.opening(server)?;
        if is_prompt {
            return self.answered(server, server.prompt(opening, permit, arguments.arguments, stop));
        }
        self.answered(server, server.read(opening, permit, stop))
    }

    /// What comes of a call that is made.
    fn answered(
        &self,
        server: &Server,
        answer: impl Future<Output = Result<deskhand_mcp::client::Answer, McpError>>,
    ) -> Result<Output, NotDone> {
        let (answer, nobody) = self.handle.block_on(async { (answer.await, server.nobody_was_there().await) });
        if nobody {
            let reason = format!(
                "the MCP server `{}` has a question for the person, and nobody is there to answer it",
                server.name()
            );
            return Err(NotDone::parked(reason));
        }
        answer.map(|answer| output(server.name(), answer)).map_err(|error| not_answered(&error, true))
    }
}

impl Tools for ServerTools {
    fn tools(&self) -> Vec<Tool> {
        if self.servers.is_empty() {
            return Vec::new();
        }
        let names: Vec<String> = self.servers.iter().map(|server| format!("`{}`", server.name())).collect();
        let find = format!(
            "Find what the person's MCP servers have, by what it does or holds: tools with descriptions and schemas, resources, \
             prompts. There are the servers {}.",
            names.join(", ")
        );
        let call = "Call a tool that mcp_find found, with arguments that fit its schema. The person is asked unless they allowed it.";
        let read = "Read a resource that mcp_find found, or have a prompt made.";
        vec![
            Tool::new(FIND, &find, arguments::schema::<FindArguments>(), Effect::Read),
            Tool::new(CALL, call, arguments::schema::<CallArguments>(), Effect::Change),
            Tool::new(READ, read, arguments::schema::<ReadArguments>(), Effect::Read),
        ]
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let given = &call.arguments;
        let done = match call.tool.as_str() {
            FIND => arguments::read(given).map_err(NotDone::failed).and_then(|given| self.find(&given, stop)),
            CALL => arguments::read(given).map_err(NotDone::failed).and_then(|given| self.call_tool(given, stop)),
            READ => arguments::read(given).map_err(NotDone::failed).and_then(|given| self.read(given, stop)),
            other => Err(NotDone::new(Outcome::Failed, format!("there is no tool `{other}`"))),
        };
        done.unwrap_or_else(NotDone::output)
    }
}
