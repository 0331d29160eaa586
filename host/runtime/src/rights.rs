//! What one call may do. What its component imports is the ceiling; within it, the gate decides, and its standing answers
//! are kept for the length of the call, so that a plugin which reads ten thousand files asks once.

use crate::{
    index::Listing,
    invocation::Invocation,
    reply::{Code, Refused},
};
use deskhand_permissions::{
    Context, Gate, Permit, Refused as GateRefused, Verdict,
    effect::{AskPerson, Effect, KeepState, ReadFolder},
};
use deskhand_vocabulary::{PluginId, Unanswered, manifest::PermissionKind};
use std::sync::Arc;

/// The rights of one call.
pub(crate) struct Rights {
    gate: Arc<Gate>,
    pub(crate) context: Context,
    asks: Option<Result<(), Refused>>,
    keeps: Option<Result<(), Refused>>,
}

impl Rights {
    pub(crate) fn new(plugin: &PluginId, listing: &Listing, invocation: &Invocation) -> Self {
        let context =
            Context::plugin(invocation.task, plugin.clone(), listing.permissions.clone(), invocation.standing);
        Self { gate: invocation.gate.clone(), context, asks: None, keeps: None }
    }

    /// Whether the manifest asks for a right.
    pub(crate) fn declares(&self, kind: PermissionKind) -> bool {
        self.context.rights.iter().any(|permission| permission.kind == kind)
    }

    /// A permit for one effect, decided now.
    pub(crate) fn permit<E: Effect>(&self, effect: E) -> Result<Permit<E>, Refused> {
        self.gate.permit(&self.context, effect).map_err(|refused| of_gate(&refused))
    }

    /// Whether an effect would be allowed, or the person asked about it. Nothing is decided and nothing recorded.
    pub(crate) fn may<E: Effect>(&self, effect: &E) -> bool {
        let judge = |action| self.gate.judge(&self.context, &action);
        effect.actions().into_iter().all(|action| judge(action).is_ok_and(|found| found.verdict != Verdict::Deny))
    }

    fn standing<E: Effect>(&self, effect: E) -> Result<(), Refused> {
        self.permit(effect).map(|permit| {
            permit.redeem();
        })
    }

    /// Whether the files of a folder may be looked at. `folder` is absolute, as `vocabulary::path::encode` writes it.
    pub(crate) fn read(&self, folder: &str) -> Result<(), Refused> {
        self.standing(ReadFolder { folder: folder.to_owned() })
    }

    /// Whether the person may be asked.
    pub(crate) fn ask(&mut self) -> Result<(), Refused> {
        if self.asks.is_none() {
            self.asks = Some(self.standing(AskPerson));
        }
        self.asks.clone().unwrap_or(Ok(()))
    }

    /// Whether state may be kept.
    pub(crate) fn keep(&mut self) -> Result<(), Refused> {
        if self.keeps.is_none() {
            self.keeps = Some(self.standing(KeepState));
        }
        self.keeps.clone().unwrap_or(Ok(()))
    }
}

/// What a plugin is told of a refusal of the gate.
pub(crate) fn of_gate(refused: &GateRefused) -> Refused {
    let code = match refused {
        GateRefused::Denied { .. } | GateRefused::Declined => Code::Denied,
        GateRefused::Edited(_) => Code::Conflict,
        GateRefused::Unanswered(Unanswered::Absent) => Code::Parked,
        GateRefused::Unanswered(Unanswered::Stopped) => Code::Cancelled,
        GateRefused::Log(_) | GateRefused::Records(_) => Code::Failed,
    };
    Refused::new(code, refused.to_string())
}
