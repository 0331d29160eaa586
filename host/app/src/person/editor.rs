//! A text in the person's own editor.

use std::{
    env,
    io::{self, Write as _},
    process::Command,
};

/// Why a text could not be edited.
#[derive(Debug, thiserror::Error)]
pub(super) enum EditorError {
    #[error("no editor is set. Set one, such as: export EDITOR=nano")]
    None,
    #[error("the editor `{editor}` could not be started: {error}. Set another, such as: export EDITOR=nano")]
    NotStarted { editor: String, error: io::Error },
    #[error("the editor `{editor}` ended with an error, so its text was not taken")]
    Failed { editor: String },
    #[error("what the editor `{editor}` left is not text (UTF-8), so it was not taken")]
    NotText { editor: String },
    #[error("the text could not be handed to the editor: {0}")]
    File(#[from] io::Error),
}

/// Let the person edit `text` in `$VISUAL`, else `$EDITOR`, else an editor of the system. Returns what they left.
pub(super) fn edit(text: &str) -> Result<String, EditorError> {
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|editor| !editor.trim().is_empty()))
        .or_else(|| ["sensible-editor", "nano", "vi"].iter().find(|name| in_path(name)).map(|name| (*name).to_owned()))
        .ok_or(EditorError::None)?;
    let mut file = tempfile::Builder::new().prefix("deskhand-plan-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    // an editor may be given with options, as git and others take it
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .map_err(|error| EditorError::NotStarted { editor: editor.clone(), error })?;
    if !status.success() {
        return Err(EditorError::Failed { editor });
    }
    String::from_utf8(std::fs::read(file.path())?).map_err(|_| EditorError::NotText { editor })
}

fn in_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
