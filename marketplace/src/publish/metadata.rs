//! The four roles' metadata, built and signed (TUF specification 1.0.3x, section 4).

use super::{
    canonical::canonical,
    keys::{Key, KeyId},
};
use crate::{MarketError, error::Role};
use deskhand_vocabulary::Sha256;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The version of the TUF specification that the metadata follow.
const SPEC_VERSION: &str = "1.0.31";
/// How many root keys there are.
pub(crate) const ROOT_KEYS: usize = 3;
/// How many of them must agree.
pub(crate) const ROOT_QUORUM: u64 = 2;

/// How long the metadata of a role are valid. A folder has no server that renews them every day, so they live as long as
/// a folder may lie untouched; the price is that somebody who controls the folder can keep an old state before a
/// person, a revoked version included, for as long as the timestamp lives.
pub const fn lifetime(role: Role) -> SignedDuration {
    SignedDuration::from_hours(
        24 * match role {
            Role::Root => 365,
            Role::Targets => 180,
            Role::Snapshot | Role::Timestamp => 90,
        },
    )
}

/// When metadata of a role that are signed at `now` expire.
pub(crate) fn expiry(role: Role, now: Timestamp) -> Timestamp {
    now.checked_add(lifetime(role)).unwrap_or(Timestamp::MAX)
}

/// The largest version number. Beyond it a JSON number is not exact for every reader (RFC 8259, section 6).
pub(crate) const MOST_VERSION: u64 = 1 << 53;

/// The next version number of a role.
pub(crate) fn next(role: Role, version: u64) -> Result<u64, MarketError> {
    if version < MOST_VERSION { Ok(version + 1) } else { Err(MarketError::Exhausted { role }) }
}

/// Who may sign what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Root {
    pub(crate) version: u64,
    pub(crate) expires: Timestamp,
    /// Public keys by id.
    pub(crate) keys: BTreeMap<KeyId, Value>,
    pub(crate) root: Vec<KeyId>,
    pub(crate) targets: Vec<KeyId>,
    /// Signs snapshot and timestamp.
    pub(crate) online: Vec<KeyId>,
}

impl Root {
    /// Read one of ours that was verified.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let file: Value = serde_json::from_slice(bytes).ok()?;
        let signed = file.get("signed")?;
        let ids = |role: &str| -> Option<Vec<KeyId>> {
            let ids = signed.get("roles")?.get(role)?.get("keyids")?.as_array()?;
            ids.iter().map(|id| Some(KeyId(id.as_str()?.to_owned()))).collect()
        };
        let keys = signed.get("keys")?.as_object()?;
        Some(Self {
            version: signed.get("version")?.as_u64()?,
            expires: signed.get("expires")?.as_str()?.parse().ok()?,
            keys: keys.iter().map(|(id, key)| (KeyId(id.clone()), key.clone())).collect(),
            root: ids("root")?,
            targets: ids("targets")?,
            online: ids("timestamp")?,
        })
    }

    /// Forget keys that no role names any more.
    pub(crate) fn prune(&mut self) {
        let Self { keys, root, targets, online, .. } = self;
        keys.retain(|id, _| root.contains(id) || targets.contains(id) || online.contains(id));
    }

    pub(crate) fn sign(&self, keys: &[&Key]) -> Result<Vec<u8>, MarketError> {
        let role = |ids: &[KeyId], threshold: u64| json!({"keyids": ids, "threshold": threshold});
        let public: Map<String, Value> = self.keys.iter().map(|(id, key)| (id.0.clone(), key.clone())).collect();
        let mut signed = head(Role::Root, self.version, self.expires);
        signed.insert("consistent_snapshot".into(), Value::Bool(true));
        signed.insert("keys".into(), Value::Object(public));
        signed.insert(
            "roles".into(),
            json!({
                "root": role(&self.root, ROOT_QUORUM),
                "targets": role(&self.targets, 1),
                "snapshot": role(&self.online, 1),
                "timestamp": role(&self.online, 1),
            }),
        );
        seal(signed, keys)
    }
}

/// Targets metadata: `targets` by path.
pub(crate) fn targets(
    version: u64,
    now: Timestamp,
    targets: Map<String, Value>,
    key: &Key,
) -> Result<Vec<u8>, MarketError> {
    let mut signed = head(Role::Targets, version, expiry(Role::Targets, now));
    signed.insert("targets".into(), Value::Object(targets));
    seal(signed, &[key])
}

/// Snapshot metadata, of these targets metadata.
pub(crate) fn snapshot(version: u64, now: Timestamp, targets: (u64, &[u8]), key: &Key) -> Result<Vec<u8>, MarketError> {
    let mut signed = head(Role::Snapshot, version, expiry(Role::Snapshot, now));
    signed.insert("meta".into(), json!({"targets.json": pin(targets)}));
    seal(signed, &[key])
}

/// Timestamp metadata, of this snapshot.
pub(crate) fn timestamp(
    version: u64,
    now: Timestamp,
    snapshot: (u64, &[u8]),
    key: &Key,
) -> Result<Vec<u8>, MarketError> {
    let mut signed = head(Role::Timestamp, version, expiry(Role::Timestamp, now));
    signed.insert("meta".into(), json!({"snapshot.json": pin(snapshot)}));
    seal(signed, &[key])
}

fn pin((version, bytes): (u64, &[u8])) -> Value {
    json!({"version": version, "length": bytes.len(), "hashes": {"sha256": Sha256::of(bytes)}})
}

fn head(role: Role, version: u64, expires: Timestamp) -> Map<String, Value> {
    let mut signed = Map::new();
    signed.insert("_type".into(), role.name().into());
    signed.insert("spec_version".into(), SPEC_VERSION.into());
    signed.insert("version".into(), version.into());
    signed.insert("expires".into(), expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    signed
}

fn seal(signed: Map<String, Value>, keys: &[&Key]) -> Result<Vec<u8>, MarketError> {
    let signed = Value::Object(signed);
    let message = canonical(&signed)?;
    let signatures: Vec<Value> = keys.iter().map(|key| json!({"keyid": key.id(), "sig": key.sign(&message)})).collect();
    let file = json!({"signatures": signatures, "signed": signed});
    // What is written is what any reader turns into the same canonical form again.
    let mut bytes = file.to_string().into_bytes();
    bytes.push(b'\n');
    Ok(bytes)
}
