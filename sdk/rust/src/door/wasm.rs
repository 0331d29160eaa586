//! The door to the host, in a component: the interface's imports, with the types of this crate on the near side.

use crate::{
    Error, Result, Tier,
    bindings::deskhand::plugin as host,
    changes::{Change, ChangeKind, Move, Pending, RawDecision},
    content::{Body, Content, Reply, ToolOutput},
    error::Code,
    files::{Entry, Folder, Kind, Page, Version},
    http::{Request, Response},
    log::Level,
    memory::{Note, Scope},
    model,
    path::FilePath,
    store::Item,
    time::Moment,
    user::Choice,
    vm,
};

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    let level = match level {
        Level::Debug => host::log::Level::Debug,
        Level::Info => host::log::Level::Info,
        Level::Warn => host::log::Level::Warn,
        Level::Error => host::log::Level::Error,
    };
    let fields: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    host::log::write(level, message, &fields);
}

pub(crate) fn config() -> String {
    host::invocation::config()
}

pub(crate) fn context() -> String {
    host::invocation::context()
}

pub(crate) fn cancelled() -> bool {
    host::invocation::cancelled()
}

pub(crate) fn progress(message: &str, share: Option<f32>) {
    host::invocation::progress(message, share);
}

pub(crate) fn emit(part: Content) {
    host::invocation::emit(&part.into());
}

pub(crate) fn folders() -> Vec<Folder> {
    host::files::folders().into_iter().map(|f| Folder { name: f.name, writable: f.writable }).collect()
}

pub(crate) fn walk(
    root: &FilePath,
    glob: Option<&str>,
    options: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page> {
    let page = host::files::walk(root.as_str(), glob, options, cursor, limit)?;
    Ok(Page { entries: page.entries.into_iter().map(Into::into).collect(), next: page.next })
}

pub(crate) fn stat(paths: &[FilePath]) -> Vec<Result<Entry>> {
    host::files::stat(&texts(paths)).into_iter().map(|entry| Ok(entry?.into())).collect()
}

pub(crate) fn read(path: &FilePath, if_version: Option<&str>, offset: u64, length: u32) -> Result<Vec<u8>> {
    Ok(host::files::read(path.as_str(), if_version, offset, length)?)
}

pub(crate) fn digest(paths: &[FilePath]) -> Vec<Result<String>> {
    host::files::digest(&texts(paths)).into_iter().map(|digest| Ok(digest?)).collect()
}

pub(crate) fn attributes(paths: &[FilePath], names: &[&str]) -> Vec<Result<String>> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    host::files::attributes(&texts(paths), &names).into_iter().map(|json| Ok(json?)).collect()
}

pub(crate) fn make_folder(path: &FilePath) -> Result<u64> {
    Ok(host::changes::make_folder(path.as_str())?)
}

pub(crate) fn write(path: &FilePath, bytes: &[u8], if_version: Option<&str>) -> Result<u64> {
    Ok(host::changes::write(path.as_str(), bytes, if_version)?)
}

pub(crate) fn move_file(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    Ok(host::changes::move_(source.as_str(), version, target.as_str(), over)?)
}

pub(crate) fn move_all(moves: &[Move<'_>]) -> Vec<Result<u64>> {
    let request = |one: &Move<'_>| host::changes::MoveRequest {
        source: one.file.path.as_str().to_owned(),
        source_version: one.file.version.0.clone(),
        target: one.target.as_str().to_owned(),
        target_version: None,
        reason: one.reason.to_owned(),
    };
    let requests: Vec<host::changes::MoveRequest> = moves.iter().map(request).collect();
    host::changes::move_all(&requests).into_iter().map(|id| Ok(id?)).collect()
}

pub(crate) fn copy(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    Ok(host::changes::copy(source.as_str(), version, target.as_str(), over)?)
}

pub(crate) fn remove(path: &FilePath, version: &str) -> Result<u64> {
    Ok(host::changes::remove(path.as_str(), version)?)
}

pub(crate) fn expect(change: u64, path: &FilePath, version: &str) -> Result<()> {
    Ok(host::changes::expect(change, path.as_str(), version)?)
}

pub(crate) fn explain(change: u64, reason: &str) -> Result<()> {
    Ok(host::changes::explain(change, reason)?)
}

pub(crate) fn withdraw(change: u64) -> Result<()> {
    Ok(host::changes::withdraw(change)?)
}

pub(crate) fn pending(after: Option<u64>, limit: u32) -> Result<Vec<Pending>> {
    host::changes::pending(after, limit)?.into_iter().map(pending_change).collect()
}

fn pending_change(change: host::changes::PendingChange) -> Result<Pending> {
    let kind = ChangeKind::from_name(&change.kind)
        .ok_or_else(|| Error::unsupported(format!("a pending change of a kind unknown here: `{}`", change.kind)))?;
    Ok(Pending {
        change: Change(change.id),
        kind,
        source: change.source.map(FilePath::from_host),
        target: change.target.map(FilePath::from_host),
        reason: change.reason,
    })
}

