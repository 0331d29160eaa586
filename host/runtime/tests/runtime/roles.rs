//! The roles beside commands and tools: each is called as its manifest declares it, and answers with its type.

use crate::kit::{Bench, PRELUDE, component, id, manifest, with_manifest};
use deskhand_permissions::effect::{ExtractText, ListTools, StartAgent, UseSkill};
use deskhand_runtime::{
    Body, CallError, CatalogTool, Content, Extracted, Guidance, InstallError, ModelCall, ModelReply, Models, Opening,
    PluginFault, Profile, Refused, Talk, ToolOutput, ToolPage,
};
use deskhand_vocabulary::{Sha256, Stop, manifest::Tier};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A plugin without commands, whose manifest says `more`.
fn plugin(world: &str, module: &str, more: &Value) -> Vec<u8> {
    let mut manifest = manifest(&[]);
    manifest["commands"] = json!([]);
    for (key, value) in more.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    with_manifest(component(world, module), &manifest)
}

fn text(text: &str) -> Content {
    Content { media_type: "text/plain".to_owned(), body: Body::Text(text.to_owned()) }
}

/// A skill that instructs with its task, names what its input is as a reference and asks for the tool `text`; a reference
/// holds its own path.
fn skill() -> Vec<u8> {
    let module = format!(
        r#"(module {PRELUDE}
          (func (export "deskhand:plugin/skill@0.1.0#open")
            (param $task i32) (param $task_length i32) (param $input i32) (param $input_length i32) (result i32)
            (i32.store8 (i32.const 1024) (i32.const 0))
            (i32.store (i32.const 1028) (local.get $task))
            (i32.store (i32.const 1032) (local.get $task_length))
            (i32.store (i32.const 1036) (i32.const 1100))
            (i32.store (i32.const 1040) (i32.const 1))
            (i32.store (i32.const 1044) (i32.const 1108))
            (i32.store (i32.const 1048) (i32.const 1))
            (i32.store (i32.const 1100) (local.get $input))
            (i32.store (i32.const 1104) (local.get $input_length))
            (i32.store (i32.const 1108) (i32.const 1200))
            (i32.store (i32.const 1112) (i32.const 4))
            (i32.const 1024))
          (func (export "deskhand:plugin/skill@0.1.0#read") (param $path i32) (param $length i32) (result i32)
            (i32.store8 (i32.const 1024) (i32.const 0))
            (i32.store (i32.const 1028) (i32.const 1200))
            (i32.store (i32.const 1032) (i32.const 10))
            (i32.store8 (i32.const 1036) (i32.const 0))
            (i32.store (i32.const 1040) (local.get $path))
            (i32.store (i32.const 1044) (local.get $length))
            (i32.const 1024)))"#
    );
    let more = json!({ "skill": { "name": "tidying", "description": "How to tidy." } });
    plugin("export deskhand:plugin/skill@0.1.0;", &module, &more)
}

#[test]
fn a_skill_is_taken_up_and_its_references_are_read() {
    let bench = Bench::new();
    bench.install(&skill());
    let effect = || UseSkill { plugin: id(), skill: "tidying".to_owned() };
    let open = |permit| bench.runtime.open_skill(bench.invocation(), permit, "tidy the desk", &json!({"deep": true}));
    let guidance = open(bench.as_agent(effect())).unwrap();
    let expected = Guidance {
        instructions: "tidy the desk".to_owned(),
        references: vec![r#"{"deep":true}"#.to_owned()],
        tools: vec!["text".to_owned()],
    };
    assert_eq!(guidance, expected);
    let read = bench.runtime.read_skill(bench.invocation(), bench.as_agent(effect()), "a/b.md");
    assert_eq!(read.unwrap(), text("a/b.md"));
    let other = UseSkill { plugin: id(), skill: "cooking".to_owned() };
    let error = open(bench.as_agent(other)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "official:test has no skill `cooking`. `deskhand plugin info official:test` lists what it has"
    );
    assert_eq!(bench.log.outcomes(), ["ok", "ok"]);
}

/// An extractor of letters, whose core function has `body`.
fn extractor(permissions: &[&str], world: &str, imports: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {imports} {PRELUDE}
          (func (export "deskhand:plugin/extractor@0.1.0#extract")
            (param $type i32) (param $type_length i32) (param $document i32) (param $document_length i32)
            (param $options i32) (param $options_length i32) (result i32)
            {body}))"#
    );
    let more = json!({
        "permissions": manifest(permissions)["permissions"],
        "extractor": { "media_types": ["application/x-letter"] },
    });
    plugin(&format!("{world} export deskhand:plugin/extractor@0.1.0;"), &module, &more)
}

