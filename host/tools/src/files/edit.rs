//! `edit`: a part of a file in place of another.

use super::{
    encoding::{Decoded, NotEncoded},
    write::not_read,
};
use crate::{
    own::{NotDone, Own},
    place::Place,
};
use deskhand_agent::tool::{Effect, Output};
use deskhand_vocabulary::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

/// The largest file that is edited, in bytes.
const LARGEST: u64 = 16 << 20;

/// See the module.
pub(crate) struct Edit;

/// See [`Edit`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
    /// What stands there, exactly, with enough around it to stand there once.
    old: String,
    /// What is to stand there.
    new: String,
    /// At every place where it stands.
    #[serde(default)]
    all: bool,
}

impl Own for Edit {
    const NAME: &'static str = "edit";
    const DESCRIPTION: &'static str = "Replace a part of a text file that was read before.";
    const EFFECT: Effect = Effect::Propose;
    type Arguments = Arguments;

    fn call(place: &Place, Arguments { path, old, new, all }: Arguments, stop: &Stop) -> Result<Output, NotDone> {
        let path = place.path(&path)?;
        let entry = place.file(&path)?;
        let version = place.known(&path).ok_or_else(|| not_read(&path))?;
        if old.is_empty() || old == new {
            return Err(NotDone::failed("`old` must say something, and something else than `new`"));
        }
        if entry.size > LARGEST {
            return Err(NotDone::failed(format!("`{path}` has {} bytes; at most {LARGEST} can be edited", entry.size)));
        }
        let mut bytes = Vec::new();
        loop {
            if stop.is_stopped() {
                return Err(NotDone::stopped());
            }
            let piece = place.workspace.read(&path, Some(&version), bytes.len() as u64, 1 << 20)?;
            if piece.is_empty() {
                break;
            }
            bytes.extend(piece);
        }
        let Some(decoded) = Decoded::of(&bytes) else {
            return Err(NotDone::failed(format!("`{path}` is no text")));
        };
        let text = &decoded.text;
        let count = text.matches(&old).count();
        match count {
            0 => return Err(NotDone::failed(format!("`{path}` does not hold `old` exactly so. Read it again"))),
            1 => {}
            _ if all => {}
            _ => {
                return Err(NotDone::failed(format!(
                    "`{path}` holds `old` {count} times. Say more of what is around it, or set `all`"
                )));
            }
        }
        let edited = text.replace(&old, &new);
        let written = decoded.written_as(&edited).map_err(|NotEncoded::Lacks(c)| {
            let encoding = decoded.encoding().unwrap_or_default();
            NotDone::failed(format!(
                "`{path}` is written in {encoding}, which has no `{c}`. Do without, or `write` it anew"
            ))
        })?;
        place.workspace.write(&path, &written, Some(&version))?;
        place.saw(&path);
        let places = if count == 1 { "1 place".to_owned() } else { format!("{count} places") };
        Ok(Output::done(format!("`{path}` is to be changed in {places}")))
    }
}
