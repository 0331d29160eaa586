//! Secrets are left out of what is shown and taken elsewhere: the person's own keys, as far as they can be read now, and
//! whatever has the shape of a key, token or password. A shape that is not known here is not found; too much is left out
//! rather than too little.

use super::Transcript;
use crate::{
    credentials,
    desk::Desk,
    failure::{Failure, Result},
    keys::{Stored, Whose},
    mcp,
};
use deskhand_egress::Secret;
use deskhand_models::Keys as _;
use regex::Regex;
use serde_json::Value;

/// What stands in the place of a secret.
const LEFT_OUT: &str = "[secret left out]";

/// The shapes, each with the group that is the secret (0 for all of it): those of large services, as they document them or
/// as scanners know them; then what bears any key: RFC 7468 (PEM), RFC 7519 (JWT), RFC 6750 (bearer), RFC 3986 (an address
/// with a password), and what is called a key, secret or password.
const SHAPES: [(&str, usize); 16] = [
    (r"sk-[A-Za-z0-9_-]{20,}", 0),
    (r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}", 0),
    (r"glpat-[A-Za-z0-9_.-]{20,}", 0),
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}", 0),
    (r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}", 0),
    (r"xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}", 0),
    (r"hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64}", 0),
    (r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}", 0),
    (r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", 0),
    (r"AGE-SECRET-KEY-1[A-Z0-9]{50,}", 0),
    (r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", 0),
    (r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)", 0),
    (r"(?i)(?:bearer|basic) +([A-Za-z0-9._~+/=-]{16,})", 1),
    (r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@", 1),
    (
        r#"(?i)(?:api[_-]?key|access[_-]?key|secret|password|passwd|passphrase|token|authorization)(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?([^\s"',;\\]{8,})"#,
        1,
    ),
    (r"(?i)(?:x-api-key|cookie):\s*([^\r\n]{8,})", 1),
];

/// The members of an object whose texts are secrets, by the ends of their names.
const MEMBERS: &str =
    r"(?i)(?:api[_-]?key|access[_-]?key|private[_-]?key|secret|password|passwd|passphrase|token|authorization|cookie)$";

/// What knows secrets.
pub(super) struct Redactor {
    known: Vec<Secret>,
    shapes: Vec<(Regex, usize)>,
    members: Regex,
}

impl Redactor {
    /// With the keys that are kept here.
    pub(super) fn of(desk: &Desk) -> Result<Self> {
        let models = Stored::of(&desk.home, Whose::Models);
        let of_models = desk.settings.models.values().filter_map(|model| models.key(model.key.as_deref()?).ok());
        let known = of_models.chain(credentials::keys(&desk.home)).chain(mcp::secrets(desk)).collect();
        Self::knowing(known)
    }

    fn knowing(known: Vec<Secret>) -> Result<Self> {
        // what is too short for a key would take out half of the text
        let known = known.into_iter().filter(|secret| secret.reveal().len() >= 8).collect();
        let shapes = SHAPES.iter().map(|(shape, group)| Ok((Regex::new(shape)?, *group)));
        let shapes: std::result::Result<Vec<_>, regex::Error> = shapes.collect();
        let members = Regex::new(MEMBERS).map_err(Failure::failed)?;
        Ok(Self { known, shapes: shapes.map_err(Failure::failed)?, members })
    }

    /// The document without secrets, and how many there were in it.
    pub(super) fn redact(&self, transcript: &Transcript) -> Result<Transcript> {
        let mut value = serde_json::to_value(transcript).map_err(Failure::failed)?;
        let mut count = 0;
        self.value(&mut value, &mut count);
        let mut transcript: Transcript = serde_json::from_value(value).map_err(Failure::failed)?;
        transcript.redacted += count;
        Ok(transcript)
    }

    fn value(&self, value: &mut Value, count: &mut u64) {
        match value {
            Value::String(text) => *text = self.text(text, count),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, count)),
            Value::Object(members) => {
                let taken = std::mem::take(members);
                for (name, mut value) in taken {
                    match &mut value {
                        Value::String(text) if self.members.is_match(&name) && !text.is_empty() => {
                            LEFT_OUT.clone_into(text);
                            *count += 1;
                        }
                        value => self.value(value, count),
                    }
                    members.insert(self.text(&name, count), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&self, text: &str, count: &mut u64) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            let found = text.matches(secret.reveal()).count();
            if found > 0 {
                *count += found as u64;
                text = text.replace(secret.reveal(), LEFT_OUT);
            }
        }
        for (shape, group) in &self.shapes {
            let mut out = String::new();
            let mut done = 0;
            for found in shape.captures_iter(&text) {
                let Some(secret) = found.get(*group).filter(|secret| !LEFT_OUT.contains(secret.as_str())) else {
                    continue;
                };
                out.push_str(&text[done..secret.start()]);
                out.push_str(LEFT_OUT);
                done = secret.end();
                *count += 1;
            }
            if done > 0 {
                out.push_str(&text[done..]);
                text = out;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn redacted(text: &str) -> (String, u64) {
        let redactor = Redactor::knowing(vec![Secret::new("correct horse"), Secret::new("short")]).unwrap();
        let mut count = 0;
        (redactor.text(text, &mut count), count)
    }

    #[test]
    fn what_has_the_shape_of_a_secret_is_left_out() {
        let word = "a1B2".repeat(16);
        for (before, secret, after) in [
            ("my ", "correct horse", " battery"),
            ("key sk-ant ", &format!("sk-ant-api03-{word}"), "."),
            ("", &format!("ghp_{word}"), ""),
            ("x ", &format!("github_pat_{word}"), " y"),
            ("", "AKIAABCDEFGHIJKLMNOP", ","),
            ("", &format!("AIza{}", &word[..35]), ""),
            ("", "xoxb-1234567890-abcdef", "\n"),
            ("", "sk_live_1234567890abcdefgh", ""),
            ("", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN", ""),
            ("a\n", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "\nb"),
            ("cut off: ", "-----BEGIN PRIVATE KEY-----\nMIIE", ""),
            ("Authorization: Bearer ", "abcdefghijklmnop1234", ""),
            ("https://ada:", "hunter2", "@example.org/x"),
            ("password = \"", "hunter2hunter2", "\""),
            ("{\"api_key\": \"", "0123456789", "\"}"),
            (r#"{\"password\":\""#, "nestedpw12345", r#"\"}"#),
            (r#"{\\\"token\\\": \\\""#, "deeper12345", r#"\\\"}"#),
        ] {
            let expected = (format!("{before}{LEFT_OUT}{after}"), 1);
            assert_eq!(redacted(&format!("{before}{secret}{after}")), expected);
        }
    }

    #[test]
    fn what_is_called_a_secret_is_left_out_of_objects() {
        let redactor = Redactor::knowing(Vec::new()).unwrap();
        let mut count = 0;
        let mut value = json!({
            "password": "pw", "apiKey": "ABC", "auth": {"github_token": "t", "token": 12, "secret": ""}, "note": "pw",
        });
        redactor.value(&mut value, &mut count);
        let expected = json!({
            "password": LEFT_OUT, "apiKey": LEFT_OUT, "auth": {"github_token": LEFT_OUT, "token": 12, "secret": ""}, "note": "pw",
        });
        assert_eq!((value, count), (expected, 3));
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "a short token of thanks",
            "risk-averse people ask-questions",
            "tokens: 12",
            "https://example.org:80/a",
            "a1B2",
            "",
        ] {
            assert_eq!(redacted(text), (text.to_owned(), 0));
        }
    }
}
