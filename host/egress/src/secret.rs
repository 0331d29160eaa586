//! What must be sent and never shown.

use std::{fmt, sync::Arc};

/// A credential: a key, a token, a password. It has no text form but for the one who asks for it by name; `Debug`
/// shows that there is one, and it cannot be serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Of its text. White space around it, as pasting leaves it, does not belong to it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// The credential itself, for the one place that puts it on the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the credential blotted out: servers like to repeat it in what they answer.
    pub fn blot(&self, text: &str) -> String {
        // what is too short to be a credential would blot out half of the text
        if self.0.len() < 4 { text.to_owned() } else { text.replace(&*self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new(" sk-abc123\n");
        assert_eq!(secret.reveal(), "sk-abc123");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[secret] Some([secret])");
        assert_eq!(secret.blot("bad key sk-abc123, sk-abc124"), "bad key [key], sk-abc124");
        assert_eq!(Secret::new("a").blot("a b a"), "a b a");
    }
}
