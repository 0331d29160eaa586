//! `write`: a whole file.

use crate::{
    own::{NotDone, Own},
    place::{Place, make_parents},
};
use deskhand_agent::tool::{Effect, Output};
use deskhand_vocabulary::{FilePath, Stop};
use schemars::JsonSchema;
use serde::Deserialize;

/// See the module.
pub(crate) struct Write;

/// See [`Write`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
    /// All that it is to hold.
    text: String,
}

impl Own for Write {
    const NAME: &'static str = "write";
    const DESCRIPTION: &'static str = "Write a whole text file, with the folders that it needs. One that is there must have \
        been read before.";
    const EFFECT: Effect = Effect::Propose;
    type Arguments = Arguments;

    fn call(place: &Place, Arguments { path, text }: Arguments, _: &Stop) -> Result<Output, NotDone> {
        let path = place.path(&path)?;
        let over = match place.stat(&path) {
            Ok(_) => Some(place.known(&path).ok_or_else(|| not_read(&path))?),
            Err(_) => None,
        };
        // all or nothing: a file that cannot be written leaves no folders behind
        let nested = place.workspace.nested();
        make_parents(nested.workspace(), &path)?;
        nested.workspace().write(&path, text.as_bytes(), over.as_deref())?;
        nested.join()?;
        place.saw(&path);
        let how = if over.is_some() { "over what was there" } else { "new" };
        Ok(Output::done(format!("`{path}` is to be written ({how}, {} bytes)", text.len())))
    }
}

/// What a model is told that would change what it has not seen.
pub(super) fn not_read(path: &FilePath) -> NotDone {
    NotDone::failed(format!(
        "`{path}` is there and was not read in this task. Read it first (with `raw` if it is a page or a mail), so that nothing in it is lost"
    ))
}
