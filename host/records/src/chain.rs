//! The chain over the rows of the log: each row holds the SHA-256 of the hash of the row before it and of its own columns.
//! It finds damage and any row that was changed, taken out, put in or exchanged. Who can write the whole file can also
//! make a new chain; against that only a copy of the head elsewhere helps.

use deskhand_vocabulary::Sha256;

/// A row as it is hashed.
pub(crate) struct Row<'a> {
    pub(crate) id: i64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub(crate) at: i64,
    pub(crate) task: Option<i64>,
    /// The JSON, as it is stored.
    pub(crate) event: &'a str,
    /// The digest of the sealed content.
    pub(crate) sealed: Option<&'a [u8]>,
}

/// The hash of the row that follows one with the hash `before`. Numbers are big-endian in 8 bytes, texts are preceded by their
/// length, and what may be absent by a byte that says whether it is there.
pub(crate) fn link(before: &[u8], row: &Row<'_>) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(128 + row.event.len());
    let length = |len: usize| u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes();
    bytes.extend_from_slice(&length(before.len()));
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&row.id.to_be_bytes());
    bytes.extend_from_slice(&row.at.to_be_bytes());
    bytes.push(u8::from(row.task.is_some()));
    bytes.extend_from_slice(&row.task.unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&length(row.event.len()));
    bytes.extend_from_slice(row.event.as_bytes());
    bytes.push(u8::from(row.sealed.is_some()));
    bytes.extend_from_slice(row.sealed.unwrap_or(&[]));
    Sha256::of(&bytes).0
}