/// The text at an address, of which there is more.
fn text_at(address: &str, length: &str) -> String {
    format!(
        "(i32.store8 (i32.const 1024) (i32.const 0))
         (i32.store (i32.const 1028) {address})
         (i32.store (i32.const 1032) {length})
         (i32.store8 (i32.const 1036) (i32.const 1))
         (i32.const 1024)"
    )
}

#[test]
fn an_extractor_is_handed_the_document_and_how_much_is_wanted() {
    let bench = Bench::new();
    let extract = |kind: &str| {
        let permit = bench.as_agent(ExtractText { plugin: id() });
        bench.runtime.extract_text(bench.invocation(), permit, kind, b"Dear Ada".to_vec(), 40)
    };
    bench.install(&extractor(&[], "", "", &text_at("(local.get $document)", "(local.get $document_length)")));
    assert_eq!(extract("application/x-letter").unwrap(), Extracted { text: "Dear Ada".to_owned(), cut: true });
    let error = extract("text/html").unwrap_err();
    assert_eq!(
        error.to_string(),
        "official:test has no extractor for `text/html`. `deskhand plugin info official:test` lists what it has"
    );
    // the document itself stays out of the log
    let document = Sha256::of(b"Dear Ada");
    let started = ("application/x-letter".to_owned(), json!({ "document": document, "bytes": 8 }));
    assert_eq!(bench.log.started(), [started]);
    bench.install(&extractor(&[], "", "", &text_at("(local.get $options)", "(local.get $options_length)")));
    assert_eq!(extract("application/x-letter").unwrap().text, r#"{"limit":40}"#);
}

/// What its manifest asks for, it has for its other roles: who hands it a document hands it nothing else.
#[test]
fn an_extractor_has_no_rights() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/store@0.1.0" "get" (func $get (param i32 i32 i32)))"#;
    // the code of the error that it gets for looking at what it keeps
    let body = format!(
        "(call $get (i32.const 1200) (i32.const 4) (i32.const 1400))
         (i32.store8 (i32.const 1500) (i32.add (i32.const 48) (i32.load8_u (i32.const 1408))))
         (i32.store8 (i32.const 1501) (i32.add (i32.const 48) (i32.load8_u (i32.const 1400))))
         {}",
        text_at("(i32.const 1500)", "(i32.const 2)")
    );
    bench.install(&extractor(&["state.keep"], "import deskhand:plugin/store@0.1.0;", import, &body));
    let permit = bench.as_agent(ExtractText { plugin: id() });
    let extracted = bench.runtime.extract_text(bench.invocation(), permit, "application/x-letter", Vec::new(), 40);
    let denied = 1;
    assert_eq!(extracted.unwrap().text, format!("{denied}1"));
}

/// A sub-agent that the host runs: its prompt is its task, its answer schema is its input.
pub fn briefed(plugin_name: &str, agent: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {PRELUDE}
          (data (i32.const 1300) "fast")
          (func (export "deskhand:plugin/agent@0.1.0#brief")
            (param $task i32) (param $task_length i32) (param $input i32) (param $input_length i32) (result i32)
            (i32.store8 (i32.const 1024) (i32.const 0))
            (i32.store (i32.const 1028) (local.get $task))
            (i32.store (i32.const 1032) (local.get $task_length))
            (i32.store (i32.const 1036) (i32.const 0))
            (i32.store (i32.const 1040) (i32.const 0))
            (i32.store (i32.const 1044) (i32.const 1400))
            (i32.store (i32.const 1048) (i32.const 1))
            (i32.store (i32.const 1400) (i32.const 1200))
            (i32.store (i32.const 1404) (i32.const 4))
            (i32.store (i32.const 1052) (i32.const 1300))
            (i32.store (i32.const 1056) (i32.const 4))
            (i32.store (i32.const 1060) (i32.const 7))
            (i32.store8 (i32.const 1064) (i32.const 1))
            (i32.store (i32.const 1068) (local.get $input))
            (i32.store (i32.const 1072) (local.get $input_length))
            (i32.const 1024)))"#
    );
    let mut more = json!({ "agent": { "name": agent, "description": "Helps.", "tier": "fast" } });
    more["plugin"] = manifest(&[])["plugin"].clone();
    more["plugin"]["name"] = json!(plugin_name);
    plugin("export deskhand:plugin/agent@0.1.0;", &module, &more)
}

