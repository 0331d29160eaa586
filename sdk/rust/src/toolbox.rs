//! Tools of other plugins, under this plugin's own rights. Takes `tools.call` with the tools' names as its scope.

use crate::{Result, content::ToolOutput, door};
use serde::Serialize;
use serde_json::Value;

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
