//! Signing keys: P-256 ECDSA (FIPS 186-5), which secure elements and security keys can hold too. A key is a file in
//! PKCS#8 PEM (RFC 5958, RFC 7468) that only its owner can read, and is never written over.

use super::canonical::canonical;
use crate::{
    MarketError,
    disk::{Disk, PRIVATE},
};
use deskhand_vocabulary::Sha256;
use p256::{
    ecdsa::{DerSignature, SigningKey as Ecdsa, VerifyingKey, signature::Signer},
    elliptic_curve::Generate,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

/// The most that a key file may hold, in bytes.
const MAX_KEY_FILE: u64 = 16 * 1024;

/// A key's id in TUF metadata: the SHA-256 of its canonical JSON, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl KeyId {
    /// The first eight digits, enough for a person to tell the keys of one marketplace apart.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a key is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPlace {
    /// Which key.
    pub id: KeyId,
    /// The file that it was written to. It may have been moved since.
    pub path: PathBuf,
}

/// A key that signs.
#[derive(Clone)]
pub struct Key {
    secret: Ecdsa,
    public: Value,
    id: KeyId,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id.short())
    }
}

impl Key {
    /// A new key, from the system's random numbers.
    pub fn generate() -> Result<Self, MarketError> {
        Self::new(Ecdsa::try_generate().map_err(|error| MarketError::NoKey(error.to_string()))?)
    }

    fn new(secret: Ecdsa) -> Result<Self, MarketError> {
        let pem = VerifyingKey::from(&secret)
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| MarketError::NoKey(error.to_string()))?;
        let public = json!({"keytype": "ecdsa", "keyval": {"public": pem}, "scheme": "ecdsa-sha2-nistp256"});
        let id = KeyId(Sha256::of(canonical(&public)?).to_string());
        Ok(Self { secret, public, id })
    }

    /// From the PEM text of a key file.
    pub fn from_pem(text: &str) -> Option<Self> {
        Self::new(Ecdsa::from_pkcs8_pem(text).ok()?).ok()
    }

    /// From a key file.
    pub fn read(path: &Path) -> Result<Self, MarketError> {
        let unreadable = |source| MarketError::KeyUnreadable { path: path.to_owned(), source };
        let mut text = String::new();
        deskhand_files::open(path, deskhand_files::Origin::Person)
            .map_err(unreadable)?
            .take(MAX_KEY_FILE)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Self::from_pem(&text).ok_or_else(|| MarketError::NotAKey { path: path.to_owned() })
    }

    /// Write it to a new file that only the owner can read (mode 0600). A file that exists is not touched.
    pub(crate) fn write_new(&self, path: &Path, disk: &Disk) -> Result<KeyPlace, MarketError> {
        let pem = self.secret.to_pkcs8_pem(LineEnding::LF).map_err(|error| MarketError::NoKey(error.to_string()))?;
        if let Some(parent) = path.parent() {
            disk.make_folders(parent)?;
        }
        disk.write_new(path, pem.as_bytes(), PRIVATE)?;
        Ok(KeyPlace { id: self.id.clone(), path: path.to_owned() })
    }

    /// Its id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Its public half, as TUF metadata holds it.
    pub fn public(&self) -> &Value {
        &self.public
    }

    /// The signature of `message`: ASN.1 DER of a deterministic ECDSA signature (RFC 6979), in hexadecimal.
    pub fn sign(&self, message: &[u8]) -> String {
        let signature: DerSignature = self.secret.sign(message);
        hex::encode(signature.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_key_file_is_private_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/key.pem");
        let key = Key::generate().unwrap();
        let place = key.write_new(&path, &Disk::real()).unwrap();
        assert_eq!(place, KeyPlace { id: key.id().clone(), path: path.clone() });
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Key::read(&path).unwrap().id(), key.id());

        let error = Key::generate().unwrap().write_new(&path, &Disk::real()).unwrap_err();
        assert!(error.to_string().contains("below/key.pem"), "{error}");
        assert_eq!(Key::read(&path).unwrap().id(), key.id());
    }

    #[test]
    fn what_is_not_a_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "hello").unwrap();
        assert!(matches!(Key::read(&path), Err(MarketError::NotAKey { path: at }) if at == path));
    }
}
