//! Tools and sub-agents of other plugins, under this plugin's own rights. Takes `tools.call` with their names as its scope.

use crate::{Result, content::ToolOutput, door};
use serde::Serialize;
use serde_json::{Map, Value};

/// Call a tool: `name`, or `plugin/name`.
pub fn call(tool: &str, arguments: &impl Serialize) -> Result<ToolOutput> {
    door::call_tool(tool, &serde_json::to_string(arguments)?)
}

/// Call several tools, side by side where they only read.
pub fn call_all(calls: &[(&str, Value)]) -> Vec<Result<ToolOutput>> {
    let calls: Vec<(String, String)> =
        calls.iter().map(|(tool, args)| ((*tool).to_owned(), args.to_string())).collect();
    door::call_tools(&calls)
}

/// Tools that fit a query, with their descriptions and schemas, as the host lists them.
pub fn catalog(query: Option<&str>, limit: u32) -> Result<Value> {
    Ok(serde_json::from_str(&door::catalog(query, limit)?)?)
}

/// Give a task to a sub-agent (`name` or `plugin/name`), and wait for its answer. It may what this plugin may, and works out of
/// this task's budget.
///
/// ```
/// use deskhand_sdk::prelude::*;
///
/// #[derive(Serialize)]
/// struct Bill {
///     path: String,
/// }
///
/// fn sum(path: &str) -> Result<String> {
///     let delegation = toolbox::delegate("reader", "What is the sum?").input(&Bill { path: path.to_owned() })?;
///     Ok(delegation.budget("tokens", 20_000).send()?.text())
/// }
///
/// // in a #[test]:
/// let host = testing::Host::new().agent("reader", |task, input| {
///     Ok(ToolOutput::from_value(format!("{task} {}", input["path"]).into()))
/// });
/// assert_eq!(host.run(|| sum("a.pdf")), Ok("What is the sum? \"a.pdf\"".to_owned()));
/// ```
pub fn delegate(agent: &str, task: &str) -> Delegation {
    Delegation { agent: agent.to_owned(), task: task.to_owned(), input: Value::Object(Map::new()), budget: Map::new() }
}

/// Work for a sub-agent, to be given.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is given before `send`"]
pub struct Delegation {
    agent: String,
    task: String,
    input: Value,
    budget: Map<String, Value>,
}

impl Delegation {
    /// With what goes with the task; an object.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn input(mut self, input: &impl Serialize) -> Result<Self> {
        self.input = serde_json::to_value(input)?;
        Ok(self)
    }

    /// With at most so much of a measure: `tokens` or `steps` as a number, `money` such as `"0.50"`, `time` such as `"2m"`.
    pub fn budget(mut self, measure: &str, most: impl Into<Value>) -> Self {
        self.budget.insert(measure.to_owned(), most.into());
        self
    }

    /// Give it, and wait for the answer.
    ///
    /// # Errors
    /// It may not be given, the budget is used up, or the sub-agent has no answer.
    pub fn send(self) -> Result<ToolOutput> {
        let budget = Value::Object(self.budget).to_string();
        door::delegate(&self.agent, &self.task, &self.input.to_string(), &budget)
    }
}
