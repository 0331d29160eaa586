#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

fn manifest() -> Value {
    json!({
        "plugin": { "name": "sorter", "version": "1.0.0", "publisher": "Ada", "summary": "Sort files.",
                    "interface": "0.1.0", "license": "MIT" },
        "permissions": [
            { "kind": "files.read", "reason": "To see what is there." },
            { "kind": "files.change", "reason": "To propose moves." }
        ],
        "commands": [{
            "name": "sort", "summary": "Sort files.",
            "arguments": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "by": { "description": "What decides.", "type": "array",
                            "items": { "oneOf": [{ "const": "type", "type": "string" }, { "const": "date", "type": "string" }] } },
                    "deep": { "description": "Also below.", "type": "boolean" },
                    "first": { "description": "How many.", "type": ["integer", "null"] },
                    "into": { "description": "Where.", "anyOf": [{ "type": "string", "enum": ["a", "b"] }, { "type": "null" }] }
                }
            },
            "forms": ["by {by}", "{deep}", "first {first}", "into {into}"],
            "triggers": ["sort the files", "put files in order", "bring order into a folder"],
            "not_for": ["sort this table"]
        }]
    })
}

/// The findings of the manifest with one value changed.
fn with(pointer: &str, value: Value) -> Vec<String> {
    let mut changed = manifest();
    *changed.pointer_mut(pointer).unwrap() = value;
    let manifest: Manifest = serde_json::from_value(changed).unwrap();
    examine(&manifest).iter().map(|finding| format!("{:?} {finding}", finding.weight)).collect()
}

