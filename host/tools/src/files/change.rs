//! `move`, `make_folder` and `remove`: what becomes of files as a whole.

use crate::{
    own::{NotDone, Own},
    place::{Place, make_parents},
};
use deskhand_agent::tool::{Effect, Output};
use deskhand_vocabulary::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a model calls the tool that removes files.
pub const REMOVE: &str = "remove";

/// Another name or place.
pub(crate) struct Move;

/// A move of one thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneMove {
    /// The file or folder.
    from: String,
    /// Where it is to be, its name included.
    to: String,
}

/// See [`Move`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveArguments {
    moves: Vec<OneMove>,
}

impl Own for Move {
    const NAME: &'static str = "move";
    const DESCRIPTION: &'static str =
        "Move or rename files and folders, with the folders that this needs. Nothing is overwritten.";
    const EFFECT: Effect = Effect::Propose;
    type Arguments = MoveArguments;

    fn call(place: &Place, MoveArguments { moves }: MoveArguments, stop: &Stop) -> Result<Output, NotDone> {
        // all or nothing: what fails half-way leaves nothing pending
        let nested = place.workspace.nested();
        let mut moved = Vec::new();
        for OneMove { from, to } in &moves {
            if stop.is_stopped() {
                return Err(NotDone::stopped());
            }
            let (source, target) = (place.path(from)?, place.path(to)?);
            let found = nested.workspace().stat(std::slice::from_ref(&source)).pop();
            let entry = found.ok_or_else(|| NotDone::failed(format!("`{source}` could not be looked at")))??;
            make_parents(nested.workspace(), &target)?;
            nested.workspace().move_(&source, &entry.version, &target, None)?;
            moved.push((source, target));
        }
        nested.join()?;
        for (source, target) in &moved {
            place.moved(source, target);
        }
        Ok(Output::done(format!("{} to be moved", moved.len())))
    }
}

/// A new folder.
pub(crate) struct MakeFolder;

/// See [`MakeFolder`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeFolderArguments {
    path: String,
}

impl Own for MakeFolder {
    const NAME: &'static str = "make_folder";
    const DESCRIPTION: &'static str = "Make an empty folder. Not needed before `write` and `move`.";
    const EFFECT: Effect = Effect::Propose;
    type Arguments = MakeFolderArguments;

    fn call(place: &Place, MakeFolderArguments { path }: MakeFolderArguments, _: &Stop) -> Result<Output, NotDone> {
        let path = place.path(&path)?;
        place.workspace.make_folder(&path)?;
        Ok(Output::done(format!("`{path}` is to be made")))
    }
}

/// Into the recoverable store.
pub(crate) struct Remove;

/// See [`Remove`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveArguments {
    path: String,
    /// Why, for the person who is asked.
    reason: String,
}

impl Own for Remove {
    const NAME: &'static str = REMOVE;
    const DESCRIPTION: &'static str =
        "Remove a file or folder. The person is asked about each removal, and it can be undone.";
    const EFFECT: Effect = Effect::Propose;
    type Arguments = RemoveArguments;

    fn call(place: &Place, RemoveArguments { path, reason }: RemoveArguments, _: &Stop) -> Result<Output, NotDone> {
        let path = place.path(&path)?;
        let entry = place.stat(&path)?;
        let change = place.workspace.remove(&path, &entry.version)?;
        // what was only pending just does not come, and has no change to be explained
        let _gone = place.workspace.explain(change, &reason);
        Ok(Output::done(format!("`{path}` is to be removed, if the person agrees")))
    }
}
