//! Components from text, a home in a temporary folder, and a person who answers what a test says.

use deskhand_permissions::{
    Context, Gate, Permit, Standing,
    effect::{CallTool, Effect, InstallPlugin, RunCommand},
};
use deskhand_records::Records;
use deskhand_runtime::{
    Body, CallError, Compiler, Config, InstallError, Invocation, Outcome, PluginFault, Reply, Runtime, Services,
    ToolOutput, read_manifest,
};
use deskhand_vocabulary::{
    Answer, Clock, Entry, Event, EventId, Home, Log, LogError, Notice, Person, Plan, PluginId, Progress, Question,
    Sha256, Stop, TaskId, Unanswered,
};
use deskhand_workspace::Workspace;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The interface.
fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// A component from the text of its core module. `world` lists imports and exports, such as
/// `import deskhand:plugin/log@0.1.0;`. Without a manifest.
pub fn component(world: &str, module: &str) -> Vec<u8> {
    component_of(world, &[], module)
}

/// As [`component`], with more packages for the world to import from.
pub fn component_of(world: &str, packages: &[&str], module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(wit()).unwrap();
    for (at, package) in packages.iter().enumerate() {
        resolve.push_str(format!("package-{at}.wit"), package).unwrap();
    }
    let test = resolve.push_str("test.wit", &format!("package test:plugin; world plugin {{ {world} }}")).unwrap();
    let world = resolve.select_world(&[test], Some("plugin")).unwrap();
    let mut module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}\n{module}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// `bytes` with a custom section added.
pub fn with_section(mut bytes: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    use wasm_encoder::{CustomSection, Encode as _, Section as _};
    let section = CustomSection { name: name.into(), data: data.into() };
    bytes.push(section.id());
    section.encode(&mut bytes);
    bytes
}

/// `bytes` with `manifest` in it.
pub fn with_manifest(bytes: Vec<u8>, manifest: &Value) -> Vec<u8> {
    with_section(bytes, "deskhand:manifest", manifest.to_string().as_bytes())
}

/// The manifest of a plugin called `test` with the command `go`.
pub fn manifest(permissions: &[&str]) -> Value {
    json!({
        "plugin": {
            "name": "test", "version": "1.0.0", "publisher": "Deskhand", "summary": "A test.", "interface": "0.1.0"
        },
        "permissions": permissions.iter().map(|kind| json!({ "kind": kind, "reason": "to test" })).collect::<Vec<_>>(),
        "commands": [{ "name": "go", "summary": "Goes.", "arguments": { "type": "object" } }],
    })
}

/// What every core module here begins with: memory, an allocator that only grows, and `$answer`, which makes an answer of
/// one text. A command's reply and a tool's output have the same layout. Constant data lies from 2048 on.
pub const PRELUDE: &str = r#"
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
      (drop (memory.grow (i32.shr_u
        (i32.add (i32.sub (global.get $heap) (i32.shl (memory.size) (i32.const 16))) (i32.const 65535))
        (i32.const 16)))))
    (local.get $at))
  (func $answer (param $text i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))            ;; ok
    (i32.store (i32.const 1028) (i32.const 1100))          ;; one piece of content
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store8 (i32.const 1036) (i32.const 0))            ;; none
    (i32.store (i32.const 1100) (i32.const 1200))          ;; its media type
    (i32.store (i32.const 1104) (i32.const 10))
    (i32.store8 (i32.const 1108) (i32.const 0))            ;; text
    (i32.store (i32.const 1112) (local.get $text))
    (i32.store (i32.const 1116) (local.get $length))
    (i32.const 1024))
  (func $refuse (param $code i32) (param $text i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 1))            ;; error
    (i32.store8 (i32.const 1028) (local.get $code))
    (i32.store (i32.const 1032) (local.get $text))
    (i32.store (i32.const 1036) (local.get $length))
    (i32.store8 (i32.const 1040) (i32.const 0))            ;; no time to wait
    (i32.const 1024))
  (data (i32.const 1200) "text/plain")
"#;

/// A command whose core function `run` has `body`; the parameters are `$name`, `$name_length`, `$arguments` and
/// `$arguments_length`. `imports` are core imports, which come first in a module.
pub fn command_module(imports: &str, body: &str) -> String {
    format!(
        r#"(module {imports} {PRELUDE}
          (func $go (export "deskhand:plugin/command@0.1.0#run")
            (param $name i32) (param $name_length i32) (param $arguments i32) (param $arguments_length i32) (result i32)
            {body}))"#
    )
}

