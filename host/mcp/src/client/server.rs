//! A server that the person added: started when it is first needed, stopped when it idles, started again when it died.

use super::{
    answer::Answer,
    config::ServerConfig,
    connection::Connection,
    error::McpError,
    handler::Handler,
    host::{Change, Host},
    http::{Proof, Way},
    login::Session,
    offer::{self, MOST, Offer, Prompt, Resource, Tool},
    program::{self, Program, find},
    sandbox::{Sandbox, Wrote},
};
use deskhand_confine::Unavailable;
use deskhand_egress::{Outlet, Secret};
use deskhand_permissions::{
    Permit,
    effect::{CallServerTool, ConfineServer, Connect, ReadServer, StartServer},
};
use deskhand_vocabulary::{ServerName, Stop};
use http::{HeaderName, HeaderValue};
use rmcp::{
    model::{
        CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequest, GetPromptRequestParams,
        ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest, ListToolsRequest,
        PaginatedRequestParams, ReadResourceRequest, ReadResourceRequestParams, ServerResult,
    },
    transport::streamable_http_client::StreamableHttpClientTransportConfig,
};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How often starting and listing are tried.
const TRIES: u32 = 2;
/// The most pages that are asked for to get one list.
const PAGES: usize = 100;
/// How often it is looked whether a server idles, at the most.
const LOOK: Duration = Duration::from_secs(5);

/// Where the values of secrets come from.
pub trait Secrets: Send + Sync {
    /// What lies at a place of the settings, or why nothing does, for the person.
    fn secret(&self, place: &str) -> Result<Secret, String>;
}

/// What a server stands on.
#[derive(Clone)]
pub struct Parts {
    /// Whoever uses it.
    pub host: Arc<dyn Host>,
    /// Where the values of secrets come from.
    pub secrets: Arc<dyn Secrets>,
    /// The way out, for a server at an address.
    pub outlet: Outlet,
    /// The login to it, where it is at an address and has no key.
    pub login: Option<Session>,
    /// The program that has [`super::watch_main`].
    pub watcher: PathBuf,
    /// Where programs are looked for, as `PATH` says it.
    pub path: Option<OsString>,
    /// The sandbox of programs.
    pub sandbox: Arc<Sandbox>,
}

/// What it takes to open the way to a server.
#[derive(Debug)]
pub enum Opening {
    /// To run its program with the rights of the person.
    Program(Permit<StartServer>),
    /// To run its program in a sandbox.
    Confined(Permit<ConfineServer>),
    /// To send to its host.
    Address(Permit<Connect>),
}

/// See the module. Share it by [`Arc`].
pub struct Server {
    name: ServerName,
    config: ServerConfig,
    parts: Parts,
    state: Mutex<State>,
    /// Itself, for who looks whether it idles.
    own: Weak<Self>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    offer: Option<Arc<Offer>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Server {
    /// Nothing is started yet.
    pub fn new(name: ServerName, config: ServerConfig, parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|own| Self { name, config, parts, state: Mutex::default(), own: own.clone() })
    }

    /// What the person calls it.
    pub const fn name(&self) -> &ServerName {
        &self.name
    }

    /// How it is reached.
    pub const fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether its program runs in a sandbox: it is to, and there is one on this computer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn is_confined(&self) -> Result<bool, Unavailable> {
        if self.config.command.is_none() || !self.config.sandbox {
            return Ok(false);
        }
        self.parts.sandbox.is_there().await.map(|()| true)
    }

    /// Where its program finds the folders of the task in its sandbox, with their names; empty where it does not run.
    pub async fn folders(&self) -> Vec<(PathBuf, String)> {
        let state = self.state.lock().await;
        state.connection.as_ref().map(|connection| connection.folders().to_vec()).unwrap_or_default()
    }

    /// What it has, asked for where that is not known. Starts it where it is not ready.
    ///
    /// # Errors
    /// It could not be started, or does not say what it has. Both were tried twice.
    pub async fn offer(&self, opening: Opening, stop: &Stop) -> Result<Arc<Offer>, McpError> {
        let mut state = self.state.lock().await;
        let connection = self.ready(&mut state, opening, stop).await?;
        self.listed(&mut state, &connection, stop).await.map_err(|error| self.told(error))
    }