pub(crate) fn propose(title: &str, view: &str) -> Result<RawDecision> {
    let decision = host::changes::propose(title, view)?;
    Ok(RawDecision { state: decision.state, commit: decision.commit, outcome: decision.outcome })
}

pub(crate) fn notify(message: &str) -> Result<()> {
    Ok(host::user::notify(message)?)
}

pub(crate) fn confirm(question: &str) -> Result<bool> {
    Ok(host::user::confirm(question)?)
}

pub(crate) fn choose(question: &str, choices: &[Choice]) -> Result<String> {
    let choices: Vec<host::user::Choice> = choices
        .iter()
        .map(|choice| host::user::Choice {
            id: choice.id.clone(),
            label: choice.label.clone(),
            hint: choice.hint.clone(),
        })
        .collect();
    Ok(host::user::choose(question, &choices)?)
}

pub(crate) fn ask(question: &str, schema: &str) -> Result<String> {
    Ok(host::user::ask(question, schema)?)
}

pub(crate) fn store_get(key: &str) -> Result<Option<Item>> {
    Ok(host::store::get(key)?.map(|item| Item { value: item.value, version: item.version }))
}

pub(crate) fn store_put(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64> {
    Ok(host::store::put(key, value, if_version)?)
}

pub(crate) fn store_delete(key: &str) -> Result<()> {
    Ok(host::store::delete(key)?)
}

pub(crate) fn store_list(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>> {
    Ok(host::store::list(prefix, after, limit)?)
}

fn note(note: host::memory::Note) -> Note {
    Note { id: note.id, text: note.text, scope: Scope::from_host(&note.scope), at: note.at.into() }
}

pub(crate) fn memory_remember(text: &str, scope: &Scope) -> Result<Note> {
    Ok(note(host::memory::remember(text, &scope.to_string())?))
}

pub(crate) fn memory_recall(query: &str, limit: u32) -> Result<Vec<Note>> {
    Ok(host::memory::recall(query, limit)?.into_iter().map(note).collect())
}

pub(crate) fn memory_forget(id: &str) -> Result<()> {
    Ok(host::memory::forget(id)?)
}

pub(crate) fn call_tool(tool: &str, arguments: &str) -> Result<ToolOutput> {
    tool_output(host::toolbox::call(tool, arguments)?)
}

pub(crate) fn call_tools(calls: &[(String, String)]) -> Vec<Result<ToolOutput>> {
    let calls: Vec<host::toolbox::ToolCall> = calls
        .iter()
        .map(|(tool, arguments)| host::toolbox::ToolCall { tool: tool.clone(), arguments: arguments.clone() })
        .collect();
    host::toolbox::call_all(&calls).into_iter().map(|output| tool_output(output?)).collect()
}

pub(crate) fn catalog(query: Option<&str>, limit: u32) -> Result<String> {
    Ok(host::toolbox::catalog(query, limit)?)
}

pub(crate) fn delegate(agent: &str, task: &str, input: &str, budget: &str) -> Result<ToolOutput> {
    tool_output(host::toolbox::delegate(agent, task, input, budget)?)
}

/// A conversation with a model, on the host's side.
pub(crate) struct Conversation(host::model::Conversation);

impl Conversation {
    pub(crate) fn new(tier: Tier, system: &str, tools: &[&str]) -> Self {
        let tools: Vec<String> = tools.iter().map(|tool| (*tool).to_owned()).collect();
        Self(host::model::Conversation::new(tier.name(), system, &tools, "{}"))
    }

    pub(crate) fn say(&mut self, content: Content) -> Result<()> {
        Ok(self.0.say(&[content.into()])?)
    }

    pub(crate) fn answer(&mut self, call: &str, output: Result<ToolOutput>) -> Result<()> {
        let output = output.map(host::types::ToolOutput::from).map_err(host::types::Error::from);
        Ok(self.0.answer(call, output.as_ref())?)
    }

    pub(crate) fn next(&mut self) -> Result<model::Reply> {
        let reply = self.0.next()?;
        let tool_use = |one: host::model::ToolUse| {
            Ok(model::ToolUse { id: one.id, tool: one.tool, arguments: serde_json::from_str(&one.arguments)? })
        };
        Ok(model::Reply {
            content: reply.content.into_iter().map(Into::into).collect(),
            tool_uses: reply.tool_uses.into_iter().map(tool_use).collect::<Result<_>>()?,
            stop: reply.stop,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        })
    }

    pub(crate) fn piece(&mut self) -> Result<Option<String>> {
        Ok(self.0.piece()?)
    }
}

fn sent(request: Request) -> host::http::Request {
    let Request { method, url, headers, body, credential, options } = request;
    host::http::Request {
        method,
        url,
        headers,
        body,
        credential,
        options: serde_json::Value::Object(options).to_string(),
    }
}

/// A program, on the host's side.
pub(crate) struct Process(host::vm::Process);

impl Process {
    pub(crate) fn start(words: &[String], folder: &str, options: &str) -> Result<Self> {
        Ok(Self(host::vm::start(words, folder, options)?))
    }

    pub(crate) fn read(&mut self, limit: u32) -> Result<(vm::Piece, bool)> {
        let host::vm::Piece { stdout, stderr, ended } = self.0.read(limit)?;
        Ok((vm::Piece { stdout, stderr }, ended))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.write(bytes)?)
    }

    pub(crate) fn close_stdin(&mut self) -> Result<()> {
        Ok(self.0.close_stdin()?)
    }

    pub(crate) fn wait(&mut self) -> Result<String> {
        Ok(self.0.wait()?)
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }
}

/// An answer that is read in pieces.
pub(crate) struct Download(host::http::Download);

impl Download {
    pub(crate) fn open(request: Request) -> Result<Self> {
        Ok(Self(host::http::open(&sent(request))?))
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status()
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.0.headers()
    }

    pub(crate) fn next(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.next()?)
    }
}