#[test]
fn a_sub_agent_says_who_it_is() {
    let bench = Bench::new();
    bench.install(&briefed("test", "helper"));
    let effect = StartAgent { plugin: id(), agent: "helper".to_owned() };
    let permit = bench.as_agent(effect.clone());
    let profile = bench.runtime.brief_agent(bench.invocation(), permit, "count", &json!({"type": "object"})).unwrap();
    let expected = Profile {
        system_prompt: "count".to_owned(),
        opening: Vec::new(),
        tools: vec!["text".to_owned()],
        model: "fast".to_owned(),
        max_turns: 7,
        answer_schema: Some(r#"{"type":"object"}"#.to_owned()),
    };
    assert_eq!(profile, expected);
    // and it does not run itself
    let error = bench.runtime.run_agent(bench.invocation(), bench.as_agent(effect), "count", &json!({})).unwrap_err();
    assert!(matches!(error, CallError::NoSuch { role: "sub-agent with a loop of its own", .. }), "{error}");
}

#[test]
fn a_role_that_is_declared_and_not_there_is_refused() {
    let bench = Bench::new();
    let more = json!({ "agent": { "name": "helper", "description": "Helps.", "own_loop": true } });
    let module = format!("(module {PRELUDE})");
    let error = bench.try_install(&bench.runtime, "official:test", &plugin("", &module, &more)).unwrap_err();
    let InstallError::Fault { fault: PluginFault::RoleMissing { declared, export }, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((declared.as_str(), export.as_str()), ("the sub-agent `helper`", "deskhand:plugin/agent-loop@0.1.0"));
}

#[test]
fn tools_of_an_account_are_listed_page_by_page() {
    let bench = Bench::new();
    // the name of the one tool is the cursor, or `text`
    let module = format!(
        r#"(module {PRELUDE}
          (func (export "deskhand:plugin/tools@0.1.0#call") (param i32 i32 i32 i32) (result i32)
            (call $answer (local.get 0) (local.get 1)))
          (func (export "deskhand:plugin/tool-catalog@0.1.0#list")
            (param $some i32) (param $cursor i32) (param $length i32) (result i32)
            (i32.store8 (i32.const 1024) (i32.const 0))
            (i32.store (i32.const 1028) (i32.const 1400))
            (i32.store (i32.const 1032) (i32.const 1))
            (i32.store (i32.const 1400) (select (local.get $cursor) (i32.const 1200) (local.get $some)))
            (i32.store (i32.const 1404) (select (local.get $length) (i32.const 4) (local.get $some)))
            (i32.store8 (i32.const 1036) (i32.eqz (local.get $some)))
            (i32.store (i32.const 1040) (i32.const 1200))
            (i32.store (i32.const 1044) (i32.const 5))
            (i32.const 1024)))"#
    );
    let world = "export deskhand:plugin/tools@0.1.0; export deskhand:plugin/tool-catalog@0.1.0;";
    bench.install(&plugin(world, &module, &json!({ "tool_catalog": true })));
    let list = |cursor: Option<&str>| {
        let permit = bench.as_agent(ListTools { plugin: id() });
        bench.runtime.list_tools(bench.invocation(), permit, cursor.map(ToOwned::to_owned)).unwrap()
    };
    let page = |name: &str, next: Option<&str>| ToolPage {
        tools: vec![CatalogTool {
            name: name.to_owned(),
            title: String::new(),
            description: String::new(),
            input_schema: String::new(),
            output_schema: None,
            hints: Vec::new(),
        }],
        next: next.map(ToOwned::to_owned),
    };
    assert_eq!(list(None), page("text", Some("text/")));
    assert_eq!(list(Some("second")), page("second", None));
    // and each of them can be called
    assert_eq!(bench.call_tool("official:test", "second", &json!({})).unwrap().content, [text("second")]);
}

/// A model that says what it was told, and remembers how its conversations began.
#[derive(Default)]
struct Scripted {
    begun: Mutex<Vec<Opening>>,
}

struct Echo(Vec<Content>);

impl Models for Scripted {
    fn start(&self, opening: &Opening) -> Result<Box<dyn Talk>, Refused> {
        self.begun.lock().unwrap().push(opening.clone());
        Ok(Box::new(Echo(Vec::new())))
    }
}

impl Talk for Echo {
    fn say(&mut self, content: Vec<Content>) -> Result<(), Refused> {
        self.0.extend(content);
        Ok(())
    }

    fn answer(&mut self, _: &str, _: Result<ToolOutput, Refused>) -> Result<(), Refused> {
        Ok(())
    }

    fn next(&mut self, _: &Stop) -> Result<ModelReply, Refused> {
        let calls = vec![ModelCall { id: "1".to_owned(), tool: "t".to_owned(), arguments: "{}".to_owned() }];
        let content = std::mem::take(&mut self.0);
        Ok(ModelReply { content, calls, stop: "end".to_owned(), input_tokens: 3, output_tokens: 4 })
    }

    fn piece(&mut self, _: &Stop) -> Result<Option<String>, Refused> {
        Ok(None)
    }
}

/// A sub-agent that tells a model its task, and answers what the model says.
fn looping(permissions: &[&str]) -> Vec<u8> {
    let module = format!(
        r#"(module
          (import "deskhand:plugin/model@0.1.0" "[constructor]conversation"
            (func $new (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
          (import "deskhand:plugin/model@0.1.0" "[method]conversation.say" (func $say (param i32 i32 i32 i32)))
          (import "deskhand:plugin/model@0.1.0" "[method]conversation.next" (func $next (param i32 i32)))
          (import "deskhand:plugin/model@0.1.0" "[resource-drop]conversation" (func $drop (param i32)))
          {PRELUDE}
          (data (i32.const 1300) "fast")
          (func (export "deskhand:plugin/agent-loop@0.1.0#run")
            (param $task i32) (param $task_length i32) (param $input i32) (param $input_length i32) (result i32)
            (local $talk i32)
            (local.set $talk (call $new (i32.const 1300) (i32.const 4) (i32.const 1200) (i32.const 4)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
            (i32.store (i32.const 1400) (i32.const 1200))
            (i32.store (i32.const 1404) (i32.const 10))
            (i32.store8 (i32.const 1408) (i32.const 0))
            (i32.store (i32.const 1412) (local.get $task))
            (i32.store (i32.const 1416) (local.get $task_length))
            (call $say (local.get $talk) (i32.const 1400) (i32.const 1) (i32.const 1024))
            (call $next (local.get $talk) (i32.const 1024))
            (call $drop (local.get $talk))
            ;; the reply begins with its content, as the answer does; an error is laid out alike
            (i32.const 1024)))"#
    );
    let mut permissions = manifest(permissions);
    let more = json!({
        "agent": { "name": "helper", "description": "Helps.", "own_loop": true },
        "permissions": permissions["permissions"].take(),
    });
    plugin("import deskhand:plugin/model@0.1.0; export deskhand:plugin/agent-loop@0.1.0;", &module, &more)
}

#[test]
fn a_sub_agent_runs_itself_over_the_model_of_the_task() {
    let mut bench = Bench::new();
    bench.install(&looping(&["model.use"]));
    let run = |bench: &Bench| {
        let permit = bench.as_agent(StartAgent { plugin: id(), agent: "helper".to_owned() });
        bench.runtime.run_agent(bench.invocation(), permit, "say this", &json!({}))
    };
    let error = run(&bench).unwrap_err();
    assert_eq!(error.to_string(), "official:test says: no model is set up here");
    let model = Arc::new(Scripted::default());
    bench.services.models = Some(model.clone());
    assert_eq!(run(&bench).unwrap(), [text("say this")]);
    let opening =
        Opening { plugin: id(), tier: Tier::Fast, system: "text".to_owned(), tools: Vec::new(), options: json!({}) };
    assert_eq!(*model.begun.lock().unwrap(), [opening]);
}

#[test]
fn a_model_is_for_those_alone_who_ask_for_it() {
    let bench = Bench::new();
    let error = bench.try_install(&bench.runtime, "official:test", &looping(&[])).unwrap_err();
    assert!(error.to_string().contains("Add the permission `model.use`"), "{error}");
}
