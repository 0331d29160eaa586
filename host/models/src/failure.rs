//! What a server says is wrong, and which error that is.

use crate::error::{LONGEST, ModelError};
use deskhand_egress::Secret;
use serde_json::Value;
use std::time::Duration;

/// A server's complaint: its kind and code as it spells them, and its words.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    kind: String,
    said: String,
}

impl Complaint {
    /// From the body of an error: `{"error": {"type", "code", "message"}}`, `{"error": "…"}`, `{"message": "…"}`,
    /// `{"detail": "…"}`, or text.
    pub(crate) fn of_body(body: &[u8], key: Option<&Secret>) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => Self::of(&json, key),
            Err(_) => Self { kind: String::new(), said: tidy(&plain(&String::from_utf8_lossy(body)), key) },
        }
    }

    /// From the JSON of an error or of an event.
    pub(crate) fn of(json: &Value, key: Option<&Secret>) -> Self {
        let error = json.get("error").unwrap_or(json);
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let member = |name: &str| error.get(name).and_then(text);
        let kinds = [member("type"), member("code")];
        let said = text(error).filter(|_| error.is_string()).or_else(|| member("message")).or_else(|| member("detail"));
        let said = said.unwrap_or_else(|| json.to_string());
        Self { kind: kinds.into_iter().flatten().collect::<Vec<_>>().join(" "), said: tidy(&said, key) }
    }

    fn mentions(&self, words: &[&str]) -> bool {
        let said = self.said.to_lowercase();
        words.iter().any(|word| self.kind.contains(word) || said.contains(word))
    }

    /// Servers have a kind for it only here and there, and words of their own.
    fn is_too_long(&self) -> bool {
        self.mentions(&[
            "context_length_exceeded",
            "exceed_context_size",
            "request_too_large",
            "prompt is too long",
            "maximum context length",
            "context window",
            "context length",
            "available context size",
        ])
    }

    fn is_no_credit(&self) -> bool {
        self.mentions(&["insufficient_quota", "billing_error", "credit balance", "billing_hard_limit"])
    }

    /// The error of a status.
    pub(crate) fn of_status(self, status: u16, retry_after: Option<Duration>) -> ModelError {
        if matches!(status, 400 | 413 | 422 | 429 | 500) && self.is_too_long() && !self.mentions(&["rate_limit"]) {
            return ModelError::TooLong { said: self.said };
        }
        if matches!(status, 400 | 403 | 429) && self.is_no_credit() {
            return ModelError::NoCredit { said: self.said };
        }
        let said = if self.said.is_empty() { format!("status {status}") } else { self.said };
        match status {
            401 => ModelError::BadKey { said },
            402 => ModelError::NoCredit { said },
            403 => ModelError::Forbidden { said },
            404 | 410 => ModelError::NotFound { said },
            413 => ModelError::TooLong { said },
            408 | 409 | 425 => ModelError::ServerFault { status: Some(status), said, retry_after },
            429 => ModelError::RateLimited { said, retry_after },
            503 | 529 => ModelError::Overloaded { said, retry_after },
            500..=599 => ModelError::ServerFault { status: Some(status), said, retry_after },
            _ => ModelError::BadRequest { status: Some(status), said },
        }
    }

    /// The error of a complaint within a stream. Its status is long sent, so its kind decides; what is not known is the
    /// server's fault, for it had accepted the request.
    pub(crate) fn in_stream(self) -> ModelError {
        if self.is_too_long() {
            return ModelError::TooLong { said: self.said };
        }
        if self.is_no_credit() {
            return ModelError::NoCredit { said: self.said };
        }
        let is = |word: &str| self.kind.split(' ').any(|kind| kind == word);
        let said = self.said.clone();
        if is("overloaded_error") || is("503") || is("529") || is("server_overloaded") {
            ModelError::Overloaded { said, retry_after: None }
        } else if is("rate_limit_error") || is("rate_limit_exceeded") || is("429") {
            ModelError::RateLimited { said, retry_after: None }
        } else if is("authentication_error") || is("401") {
            ModelError::BadKey { said }
        } else if is("permission_error") || is("403") {
            ModelError::Forbidden { said }
        } else if is("invalid_request_error") || is("400") {
            ModelError::BadRequest { status: None, said }
        } else {
            ModelError::ServerFault { status: None, said, retry_after: None }
        }
    }
}

/// The words of a server as they may be shown: no control characters, no key, not too long.
pub(crate) fn tidy(text: &str, key: Option<&Secret>) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let text = key.map_or_else(|| text.clone(), |key| key.blot(&text));
    let mut words = deskhand_vocabulary::text::in_a_line(&text);
    if let Some((end, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// The text of a page: what gateways answer when they fail is HTML.
fn plain(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut plain = String::new();
    let mut within = false;
    for letter in text.chars() {
        match letter {
            '<' => within = true,
            '>' => {
                within = false;
                plain.push(' ');
            }
            _ if !within => plain.push(letter),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Complaint, tidy};
    use crate::error::ModelError;
    use deskhand_egress::Secret;

    fn of(status: u16, body: &str) -> ModelError {
        Complaint::of_body(body.as_bytes(), None).of_status(status, None)
    }

    #[test]
    fn what_servers_say_becomes_one_error_each() {
        let too_long = [
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
            ),
            (400, r#"{"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}}"#),
            (
                400,
                r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            ),
            (413, r#"{"type":"error","error":{"type":"request_too_large","message":"x"}}"#),
            (400, r#"{"object":"error","message":"This model's maximum context length is 8 tokens","code":400}"#),
        ];
        for (status, body) in too_long {
            assert!(matches!(of(status, body), ModelError::TooLong { .. }), "{body}");
        }
        let credit = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        assert!(matches!(of(429, credit), ModelError::NoCredit { .. }));
        assert!(matches!(
            of(400, r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#),
            ModelError::NoCredit { .. }
        ));
        assert_eq!(
            of(502, "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body>"),
            ModelError::ServerFault { status: Some(502), said: "502 Bad Gateway nginx".into(), retry_after: None }
        );
        assert_eq!(
            of(404, r#"{"error":"model 'x' not found"}"#),
            ModelError::NotFound { said: "model 'x' not found".into() }
        );
        assert_eq!(of(418, ""), ModelError::BadRequest { status: Some(418), said: "status 418".into() });
    }

    #[test]
    fn the_words_of_a_server_are_made_safe_to_show() {
        let key = Secret::new("sk-secret");
        assert_eq!(tidy("\u{1b}[2Jno  \r\n sk-secret", Some(&key)), "[2Jno [key]");
        assert_eq!(tidy(&"ä".repeat(3000), None).chars().count(), super::LONGEST + 1);
    }
}
