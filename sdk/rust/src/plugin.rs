//! What the macros make of an author's functions. Authors do not name these; they write `#[command]`, `#[tool]` and
//! `plugin!`.

use crate::{
    Error, Result,
    agent::Profile,
    content::{Content, Reply, ToolOutput},
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A slash command, made by `#[command]`.
pub trait Command {
    /// What the person types after `/`.
    const NAME: &'static str;
    /// Run it.
    fn run(arguments: &str) -> Result<Reply>;
    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    fn describe() -> description::Command;
}

/// A tool, made by `#[tool]`.
pub trait Tool {
    /// Unique within the plugin.
    const NAME: &'static str;
    /// Call it.
    fn call(arguments: &str) -> Result<ToolOutput>;
    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    fn describe() -> description::Tool;
}

/// A sub-agent, made by `#[agent]`.
pub trait Agent {
    /// What callers call it.
    const NAME: &'static str;
    /// Who it is for this task.
    fn brief(task: &str, input: &str) -> Result<Profile>;
    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    fn describe() -> description::Agent;
}

/// A sub-agent that runs itself, made by `#[agent_loop]`.
pub trait AgentLoop {
    /// What callers call it.
    const NAME: &'static str;
    /// Work on this task.
    fn run(task: &str, input: &str) -> Result<Vec<Content>>;
    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    fn describe() -> description::Agent;
}

/// What a sub-agent that runs itself may answer.
pub trait Answer {
    /// As the interface has it.
    fn into_content(self) -> Vec<Content>;
}

impl Answer for String {
    fn into_content(self) -> Vec<Content> {
        vec![Content::text(self)]
    }
}

impl Answer for Content {
    fn into_content(self) -> Vec<Content> {
        vec![self]
    }
}

impl Answer for Vec<Content> {
    fn into_content(self) -> Vec<Content> {
        self
    }
}

/// What the function of a sub-agent that runs itself may return.
pub trait LoopResult {
    /// As the interface has it.
    fn into_content(self) -> Result<Vec<Content>>;
}

impl<T: Answer, E: Into<Error>> LoopResult for std::result::Result<T, E> {
    fn into_content(self) -> Result<Vec<Content>> {
        self.map(Answer::into_content).map_err(Into::into)
    }
}

/// The arguments as the author's type.
pub fn arguments<T: DeserializeOwned>(name: &str, json: &str) -> Result<T> {
    let json = if json.is_empty() { "{}" } else { json };
    serde_json::from_str(json).map_err(|error| Error::invalid(format!("the arguments of `{name}` do not fit: {error}")))
}

/// There is no command or tool of this name.
pub fn unknown<T>(what: &str, name: &str) -> Result<T> {
    Err(Error::not_found(format!("this plugin has no {what} `{name}`")))
}

/// What a command's function may return.
pub trait CommandResult {
    /// As the interface has it.
    fn into_reply(self) -> Result<Reply>;
}

impl<T: Into<Reply>, E: Into<Error>> CommandResult for std::result::Result<T, E> {
    fn into_reply(self) -> Result<Reply> {
        self.map(Into::into).map_err(Into::into)
    }
}

/// What a tool's function may give: any value that has a schema, or content.
pub trait ToolValue {
    /// As the interface has it.
    fn into_output(self) -> Result<ToolOutput>;
    /// The schema of the structured result, if it has one.
    #[cfg(not(target_family = "wasm"))]
    fn schema() -> Option<serde_json::Value>;
}

impl<T: Serialize + schemars::JsonSchema> ToolValue for T {
    fn into_output(self) -> Result<ToolOutput> {
        let value = serde_json::to_value(self)
            .map_err(|error| Error::failed(format!("the result of the tool is no JSON: {error}")))?;
        Ok(ToolOutput::from_value(value))
    }

    #[cfg(not(target_family = "wasm"))]
    fn schema() -> Option<serde_json::Value> {
        description::object_schema(crate::schema::of_output::<T>())
    }
}

impl ToolValue for ToolOutput {
    fn into_output(self) -> Result<ToolOutput> {
        Ok(self)
    }

    #[cfg(not(target_family = "wasm"))]
    fn schema() -> Option<serde_json::Value> {
        None
    }
}

impl ToolValue for crate::Content {
    fn into_output(self) -> Result<ToolOutput> {
        Ok(ToolOutput { content: vec![self], structured: None })
    }

    #[cfg(not(target_family = "wasm"))]
    fn schema() -> Option<serde_json::Value> {
        None
    }
}

/// What a tool's function may return.
pub trait ToolResult {
    /// What it gives.
    type Value: ToolValue;
    /// As the interface has it.
    fn into_output(self) -> Result<ToolOutput>;
}

impl<T: ToolValue, E: Into<Error>> ToolResult for std::result::Result<T, E> {
    type Value = T;

    fn into_output(self) -> Result<ToolOutput> {
        self.map_err(Into::into)?.into_output()
    }
}

/// What `deskhand plugin build` reads out of a native build: the part of the manifest that the code knows.
#[cfg(not(target_family = "wasm"))]
pub mod description {
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    /// All of it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Plugin {
        /// The `deskhand:plugin` interface of the SDK.
        pub interface: String,
        /// Slash commands.
        pub commands: Vec<Command>,
        /// Tools.
        pub tools: Vec<Tool>,
        /// The skill.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub skill: Option<Skill>,
        /// The sub-agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub agent: Option<Agent>,
        /// The extractor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub extractor: Option<Extractor>,
        /// The schema of the configuration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub config: Option<Value>,
    }

    /// A slash command.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Command {
        /// What the person types after `/`.
        pub name: String,
        /// One sentence.
        pub summary: String,
        /// The schema of its arguments.
        pub arguments: Value,
        /// How they are written in words.
        pub forms: Vec<String>,
        /// Requests that it serves.
        pub triggers: Vec<String>,
        /// Requests that sound alike and that it does not serve.
        pub not_for: Vec<String>,
    }

    /// A tool.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Tool {
        /// Unique within the plugin.
        pub name: String,
        /// For the person.
        pub title: String,
        /// For the model.
        pub description: String,
        /// The schema of its arguments.
        pub input: Value,
        /// The schema of its structured result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub output: Option<Value>,
        /// True if it only reads.
        pub read_only: bool,
    }

    /// A skill.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Skill {
        /// What it is called.
        pub name: String,
        /// What it is for.
        pub description: String,
        /// Requests that it serves.
        pub triggers: Vec<String>,
    }

    /// An extractor.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Extractor {
        /// Which documents it reads.
        pub media_types: Vec<String>,
    }

    /// A sub-agent.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Agent {
        /// What it is called.
        pub name: String,
        /// What it does.
        pub description: String,
        /// The schema of what it takes beside its task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub input: Option<Value>,
        /// `fast`, `balanced` or `deep`.
        pub tier: String,
        /// True if it runs itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub own_loop: bool,
    }

    /// The schema of arguments that are none.
    pub fn no_arguments() -> Value {
        serde_json::json!({ "type": "object", "additionalProperties": false })
    }

    /// The schema, if all that fits it is an object; a choice between objects is said to be one.
    pub(crate) fn object_schema(mut schema: Value) -> Option<Value> {
        let is_object = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("object");
        if is_object(&schema) {
            return Some(schema);
        }
        let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array)?;
        if choices.is_empty() || !choices.iter().all(is_object) {
            return None;
        }
        schema.as_object_mut()?.insert("type".into(), "object".into());
        Some(schema)
    }

    /// Write the description where `deskhand plugin build` looks for it, if it asks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn hand_over(plugin: &Plugin) -> std::io::Result<()> {
        let Some(path) = std::env::var_os("DESKHAND_DESCRIPTION") else { return Ok(()) };
        std::fs::write(path, serde_json::to_vec_pretty(plugin)?)
    }
}