fn one(pointer: &str, value: Value) -> String {
    let found = with(pointer, value);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_good_manifest_has_no_findings() {
    assert_eq!(with("/plugin/name", json!("sorter")), Vec::<String>::new());
}

#[test]
fn what_people_see_is_there_and_safe() {
    assert_eq!(
        one("/permissions/0/reason", json!(" ")),
        "Error permission files.read: its reason is empty; write one sentence for the person who reads it"
    );
    assert_eq!(
        one("/plugin/summary", json!("a\u{1b}[2Jb")),
        "Error plugin: its summary holds control or invisible characters, which would be shown as escapes; take them out"
    );
    assert_eq!(
        one("/commands/0/summary", json!("x".repeat(121))),
        "Warning command sort: its summary has 121 characters and is cut at 120; say it shorter"
    );
}

#[test]
fn rights_are_asked_for_once_and_where_they_can_be_used() {
    let twice = json!([
        { "kind": "files.read", "reason": "a" }, { "kind": "files.read", "reason": "b" }
    ]);
    assert_eq!(
        one("/permissions", twice),
        "Error permission files.read: it is asked for twice; put both into one, with one reason"
    );
    assert_eq!(
        one("/permissions", json!([{ "kind": "tools.call", "reason": "a" }])),
        "Error permission tools.call: it names no tools; list them in `scope`, as `name` or `plugin/name`"
    );
    assert_eq!(
        one("/permissions", json!([{ "kind": "files.read", "reason": "a", "scope": ["Downloads"] }])),
        "Error permission files.read: it has no scope: the person gives the folders; take `scope` out"
    );
    assert_eq!(
        one("/permissions", json!([{ "kind": "files.change", "reason": "a" }])),
        "Warning permission files.change: nothing can be changed that was not looked at; ask for files.read as well"
    );
}

#[test]
fn hosts_and_credentials_are_named_one_by_one() {
    let asking = |scope: Value| json!([{ "kind": "hosts.connect", "reason": "a", "scope": scope }]);
    assert_eq!(with("/permissions", asking(json!(["api.example.com", "*.example.com", "*"]))), Vec::<String>::new());
    for (scope, said) in [
        (json!([]), "it names no hosts; list them in `scope`, as `api.example.com`, `*.example.com` or `config.KEY`"),
        (
            json!(["https://example.com/"]),
            "`https://example.com/` is no host; write its name in lower case, without `https://` and path",
        ),
        (
            json!(["localhost"]),
            "`localhost` is the person's own computer; let them set the address, and write `config.KEY`",
        ),
        (json!(["config.url"]), "`config.url` names a setting that the configuration does not have; add `url` to it"),
    ] {
        assert_eq!(one("/permissions", asking(scope)), format!("Error permission hosts.connect: {said}"));
    }
    assert_eq!(
        one("/permissions", json!([{ "kind": "credentials.use", "reason": "a", "scope": ["key"] }])),
        "Error permission credentials.use: `key` is described nowhere; describe it under [[credentials]]"
    );
}

#[test]
fn forms_name_arguments() {
    let forms = |form: &str| with("/commands/0/forms", json!([form, "{by}", "{deep}", "{first}", "{into}"]));
    assert_eq!(
        forms("by {bye}"),
        ["Error command sort: the form `by {bye}` names `bye`, which is no argument; there are: by, deep, first, into"]
    );
    assert_eq!(
        forms("by{by}"),
        ["Error command sort: the form `by{by}` has braces within a word; put spaces around them"]
    );
    assert_eq!(forms("by {}"), ["Error command sort: the form `by {}` has empty braces; name an argument in them"]);
    assert_eq!(forms(" "), ["Error command sort: the form ` ` is empty; take it out"]);
    assert_eq!(
        with("/commands/0/forms", json!(["by {by}", "{deep}", "first {first}"])),
        ["Advice command sort: no form says how `into` is written in words; add one, such as `\"with {into}\"`"]
    );
}

#[test]
fn arguments_can_be_written_in_words() {
    for bad in [
        json!({ "description": "x", "type": "object" }),
        json!({ "description": "x", "type": "number" }),
        json!({ "description": "x", "type": "array", "items": { "type": "integer" } }),
        json!({ "description": "x", "oneOf": [{ "type": "object" }, { "const": "a" }] }),
        json!({ "description": "x" }),
    ] {
        assert!(
            one("/commands/0/arguments/properties/by", bad)
                .starts_with("Error command sort: the argument `by` cannot be written in words")
        );
    }
    assert_eq!(
        one("/commands/0/arguments/properties/by", json!({ "description": "x", "$ref": "#/$defs/By" })),
        "Error command sort: the argument `by` has a type that contains itself; make it flat"
    );
    assert_eq!(
        one("/commands/0/arguments/properties/by", json!({ "type": "string" })),
        "Warning command sort: nothing says what `by` is; write a doc comment at the field"
    );
    assert!(one("/commands/0/arguments/additionalProperties", json!(true)).contains("deny_unknown_fields"));
}

#[test]
fn triggers_are_requests() {
    assert!(one("/commands/0/triggers", json!([])).starts_with("Warning command sort: it has no triggers"));
    assert!(
        one("/commands/0/triggers", json!(["sort the files"])).starts_with("Advice command sort: it has few triggers")
    );
    assert_eq!(
        one("/commands/0/not_for", json!(["Sort the files"])),
        "Error command sort: `Sort the files` is a trigger and in `not_for`; keep one of them"
    );
}

#[test]
fn an_extractor_names_what_it_reads() {
    let with = |names: Value| {
        let mut changed = manifest();
        changed["extractor"] = json!({ "media_types": names });
        let manifest: Manifest = serde_json::from_value(changed).unwrap();
        examine(&manifest).iter().map(|finding| format!("{:?} {finding}", finding.weight)).collect::<Vec<_>>()
    };
    assert_eq!(with(json!(["application/pdf", "application/epub+zip"])), Vec::<String>::new());
    assert_eq!(with(json!([])), ["Error extractor: it names no media types, so nothing is given to it"]);
    let slip = |name: &str| {
        format!("Error extractor: `{name}` is no media type; write it in lower case, such as `application/pdf`")
    };
    assert_eq!(with(json!(["pdf", "Text/HTML", "text/"])), ["pdf", "Text/HTML", "text/"].map(slip));
}
