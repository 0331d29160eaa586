//! What plugins are served with while they work: the models of the task, and sub-agents to give work to. Both come out of
//! the budget of the call that they work for.

use super::{
    budget::{self, Limit},
    delegate::{Answer, Staff, Wanted},
    sampling::Sampling,
};
use deskhand_agent::{
    Meter,
    budget::{Amounts, Limits, Measure},
    tool::Outcome,
};
use deskhand_runtime::{Agents, Body, Code, Content, Refused, Services, ToolOutput, Work};
use deskhand_tools::Serving;
use deskhand_vocabulary::{Stop, manifest::PermissionKind};
use serde_json::Value;
use std::sync::{Arc, OnceLock, Weak, mpsc::sync_channel};

/// So many sub-agents of plugins deep, one given work by another.
const DEPTH: u32 = 3;

/// See the module.
pub(super) struct Served {
    /// Who works for plugins. They hold the tools that are served by this, and go with the task.
    staff: OnceLock<Weak<Staff>>,
    /// How many sub-agents of plugins led here.
    depth: u32,
}

impl Served {
    pub(super) fn at(depth: u32) -> Self {
        Self { staff: OnceLock::new(), depth }
    }

    /// Who it is that works.
    pub(super) fn by(&self, staff: &Arc<Staff>) {
        // there is one staff for each of these, and it is made together with it
        let _ = self.staff.set(Arc::downgrade(staff));
    }
}

impl Serving for Served {
    fn serve(&self, services: &Services, meter: &Meter) -> Services {
        let Some(staff) = self.staff.get().and_then(Weak::upgrade) else { return services.clone() };
        let sampling = Sampling { staff: Arc::clone(&staff), meter: meter.clone() };
        let delegating = Delegating { staff, meter: meter.clone(), depth: self.depth };
        Services { models: Some(Arc::new(sampling)), agents: Some(Arc::new(delegating)), ..services.clone() }
    }
}

/// Sub-agents that a plugin gives work to.
struct Delegating {
    staff: Arc<Staff>,
    meter: Meter,
    depth: u32,
}

impl Agents for Delegating {
    fn delegate(&self, work: &Work, stop: &Stop) -> Result<ToolOutput, Refused> {
        if self.depth >= DEPTH {
            let message = format!("sub-agents of plugins give work on to others at most {DEPTH} times");
            return Err(Refused::new(Code::Exhausted, message));
        }
        if let Some(measure) = self.meter.over() {
            return Err(used_up(measure));
        }
        let limits = self.meter.left().part(&Amounts::default(), &wanted(&work.budget)?);
        let staff = self.staff.for_plugin(work, self.depth + 1);
        let agents = staff.agents().clone();
        let Some(agent) = agents.of(&work.plugin, &work.agent).cloned() else {
            let message = format!("{} has no sub-agent `{}`", work.plugin, work.agent);
            return Err(Refused::new(Code::NotFound, message));
        };
        let may = |kind| work.rights.iter().any(|right| right.kind == kind);
        let wanted = Wanted {
            agent: Some((agent, Arc::new(agents))),
            input: work.input.clone(),
            may_change: may(PermissionKind::FilesChange),
            may_remove: may(PermissionKind::FilesRemove),
            answer: None,
            limits,
        };
        // this thread runs the plugin, and may not run another executor
        let (done, answer) = sync_channel(1);
        let (task, stop) = (work.task.clone(), stop.clone());
        self.staff.handle.spawn(async move {
            // whoever has gone does not want to know
            let _ = done.send(staff.one(&task, &wanted, &stop).await);
        });
        let answer = answer.recv().map_err(|_| Refused::new(Code::Failed, "the sub-agent broke off"))?;
        self.meter.spend(answer.spent);
        told(answer)
    }
}

/// The budget that a plugin gives, in the words of `--budget`: `{"tokens": 10000, "time": "2m"}`.
fn wanted(budget: &Value) -> Result<Limits, Refused> {
    let mut limits = Vec::new();
    for (measure, amount) in budget.as_object().into_iter().flatten() {
        let amount = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
        let limit: Limit = format!("{measure}={amount}").parse().map_err(|error: budget::NotABudget| {
            Refused::new(Code::Invalid, format!("the budget does not fit: {error}"))
        })?;
        limits.push(limit);
    }
    Ok(budget::with(Limits::default(), &limits))
}

/// What a plugin is told where nothing is left for what it wants.
pub(super) fn used_up(measure: Measure) -> Refused {
    Refused::new(Code::Exhausted, format!("the budget of the task ({measure}) is used up"))
}

/// An answer as a plugin takes it: text, or a document where the sub-agent answers in a structure.
fn told(answer: Answer) -> Result<ToolOutput, Refused> {
    let Answer { outcome, said, .. } = answer;
    let (media_type, text, structured) = match said {
        Value::String(text) => ("text/markdown", text, None),
        other => ("application/json", other.to_string(), Some(other.to_string())),
    };
    let code = match outcome {
        Outcome::Done => {
            let content = Content { media_type: media_type.to_owned(), body: Body::Text(text) };
            return Ok(ToolOutput { content: vec![content], structured });
        }
        Outcome::Denied => Code::Denied,
        Outcome::Parked => Code::Parked,
        Outcome::Stopped => Code::Cancelled,
        Outcome::NotFound => Code::NotFound,
        Outcome::Failed | Outcome::Unknown => Code::Failed,
    };
    Err(Refused::new(code, text))
}