    /// Call a tool, once.
    ///
    /// # Errors
    /// It could not be started, there is no such tool, or there is no answer; [`McpError::may_have_happened`] tells whether
    /// the call may have had its effect all the same.
    pub async fn call(
        &self,
        opening: Opening,
        permit: Permit<CallServerTool>,
        stop: &Stop,
    ) -> Result<Answer, McpError> {
        let (server, tool, arguments) = permit.redeem().into_call();
        self.is_meant(&server)?;
        let connection = self.connected(opening, stop).await?;
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let answer = match self.asked(&connection, request, stop).await {
            Ok(ServerResult::CallToolResult(result)) => {
                Ok(Answer::of(result.content, result.structured_content, result.is_error == Some(true)))
            }
            Ok(_) => Err(self.nonsense("result of a tool")),
            Err(error) => Err(error),
        };
        // whether it answered or not
        let wrote = connection.take().await;
        self.tell(&wrote);
        answer.map(|answer| Answer { wrote, ..answer })
    }

    fn tell(&self, wrote: &Wrote) {
        if !wrote.is_nothing() {
            self.parts.host.wrote(&self.name, wrote);
        }
    }

    /// Read a resource, once.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn read(&self, opening: Opening, permit: Permit<ReadServer>, stop: &Stop) -> Result<Answer, McpError> {
        let (server, address) = permit.redeem().into_what();
        self.is_meant(&server)?;
        let connection = self.connected(opening, stop).await?;
        let params = ReadResourceRequestParams::new(address);
        let request = ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params));
        match self.asked(&connection, request, stop).await? {
            ServerResult::ReadResourceResult(result) => Ok(Answer::resource(result.contents)),
            _ => Err(self.nonsense("resource")),
        }
    }

    /// Have a prompt made, once.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn prompt(
        &self,
        opening: Opening,
        permit: Permit<ReadServer>,
        arguments: Map<String, Value>,
        stop: &Stop,
    ) -> Result<Answer, McpError> {
        let (server, name) = permit.redeem().into_what();
        self.is_meant(&server)?;
        let connection = self.connected(opening, stop).await?;
        let params = GetPromptRequestParams::new(name).with_arguments(arguments);
        let request = ClientRequest::GetPromptRequest(GetPromptRequest::new(params));
        match self.asked(&connection, request, stop).await? {
            ServerResult::GetPromptResult(result) => Ok(Answer::prompt(result)),
            _ => Err(self.nonsense("prompt")),
        }
    }

    /// Whether the person was asked by it in the last call, and was not there.
    pub async fn nobody_was_there(&self) -> bool {
        let state = self.state.lock().await;
        state.connection.as_ref().is_some_and(|connection| connection.handler().nobody_was_there())
    }

    /// Who it says that it is; empty where it is not ready or does not say.
    pub async fn identity(&self) -> String {
        let state = self.state.lock().await;
        state.connection.as_ref().map(|connection| connection.identity()).unwrap_or_default()
    }

    /// Stop it, where it runs.
    pub async fn close(&self) {
        let connection = self.state.lock().await.connection.take();
        if let Some(connection) = connection {
            self.stop(connection).await;
        }
    }

    /// Stop it, where it runs and sees folders of the task: what is pending is about to be made.
    pub async fn rest(&self) {
        let mut state = self.state.lock().await;
        let Some(connection) = &state.connection else { return };
        if connection.sees_folders().await
            && let Some(connection) = state.connection.take()
        {
            self.stop(connection).await;
        }
    }

    async fn stop(&self, connection: Arc<Connection>) {
        let age = connection.age();
        let wrote = connection.end().await;
        self.parts.host.changed(&self.name, &Change::Stopped, age);
        self.tell(&wrote);
    }

    fn is_meant(&self, server: &ServerName) -> Result<(), McpError> {
        if *server == self.name {
            return Ok(());
        }
        let reason = format!("what was decided is about the server `{server}`");
        Err(McpError::Closed { server: self.name.clone(), reason })
    }

    fn nonsense(&self, what: &'static str) -> McpError {
        McpError::Nonsense { server: self.name.clone(), what }
    }

    async fn connected(&self, opening: Opening, stop: &Stop) -> Result<Arc<Connection>, McpError> {
        let mut state = self.state.lock().await;
        self.ready(&mut state, opening, stop).await
    }

    /// Ask once; the person may be asked for it meanwhile.
    async fn asked(
        &self,
        connection: &Connection,
        request: ClientRequest,
        stop: &Stop,
    ) -> Result<ServerResult, McpError> {
        connection.handler().begin();
        let answer = connection.ask(request, ("answer", self.config.call_limit()), stop).await;
        connection.handler().end();
        answer.map_err(|error| self.told(error))
    }

    /// An error that is for the person to mend; they are told of it.
    fn told(&self, error: McpError) -> McpError {
        let error = match error {
            McpError::LoginWanted { server } if self.config.key.is_some() => McpError::KeyRefused { server },
            error => error,
        };
        if error.wants_login() {
            self.parts.host.changed(&self.name, &Change::Login(error.to_string()), Duration::ZERO);
        }
        error
    }

    /// A connection that works: the one that there is, or a new one.
    async fn ready(&self, state: &mut State, opening: Opening, stop: &Stop) -> Result<Arc<Connection>, McpError> {
        let way = self.opened(opening)?;
        if let Some(connection) = &state.connection {
            let behind = connection.is_behind().await;
            if !connection.is_closed() && !behind {
                return Ok(Arc::clone(connection));
            }
            let (dead, age) = (Arc::clone(connection), connection.age());
            if !connection.is_closed() {
                // what it has does not depend on what is pending
                state.connection = None;
                self.stop(dead).await;
            } else {
                *state = State::default();
                let reason = dead.why_closed().await;
                let wrote = dead.end().await;
                self.parts.host.changed(&self.name, &Change::Died(reason), age);
                self.tell(&wrote);
            }
        }
        let begun = Instant::now();
        let mut tries = 1..=TRIES;
        let connected = loop {
            tries.next();
            match self.connect(&way, stop).await {
                Err(error) if error.is_worth_another_try() && !tries.is_empty() => {}
                connected => break connected,
            }
        };
        match connected {
            Ok(connection) => {
                let connection = Arc::new(connection);
                state.connection = Some(Arc::clone(&connection));
                self.parts.host.changed(&self.name, &Change::Started, begun.elapsed());
                tokio::spawn(stop_when_idle(Weak::clone(&self.own), self.config.idle_limit()));
                Ok(connection)
            }
            Err(error) => {
                let error = self.told(error);
                if !error.wants_login() {
                    self.parts.host.changed(&self.name, &Change::Failed(error.to_string()), begun.elapsed());
                }
                Err(error)
            }
        }
    }

    /// What is to be started or spoken to, if that is what was allowed.
    fn opened(&self, opening: Opening) -> Result<Opened, McpError> {
        let closed = |reason: &str| McpError::Closed { server: self.name.clone(), reason: reason.to_owned() };
        match (opening, &self.config.command, &self.config.url) {
            (Opening::Program(permit), Some(command), _) => {
                let start = permit.redeem();
                if start.setup() != (&self.name, self.config.setup()) {
                    return Err(closed("another program was allowed"));
                }
                Ok(Opened::Program(command.clone()))
            }
            (Opening::Confined(permit), Some(command), _) => {
                if permit.redeem().setup() != (&self.name, self.config.setup()) {
                    return Err(closed("another program was allowed"));
                }
                Ok(Opened::Confined(command.clone()))
            }
            (Opening::Address(permit), None, Some(url)) => {
                if Some(permit.redeem().host()) != self.config.host().as_deref() {
                    return Err(closed("another host was allowed"));
                }
                Ok(Opened::Address(url.clone()))
            }
            _ => Err(closed("something else was allowed")),
        }
    }

    async fn connect(&self, way: &Opened, stop: &Stop) -> Result<Connection, McpError> {
        let limit = (self.config.start_limit(), stop);
        let host = &self.parts.host;
        match way {
            Opened::Program(command) | Opened::Confined(command) => {
                let program = self.program(command)?;
                let start = match way {
                    Opened::Confined(_) => program::Way::Confined(&self.parts.sandbox),
                    _ => program::Way::Watched(&self.parts.watcher),
                };
                Connection::with_program(&self.name, (&program, start), host, limit).await
            }
            Opened::Address(url) => {
                let key = self.config.key.as_deref().map(|place| self.secret(place)).transpose()?;
                let proof = key.map(Proof::Key).or_else(|| self.parts.login.clone().map(Proof::Login));
                let way = Way::new(self.parts.outlet.clone(), proof);
                let handler = Handler::new(&self.name, Arc::clone(host), false);
                Connection::with_address(&self.name, way, self.transport(url), handler, limit).await
            }
        }
    }

    fn program(&self, command: &str) -> Result<Program, McpError> {
        let missing = || McpError::NoProgram { server: self.name.clone(), program: command.to_owned() };
        let path = find(command, self.parts.path.as_deref()).ok_or_else(missing)?;
        let secrets = self.config.secrets.iter().map(|(name, place)| Ok((name.clone(), self.secret(place)?)));
        let secrets = secrets.collect::<Result<_, McpError>>()?;
        let (arguments, environment) = (self.config.args.clone(), self.config.env.clone());
        let (sees, folders) = (self.config.sees.clone(), self.config.folders);
        Ok(Program { path, arguments, environment, secrets, sees, folders })
    }

    fn secret(&self, place: &str) -> Result<Secret, McpError> {
        let missing = |reason| McpError::NoSecret { server: self.name.clone(), reason };
        self.parts.secrets.secret(place).map_err(missing)
    }

    fn transport(&self, url: &str) -> StreamableHttpClientTransportConfig {
        let headers: HashMap<HeaderName, HeaderValue> = self
            .config
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect();
        // a session that is gone would have calls made again
        StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers).reinit_on_expired_session(false)
    }

    /// What it has, as it was listed before or is listed now.
    async fn listed(&self, state: &mut State, connection: &Connection, stop: &Stop) -> Result<Arc<Offer>, McpError> {
        let changed = connection.handler().take_changed();
        if let Some(offer) = state.offer.as_ref().filter(|_| !changed) {
            return Ok(Arc::clone(offer));
        }
        let offer = match self.list(connection, stop).await {
            Err(error) if error.is_worth_another_try() && !connection.is_closed() => {
                self.list(connection, stop).await?
            }
            listed => listed?,
        };
        Ok(Arc::clone(state.offer.insert(Arc::new(offer))))
    }

    async fn list(&self, connection: &Connection, stop: &Stop) -> Result<Offer, McpError> {
        let capabilities = connection.capabilities();
        let mut lists = Lists { server: self, connection, stop, left_out: 0 };
        let mut offer = Offer::default();
        if capabilities.tools.is_some() {
            let ask = |page| ClientRequest::ListToolsRequest(ListToolsRequest::with_param(page));
            offer.tools = lists.apart("tools", ask, Tool::read, |tool| &tool.name).await?;
        }
        if capabilities.resources.is_some() {
            let ask = |page| ClientRequest::ListResourcesRequest(ListResourcesRequest::with_param(page));
            offer.resources = lists.all("resources", ask, Resource::read).await?;
            let ask =
                |page| ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest::with_param(page));
            // many servers have none, and say so with an error
            match lists.all("resourceTemplates", ask, Resource::read).await {
                Err(McpError::Refused { .. }) => {}
                templates => offer.resources.extend(templates?),
            }
        }
        if capabilities.prompts.is_some() {
            let ask = |page| ClientRequest::ListPromptsRequest(ListPromptsRequest::with_param(page));
            offer.prompts = lists.apart("prompts", ask, Prompt::read, |prompt| &prompt.name).await?;
        }
        offer.left_out = lists.left_out;
        Ok(offer)
    }
}

