//! The argument schema of a command, read into what forms need: which properties there are, of which kind, and which
//! words name their values.

use super::words::split;
use serde_json::Value;

/// A property of a command's arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// True for an array of the kind.
    pub(crate) many: bool,
    /// For the person.
    pub(crate) about: String,
}

impl Property {
    /// True if its values have names, as against a number or a text of the person's own.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.kind, Kind::Flag(_) | Kind::OneOf(_))
    }
}

/// What a property holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// On when one of these phrases (folded words) is said.
    Flag(Vec<Vec<String>>),
    /// One of these values, each with the phrases that name it.
    OneOf(Vec<(String, Vec<Vec<String>>)>),
    Integer,
    Text,
}

/// The properties of a schema, in its order. What is not understood is left out: it can still be given by name.
pub(crate) fn properties(schema: &Value) -> Vec<Property> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties.iter().filter_map(|(name, property)| read(name, property)).collect()
}

fn read(name: &str, schema: &Value) -> Option<Property> {
    let about = schema["description"].as_str().unwrap_or_default().to_owned();
    if schema["type"] == "array" {
        let items = &schema["items"];
        // synonyms may stand at the array or at its items
        let merged = if items["x-synonyms"].is_null() { schema } else { items };
        return Some(Property { name: name.to_owned(), kind: kind(name, items, merged)?, many: true, about });
    }
    // an optional value: `anyOf: [{...}, {"type": "null"}]`
    let inner = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema[*key].as_array())
        .find(|options| options.iter().any(|option| option["type"] == "null"))
        .and_then(|options| options.iter().find(|option| option["type"] != "null"))
        .unwrap_or(schema);
    let merged = if inner["x-synonyms"].is_null() { schema } else { inner };
    Some(Property { name: name.to_owned(), kind: kind(name, inner, merged)?, many: false, about })
}

fn kind(name: &str, schema: &Value, synonyms: &Value) -> Option<Kind> {
    if let Some(values) = values(schema) {
        let values = values.into_iter().map(|value| {
            let mut phrases = vec![split(&value)];
            if let Some(more) = synonyms["x-synonyms"][&value].as_array() {
                phrases.extend(more.iter().filter_map(Value::as_str).map(split));
            }
            phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
            (value, phrases)
        });
        return Some(Kind::OneOf(values.collect()));
    }
    let is = |name: &str| {
        schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.iter().any(|kind| kind == name))
    };
    if is("boolean") {
        let mut phrases = vec![split(name)];
        if let Some(more) = synonyms["x-synonyms"].as_array() {
            phrases.extend(more.iter().filter_map(Value::as_str).map(split));
        }
        Some(Kind::Flag(phrases))
    } else if is("integer") {
        Some(Kind::Integer)
    } else if is("string") {
        Some(Kind::Text)
    } else {
        None
    }
}

/// The values of an enum: `enum: [...]`, or `oneOf: [{"const": ...}, ...]` as documented variants are written.
fn values(schema: &Value) -> Option<Vec<String>> {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    }
    schema["oneOf"]
        .as_array()
        .or_else(|| schema["anyOf"].as_array())?
        .iter()
        .map(|option| match option["const"].as_str() {
            Some(value) => Some(vec![value.to_owned()]),
            None => values(option),
        })
        .collect::<Option<Vec<_>>>()
        .map(|values| values.concat())
}
