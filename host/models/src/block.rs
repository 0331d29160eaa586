//! A JSON object as its server wrote it: its members in order, each kept as it was written, and what deltas add.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// A member's value.
#[derive(Clone, Debug)]
enum Slot {
    Raw(Box<RawValue>),
    Text(String),
    List(Vec<Box<RawValue>>),
}

/// An object whose members are kept as they were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    members: Vec<(String, Slot)>,
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Block;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Block, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push((name, Slot::Raw(raw)));
                }
                Ok(Block { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn list(raw: &RawValue) -> Option<Vec<Box<RawValue>>> {
    serde_json::from_str(raw.get()).ok()
}

/// JSON text of a string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Block {
    fn slot(&mut self, name: &str) -> Option<&mut Slot> {
        self.members.iter_mut().find(|(other, _)| other == name).map(|(_, slot)| slot)
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match &self.members.iter().find(|(other, _)| other == name)?.1 {
            Slot::Raw(raw) => string(raw),
            Slot::Text(text) => Some(text.clone()),
            Slot::List(_) => None,
        }
    }

    /// A member as it was written; nothing where there is none.
    pub(crate) fn json_of(&self, name: &str) -> String {
        match self.members.iter().find(|(other, _)| other == name) {
            Some((_, Slot::Raw(raw))) => raw.get().to_owned(),
            _ => String::new(),
        }
    }

    /// The members' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// Set a member, in its place if it has one.
    pub(crate) fn set(&mut self, name: &str, raw: Box<RawValue>) {
        match self.slot(name) {
            Some(slot) => *slot = Slot::Raw(raw),
            None => self.members.push((name.to_owned(), Slot::Raw(raw))),
        }
    }

    /// Set a member that is text.
    pub(crate) fn set_text(&mut self, name: &str, text: String) {
        match self.slot(name) {
            Some(slot) => *slot = Slot::Text(text),
            None => self.members.push((name.to_owned(), Slot::Text(text))),
        }
    }

    /// With another's members after its own.
    pub(crate) fn extend(&mut self, other: Self) {
        self.members.extend(other.members);
    }

    /// Without a member.
    pub(crate) fn remove(&mut self, name: &str) {
        self.members.retain(|(other, _)| other != name);
    }

    /// Take up what a delta adds to a member: text is appended to text, a list to a list, and anything else takes the
    /// place of what was there.
    pub(crate) fn add(&mut self, name: &str, more: &RawValue) {
        let Some(slot) = self.slot(name) else {
            self.members.push((name.to_owned(), Slot::Raw(more.to_owned())));
            return;
        };
        if more.get() == "null" {
            return;
        }
        match (&mut *slot, string(more), list(more)) {
            (Slot::Text(text), Some(more), _) => text.push_str(&more),
            (Slot::List(items), _, Some(more)) => items.extend(more),
            (Slot::Raw(raw), Some(more), _) => {
                *slot = match string(raw) {
                    Some(text) => Slot::Text(text + &more),
                    None => Slot::Text(more),
                };
            }
            (Slot::Raw(raw), _, Some(more)) => {
                let mut items = list(raw).unwrap_or_default();
                items.extend(more);
                *slot = Slot::List(items);
            }
            _ => *slot = Slot::Raw(more.to_owned()),
        }
    }

    /// Append an item to a member that is a list.
    pub(crate) fn push(&mut self, name: &str, item: &RawValue) {
        let mut items = match self.slot(name) {
            Some(Slot::List(items)) => std::mem::take(items),
            Some(Slot::Raw(raw)) => list(raw).unwrap_or_default(),
            Some(Slot::Text(_)) | None => Vec::new(),
        };
        items.push(item.to_owned());
        match self.slot(name) {
            Some(slot) => *slot = Slot::List(items),
            None => self.members.push((name.to_owned(), Slot::List(items))),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        let mut json = String::from("{");
        for (name, slot) in &self.members {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&quoted(name));
            json.push(':');
            match slot {
                Slot::Raw(raw) => json.push_str(raw.get()),
                Slot::Text(text) => json.push_str(&quoted(text)),
                Slot::List(items) => {
                    json.push('[');
                    json.push_str(&items.iter().map(|item| item.get()).collect::<Vec<_>>().join(","));
                    json.push(']');
                }
            }
        }
        json.push('}');
        json
    }
}

/// JSON as it is kept.
pub(crate) fn raw(json: String) -> Box<RawValue> {
    // what is handed in was put together from JSON
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Block;
    use serde_json::value::RawValue;

    #[test]
    fn members_keep_their_order_and_spelling() {
        let text =
            r#"{"type":"new_kind","big":123456789012345678901234567890,"e":1.0e5,"z":{"b":1,"a":[ 1 ]},"a":null}"#;
        let block: Block = serde_json::from_str(text).unwrap();
        assert_eq!(block.json(), text);
    }

    #[test]
    fn deltas_are_taken_up() {
        let mut block: Block = serde_json::from_str(r#"{"text":"a","list":[1],"none":null,"object":{}}"#).unwrap();
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        for (name, more) in [
            ("text", r#""\u00e4""#),
            ("text", r#""c""#),
            ("list", "[2,3]"),
            ("list", "[4]"),
            ("none", r#""x""#),
            ("none", r#""y""#),
            ("object", r#"{"a":1}"#),
            ("new", "7"),
            ("text", "null"),
        ] {
            block.add(name, &raw(more));
        }
        block.push("cited", &raw("{}"));
        block.push("cited", &raw("{}"));
        assert_eq!(
            block.json(),
            r#"{"text":"aäc","list":[1,2,3,4],"none":"xy","object":{"a":1},"new":7,"cited":[{},{}]}"#
        );
    }
}
