//! `list` and `find`: what there is.

use crate::{
    own::{NotDone, Own},
    place::Place,
};
use deskhand_agent::tool::{Effect, Output};
use deskhand_vocabulary::{FilePath, Stop};
use deskhand_workspace::{Entry, Glob, Kind, WalkOptions};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt::Write as _;

/// So many entries are listed in one call.
const MOST: usize = 500;

/// What is in a folder.
pub(crate) struct List;

/// See [`List`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListArguments {
    /// The folder; without it, all folders of the task.
    path: Option<String>,
    /// What lies in subfolders too.
    #[serde(default)]
    deep: bool,
    /// Names that begin with a dot too.
    #[serde(default)]
    hidden: bool,
    /// Go on after this many entries.
    #[serde(default)]
    skip: usize,
}

impl Own for List {
    const NAME: &'static str = "list";
    const DESCRIPTION: &'static str = "List a folder: a line each with kind, size in bytes, time of the last change, path. Pending changes are included.";
    const EFFECT: Effect = Effect::Read;
    type Arguments = ListArguments;

    fn call(place: &Place, arguments: ListArguments, stop: &Stop) -> Result<Output, NotDone> {
        let ListArguments { path, deep, hidden, skip } = arguments;
        let options = WalkOptions { deep, glob: None, hidden };
        let roots = place.roots(path.as_deref())?;
        // the names of several folders say what there is to look into
        let mut text = String::new();
        if path.is_none() && roots.len() > 1 {
            for folder in place.workspace.folders() {
                let _ = writeln!(text, "folder{} {}", if folder.writable { "" } else { " (read only)" }, folder.name);
            }
            return Ok(Output::done(text));
        }
        tell(place, &roots, &options, skip, stop)
    }
}

/// Where a file is that has such a name.
pub(crate) struct Find;

/// See [`Find`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindArguments {
    /// Such as `*.pdf`, `{a,b}*`, `2024/**/*.jpg`; without a `/` it is for the last name.
    pattern: String,
    /// Below this folder only.
    path: Option<String>,
    /// Names that begin with a dot too.
    #[serde(default)]
    hidden: bool,
    /// Go on after this many entries.
    #[serde(default)]
    skip: usize,
}

impl Own for Find {
    const NAME: &'static str = "find";
    const DESCRIPTION: &'static str = "Find files and folders by a pattern for their names, in all subfolders.";
    const EFFECT: Effect = Effect::Read;
    type Arguments = FindArguments;

    fn call(place: &Place, arguments: FindArguments, stop: &Stop) -> Result<Output, NotDone> {
        let FindArguments { pattern, path, hidden, skip } = arguments;
        let options = WalkOptions { deep: true, glob: Some(Glob::new(&pattern)?), hidden };
        tell(place, &place.roots(path.as_deref())?, &options, skip, stop)
    }
}

/// Every entry below `root`, until `each` says that it is enough. What could not be read is told at the end.
pub(crate) fn walk(
    place: &Place,
    root: &FilePath,
    options: &WalkOptions,
    stop: &Stop,
    mut each: impl FnMut(Entry) -> bool,
) -> Result<Vec<(FilePath, String)>, NotDone> {
    let mut cursor = None;
    let mut unread = Vec::new();
    loop {
        if stop.is_stopped() {
            return Err(NotDone::stopped());
        }
        let page = place.workspace.walk(root, options, cursor.as_deref(), 1000)?;
        unread.extend(page.unread);
        for entry in page.entries {
            if !each(entry) {
                return Ok(unread);
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(unread),
        }
    }
}

fn tell(place: &Place, roots: &[FilePath], options: &WalkOptions, skip: usize, stop: &Stop) -> Result<Output, NotDone> {
    let mut text = String::new();
    let (mut met, mut more) = (0, false);
    for root in roots {
        let unread = walk(place, root, options, stop, |entry| {
            met += 1;
            if met > skip + MOST {
                more = true;
                return false;
            }
            if met > skip {
                line(&mut text, &entry);
            }
            true
        })?;
        for (path, reason) in unread.iter().take(20) {
            let _ = writeln!(text, "not read: {path} ({reason})");
        }
        if more {
            let _ = writeln!(text, "There is more: call it again with skip {}", skip + MOST);
            break;
        }
    }
    if text.is_empty() {
        text.push_str(if met > 0 { "nothing more\n" } else { "nothing\n" });
    }
    Ok(Output::done(text))
}

fn line(text: &mut String, entry: &Entry) {
    let _ = match entry.kind {
        Kind::File => {
            let at = entry.modified.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%MZ");
            writeln!(text, "file {} {at} {}", entry.size, entry.path)
        }
        kind => writeln!(text, "{} {}", kind.name(), entry.path),
    };
}
