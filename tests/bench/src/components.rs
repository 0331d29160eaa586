//! Components to measure with: made here, as small as a component can be, each with a manifest of its own.

use crate::place::Place;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

/// A command that answers with nothing to show.
const ANSWERS: &str = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 1100)) \
                       (i32.store (i32.const 1032) (i32.const 0)) (i32.store8 (i32.const 1036) (i32.const 0)) \
                       (i32.const 1024)";
/// A command that never ends.
const SPINS: &str = "(loop $on (br $on)) (unreachable)";

/// What the command of a component does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Answer,
    Spin,
    /// Nothing that is of use: `wit_component::dummy_module`.
    Trap,
}

/// A component that exports a command, without a manifest.
pub(crate) fn bare(place: &Place, does: Does) -> Result<Vec<u8>> {
    let (resolve, world) = interface(place, "with-command")?;
    let body = match does {
        Does::Answer => Some(ANSWERS),
        Does::Spin => Some(SPINS),
        Does::Trap => None,
    };
    let module = match body {
        Some(body) => wat::parse_str(format!(
            r#"(module
              (memory (export "memory") 2)
              (global $free (mut i32) (i32.const 65536))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                  (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
                  (i32.sub (i32.const 0) (local.get 2))))
                (global.set $free (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
              (func (export "deskhand:plugin/command@0.1.0#run") (param i32 i32 i32 i32) (result i32) {body}))"#
        ))?,
        None => dummy_module(&resolve, world, ManglingAndAbi::Standard32),
    };
    component(module, &resolve, world)
}

/// A component that exports tools, without a manifest. None of them can be called.
pub(crate) fn bare_tools(place: &Place) -> Result<Vec<u8>> {
    let (resolve, world) = interface(place, "with-tools")?;
    component(dummy_module(&resolve, world, ManglingAndAbi::Standard32), &resolve, world)
}

fn interface(place: &Place, world: &str) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(place.wit())?;
    let world = resolve.select_world(&[package], Some(world))?;
    Ok((resolve, world))
}

fn component(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Result<Vec<u8>> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .context("the interface does not fit")?;
    ComponentEncoder::default().module(&module)?.encode()
}

/// A component with its manifest in it.
pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &Value) -> Vec<u8> {
    let data = manifest.to_string().into_bytes();
    let section = CustomSection { name: "deskhand:manifest".into(), data: data.into() };
    component.push(section.id());
    section.encode(&mut component);
    component
}

/// The manifest of a plugin with one command, as large and as varied as a real one: forms, triggers, a schema, a
/// permission. `number` tells it from others.
pub(crate) fn manifest(number: usize) -> Value {
    const DO: [&str; 12] = [
        "convert",
        "translate",
        "summarize",
        "compare",
        "archive",
        "print",
        "label",
        "resize",
        "encrypt",
        "publish",
        "merge",
        "measure",
    ];
    const WHAT: [&str; 14] = [
        "invoices",
        "recipes",
        "contracts",
        "songs",
        "maps",
        "letters",
        "tickets",
        "drawings",
        "tables",
        "backups",
        "notes",
        "receipts",
        "scans",
        "timetables",
    ];
    const HOW: [&str; 6] =
        ["by customer", "for the tax office", "as a PDF", "into one sheet", "every week", "in French"];
    let word = |list: &[&'static str], step: usize| list[(number / step + number) % list.len()];
    let (verb, noun, way) = (word(&DO, 1), word(&WHAT, DO.len()), word(&HOW, DO.len() * WHAT.len()));
    let name = format!("{verb}-{noun}-{number}");
    json!({
        "plugin": {
            "name": name, "version": "1.0.0", "publisher": "Benchmark",
            "summary": format!("{verb} {noun} {way}."), "interface": "0.1.0"
        },
        "permissions": [{"kind": "files.read", "reason": format!("to find the {noun}")}],
        "commands": [{
            "name": name,
            "summary": format!("{verb} {noun} {way}."),
            "arguments": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "by": {"type": "string", "enum": ["customer", "year", "amount"], "description": "What to go by."},
                    "deep": {"type": "boolean", "description": "In subfolders as well."},
                    "into": {"type": ["string", "null"], "description": "The folder for what comes out."}
                }
            },
            "forms": ["by {by}", "into {into}", "{deep}"],
            "triggers": [
                format!("{verb} my {noun}"), format!("{verb} the {noun} {way}"), format!("{verb} all {noun} in here"),
                format!("{verb} the {noun} of last year"), format!("please {verb} these {noun}"),
                format!("can you {verb} the {noun} {way}"), format!("I want the {noun} {way}"), format!("{noun} {way}")
            ],
            "not_for": [format!("where are my {noun}"), format!("how many {noun} do I have")]
        }]
    })
}

/// The manifest of a plugin with two tools, one that looks and one that changes, as a real one has them. `number` tells it
/// from others.
pub(crate) fn tools(number: usize) -> Value {
    const OF: [&str; 10] =
        ["tickets", "contacts", "calendars", "orders", "parcels", "bookings", "budgets", "routes", "menus", "lamps"];
    let noun = OF[number % OF.len()];
    let id = json!({"type": "string", "description": "Which one, as the search gives it."});
    json!({
        "plugin": {
            "name": format!("{noun}-{number}"), "version": "1.0.0", "publisher": "Benchmark",
            "summary": format!("Finds and changes {noun}."), "interface": "0.1.0"
        },
        "tools": [
            {
                "name": format!("search-{noun}"), "title": format!("Search {noun}"), "read_only": true,
                "description": format!("Search the {noun} of the person. The newest come first; a cursor goes on."),
                "input": {
                    "type": "object", "additionalProperties": false, "required": ["query"],
                    "properties": {
                        "query": {"type": "string", "description": "Words that they must hold."},
                        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
                        "cursor": {"type": "string", "description": "Where to go on."}
                    }
                }
            },
            {
                "name": format!("update-{noun}"), "title": format!("Change one of the {noun}"),
                "description": format!("Change one of the {noun}. What is not given stays as it is."),
                "input": {
                    "type": "object", "additionalProperties": false, "required": ["id"],
                    "properties": {"id": id, "title": {"type": "string"}, "done": {"type": "boolean"}}
                }
            }
        ]
    })
}

/// A manifest with the command `go` and nothing else.
pub(crate) fn smallest(name: &str) -> Value {
    json!({
        "plugin": {"name": name, "version": "1.0.0", "publisher": "Benchmark", "summary": "Goes.", "interface": "0.1.0"},
        "commands": [{"name": "go", "summary": "Goes.", "arguments": {"type": "object"}}],
    })
}
