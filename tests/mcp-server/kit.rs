//! A client that speaks the protocol by itself, a line a message, and a place with our plugins and a folder.

use deskhand_tests::{Place, deskhand};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A place with a folder of three files, two of which are the same.
pub(crate) fn place() -> (Place, PathBuf) {
    let place = Place::with_plugins();
    let folder = place.path("home/papers");
    fs::create_dir(&folder).unwrap();
    for (name, text) in [("a.txt", "the same\n"), ("b.txt", "the same\n"), ("c.md", "# another\n")] {
        fs::write(folder.join(name), text).unwrap();
    }
    (place, folder)
}

/// See the module.
pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    next: u64,
    /// What is answered to questions, in order; one more than there are is not answered at all.
    pub(crate) answers: Vec<Value>,
    /// The questions that came.
    pub(crate) asked: Vec<Value>,
    /// The notices that came.
    pub(crate) notices: Vec<Value>,
}

impl Client {
    /// Start `deskhand mcp serve --client tester` with these options besides.
    pub(crate) fn start(place: &Place, options: &[&str]) -> Self {
        Self::start_as("tester", place, options)
    }

    /// The same for a client of another name.
    pub(crate) fn start_as(name: &str, place: &Place, options: &[&str]) -> Self {
        let mut command = place.command(deskhand());
        command.args(["mcp", "serve", "--client", name]).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for text in stdout.lines().map_while(Result::ok) {
                // whatever is no message fails the test at the next look
                let message = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "junk": text }));
                if line.send(message).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, next: 0, answers: Vec::new(), asked: Vec::new(), notices: Vec::new() }
    }

    /// The same, and past the handshake. `elicits` is whether it can ask somebody.
    pub(crate) fn greeted(place: &Place, options: &[&str], elicits: bool) -> Self {
        let mut client = Self::start(place, options);
        client.greet(elicits);
        client
    }

    pub(crate) fn greet(&mut self, elicits: bool) -> Value {
        let capabilities = if elicits { json!({"elicitation": {}}) } else { json!({}) };
        let result = self.request(
            "initialize",
            json!({
                "protocolVersion": "2025-11-25", "capabilities": capabilities,
                "clientInfo": {"name": "a test", "version": "1"},
            }),
        );
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        result
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).and_then(|()| stdin.flush()).unwrap();
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes());
    }

    /// The next message; none once the server has ended.
    pub(crate) fn message(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(message) => {
                assert!(message["junk"].is_null(), "no message: {message}");
                Some(message)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server says nothing"),
        }
    }

    /// Begin a request.
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        self.next
    }

    /// What is answered to a request, questions and notices on the way taken care of.
    pub(crate) fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let message = self.message().expect("the server has ended");
            match message["method"].as_str() {
                Some("elicitation/create") => {
                    self.asked.push(message["params"].clone());
                    if !self.answers.is_empty() {
                        let result = self.answers.remove(0);
                        self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
                    }
                }
                Some(_) => self.notices.push(message),
                None if message["id"] == id => return message,
                None => panic!("an answer to something else: {message}"),
            }
        }
    }

    /// The result of a request.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        let answer = self.answer_to(id);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error of a request: code and message.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> (i64, String) {
        let id = self.begin(method, params);
        let answer = self.answer_to(id);
        let text = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (answer["error"]["code"].as_i64().unwrap(), text)
    }

    /// Call a tool: how it went, and all of its text.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> (String, String) {
        said(&self.request("tools/call", json!({"name": tool, "arguments": arguments})))
    }

    /// Run a command of a plugin.
    pub(crate) fn run(&mut self, command: &str, arguments: Value) -> (String, String) {
        self.call("run_command", json!({"command": command, "arguments": arguments}))
    }

    /// End it as a client does, by the end of its input.
    pub(crate) fn leave(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().unwrap()
    }

    /// End it as nobody should.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// How a call went and all of its text.
pub(crate) fn said(result: &Value) -> (String, String) {
    let outcome = result["_meta"]["deskhand/outcome"].as_str().unwrap_or("done");
    assert_eq!(result["isError"], outcome != "done", "{result}");
    let texts = result["content"].as_array().unwrap().iter().map(|content| content["text"].as_str().unwrap());
    (outcome.to_owned(), texts.collect::<Vec<_>>().join("\n"))
}

/// The names of a folder, sorted.
pub(crate) fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
