//! JSON Schemas (draft 2020-12) of the author's types, with every part written out where it is used.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

/// The schema of what a type is read from.
pub fn of<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_deserialize())
}

/// The schema of what a type is written as.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// The schema of a command's arguments. What the person does not say is left out and never null, so an optional argument
/// has the schema of its value.
#[cfg(not(target_family = "wasm"))]
pub fn of_arguments<T: JsonSchema>() -> Value {
    let mut schema = of::<T>();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(without_null);
    }
    schema
}

#[cfg(not(target_family = "wasm"))]
fn without_null(schema: &mut Value) {
    let is_null = |value: &Value| value == "null" || value.is_null() || value.get("type") == Some(&"null".into());
    let Some(object) = schema.as_object_mut() else { return };
    for key in ["type", "enum", "anyOf", "oneOf"] {
        let Some(several) = object.get_mut(key).and_then(Value::as_array_mut) else { continue };
        several.retain(|one| !is_null(one));
        if let [one] = several.as_mut_slice()
            && key != "enum"
        {
            match one.take() {
                // a choice of one is that one; what is said of the argument goes before what is said of its type
                Value::Object(only) => {
                    object.remove(key);
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
                only => {
                    object.insert(key.into(), only);
                }
            }
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

fn generate<T: JsonSchema>(mut settings: SchemaSettings) -> Value {
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        // the Rust name of a type is nothing to the person
        object.remove("title");
    }
    schema
}
