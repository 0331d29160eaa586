//! A file or folder as planning sees it, and the facts that the host knows of it.

use crate::date::Dates;
use deskhand_sdk::time::DateTime;
use serde::Deserialize;

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Told")]
pub struct Facts {
    /// RFC 6838, without parameters, in lower case; empty if not known.
    pub media_type: String,
    /// Its dates.
    pub dates: Dates,
    /// True if its content is in a cloud and reading it would fetch it.
    pub placeholder: bool,
}

/// What the host answers, by the name of a fact. What is missing is not known, and neither is a date that is none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(rename = "media-type")]
    media_type: String,
    #[serde(rename = "image.taken")]
    taken: Moment,
    #[serde(rename = "document.created")]
    created: Moment,
    #[serde(rename = "media.created")]
    recorded: Moment,
    #[serde(rename = "file.modified")]
    modified: Moment,
    placeholder: bool,
}

#[derive(Default, Deserialize)]
#[serde(from = "String")]
struct Moment(Option<DateTime>);

impl From<String> for Moment {
    fn from(text: String) -> Self {
        Self(text.parse().ok())
    }
}

impl From<Told> for Facts {
    fn from(told: Told) -> Self {
        Self {
            media_type: told.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
            dates: Dates {
                taken: told.taken.0,
                created: told.created.0,
                recorded: told.recorded.0,
                modified: told.modified.0,
            },
            placeholder: told.placeholder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_from_attributes() {
        let told = json!({
            "media-type": "Text/HTML; charset=utf-8", "image.taken": "not a date", "file.modified": "2024-05-31T18:02:11",
            "placeholder": true, "mode": 420,
        });
        let dates = Dates { modified: "2024-05-31T18:02:11".parse().ok(), ..Dates::default() };
        let facts: Facts = serde_json::from_str(&told.to_string()).unwrap();
        assert_eq!(facts, Facts { media_type: "text/html".into(), dates, placeholder: true });
        assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
    }
}
