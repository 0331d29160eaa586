//! `toolbox`: tools of other plugins, under their own rights.

use crate::{
    bindings::wit::{toolbox, types},
    call::{self, Answer, Call, Request, Role},
    invocation::Invocation,
    reply::{CallError, Code, Refused, ToolOutput},
};
use deskhand_permissions::effect::CallTool;
use deskhand_vocabulary::PluginId;
use serde_json::json;

/// The most calls of one `call-all`.
const AT_ONCE: usize = 64;
/// The most tools of one `catalog`.
const CATALOG: u32 = 200;

impl Call {
    /// Which plugin's tool is meant: `tool` (then exactly one plugin that this one may call has it), `plugin/tool` (of the
    /// same marketplace) or `marketplace:plugin/tool`.
    fn resolve(&self, tool: &str) -> Result<(PluginId, String), Refused> {
        let plugins = self.runtime.index.plugins().map_err(|error| Refused::new(Code::Failed, error.to_string()))?;
        let invalid =
            || Refused::new(Code::Invalid, "a tool is named `tool`, `plugin/tool` or `marketplace:plugin/tool`");
        if let Some((plugin, tool)) = tool.split_once('/') {
            let id: PluginId = match plugin.contains(':') {
                true => plugin.parse().map_err(|_| invalid())?,
                false => PluginId {
                    marketplace: self.plugin.marketplace.clone(),
                    name: plugin.parse().map_err(|_| invalid())?,
                },
            };
            return Ok((id, tool.to_owned()));
        }
        let mut having = plugins.iter().filter(|installed| {
            installed.id.marketplace == self.plugin.marketplace
                && installed.id != self.plugin
                && installed.release.tools().iter().any(|known| known.name.as_str() == tool)
        });
        match (having.next(), having.next()) {
            (Some(only), None) => Ok((only.id.clone(), tool.to_owned())),
            (None, _) => Err(Refused::new(Code::NotFound, "no installed plugin of this marketplace has that tool")),
            (Some(one), Some(other)) => {
                let message = format!("{} and {} both have that tool; name it as `plugin/tool`", one.id, other.id);
                Err(Refused::new(Code::Invalid, message))
            }
        }
    }

    async fn call_tool(&mut self, tool: &str, arguments: String) -> Result<ToolOutput, Refused> {
        serde_json::from_str::<serde::de::IgnoredAny>(&arguments)
            .map_err(|error| Refused::new(Code::Invalid, format!("the arguments are not JSON: {error}")))?;
        let (plugin, name) = self.resolve(tool)?;
        let effect = CallTool { plugin: plugin.clone(), tool: name.clone() };
        let permit = self.waiting(|call| call.rights.permit(effect))??;
        let CallTool { plugin, tool: name } = permit.redeem();
        let request = Request { plugin, role: Role::Tool, name, arguments, depth: self.depth + 1 };
        let invocation = Invocation { workspace: self.workspace.clone(), ..self.invocation.clone() };
        let runtime = self.runtime.clone();
        let _paused = self.meter.pause();
        self.slot.leave();
        let result = Box::pin(call::call(&runtime, invocation, request)).await;
        self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
        match result {
            Ok(Answer::Tool(output)) => Ok(output),
            Ok(Answer::Command(_)) => Err(Refused::new(Code::Failed, "a command answered for a tool")),
            Err(error) => Err(of_call(error)),
        }
    }
}

/// What the caller of a tool is told when it has no answer.
fn of_call(error: CallError) -> Refused {
    let code = match &error {
        CallError::Refused { refused, .. } | CallError::Lost { refused, .. } => {
            return refused.clone();
        }
        CallError::NotInstalled(_) | CallError::NoSuch { .. } => Code::NotFound,
        CallError::Fault { fault, .. } if fault.is_retryable() => Code::Unavailable,
        CallError::Stopped => Code::Cancelled,
        CallError::TooDeep { .. } => Code::Exhausted,
        CallError::Fault { .. } | CallError::Index(_) => Code::Failed,
    };
    Refused::new(code, error.to_string())
}

impl toolbox::Host for Call {
    fn catalog(&mut self, query: Option<String>, limit: u32) -> Result<String, types::Error> {
        let plugins = self.runtime.index.plugins().map_err(|error| Refused::new(Code::Failed, error.to_string()))?;
        let words: Vec<_> =
            query.unwrap_or_default().to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
        let limit = usize::try_from(limit.min(CATALOG)).unwrap_or(0);
        let mut found = Vec::new();
        for installed in plugins.iter().filter(|installed| installed.id != self.plugin) {
            for (at, listed) in installed.release.tools().iter().enumerate() {
                let effect = CallTool { plugin: installed.id.clone(), tool: listed.name.to_string() };
                if found.len() >= limit || !self.rights.may(&effect) {
                    continue;
                }
                let text = format!("{} {} {}", listed.name, listed.title, listed.description).to_lowercase();
                if !words.iter().all(|word| text.contains(word)) {
                    continue;
                }
                let Some(tool) = installed.release.manifest().ok().and_then(|manifest| manifest.tools.get(at)) else {
                    continue;
                };
                found.push(json!({
                    "name": format!("{}/{}", installed.id, tool.name),
                    "title": tool.title,
                    "description": tool.description,
                    "input-schema": tool.input,
                    "output-schema": tool.output,
                    "hints": if tool.read_only { json!(["read-only"]) } else { json!([]) },
                }));
            }
        }
        Ok(json!({ "tools": found }).to_string())
    }

    async fn call(&mut self, tool: String, arguments: String) -> Result<types::ToolOutput, types::Error> {
        Ok(self.call_tool(&tool, arguments).await?.into())
    }

    async fn call_all(&mut self, calls: Vec<toolbox::ToolCall>) -> Vec<Result<types::ToolOutput, types::Error>> {
        let mut results = Vec::with_capacity(calls.len().min(AT_ONCE));
        for (at, call) in calls.into_iter().enumerate() {
            if at >= AT_ONCE {
                let message = format!("at most {AT_ONCE} calls at once");
                results.push(Err(Refused::new(Code::TooLarge, message).into()));
                continue;
            }
            let result = self.call_tool(&call.tool, call.arguments).await;
            results.push(result.map(types::ToolOutput::from).map_err(types::Error::from));
        }
        results
    }

    fn delegate(
        &mut self,
        _agent: String,
        _task: String,
        _input: String,
        _budget: String,
    ) -> Result<types::ToolOutput, types::Error> {
        Err(Refused::new(Code::Unsupported, "this version of Deskhand has no sub-agents; call a tool instead").into())
    }
}
