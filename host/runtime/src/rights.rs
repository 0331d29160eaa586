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
use deskhand_vocabulary::{PluginId, Unanswered, host, manifest::PermissionKind};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The rights of one call.
pub(crate) struct Rights {
    gate: Arc<Gate>,
    pub(crate) context: Context,
    /// Hosts of the addresses that the person set in the plugin's configuration, by the key of each.
    addresses: BTreeMap<String, String>,
    /// Those of them that the plugin may reach.
    pub(crate) configured: Arc<BTreeSet<String>>,
    asks: Option<Result<(), Refused>>,
    keeps: Option<Result<(), Refused>>,
}

impl Rights {
    pub(crate) fn new(plugin: &PluginId, listing: &Listing, invocation: &Invocation) -> Self {
        let addresses = invocation.configurations.get(plugin).map(addresses).unwrap_or_default();
        let mut configured = BTreeSet::new();
        let mut rights = listing.permissions.clone();
        let is_configured = |scope: &String| scope.starts_with(host::CONFIGURED);
        if rights
            .iter()
            .any(|right| right.kind == PermissionKind::HostsConnect && right.scope.iter().any(is_configured))
        {
            let mut named = rights.to_vec();
            for right in named.iter_mut().filter(|right| right.kind == PermissionKind::HostsConnect) {
                let hosts = right.scope.iter().filter_map(|scope| addresses.get(scope.strip_prefix(host::CONFIGURED)?));
                configured.extend(hosts.cloned());
                right.scope = resolved(&addresses, &right.scope);
            }
            rights = named.into();
        }
        let context = Context::plugin(invocation.task, plugin.clone(), rights, invocation.standing);
        let gate = invocation.gate.clone();
        Self { gate, context, addresses, configured: Arc::new(configured), asks: None, keeps: None }
    }

    /// None, whatever the manifest asks for.
    pub(crate) fn none(plugin: &PluginId, invocation: &Invocation) -> Self {
        let context = Context::plugin(invocation.task, plugin.clone(), Vec::new().into(), invocation.standing);
        let gate = invocation.gate.clone();
        Self { gate, context, addresses: BTreeMap::new(), configured: Arc::default(), asks: None, keeps: None }
    }

    /// Patterns of hosts, each that stands for a configured address replaced by its host, and left out where there is none.
    pub(crate) fn resolved(&self, patterns: &[String]) -> Vec<String> {
        resolved(&self.addresses, patterns)
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

/// The hosts that patterns of a manifest mean for a plugin with this configuration: those that stand for an address of it
/// are replaced by its host, and left out where the person set none.
pub fn hosts(patterns: &[String], configuration: Option<&Value>) -> Vec<String> {
    resolved(&configuration.map(addresses).unwrap_or_default(), patterns)
}

/// The hosts of all values of a configuration that are addresses.
fn addresses(configuration: &Value) -> BTreeMap<String, String> {
    let values = configuration.as_object().into_iter().flatten();
    let address = |(key, value): (&String, &Value)| {
        let request = deskhand_egress::Request::get(value.as_str()?).ok()?;
        Some((key.clone(), request.host()))
    };
    values.filter_map(address).collect()
}

fn resolved(addresses: &BTreeMap<String, String>, patterns: &[String]) -> Vec<String> {
    let resolve = |pattern: &String| match pattern.strip_prefix(host::CONFIGURED) {
        Some(key) => addresses.get(key).cloned(),
        None => Some(pattern.clone()),
    };
    patterns.iter().filter_map(resolve).collect()
}

/// What a plugin is told of a refusal of the gate.
pub fn of_gate(refused: &GateRefused) -> Refused {
    let code = match refused {
        GateRefused::Denied { .. } | GateRefused::Declined => Code::Denied,
        GateRefused::Edited(_) => Code::Conflict,
        GateRefused::Unanswered(Unanswered::Absent) => Code::Parked,
        GateRefused::Unanswered(Unanswered::Stopped) => Code::Cancelled,
        GateRefused::Log(_) | GateRefused::Records(_) => Code::Failed,
    };
    Refused::new(code, refused.to_string())
}
