//! `toolbox`: tools of other plugins, under their own rights.

use crate::{
    bindings::wit::{toolbox, types},
    call::{self, Answer, Call, Request, Role},
    invocation::Invocation,
    reply::{CallError, Code, Refused, ToolOutput},
};
use deskhand_permissions::effect::CallTool;
use deskhand_vocabulary::{PluginId, manifest::PermissionKind};
use serde_json::json;
use std::sync::{Mutex, PoisonError};

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

    /// A call of a tool that was looked up and permitted.
    fn permitted(&mut self, tool: &str, arguments: String) -> Result<Request, Refused> {
        serde_json::from_str::<serde::de::IgnoredAny>(&arguments)
            .map_err(|error| Refused::new(Code::Invalid, format!("the arguments are not JSON: {error}")))?;
        let (plugin, name) = self.resolve(tool)?;
        let effect = CallTool { plugin: plugin.clone(), tool: name.clone() };
        let permit = self.waiting(|call| call.rights.permit(effect))??;
        let CallTool { plugin, tool: name } = permit.redeem();
        let depth = self.depth + 1;
        Ok(Request { plugin, role: Role::Tool, name, arguments, depth, allowance: self.allowance.clone() })
    }

    /// What a called plugin is given: what this call has, with its changes.
    fn for_called(&self) -> Invocation {
        Invocation { workspace: self.workspace.clone(), ..self.invocation.clone() }
    }

    async fn call_one(&mut self, request: Request) -> Result<ToolOutput, Refused> {
        let (runtime, invocation) = (self.runtime.clone(), self.for_called());
        let _paused = self.meter.pause();
        self.slot.leave();
        let result = Box::pin(call::call(&runtime, invocation, request)).await;
        self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
        of_result(result)
    }

    /// True for a plugin whose calls cannot get in the way of each other, nor of what comes after them: it changes no
    /// folder, asks nobody, and calls nobody who might.
    fn runs_beside_others(&self, plugin: &PluginId) -> bool {
        let Ok(Some(installed)) = self.runtime.index.plugin(plugin) else { return false };
        let Ok(listing) = installed.release.listing() else { return false };
        listing.permissions.iter().all(|permission| match permission.kind {
            PermissionKind::FilesRead | PermissionKind::StateKeep => true,
            PermissionKind::FilesChange
            | PermissionKind::FilesRemove
            | PermissionKind::PersonAsk
            | PermissionKind::ToolsCall => false,
        })
    }

    /// Make calls side by side, each on a thread, and never more than half of those that may run at once, so that calls
    /// of other tasks get their turn. Answers in the order of the calls.
    fn call_side_by_side(&mut self, requests: Vec<Request>) -> Result<Vec<Result<ToolOutput, Refused>>, Refused> {
        let (runtime, invocation) = (self.runtime.clone(), self.for_called());
        let machine = runtime.machine().map_err(|fault| Refused::new(Code::Failed, fault.to_string()))?;
        let threads = usize::try_from(runtime.config.concurrency / 2).unwrap_or(1).clamp(1, requests.len().max(1));
        let _paused = self.meter.pause();
        self.slot.leave();
        let waiting = Mutex::new(requests.into_iter().enumerate());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            let mut done = Vec::new();
            while let Some((at, request)) = next() {
                let call = call::call(&runtime, invocation.clone(), request);
                done.push((at, of_result(machine.block_on(call))));
            }
            done
        };
        let mut done = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.flatten().collect::<Vec<_>>()
        });
        done.sort_by_key(|(at, _)| *at);
        self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }

    /// Make the calls of `beside`, and put each answer in its place.
    fn settle(&mut self, beside: &mut Vec<(usize, Request)>, results: &mut [Result<ToolOutput, Refused>]) {
        let (places, requests): (Vec<usize>, Vec<Request>) = beside.drain(..).unzip();
        if places.is_empty() {
            return;
        }
        let answers = match self.call_side_by_side(requests) {
            Ok(answers) => answers,
            Err(refused) => vec![Err(refused); places.len()],
        };
        for (at, answer) in places.into_iter().zip(answers) {
            if let Some(result) = results.get_mut(at) {
                *result = answer;
            }
        }
    }
}

fn of_result(result: Result<Answer, CallError>) -> Result<ToolOutput, Refused> {
    match result {
        Ok(Answer::Tool(output)) => Ok(output),
        Ok(Answer::Command(_)) => Err(Refused::new(Code::Failed, "a command answered for a tool")),
        Err(error) => Err(of_call(error)),
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
        let request = self.permitted(&tool, arguments)?;
        Ok(self.call_one(request).await?.into())
    }

    async fn call_all(&mut self, calls: Vec<toolbox::ToolCall>) -> Vec<Result<types::ToolOutput, types::Error>> {
        let too_many = || Refused::new(Code::TooLarge, format!("at most {AT_ONCE} calls at once"));
        let mut results: Vec<Result<ToolOutput, Refused>> = calls.iter().map(|_| Err(too_many())).collect();
        let mut beside = Vec::new();
        for (at, call) in calls.into_iter().take(AT_ONCE).enumerate() {
            // decided in order, as each may ask the person
            let request = match self.permitted(&call.tool, call.arguments) {
                Ok(request) => request,
                Err(refused) => {
                    results[at] = Err(refused);
                    continue;
                }
            };
            if self.runs_beside_others(&request.plugin) {
                beside.push((at, request));
                continue;
            }
            // what changes something sees all that was called before it, and is seen by all that is called after it
            self.settle(&mut beside, &mut results);
            results[at] = self.call_one(request).await;
        }
        self.settle(&mut beside, &mut results);
        results.into_iter().map(|result| result.map(Into::into).map_err(Into::into)).collect()
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
