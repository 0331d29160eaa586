//! Files that instruct the model beside the person's own words: theirs for all folders, beside the settings, and those of
//! folders that they trust, each as they have read it. All other text is data.

mod command;
mod file;
mod follow;
mod own;
mod places;
mod trust;

pub(crate) use command::InstructionsCommand;
pub(crate) use follow::of_task;

use deskhand_vocabulary::{Action, Sha256, path::decode};
use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

/// An action as it would be now: with the text that lies in its folder, where it is about that.
pub(crate) fn as_they_read(action: Action) -> Action {
    let Action::FollowInstructions { folder, text } = action else { return action };
    let place = PathBuf::from(OsString::from_vec(decode(&folder)));
    let text = match file::of(&place, &file::NAMES) {
        Some((_, Ok(found))) => Sha256::of(found.text),
        _ => text,
    };
    Action::FollowInstructions { folder, text }
}
