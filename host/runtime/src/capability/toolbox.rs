//! `toolbox`: tools of other plugins, under their own rights.

use crate::{
    bindings::wit::{toolbox, types},
    call::{self, Call, Request},
    index::Listing,
    invocation::Invocation,
    reply::{CallError, Code, Refused, ToolOutput},
    roles,
    services::Work,
};
use deskhand_permissions::effect::{CallTool, StartAgent};
use deskhand_vocabulary::{PluginId, manifest::PermissionKind};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The most calls of one `call-all`.
const AT_ONCE: usize = 64;
/// The most tools of one `catalog`.
const CATALOG: u32 = 200;

type Called = Request<roles::CallTool>;

/// What of other plugins is named.
struct What {
    word: &'static str,
    has: fn(&Listing, &str) -> bool,
}

const TOOL: What =
    What { word: "tool", has: |listing, name| listing.tools.iter().any(|tool| tool.name.as_str() == name) };
const AGENT: What = What {
    word: "sub-agent",
    has: |listing, name| listing.agent.as_ref().is_some_and(|agent| agent.name.as_str() == name),
};

impl Call {
    /// Which plugin's is meant: `name` (then exactly one other plugin of the same marketplace has it), `plugin/name` (of the
    /// same marketplace) or `marketplace:plugin/name`.
    fn resolve(&self, tool: &str, what: &What) -> Result<(PluginId, String), Refused> {
        let plugins = self.runtime.index.plugins().map_err(|error| Refused::new(Code::Failed, error.to_string()))?;
        let What { word, has } = what;
        let invalid = || {
            let message = format!("a {word} is named `{word}`, `plugin/{word}` or `marketplace:plugin/{word}`");
            Refused::new(Code::Invalid, message)
        };
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
                && installed.release.listing().is_ok_and(|listing| has(listing, tool))
        });
        match (having.next(), having.next()) {
            (Some(only), None) => Ok((only.id.clone(), tool.to_owned())),
            (None, _) => {
                Err(Refused::new(Code::NotFound, format!("no installed plugin of this marketplace has that {word}")))
            }
            (Some(one), Some(other)) => {
                let message = format!("{} and {} both have that {word}; name it as `plugin/{word}`", one.id, other.id);
                Err(Refused::new(Code::Invalid, message))
            }
        }
    }

    /// A call of a tool that was looked up and permitted.
    fn permitted(&mut self, tool: &str, arguments: String) -> Result<Called, Refused> {
        self.at_rest()?;
        serde_json::from_str::<serde::de::IgnoredAny>(&arguments)
            .map_err(|error| Refused::new(Code::Invalid, format!("the arguments are not JSON: {error}")))?;
        let (plugin, tool) = self.resolve(tool, &TOOL)?;
        let permit = self.waiting(|call| call.rights.permit(CallTool { plugin, tool }))??;
        let CallTool { plugin, tool } = permit.redeem();
        let ask = roles::CallTool { tool, arguments };
        Ok(Request { plugin, ask, depth: self.depth + 1, allowance: self.allowance.clone() })
    }

    /// What a called plugin is given: what this call has, with its changes.
    fn for_called(&self) -> Invocation {
        Invocation { workspace: self.workspace.clone(), ..self.invocation.clone() }
    }

    async fn call_one(&mut self, request: Called) -> Result<ToolOutput, Refused> {
        let (runtime, invocation) = (self.runtime.clone(), self.for_called());
        let _paused = self.meter.pause();
        self.slot.leave();
        let result = Box::pin(call::call(&runtime, invocation, request)).await;
        self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
        result.map_err(of_call)
    }

    /// True for a plugin whose calls cannot get in the way of each other, nor of what comes after them: it changes no
    /// folder, asks nobody, and calls nobody who might.
    fn runs_beside_others(&self, plugin: &PluginId) -> bool {
        let Ok(Some(installed)) = self.runtime.index.plugin(plugin) else { return false };
        let Ok(listing) = installed.release.listing() else { return false };
        listing.permissions.iter().all(|permission| match permission.kind {
            PermissionKind::FilesRead
            | PermissionKind::StateKeep
            | PermissionKind::HostsConnect
            | PermissionKind::CredentialsUse
            | PermissionKind::MemoryRead => true,
            PermissionKind::FilesChange
            | PermissionKind::FilesRemove
            | PermissionKind::PersonAsk
            | PermissionKind::ToolsCall
            | PermissionKind::ModelUse
            | PermissionKind::MemoryKeep
            | PermissionKind::ProgramsRun
            | PermissionKind::ServersBring => false,
        })
    }

    /// Make calls side by side, each on a thread, and never more than half of those that may run at once, so that calls
    /// of other tasks get their turn. Answers in the order of the calls.
    fn call_side_by_side(&mut self, requests: Vec<Called>) -> Result<Vec<Result<ToolOutput, Refused>>, Refused> {
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
                done.push((at, machine.block_on(call).map_err(of_call)));
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
    fn settle(&mut self, beside: &mut Vec<(usize, Called)>, results: &mut [Result<ToolOutput, Refused>]) {
        let (places, requests): (Vec<usize>, Vec<Called>) = beside.drain(..).unzip();
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

/// A JSON object; nothing at all is an empty one.
fn object(what: &str, text: &str) -> Result<Value, Refused> {
    let text = if text.is_empty() { "{}" } else { text };
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Refused::new(Code::Invalid, format!("the {what} is not a JSON object"))),
        Err(error) => Err(Refused::new(Code::Invalid, format!("the {what} is not JSON: {error}"))),
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
        agent: String,
        task: String,
        input: String,
        budget: String,
    ) -> Result<types::ToolOutput, types::Error> {
        self.at_rest()?;
        let Some(agents) = self.invocation.services.agents.clone() else {
            let message = "there is no model here that a sub-agent could work with; call a tool instead";
            return Err(Refused::new(Code::Unsupported, message).into());
        };
        let (input, budget) = (object("input", &input)?, object("budget", &budget)?);
        let (plugin, agent) = self.resolve(&agent, &AGENT)?;
        let work = self.waiting(|call| {
            let StartAgent { plugin, agent } = call.rights.permit(StartAgent { plugin, agent })?.redeem();
            let (rights, workspace) = (call.rights.context.rights.clone(), call.workspace.clone());
            Ok::<_, Refused>(Work {
                caller: call.plugin.clone(),
                rights,
                workspace,
                plugin,
                agent,
                task,
                input,
                budget,
            })
        })??;
        let output = self.waiting(|call| agents.delegate(&work, &call.invocation.stop))??;
        Ok(output.into())
    }
}