/// A whole plugin with the command `go`.
pub fn command(permissions: &[&str], world: &str, imports: &str, body: &str) -> Vec<u8> {
    let world = format!("{world} export deskhand:plugin/command@0.1.0;");
    with_manifest(component(&world, &command_module(imports, body)), &manifest(permissions))
}

/// A command that needs nothing.
pub fn pure(body: &str) -> Vec<u8> {
    command(&[], "", "", body)
}

/// A clock that a test sets.
pub struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        "2024-05-31T12:00:00Z".parse().unwrap()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC)
    }
}

/// What answers a question.
type Answers = dyn Fn(&Question) -> Result<Answer, Unanswered> + Send + Sync;

/// A person who answers what a test says, and remembers what they were told.
pub struct Scripted {
    answer: Box<Answers>,
    pub told: Mutex<Vec<Notice>>,
    pub progress: Mutex<Vec<Progress>>,
    pub asked: Mutex<Vec<Question>>,
}

impl Scripted {
    pub fn new(answer: impl Fn(&Question) -> Result<Answer, Unanswered> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            told: Mutex::default(),
            progress: Mutex::default(),
            asked: Mutex::default(),
        })
    }
}

impl Person for Scripted {
    fn present(&self) -> bool {
        true
    }

    fn ask_until(&self, question: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        self.asked.lock().unwrap().push(question.clone());
        (self.answer)(question)
    }

    fn tell(&self, notice: &Notice) {
        self.told.lock().unwrap().push(notice.clone());
    }

    fn show(&self, _: &Plan) {}

    fn progress(&self, progress: &Progress) {
        self.progress.lock().unwrap().push(progress.clone());
    }
}

/// A log that keeps what it is given.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<Entry>>);

impl Log for Kept {
    fn append(&self, entry: Entry) -> Result<EventId, LogError> {
        let mut entries = self.0.lock().unwrap();
        entries.push(entry);
        Ok(EventId(entries.len() as u64))
    }

    fn queue(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }

    fn flush(&self) -> Result<(), LogError> {
        Ok(())
    }
}

impl Kept {
    /// The lines that plugins wrote: level, message, fields.
    pub fn lines(&self) -> Vec<(String, String, Value)> {
        let entries = self.0.lock().unwrap();
        let line = |entry: &Entry| match (&entry.event, &entry.content) {
            (Event::PluginLogged { level, .. }, Some(content)) => {
                Some((level.clone(), content["message"].as_str().unwrap().to_owned(), content["fields"].clone()))
            }
            _ => None,
        };
        entries.iter().filter_map(line).collect()
    }

    /// What was called, in order: of a role's, and with what.
    pub fn started(&self) -> Vec<(String, Value)> {
        let entries = self.0.lock().unwrap();
        let started = |entry: &Entry| match (&entry.event, &entry.content) {
            (Event::CallStarted { name, .. }, Some(content)) => Some((name.clone(), content.clone())),
            _ => None,
        };
        entries.iter().filter_map(started).collect()
    }

    /// How the calls ended, in order.
    pub fn outcomes(&self) -> Vec<String> {
        let entries = self.0.lock().unwrap();
        let outcome = |entry: &Entry| match &entry.event {
            Event::CallEnded { outcome, .. } => Some(outcome.clone()),
            _ => None,
        };
        entries.iter().filter_map(outcome).collect()
    }
}

/// A home with a runtime.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub home: Home,
    pub runtime: Runtime,
    pub log: Arc<Kept>,
    pub person: Arc<Scripted>,
    pub stop: Stop,
    pub workspace: Workspace,
    /// What is there beyond the folders.
    pub services: Services,
    /// The configuration of `official:test`.
    pub configuration: Option<Value>,
    records: Arc<Records>,
    gate: Arc<Gate>,
    task: TaskId,
}

/// Settings for tests: small, and with the compiler's child of this room.
pub fn config() -> Config {
    Config {
        concurrency: 4,
        memory_mib: 16,
        time: Duration::from_millis(300),
        piece_bytes: 8 << 20,
        reply_bytes: 1 << 20,
        log_bytes: 16 << 10,
        compiler: compiler(),
        ..Config::default()
    }
}

