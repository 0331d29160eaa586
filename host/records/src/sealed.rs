//! Contents, sealed under the key of their task. XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): its nonce is long enough to be
//! drawn at random for every content.

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, AeadInOut as _, KeyInit as _, Payload},
};
use deskhand_vocabulary::{EventId, TaskId};

const NONCE: usize = 24;

/// The key of a task.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn random() -> Result<Self, String> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| error.to_string())?;
        Ok(Self(key))
    }

    /// From the table; none if it is forgotten.
    pub(crate) fn stored(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().filter(|key| *key != [0; 32]).map(Self)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What the seal is bound to, so that a content cannot be put in another's place.
fn bound_to(event: EventId, task: TaskId) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&event.0.to_be_bytes());
    bytes[8..].copy_from_slice(&task.0.to_be_bytes());
    bytes
}

/// Seal what `write` writes: the nonce, then the sealed text. It is sealed where it was written, for a content can be large.
/// The error is that of `write`, or says why the system gave no nonce.
pub(crate) fn seal<E: ToString>(
    key: &Key,
    event: EventId,
    task: TaskId,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Vec<u8>, String> {
    let mut sealed = vec![0; NONCE];
    getrandom::fill(&mut sealed).map_err(|error| error.to_string())?;
    write(&mut sealed).map_err(|error| error.to_string())?;
    let too_long = || "the content is too long to be sealed".to_owned();
    let (nonce, text) = sealed.split_first_chunk_mut::<NONCE>().ok_or_else(too_long)?;
    let tag = XChaCha20Poly1305::new(&key.0.into())
        .encrypt_inout_detached(&XNonce::from(*nonce), &bound_to(event, task), text.into())
        .map_err(|_| too_long())?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Open what `seal` made; none if it was made with another key, for another event, or changed since.
pub(crate) fn open(key: &Key, event: EventId, task: TaskId, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: text, aad: &bound_to(event, task) };
    XChaCha20Poly1305::new(&key.0.into()).decrypt(&XNonce::from(*nonce), payload).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_content_opens_only_in_its_own_place() {
        let key = Key::random().unwrap();
        let sealed = seal(&key, EventId(7), TaskId(2), |text| text.write_all(b"a name")).unwrap();
        assert_eq!(open(&key, EventId(7), TaskId(2), &sealed).as_deref(), Some(&b"a name"[..]));
        assert_eq!(open(&key, EventId(8), TaskId(2), &sealed), None);
        assert_eq!(open(&key, EventId(7), TaskId(3), &sealed), None);
        assert_eq!(open(&Key::random().unwrap(), EventId(7), TaskId(2), &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, EventId(7), TaskId(2), &changed), None, "byte {at}");
            assert_eq!(open(&key, EventId(7), TaskId(2), &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_forgotten_key_is_no_key() {
        assert!(Key::stored(&[0; 32]).is_none());
        assert!(Key::stored(&[1; 31]).is_none());
        assert!(Key::stored(&[1; 32]).is_some());
    }
}
