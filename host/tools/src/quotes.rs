//! `check_quotes`: whether the passages of a written report stand in what this task has fetched.

use crate::{arguments, own::NotDone, place::Place, sources::Sources};
use deskhand_agent::tool::{Call, Effect, Output, Tool, Tools};
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::Stop;
use deskhand_workspace::Workspace;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

const CHECK: &str = "check_quotes";
/// The largest report that is checked, in bytes.
const REPORT: u32 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct QuoteCheck {
    place: Place,
    sources: Arc<Sources>,
}

impl QuoteCheck {
    /// For reports in the folders of a task, against what it has fetched.
    pub fn new(workspace: Workspace, gate: Arc<Gate>, context: Context, sources: Arc<Sources>) -> Self {
        Self { place: Place::new(workspace, gate, context), sources }
    }

    fn check(&self, path: &str) -> Result<Output, NotDone> {
        let path = self.place.path(path)?;
        let entry = self.place.file(&path)?;
        if entry.size > u64::from(REPORT) {
            return Err(NotDone::failed(format!("`{path}` is too large to be a report")));
        }
        let bytes = self.place.workspace.read(&path, Some(&entry.version), 0, REPORT)?;
        let checked = self.sources.check(&String::from_utf8_lossy(&bytes));
        let words = checked.words();
        // a check that fails is a result, and one that the look back at the end must see
        if checked.holds() { Ok(Output::done(words)) } else { Err(NotDone::failed(words)) }
    }
}

/// What the tool takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The report, in Markdown.
    path: String,
}

impl Tools for QuoteCheck {
    fn tools(&self) -> Vec<Tool> {
        let description = "Check a report in Markdown: whether each block quote stands word for word in the page or document that its \
             last line names (`> — <address>`), as this task fetched it, and which claims have none.";
        vec![Tool::new(CHECK, description, arguments::schema::<Arguments>(), Effect::Read)]
    }

    fn call(&self, call: &Call, _: &Stop) -> Output {
        let checked = arguments::read::<Arguments>(&call.arguments)
            .map_err(NotDone::failed)
            .and_then(|Arguments { path }| self.check(&path));
        checked.unwrap_or_else(|not_done| not_done.output())
    }
}
