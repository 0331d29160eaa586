//! What a note holds for, as the person names it.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    market, show,
};
use clap::Args;
use deskhand_records::{NoteScope, Within};
use deskhand_vocabulary::{
    PluginId,
    path::{decode, encode},
};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// For work on this folder and what lies below it; without it, for all work
    #[arg(long, short, value_name = "FOLDER", conflicts_with = "plugin")]
    folder: Option<PathBuf>,
    /// For this plugin's work, which alone is told it
    #[arg(long, value_name = "PLUGIN")]
    plugin: Option<String>,
}

impl Place {
    /// The scope that is named; none where none is.
    fn named(&self, desk: &Desk) -> Result<Option<NoteScope>> {
        match (&self.folder, &self.plugin) {
            (Some(folder), _) => {
                // a folder that is gone can be named as well
                let whole = folder.canonicalize().or_else(|_| std::path::absolute(folder));
                let whole = whole.map_err(|error| Failure::usage(format!("{}: {error}", show::path(folder))))?;
                Ok(Some(NoteScope::Folder { folder: encode(whole.as_os_str().as_bytes()) }))
            }
            (None, Some(name)) => {
                let plugin = match name.parse::<PluginId>() {
                    // nor does a plugin have to be installed any more
                    Ok(plugin) => plugin,
                    Err(_) => market::named(desk, name)?,
                };
                Ok(Some(NoteScope::Plugin { plugin }))
            }
            (None, None) => Ok(None),
        }
    }

    /// For a new note.
    pub(super) fn scope(&self, desk: &Desk) -> Result<NoteScope> {
        if let Some(folder) = self.folder.as_deref().filter(|folder| !folder.is_dir()) {
            let folder = show::path(folder);
            return Err(Failure::usage(format!("{folder} is not a folder. Check the spelling, then try again")));
        }
        if let Some(name) = &self.plugin {
            return Ok(NoteScope::Plugin { plugin: market::named(desk, name)? });
        }
        Ok(self.named(desk)?.unwrap_or(NoteScope::All))
    }

    /// For looking: everything where nothing is named; all that a task on a folder is told.
    pub(super) fn within(&self, desk: &Desk) -> Result<Within> {
        Ok(match self.named(desk)? {
            None => Within::Everything,
            Some(NoteScope::Folder { folder }) => Within::Folders(vec![folder]),
            Some(scope) => Within::Scope(scope),
        })
    }
}

/// What a note holds for, in words. A folder that is not there is said to be gone.
pub(super) fn words(scope: &NoteScope) -> String {
    let words = show::line(&scope.to_string());
    match scope {
        NoteScope::Folder { folder } if !Path::new(&OsString::from_vec(decode(folder))).is_dir() => {
            format!("{words} (gone)")
        }
        _ => words,
    }
}
