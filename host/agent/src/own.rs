//! The tools of the loop itself: the plan, and reading on in a result that was too long.

use crate::{
    plan::{Plan, Step},
    tool::{Effect, Tool, Tools},
};
use serde_json::{Value, json};

pub(crate) const PLAN: &str = "plan";
pub(crate) const MORE: &str = "more";

/// All that a model can call in a task: the tools of the loop itself, then all others.
pub fn offered(tools: &dyn Tools) -> Vec<Tool> {
    let states = json!(["open", "doing", "done", "skipped", "failed"]);
    let step = json!({
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "state": {"type": "string", "enum": states},
            "note": {"type": "string", "description": "Why it was skipped or failed."}
        },
        "required": ["text", "state"]
    });
    let steps =
        json!({"type": "object", "properties": {"steps": {"type": "array", "items": step}}, "required": ["steps"]});
    let more = json!({
        "type": "object",
        "properties": {"result": {"type": "integer"}, "offset": {"type": "integer"}},
        "required": ["result", "offset"]
    });
    let plan = "Set the steps of this task, all of them each time, with how far each is. The person sees them.";
    let mut all = vec![
        Tool::new(PLAN, plan, steps, Effect::Read),
        Tool::new(MORE, "Read on in a result that was too long.", more, Effect::Read),
    ];
    all.extend(tools.tools());
    all
}

/// The plan in the arguments of `plan`.
pub(crate) fn plan_of(arguments: &Value) -> std::result::Result<Plan, String> {
    let steps: Vec<Step> = serde_json::from_value(arguments["steps"].clone()).map_err(|error| error.to_string())?;
    Plan::new(steps).map_err(|error| error.to_string())
}
