//! The arguments of a tool: their schema, as short as the model needs it, reading them, and whether they fit.

use deskhand_vocabulary::text::shortened;
use jsonschema::Validator;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The JSON Schema of a tool's arguments, without what says nothing to a model.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07().for_deserialize();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    short(&mut schema, true);
    told(schema)
}

/// A schema as a model is told it: without what only matters to whoever checks, or is said of a list and of its items alike.
pub(crate) fn told(mut schema: Value) -> Value {
    trim(&mut schema);
    schema
}

fn trim(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.retain(|key, value| match key.as_str() {
        "additionalProperties" => *value != Value::Bool(false),
        "minimum" => value.as_u64() != Some(0),
        _ => true,
    });
    if let Some(Value::Object(members)) = object.get_mut("properties") {
        members.values_mut().for_each(trim);
    }
    if let Some(items) = object.get_mut("items") {
        trim(items);
        if let Some(item) = items.as_object_mut().filter(|item| item.contains_key("properties")) {
            item.remove("description");
        }
    }
}

/// Takes out titles, formats of numbers, nulls of what may be left out, and descriptions that line feeds break.
pub(crate) fn short(schema: &mut Value, root: bool) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("title");
    object.remove("format");
    object.remove("default");
    if root {
        object.remove("description");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = deskhand_vocabulary::text::in_a_line(text);
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_mut_slice() {
            let one = one.take();
            object.insert("type".into(), one);
        }
    }
    for key in ["properties", "items"] {
        match object.get_mut(key) {
            Some(Value::Object(members)) if key == "properties" => {
                members.values_mut().for_each(|one| short(one, false))
            }
            Some(item) => short(item, false),
            None => {}
        }
    }
}

/// The arguments as a tool takes them, or what is wrong with them, for the model.
pub(crate) fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T, String> {
    let given = match arguments {
        // both wires have models that send nothing at all for no arguments
        Value::Null => Value::Object(Map::new()),
        other => other.clone(),
    };
    serde_json::from_value(given)
        .map_err(|error| format!("the arguments do not fit: {error}. Call it again with arguments that do"))
}

/// Whether arguments fit a schema (2020-12), or what does not, for the model.
pub(crate) fn fit(schema: &Value, arguments: &Value) -> Result<(), String> {
    Fitting::default().check(schema, arguments)
}

/// The same for one schema that many calls are measured by: it is taken apart at the first.
#[derive(Debug, Default)]
pub(crate) struct Fitting(OnceLock<Option<Validator>>);

impl Fitting {
    /// As [`fit`]; `schema` is the same each time.
    pub(crate) fn check(&self, schema: &Value, arguments: &Value) -> Result<(), String> {
        let taken_apart = self.0.get_or_init(|| jsonschema::draft202012::options().build(schema).ok());
        let Some(validator) = taken_apart else {
            return Err("the tool says of its arguments what is no schema; tell the person".to_owned());
        };
        let wrong: Vec<String> = validator
            .iter_errors(arguments)
            .take(5)
            .map(|error| {
                let at = error.instance_path().to_string();
                let what = shortened(&error.to_string(), 300);
                if at.is_empty() { what } else { format!("{at}: {what}") }
            })
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("the arguments do not fit: {}. Call it again with arguments that do", wrong.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    /// Not told.
    #[derive(Deserialize, JsonSchema, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        /// Where to
        /// look.
        path: String,
        #[serde(default)]
        deep: bool,
        most: Option<u32>,
    }

    #[test]
    fn a_schema_holds_what_a_model_needs() {
        let expected = json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "Where to look."},
                "deep": {"type": "boolean"},
                "most": {"type": "integer"}
            },
            "required": ["path"]
        });
        assert_eq!(schema::<Arguments>(), expected);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let fits = read::<Arguments>(&json!({"path": "a"})).unwrap();
        assert_eq!(fits, Arguments { path: "a".to_owned(), deep: false, most: None });
        let wrong = read::<Arguments>(&json!({"path": "a", "depth": 1})).unwrap_err();
        assert_eq!(
            wrong,
            "the arguments do not fit: unknown field `depth`, expected one of `path`, `deep`, `most`. Call it again with arguments that do"
        );
        assert!(read::<Arguments>(&Value::Null).unwrap_err().contains("missing field `path`"));
    }
}