pub(crate) fn fetch(request: Request) -> Result<Response> {
    let response = host::http::fetch(&sent(request))?;
    Ok(Response { status: response.status, headers: response.headers, body: response.body })
}

pub(crate) fn connected(credential: &str) -> bool {
    host::credentials::connected(credential)
}

fn texts(paths: &[FilePath]) -> Vec<String> {
    paths.iter().map(|path| path.as_str().to_owned()).collect()
}

fn tool_output(output: host::types::ToolOutput) -> Result<ToolOutput> {
    let structured = output.structured.as_deref().map(serde_json::from_str).transpose()?;
    Ok(ToolOutput { content: output.content.into_iter().map(Into::into).collect(), structured })
}

impl From<host::files::Entry> for Entry {
    fn from(entry: host::files::Entry) -> Self {
        Self {
            path: FilePath::from_host(entry.path),
            kind: match entry.kind.as_str() {
                "file" => Kind::File,
                "folder" => Kind::Folder,
                "link" => Kind::Link,
                _ => Kind::Other(entry.kind),
            },
            size: entry.size,
            modified: entry.modified.into(),
            created: entry.created.map(Into::into),
            file_id: entry.file_id,
            links: entry.links,
            version: Version(entry.version),
        }
    }
}

impl From<host::types::Instant> for Moment {
    fn from(instant: host::types::Instant) -> Self {
        Self { seconds: instant.seconds, nanoseconds: instant.nanoseconds }
    }
}

impl From<host::types::Content> for Content {
    fn from(content: host::types::Content) -> Self {
        let body = match content.body {
            host::types::Body::Text(text) => Body::Text(text),
            host::types::Body::Bytes(bytes) => Body::Bytes(bytes),
            host::types::Body::Uri(uri) => Body::Uri(uri),
        };
        Self { media_type: content.media_type, body }
    }
}

impl From<Content> for host::types::Content {
    fn from(content: Content) -> Self {
        let body = match content.body {
            Body::Text(text) => host::types::Body::Text(text),
            Body::Bytes(bytes) => host::types::Body::Bytes(bytes),
            Body::Uri(uri) => host::types::Body::Uri(uri),
        };
        Self { media_type: content.media_type, body }
    }
}

impl From<Reply> for crate::bindings::command::exports::deskhand::plugin::command::Reply {
    fn from(reply: Reply) -> Self {
        Self { show: reply.show.into_iter().map(Into::into).collect(), prompt: reply.prompt }
    }
}

impl From<crate::Guidance> for crate::bindings::skill::exports::deskhand::plugin::skill::Guidance {
    fn from(guidance: crate::Guidance) -> Self {
        Self { instructions: guidance.instructions, references: guidance.references, tools: guidance.tools }
    }
}

impl From<crate::Extracted> for crate::bindings::extractor::exports::deskhand::plugin::extractor::Extracted {
    fn from(extracted: crate::Extracted) -> Self {
        Self { text: extracted.text, cut: extracted.cut }
    }
}

impl From<crate::Profile> for crate::bindings::agent::exports::deskhand::plugin::agent::Profile {
    fn from(profile: crate::Profile) -> Self {
        Self {
            system_prompt: profile.system_prompt,
            opening: profile.opening.into_iter().map(Into::into).collect(),
            tools: profile.tools,
            model: profile.tier.name().to_owned(),
            max_turns: profile.max_turns,
            answer_schema: profile.answer_schema.map(|schema| schema.to_string()),
        }
    }
}

impl From<ToolOutput> for host::types::ToolOutput {
    fn from(output: ToolOutput) -> Self {
        Self {
            content: output.content.into_iter().map(Into::into).collect(),
            structured: output.structured.map(|value| value.to_string()),
        }
    }
}

macro_rules! codes {
    ($($code:ident),*) => {
        impl From<host::types::Error> for Error {
            fn from(error: host::types::Error) -> Self {
                let code = match error.code { $(host::types::ErrorCode::$code => Code::$code,)* };
                Self { code, message: error.message, retry_after_ms: error.retry_after_ms }
            }
        }

        impl From<Error> for host::types::Error {
            fn from(error: Error) -> Self {
                let code = match error.code { $(Code::$code => host::types::ErrorCode::$code,)* };
                Self { code, message: error.message, retry_after_ms: error.retry_after_ms }
            }
        }
    };
}
codes!(Invalid, Denied, Parked, NotFound, Conflict, TooLarge, Unsupported, Exhausted, Unavailable, Cancelled, Failed);
