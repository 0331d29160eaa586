//! What this installation of the plugin keeps from one call to the next. Takes `state.keep`.

use crate::{Error, Result, door};
use serde::{Serialize, de::DeserializeOwned};

/// A value and the version it was seen in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<T = Vec<u8>> {
    /// The value.
    pub value: T,
    /// Rises with every change; pass it back to change only what was seen.
    pub version: u64,
}

/// The bytes under a key.
pub fn get_bytes(key: &str) -> Result<Option<Item>> {
    door::store_get(key)
}

/// Set bytes. With a version, only if the item still has it (0: only if there is none), else a conflict.
pub fn put_bytes(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64> {
    door::store_put(key, value, if_version)
}

/// The value under a key, kept as JSON.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<Item<T>>> {
    let Some(item) = get_bytes(key)? else { return Ok(None) };
    let value = serde_json::from_slice(&item.value)
        .map_err(|error| Error::failed(format!("what is kept as `{key}` cannot be read: {error}")))?;
    Ok(Some(Item { value, version: item.version }))
}

/// Keep a value as JSON, over what is there.
pub fn put<T: Serialize>(key: &str, value: &T) -> Result<u64> {
    put_bytes(key, &serde_json::to_vec(value)?, None)
}

/// Keep a value as JSON, if the item still has this version (0: if there is none).
pub fn put_if<T: Serialize>(key: &str, value: &T, version: u64) -> Result<u64> {
    put_bytes(key, &serde_json::to_vec(value)?, Some(version))
}

/// Forget a key.
pub fn delete(key: &str) -> Result<()> {
    door::store_delete(key)
}

/// The keys that begin with a prefix, in order.
pub fn keys(prefix: &str) -> Result<Vec<String>> {
    const PAGE: u32 = 1000;
    let mut all: Vec<String> = Vec::new();
    loop {
        let page = door::store_list(prefix, all.last().map(String::as_str), PAGE)?;
        let last = page.len() < PAGE as usize;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}
