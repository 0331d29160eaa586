//! What the macros make of an author's functions: the manifest's words, the schemas, and the calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_sdk::{
    plugin::{Command as _, Tool as _},
    prelude::*,
};

/// What decides the folder.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// What kind of file it is.
    Type,
    /// When it was made.
    DateOfDocument,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Small,
    Large,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// What decides the folder.
    #[serde(default)]
    pub by: Vec<Key>,
    /// Also what lies in subfolders.
    #[serde(default)]
    pub deep: bool,
    /// At most so many.
    pub first: Option<u32>,
    /// Only of this size.
    #[serde(default)]
    pub only: Option<Size>,
    /// What decides within a folder.
    pub then: Option<Key>,
    /// Where to.
    pub into: String,
}

/// Sort the loose files of a folder
/// into subfolders.
///
/// More about it, which the person does not see.
#[command(forms = ["by {by}", "{deep}"], triggers = ["sort the files"], not_for = ["sort this table"])]
pub fn sort_files(arguments: Arguments) -> Result<Reply> {
    Ok(Reply::text(format!("{arguments:?}")))
}

/// Say hello.
#[command(name = "hello")]
fn greeting() -> Result<&'static str> {
    Ok("Hello!")
}

/// An error of the author's own.
#[derive(Debug)]
struct Mine;

impl From<Mine> for Error {
    fn from(_: Mine) -> Self {
        Error::conflict("mine")
    }
}

/// Fail.
#[command]
fn fail() -> Result<(), Mine> {
    Err(Mine)
}

#[derive(Deserialize, JsonSchema)]
pub struct Find {
    /// What to look for.
    query: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Found {
    /// How many.
    count: u64,
    /// Where.
    places: Vec<Place>,
}

#[derive(Serialize, JsonSchema)]
pub struct Place {
    /// Which file.
    path: FilePathText,
    key: Option<Key>,
}

#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct FilePathText(String);

/// Find something.
///
/// Give a word of it.
#[tool(title = "Find", read_only)]
pub fn find(arguments: Find) -> Result<Found> {
    let place = Place { path: FilePathText(arguments.query), key: Some(Key::Type) };
    Ok(Found { count: 1, places: vec![place] })
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Either {
    File { name: String },
    Nothing,
}

/// One of two things.
#[tool(title = "Either")]
fn either() -> Result<Either> {
    Ok(Either::Nothing)
}

/// Text alone.
#[tool(title = "Text", name = "plain-text")]
fn text() -> Result<String> {
    Ok("text".into())
}

/// A picture.
#[tool(title = "Picture")]
fn picture() -> Result<Content> {
    Ok(Content::bytes("image/png", vec![1]))
}

/// Numbers, which are no object.
#[tool(title = "Numbers")]
fn numbers() -> Result<Vec<u32>> {
    Ok(vec![1, 2])
}

mod elsewhere {
    use super::*;

    /// In another module.
    #[tool(title = "Elsewhere")]
    pub(crate) fn nested() -> Result<()> {
        Ok(())
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Settings {
    /// How many at a time.
    #[serde(default)]
    pub batch: u32,
}

deskhand_sdk::plugin! {
    commands: [sort_files, greeting, fail],
    tools: [find, either, text, picture, numbers, elsewhere::nested],
    config: Settings,
}

#[test]
fn the_description_is_what_the_code_says() {
    insta::assert_json_snapshot!("description", __deskhand_description());
}

#[test]
fn a_command_takes_json_and_gives_a_reply() {
    let reply = __deskhand_command_sort_files::run(r#"{"by":["type","date-of-document"],"into":"x","only":"large"}"#);
    let expected = Arguments {
        by: vec![Key::Type, Key::DateOfDocument],
        deep: false,
        first: None,
        only: Some(Size::Large),
        then: None,
        into: "x".into(),
    };
    assert_eq!(reply.unwrap().shown(), format!("{expected:?}"));
    assert_eq!(__deskhand_command_greeting::run("").unwrap(), Reply::text("Hello!"));
    assert_eq!(__deskhand_command_fail::run("{}"), Err(Error::conflict("mine")));
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let error = __deskhand_command_sort_files::run(r#"{"into":"x","depe":true}"#).unwrap_err();
    assert_eq!(error.code, Code::Invalid);
    assert!(
        error.message.starts_with("the arguments of `sort-files` do not fit: unknown field `depe`, expected one of"),
        "{}",
        error.message
    );
}

#[test]
fn a_tool_gives_structure_or_content() {
    let output = __deskhand_tool_find::call(r#"{"query":"q"}"#).unwrap();
    let value = serde_json::json!({ "count": 1, "places": [{ "path": "q", "key": "type" }] });
    assert_eq!(output, ToolOutput { content: vec![Content::json(&value)], structured: Some(value) });
    let content = |output: Result<ToolOutput>| {
        let output = output.unwrap();
        assert_eq!(output.structured, None);
        output.content
    };
    assert_eq!(content(__deskhand_tool_text::call("{}")), [Content::text("text")]);
    assert_eq!(content(__deskhand_tool_picture::call("{}")), [Content::bytes("image/png", vec![1])]);
    assert_eq!(content(__deskhand_tool_numbers::call("{}")), [Content::json(&serde_json::json!([1, 2]))]);
    assert_eq!(content(elsewhere::__deskhand_tool_nested::call("{}")), []);
}
