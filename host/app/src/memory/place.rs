//! What a note holds for, as the person names it.

use crate::{
    failure::{Failure, Result},
    show,
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
    plugin: Option<PluginId>,
}

impl Place {
    /// The scope that is named; none where none is.
    fn named(&self) -> Result<Option<NoteScope>> {
        match (&self.folder, &self.plugin) {
            (Some(folder), _) => {
                // a folder that is gone can be named as well
                let whole = folder.canonicalize().or_else(|_| std::path::absolute(folder));
                let whole = whole.map_err(|error| Failure::usage(format!("{}: {error}", show::path(folder))))?;
                Ok(Some(NoteScope::Folder { folder: encode(whole.as_os_str().as_bytes()) }))
            }
            (None, Some(plugin)) => Ok(Some(NoteScope::Plugin { plugin: plugin.clone() })),
            (None, None) => Ok(None),
        }
    }

    /// For a new note.
    pub(super) fn scope(&self) -> Result<NoteScope> {
        if let Some(folder) = self.folder.as_deref().filter(|folder| !folder.is_dir()) {
            let folder = show::path(folder);
            return Err(Failure::usage(format!("{folder} is not a folder. Check the spelling, then try again")));
        }
        Ok(self.named()?.unwrap_or(NoteScope::All))
    }

    /// For looking: everything where nothing is named; all that a task on a folder is told.
    pub(super) fn within(&self) -> Result<Within> {
        Ok(match self.named()? {
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
