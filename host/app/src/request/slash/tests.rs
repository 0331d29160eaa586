#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use serde_json::json;

pub(crate) fn candidate(plugin: &str, command: Value) -> Candidate {
    Candidate { plugin: plugin.parse().unwrap(), command: serde_json::from_value(command).unwrap() }
}

fn sorter() -> Candidate {
    candidate(
        "home:sorter",
        json!({
            "name": "sort", "summary": "Sort files.",
            "arguments": {"type": "object", "additionalProperties": false, "properties": {
                "by": {"type": "array", "items": {"enum": ["type", "date"], "x-synonyms": {"type": ["file type", "kind"]}}},
                "deep": {"type": "boolean", "x-synonyms": ["in subfolders"]},
                "old": {"type": "string"}, "new": {"type": "string"},
                "most": {"type": "integer", "minimum": 1}
            }},
            "forms": ["by {by}", "{deep}", "replace {old} with {new}", "at most {most}"]
        }),
    )
}

fn typed(text: &str) -> Result<Value, NotTyped> {
    parse(text, &Catalogue::of(vec![sorter()]), |_| None).unwrap().map(|typed| typed.arguments)
}

#[test]
fn clauses_come_in_any_order() {
    assert_eq!(typed("/sort"), Ok(json!({})));
    assert_eq!(typed("/sort by type and date"), Ok(json!({"by": ["type", "date"]})));
    assert_eq!(typed("/sort in subfolders by file type, date"), Ok(json!({"deep": true, "by": ["type", "date"]})));
    assert_eq!(typed("/sort at most 3 by date"), Ok(json!({"most": 3, "by": ["date"]})));
    assert_eq!(
        typed("/sort replace \"IMG \\\"1\" with 'x y' deep"),
        Ok(json!({"old": "IMG \"1", "new": "x y", "deep": true}))
    );
    assert_eq!(typed("/sort replace IMG_ with Photo"), Ok(json!({"old": "IMG_", "new": "Photo"})));
    assert_eq!(
        typed("/sort --by=date,type --deep most=2"),
        Ok(json!({"by": ["date", "type"], "deep": true, "most": 2}))
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let usage =
        "It is typed: /sort [by type|date and …] [in subfolders] [replace \"OLD\" with \"NEW\"] [at most NUMBER]";
    assert_eq!(
        typed("/sort by colour"),
        Err(NotTyped::Unfit { name: "sort".into(), part: "colour".into(), usage: usage.into() })
    );
    assert_eq!(
        typed("/sort at most 0"),
        Err(NotTyped::Invalid {
            name: "sort".into(),
            reason: "0 is less than the minimum of 1".into(),
            usage: usage.into()
        })
    );
    assert_eq!(typed("/sort replace \"x"), Err(NotTyped::Unclosed { part: "\"x".into() }));
    assert_eq!(typed("/sorts"), Err(NotTyped::Unknown { name: "sorts".into(), near: vec!["sort".into()] }));
    assert!(parse("sort", &Catalogue::of(vec![sorter()]), |_| None).is_none());
    assert!(parse("/etc/passwd", &Catalogue::of(vec![sorter()]), |_| None).is_none());
}

#[test]
fn a_name_that_two_plugins_have_is_asked_about() {
    let mut other = sorter();
    other.plugin = "acme:sorter".parse().unwrap();
    let both = Catalogue::of(vec![sorter(), other.clone()]);
    assert!(matches!(parse("/sort", &both, |_| None).unwrap(), Err(NotTyped::Ambiguous { .. })));
    assert_eq!(parse("/acme:sorter:sort", &both, |_| None).unwrap().unwrap().candidate, other);
    assert_eq!(parse("/sort", &both, |_| Some("acme:sorter".parse().unwrap())).unwrap().unwrap().candidate, other);
}
