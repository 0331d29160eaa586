//! Canonical JSON, the bytes that a signature covers.
//!
//! TUF signs the OLPC form as securesystemslib writes it: keys sorted, no white space, integers alone, and in strings
//! only `\` and `"` escaped. (RFC 8785 is another form: it escapes the line ends of PEM keys.)

use serde_json::Value;

/// A number that is not an integer, which canonical JSON cannot hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an integer, and signed metadata holds integers alone")]
pub struct NotAnInteger(pub String);

/// `value` in canonical form.
pub fn canonical(value: &Value) -> Result<Vec<u8>, NotAnInteger> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), NotAnInteger> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(number) => return Err(NotAnInteger(number.to_string())),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            out.push(b'{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                if let Some(field) = fields.get(name) {
                    write(field, out)?;
                }
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_only_quotes_and_backslashes_escaped() {
        let value = json!({"b": [1, -2, true, null], "a": "line\n\"é\\", "B": {}});
        let expected = "{\"B\":{},\"a\":\"line\n\\\"é\\\\\",\"b\":[1,-2,true,null]}";
        assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
    }

    #[test]
    fn fractions_are_refused() {
        assert_eq!(canonical(&json!({"a": 0.5})), Err(NotAnInteger("0.5".into())));
    }
}