/// What is to be started or spoken to.
enum Opened {
    Program(String),
    Confined(String),
    Address(String),
}

/// Asking for lists, page by page.
struct Lists<'a> {
    server: &'a Server,
    connection: &'a Connection,
    stop: &'a Stop,
    left_out: usize,
}

impl Lists<'_> {
    /// The same as [`Self::all`] of what is asked for by its name.
    async fn apart<T>(
        &mut self,
        key: &'static str,
        ask: impl Fn(PaginatedRequestParams) -> ClientRequest,
        read: impl Fn(&Value) -> Option<T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, McpError> {
        let (apart, left_out) = offer::apart(self.all(key, ask, read).await?, name);
        self.left_out += left_out;
        Ok(apart)
    }

    /// All of one list that can be used, as far as so many are kept.
    async fn all<T>(
        &mut self,
        key: &'static str,
        ask: impl Fn(PaginatedRequestParams) -> ClientRequest,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, McpError> {
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = PaginatedRequestParams::default().with_cursor(cursor.take());
            let limit = ("say what it has", self.server.config.start_limit());
            let answer = self.connection.ask(ask(page), limit, self.stop).await?;
            // whatever it is taken for, what counts is what stands in it
            let answer = serde_json::to_value(&answer).unwrap_or_default();
            let Some(entries) = answer[key].as_array() else { return Err(self.server.nonsense("list")) };
            for entry in entries {
                match read(entry) {
                    Some(one) if all.len() < MOST => all.push(one),
                    _ => self.left_out += 1,
                }
            }
            cursor = answer["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() || all.len() >= MOST {
                break;
            }
        }
        Ok(all)
    }
}

/// Stop a server once nothing was asked of it for so long.
async fn stop_when_idle(server: Weak<Server>, limit: Duration) {
    loop {
        tokio::time::sleep(limit.min(LOOK)).await;
        let Some(server) = server.upgrade() else { return };
        let state = server.state.lock().await;
        let Some(connection) = &state.connection else { return };
        let idles = connection.idle().is_some_and(|idle| idle >= limit);
        drop(state);
        if idles {
            return server.close().await;
        }
    }
}
