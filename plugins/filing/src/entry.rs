//! A file or folder as planning sees it, and the facts that the host knows of it.

use crate::date::Dates;
use deskhand_sdk::time::DateTime;
use serde_json::Value;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO, a socket, a device, or something unknown.
    Other,
}

/// A file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The granted folder's name, then names joined by `/`.
    pub path: &'a str,
    /// What it is.
    pub kind: Kind,
}

/// What the host knows of a file beyond its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// RFC 6838, without parameters, in lower case; empty if not known.
    pub media_type: String,
    /// Its dates.
    pub dates: Dates,
    /// True if its content is in a cloud and reading it would fetch it.
    pub placeholder: bool,
}

impl Facts {
    /// From what the host answers by the name of a fact. What is missing or malformed is taken as not known.
    pub fn read<'a>(attribute: impl Fn(&str) -> Option<&'a Value>) -> Self {
        let text = |name: &str| attribute(name).and_then(Value::as_str);
        let moment = |name: &str| text(name)?.parse::<DateTime>().ok();
        let media_type = text("media-type").unwrap_or_default();
        Self {
            media_type: media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
            dates: Dates {
                taken: moment("image.taken"),
                created: moment("document.created"),
                recorded: moment("media.created"),
                modified: moment("file.modified"),
            },
            placeholder: attribute("placeholder") == Some(&Value::Bool(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_from_attributes() {
        let attributes = json!({
            "media-type": "Text/HTML; charset=utf-8", "image.taken": "not a date", "file.modified": "2024-05-31T18:02:11",
            "placeholder": true, "mode": 420,
        });
        let facts = Facts::read(|name| attributes.get(name));
        let dates = Dates { modified: "2024-05-31T18:02:11".parse().ok(), ..Dates::default() };
        assert_eq!(facts, Facts { media_type: "text/html".into(), dates, placeholder: true });
        assert_eq!(Facts::read(|_| None), Facts::default());
    }
}
