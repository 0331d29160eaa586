//! A text in the person's own editor.

use super::keyboard;
use deskhand_files::{MOST, Origin};
use rustix::termios::isatty;
use std::{
    env,
    io::{self, Write as _},
    process::Command,
};

/// Why a text could not be edited.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditorError {
    #[error(
        "no editor is there: neither $VISUAL nor $EDITOR names one, and the system has none of the usual. Name one, such as: export EDITOR=nano"
    )]
    None,
    #[error(
        "nobody is at a terminal, and neither $VISUAL nor $EDITOR names an editor that needs none. Try again in a terminal"
    )]
    Nobody,
    #[error("the editor `{editor}` could not be started: {error}. Set another, such as: export EDITOR=nano")]
    NotStarted { editor: String, error: io::Error },
    #[error("the editor `{editor}`, which {from} names, is not there. Name another, such as: export {}=nano", from.trim_start_matches('$'))]
    NotThere { editor: String, from: &'static str },
    #[error(
        "the editor `{editor}` ended with an error, so its text was not taken. Choose Edit again, or name another editor, such as: export EDITOR=nano"
    )]
    Failed { editor: String },
    #[error("what the editor `{editor}` left is not text (UTF-8), so it was not taken")]
    NotText { editor: String },
    #[error(
        "the editor `{editor}` left no file, so nothing was taken. Choose Edit again, and save the text under its own name"
    )]
    Gone { editor: String },
    #[error("what the editor `{editor}` left could not be read: {error}. Choose Edit again")]
    NotTaken { editor: String, error: io::Error },
    #[error("the text could not be handed to the editor: {0}")]
    File(#[from] io::Error),
}

/// Let the person edit `text` in `$VISUAL`, else `$EDITOR`, else an editor of the system. Returns what they left. The
/// caller has the keyboard.
pub(crate) fn edit(text: &str) -> Result<String, EditorError> {
    let set = |name: &str| env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let usual = || ["sensible-editor", "nano", "vi"].into_iter().find(|name| in_path(name));
    let (editor, from) = match (set("VISUAL"), set("EDITOR"), usual()) {
        (Some(editor), ..) => (editor, "$VISUAL"),
        (None, Some(editor), _) => (editor, "$EDITOR"),
        (None, None, Some(_)) if !isatty(io::stdin()) => return Err(EditorError::Nobody),
        (None, None, Some(editor)) => (editor.to_owned(), "the system"),
        (None, None, None) => return Err(EditorError::None),
    };
    let mut file = tempfile::Builder::new().prefix("deskhand-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    // an editor may be given with options, as git and others take it
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(file.path());
    let status = keyboard::lend(|| command.status())
        .map_err(|error| EditorError::NotStarted { editor: editor.clone(), error })?;
    // what a shell says of a program that it does not find, or may not run (POSIX, 2.8.2)
    if from.starts_with('$') && matches!(status.code(), Some(126 | 127)) {
        return Err(EditorError::NotThere { editor, from });
    }
    if !status.success() {
        return Err(EditorError::Failed { editor });
    }
    let left = deskhand_files::read(file.path(), Origin::Person, MOST).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => EditorError::Gone { editor: editor.clone() },
        _ => EditorError::NotTaken { editor: editor.clone(), error },
    })?;
    String::from_utf8(left).map_err(|_| EditorError::NotText { editor })
}

fn in_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
