//! The door to the host, natively: the test host that is current on this thread.

use crate::{
    Error, Result, Tier,
    changes::{Move, Pending, RawDecision},
    content::{Body, Content, ToolOutput},
    files::{Entry, Folder, Page},
    http::{Request, Response},
    log::Level,
    memory::{Note, Scope},
    model,
    path::FilePath,
    store::Item,
    testing::current,
    user::Choice,
    vm,
};

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    current(|host| host.log(level, message, fields));
}

pub(crate) fn config() -> String {
    current(|host| host.config())
}

pub(crate) fn context() -> String {
    current(|host| host.context())
}

pub(crate) fn cancelled() -> bool {
    current(|host| host.cancelled())
}

pub(crate) fn progress(message: &str, share: Option<f32>) {
    current(|host| host.progress(message, share));
}

pub(crate) fn emit(part: Content) {
    current(|host| host.emit(part));
}

pub(crate) fn folders() -> Vec<Folder> {
    current(|host| host.folders())
}

pub(crate) fn walk(
    root: &FilePath,
    glob: Option<&str>,
    options: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page> {
    current(|host| host.walk(root, glob, options, cursor, limit))
}

pub(crate) fn stat(paths: &[FilePath]) -> Vec<Result<Entry>> {
    current(|host| paths.iter().map(|path| host.stat(path)).collect())
}

pub(crate) fn read(path: &FilePath, if_version: Option<&str>, offset: u64, length: u32) -> Result<Vec<u8>> {
    current(|host| host.read(path, if_version, offset, length))
}

pub(crate) fn digest(paths: &[FilePath]) -> Vec<Result<String>> {
    current(|host| paths.iter().map(|path| host.digest(path)).collect())
}

pub(crate) fn attributes(paths: &[FilePath], names: &[&str]) -> Vec<Result<String>> {
    current(|host| paths.iter().map(|path| host.attributes(path, names)).collect())
}

pub(crate) fn make_folder(path: &FilePath) -> Result<u64> {
    current(|host| host.make_folder(path))
}

pub(crate) fn write(path: &FilePath, bytes: &[u8], if_version: Option<&str>) -> Result<u64> {
    current(|host| host.write(path, bytes, if_version))
}

pub(crate) fn move_file(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    current(|host| host.move_file(source, version, target, over))
}

pub(crate) fn move_all(moves: &[Move<'_>]) -> Vec<Result<u64>> {
    let one = |one: &Move<'_>| {
        let id = move_file(&one.file.path, &one.file.version.0, &one.target, None)?;
        if !one.reason.is_empty() {
            let _ = explain(id, one.reason); // what moves home again is no change any more
        }
        Ok(id)
    };
    moves.iter().map(one).collect()
}

pub(crate) fn copy(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    current(|host| host.copy(source, version, target, over))
}

pub(crate) fn remove(path: &FilePath, version: &str) -> Result<u64> {
    current(|host| host.remove(path, version))
}

pub(crate) fn expect(change: u64, path: &FilePath, version: &str) -> Result<()> {
    current(|host| host.expect(change, path, version))
}

pub(crate) fn explain(change: u64, reason: &str) -> Result<()> {
    current(|host| host.explain(change, reason))
}

pub(crate) fn withdraw(change: u64) -> Result<()> {
    current(|host| host.withdraw(change))
}

pub(crate) fn pending(after: Option<u64>, limit: u32) -> Result<Vec<Pending>> {
    Ok(current(|host| host.pending(after, limit)))
}

pub(crate) fn propose(title: &str, view: &str) -> Result<RawDecision> {
    current(|host| host.propose(title, view))
}

pub(crate) fn notify(message: &str) -> Result<()> {
    current(|host| host.notify(message));
    Ok(())
}

pub(crate) fn confirm(question: &str) -> Result<bool> {
    current(|host| host.confirm(question))
}

pub(crate) fn choose(question: &str, choices: &[Choice]) -> Result<String> {
    current(|host| host.choose(question, choices))
}

pub(crate) fn ask(question: &str, schema: &str) -> Result<String> {
    current(|host| host.ask(question, schema))
}

pub(crate) fn store_get(key: &str) -> Result<Option<Item>> {
    Ok(current(|host| host.store_get(key)))
}

pub(crate) fn store_put(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64> {
    current(|host| host.store_put(key, value, if_version))
}

pub(crate) fn store_delete(key: &str) -> Result<()> {
    current(|host| host.store_delete(key));
    Ok(())
}

pub(crate) fn store_list(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>> {
    Ok(current(|host| host.store_list(prefix, after, limit)))
}

pub(crate) fn memory_remember(text: &str, scope: &Scope) -> Result<Note> {
    current(|host| host.remember(text, scope))
}

pub(crate) fn memory_recall(query: &str, limit: u32) -> Result<Vec<Note>> {
    Ok(current(|host| host.recall(query, limit)))
}

pub(crate) fn memory_forget(id: &str) -> Result<()> {
    current(|host| host.forget(id))
}

pub(crate) fn call_tool(tool: &str, arguments: &str) -> Result<ToolOutput> {
    // a tool of a test may itself call the host, so the host is not held while it runs
    let tool = current(|host| host.tool(tool))?;
    tool(serde_json::from_str(arguments)?)
}

pub(crate) fn call_tools(calls: &[(String, String)]) -> Vec<Result<ToolOutput>> {
    calls.iter().map(|(tool, arguments)| call_tool(tool, arguments)).collect()
}

pub(crate) fn delegate(agent: &str, task: &str, input: &str, _budget: &str) -> Result<ToolOutput> {
    // as for tools
    let agent = current(|host| host.agent(agent))?;
    agent(task, serde_json::from_str(input)?)
}

/// A conversation with the model of a test.
pub(crate) struct Conversation {
    heard: model::Heard,
    reply: Option<model::Reply>,
    open: Vec<String>,
    told: bool,
}

impl Conversation {
    pub(crate) fn new(tier: Tier, system: &str, tools: &[&str]) -> Self {
        let tools = tools.iter().map(|tool| (*tool).to_owned()).collect();
        let heard = model::Heard { tier, system: system.to_owned(), tools, said: Vec::new() };
        Self { heard, reply: None, open: Vec::new(), told: false }
    }

    pub(crate) fn say(&mut self, content: Content) -> Result<()> {
        if !self.open.is_empty() {
            return Err(Error::invalid(format!("the calls {} have no result yet", self.open.join(", "))));
        }
        self.heard.said.push(text(&content));
        self.told = true;
        Ok(())
    }

    pub(crate) fn answer(&mut self, call: &str, output: Result<ToolOutput>) -> Result<()> {
        let Some(at) = self.open.iter().position(|open| open == call) else {
            return Err(Error::invalid(format!("there is no open call {call} for a result")));
        };
        self.open.remove(at);
        self.heard.said.push(match output {
            Ok(output) => output.content.iter().map(text).collect::<Vec<_>>().join("\n"),
            Err(error) => error.message,
        });
        self.told = true;
        Ok(())
    }

    fn reply(&mut self) -> Result<model::Reply> {
        if let Some(reply) = self.reply.take() {
            return Ok(reply);
        }
        if !self.told || !self.open.is_empty() {
            return Err(Error::invalid("there is nothing for the model to answer yet"));
        }
        let model = current(|host| host.model())?;
        model(&self.heard)
    }

    pub(crate) fn next(&mut self) -> Result<model::Reply> {
        let reply = self.reply()?;
        self.open = reply.tool_uses.iter().map(|one| one.id.clone()).collect();
        self.told = false;
        Ok(reply)
    }

    /// All of the text is one piece.
    pub(crate) fn piece(&mut self) -> Result<Option<String>> {
        if self.reply.is_some() {
            return Ok(None);
        }
        let reply = self.reply()?;
        let text = reply.text();
        self.reply = Some(reply);
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

fn text(content: &Content) -> String {
    match &content.body {
        Body::Text(text) => text.clone(),
        Body::Uri(uri) => uri.clone(),
        Body::Bytes(bytes) => format!("[{} bytes of {}]", bytes.len(), content.media_type),
    }
}

/// A program of a test. It runs once it is read or waited for, with all that it was given until then.
pub(crate) struct Process {
    words: Vec<String>,
    input: Vec<u8>,
    closed: bool,
    output: Option<vm::Output>,
}

impl Process {
    pub(crate) fn start(words: &[String], _folder: &str, _options: &str) -> Result<Self> {
        let name = words.first().map(String::as_str).unwrap_or_default();
        current(|host| host.program(name))?;
        Ok(Self { words: words.to_vec(), input: Vec::new(), closed: false, output: None })
    }

    fn run(&mut self) -> Result<&mut vm::Output> {
        if self.output.is_none() {
            // it may itself look at the host, so the host is not held while it runs
            let program = current(|host| host.program(&self.words[0]))?;
            self.output = Some(program(&self.words[1..], &self.input)?);
        }
        Ok(self.output.get_or_insert_default())
    }

    pub(crate) fn read(&mut self, limit: u32) -> Result<(vm::Piece, bool)> {
        let most = limit as usize;
        let output = self.run()?;
        let stdout: Vec<u8> = output.stdout.drain(..most.min(output.stdout.len())).collect();
        let stderr: Vec<u8> = output.stderr.drain(..(most - stdout.len()).min(output.stderr.len())).collect();
        let ended = stdout.is_empty() && stderr.is_empty();
        Ok((vm::Piece { stdout, stderr }, ended))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closed || self.output.is_some() {
            return Err(Error::conflict("the program reads nothing any more"));
        }
        self.input.extend_from_slice(bytes);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same as in a component")]
    pub(crate) fn close_stdin(&mut self) -> Result<()> {
        self.closed = true;
        Ok(())
    }

    pub(crate) fn wait(&mut self) -> Result<String> {
        Ok(serde_json::to_string(&self.run()?.end)?)
    }

    pub(crate) fn kill(&mut self) {
        let end = vm::End { ended: "stopped".into(), ..vm::End::default() };
        self.output.get_or_insert(vm::Output { end, ..vm::Output::default() });
    }
}

/// An answer of a server of a test, read in pieces.
pub(crate) struct Download {
    response: Response,
    at: usize,
}

/// The most of one piece, in bytes.
const PIECE: usize = 64 << 10;

impl Download {
    pub(crate) fn open(request: Request) -> Result<Self> {
        Ok(Self { response: fetch(request)?, at: 0 })
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.response.headers.clone()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same as in a component")]
    pub(crate) fn next(&mut self) -> Result<Vec<u8>> {
        let body = &self.response.body;
        let end = body.len().min(self.at + PIECE);
        let piece = body[self.at..end].to_vec();
        self.at = end;
        Ok(piece)
    }
}

pub(crate) fn fetch(request: Request) -> Result<Response> {
    // a server of a test may itself look at the host, so the host is not held while it answers
    let server = current(|host| host.fetch(&request))?;
    server(&request)
}

pub(crate) fn connected(credential: &str) -> bool {
    current(|host| host.connected(credential))
}

pub(crate) fn catalog(query: Option<&str>, limit: u32) -> Result<String> {
    Ok(current(|host| host.catalog(query, limit)))
}
