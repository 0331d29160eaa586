//! Keys in the system's keyring, by the Secret Service over D-Bus (freedesktop.org, draft 0.2).
//!
//! The session is plain: the bus is a socket that only its owner can open, and encrypting on it would take longer than all
//! else here.

use deskhand_egress::Secret;
use secret_service::{
    EncryptionType, Error,
    blocking::{Collection, Item, SecretService},
};
use std::{
    collections::HashMap,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

/// How long a keyring may take, with a person who unlocks it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a keyring could not be used. The reasons hold no secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    /// There is none, or it has no place for keys.
    #[error("no keyring answers here ({0})")]
    None(String),
    /// It stayed locked.
    #[error("the keyring is locked. Unlock it, and try again")]
    Locked,
    /// It failed.
    #[error("the keyring failed: {0}")]
    Failed(String),
    /// It did not answer.
    #[error("the keyring did not answer within {} s", PATIENCE.as_secs())]
    Silent,
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::Locked | Error::Prompt | Error::PromptDisconnected => Self::Locked,
            other => Self::Failed(other.to_string()),
        }
    }
}

type Result<T> = std::result::Result<T, KeyringError>;

/// The key of this kind and name, if it is there.
pub(super) fn get(kind: &'static str, name: &str) -> Result<Option<Secret>> {
    let name = name.to_owned();
    aside(move || {
        let service = service()?;
        let Some(item) = Kept { service: &service, kind }.find(&name)? else { return Ok(None) };
        Ok(Some(Secret::new(&String::from_utf8_lossy(&item.get_secret()?))))
    })
}

/// Keep a key, in place of the one that has its name.
pub(super) fn put(kind: &'static str, name: &str, secret: &Secret) -> Result<()> {
    let (name, secret) = (name.to_owned(), secret.clone());
    aside(move || {
        let service = service()?;
        let collection = Kept { service: &service, kind }.place()?;
        if collection.is_locked()? {
            collection.unlock()?;
        }
        let label = format!("Deskhand: the key for {name}");
        collection.create_item(&label, attributes(kind, &name), secret.reveal().as_bytes(), true, "text/plain")?;
        Ok(())
    })
}

/// Remove a key, if it is there.
pub(super) fn remove(kind: &'static str, name: &str) -> Result<()> {
    let name = name.to_owned();
    aside(move || {
        let service = service()?;
        Ok(Kept { service: &service, kind }.find(&name)?.map_or(Ok(()), |item| item.delete())?)
    })
}

/// What a key is found by.
fn attributes<'a>(kind: &'a str, name: &'a str) -> HashMap<&'a str, &'a str> {
    HashMap::from([("application", "deskhand"), ("kind", kind), ("name", name)])
}

fn service() -> Result<SecretService<'static>> {
    SecretService::connect(EncryptionType::Plain).map_err(|error| KeyringError::None(error.to_string()))
}

struct Kept<'a> {
    service: &'a SecretService<'a>,
    kind: &'static str,
}

impl<'a> Kept<'a> {
    /// Where new keys go. A keyring that lasts for the session alone is no place for them.
    fn place(&self) -> Result<Collection<'a>> {
        self.service.get_default_collection().map_err(|error| KeyringError::None(error.to_string()))
    }

    /// The key of this name, unlocked.
    fn find(&self, name: &str) -> Result<Option<Item<'a>>> {
        let found = self.service.search_items(attributes(self.kind, name))?;
        if let Some(item) = found.unlocked.into_iter().next() {
            return Ok(Some(item));
        }
        let Some(item) = found.locked.into_iter().next() else { return Ok(None) };
        item.unlock()?;
        Ok(Some(item))
    }
}

/// Work on a thread of its own: the library runs an executor, which may not be done within another one, and who unlocks a
/// keyring may never come.
fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, answer) = sync_channel(1);
    thread::spawn(move || {
        // whoever does not wait any longer does not want to know
        let _ = done.send(work());
    });
    match answer.recv_timeout(PATIENCE) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Silent),
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::Failed("it broke off".to_owned())),
    }
}