pub fn compiler() -> Compiler {
    Compiler {
        program: Some(env!("CARGO_BIN_EXE_deskhand-compile").into()),
        arguments: Vec::new(),
        ..Compiler::default()
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(config(), Scripted::new(|_| Ok(Answer::Yes)))
    }

    pub fn with(config: Config, person: Arc<Scripted>) -> Self {
        Self::at(tempfile::tempdir().unwrap(), config, person)
    }

    /// In a home that may be there already.
    pub fn at(folder: tempfile::TempDir, config: Config, person: Arc<Scripted>) -> Self {
        let home = Home::within(&folder.path().join("home"));
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(Fixed)).unwrap());
        let task = records.start_task(json!({})).unwrap();
        let gate = Arc::new(Gate::new(records.clone(), person.clone(), &home));
        let runtime = Runtime::new(&home, config);
        let workspace = Workspace::for_task(&home, Arc::new(Fixed), records.clone(), task).unwrap();
        Self {
            folder,
            home,
            runtime,
            log: Arc::default(),
            person,
            stop: Stop::default(),
            workspace,
            services: Services::default(),
            configuration: None,
            records,
            gate,
            task,
        }
    }

    pub fn invocation(&self) -> Invocation {
        Invocation {
            task: self.task,
            workspace: self.workspace.clone(),
            gate: self.gate.clone(),
            standing: Standing::default(),
            person: self.person.clone(),
            log: self.log.clone(),
            records: self.records.clone(),
            clock: Arc::new(Fixed),
            stop: self.stop.clone(),
            locale: "de-DE".to_owned(),
            configurations: Arc::new(self.configuration.iter().map(|it| (id(), it.clone())).collect()),
            services: self.services.clone(),
        }
    }

    /// Install `component` as `official:test`.
    pub fn install(&self, component: &[u8]) {
        self.install_as("official:test", component);
    }

    pub fn install_as(&self, id: &str, component: &[u8]) {
        self.try_install(&self.runtime, id, component).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Install `component`, agreed to as it is, with `runtime`.
    pub fn try_install(&self, runtime: &Runtime, id: &str, component: &[u8]) -> Result<Outcome, InstallError> {
        runtime.install(self.agreed(id, component), component, None)
    }

    /// A person's agreement to install `component`, or to run the staged version that it is.
    pub fn agreed(&self, id: &str, component: &[u8]) -> Permit<InstallPlugin> {
        // what the person agrees to is what the file says, where it can say anything
        let (version, permissions) = match read_manifest(component) {
            Ok(manifest) => (manifest.plugin.version.to_string(), manifest.permissions),
            Err(_) => ("1.0.0".to_owned(), Vec::new()),
        };
        self.agreed_to(InstallPlugin::new(id.parse().unwrap(), version, Sha256::of(component), permissions))
    }

    /// A person's agreement to just this.
    pub fn agreed_to(&self, effect: InstallPlugin) -> Permit<InstallPlugin> {
        let agreeable = Gate::new(self.records.clone(), Scripted::new(|_| Ok(Answer::Yes)), &self.home);
        agreeable.permit(&Context::person(None, Standing::default()), effect).unwrap()
    }

    /// Run `/go` of a plugin.
    pub fn run_command(&self, plugin: &str, name: &str, arguments: &Value) -> Result<Reply, CallError> {
        let effect = RunCommand { plugin: plugin.parse().unwrap(), command: name.to_owned() };
        let permit = self.gate.permit(&Context::person(Some(self.task), Standing::default()), effect).unwrap();
        self.runtime.call_command(self.invocation(), permit, arguments)
    }

    /// Call a tool of a plugin.
    pub fn call_tool(&self, plugin: &str, name: &str, arguments: &Value) -> Result<ToolOutput, CallError> {
        let effect = CallTool { plugin: plugin.parse().unwrap(), tool: name.to_owned() };
        let permit = self.gate.permit(&Context::person(Some(self.task), Standing::default()), effect).unwrap();
        self.runtime.call_tool(self.invocation(), permit, arguments)
    }

    /// What the agent may do, decided now.
    pub fn as_agent<E: Effect>(&self, effect: E) -> Permit<E> {
        self.gate.permit(&Context::agent(self.task, Standing::default()), effect).unwrap()
    }

    /// Run `/go`.
    pub fn go(&self) -> Result<Reply, CallError> {
        self.go_with(json!({}))
    }

    pub fn go_with(&self, arguments: Value) -> Result<Reply, CallError> {
        self.run_command("official:test", "go", &arguments)
    }

    /// Install `component` and run `/go`.
    pub fn run(&self, component: &[u8]) -> Result<Reply, CallError> {
        self.install(component);
        self.go()
    }

    /// The fault of `/go` of `component`.
    pub fn fault(&self, component: &[u8]) -> PluginFault {
        match self.run(component) {
            Err(CallError::Fault { plugin, fault }) => {
                assert_eq!(plugin, id());
                fault
            }
            other => panic!("no fault: {other:?}"),
        }
    }
}

pub fn id() -> PluginId {
    "official:test".parse().unwrap()
}

/// The one text of a reply.
pub fn text(reply: &Reply) -> &str {
    match &reply.show[..] {
        [content] => match &content.body {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
