//! Changes that can make something run. Each gets a question of its own, whatever else was agreed to.

mod table;

use crate::{
    disk,
    entry::Kind,
    layer::{Content, Kept, Key},
    planning::What,
    store::Store,
    view::View,
};
use deskhand_vocabulary::{FilePath, path::encode};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    fs::FileType,
    io::Errno,
};
use std::os::unix::ffi::OsStrExt as _;

/// Why a change is looked at twice that no table knows, after its path.
pub const HIDDEN: &str = "it is hidden, and programs take their settings from hidden files";

/// How many names are looked at in a folder that comes to be somewhere. One that holds more is asked about.
const MOST: usize = 1 << 20;

/// Why a change can make something run, if it can.
pub(crate) fn why(
    view: &View<'_>,
    what: &What,
    source: Option<&FilePath>,
    target: Option<&FilePath>,
) -> Option<String> {
    // copying out of such a place takes nothing from it
    let takes = matches!(what, What::Move { .. } | What::Remove { tidy: false, .. });
    let known = |path: &FilePath| table::at(&whole(view, path)).map(|reason| format!("`{path}`: {reason}"));
    if let Some(reason) = target.and_then(known) {
        return Some(reason);
    }
    if let Some(target) = target.filter(|target| hides(what, source, target)) {
        return Some(format!("`{target}`: {HIDDEN}"));
    }
    if let Some(reason) = source.filter(|_| takes).and_then(known) {
        return Some(reason);
    }
    let target = target?;
    beside(view, target)
        .or_else(|| leads(view, what, target))
        .or_else(|| arms(what, target))
        .or_else(|| inside(view, what, target))
}

/// The names of a path from the top of the machine.
fn whole<'n>(view: &'n View<'_>, path: &'n FilePath) -> Vec<&'n [u8]> {
    let root = view.root(path).ok().and_then(|index| view.root_of(index).ok());
    let above = root.map_or(&b""[..], |root| root.path.as_os_str().as_bytes());
    above.split(|b| *b == b'/').filter(|name| !name.is_empty()).chain(path.path.names()).collect()
}

fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".")
}

/// True if something comes to be hidden, or is written where it is: no table knows all programs. What stays in the hidden
/// folder that it was in, and what an undo puts back, is not.
fn hides(what: &What, source: Option<&FilePath>, target: &FilePath) -> bool {
    target.path.names().any(is_hidden)
        && match what {
            What::Arrive { content, .. } | What::Rewrite { content, .. } => !matches!(content, Content::Stored(_)),
            What::Move { .. } => source.is_none_or(|source| !stays_hidden(source, target)),
            What::MakeFolder { .. } | What::Remove { .. } => false,
        }
}

/// True if a thing stays in the hidden folder that it was in, under a name that is not hidden itself: whatever reads that
/// folder could read it before. A hidden name says what reads it only by where it is, so one that goes elsewhere counts.
fn stays_hidden(source: &FilePath, target: &FilePath) -> bool {
    let names: Vec<&[u8]> = target.path.names().collect();
    let Some(last) = names.iter().rposition(|name| is_hidden(name)) else { return true };
    let folder = &names[..=last];
    source.folder == target.folder
        && folder.len() < names.len()
        && source.path.names().take(folder.len()).eq(folder.iter().copied())
}

/// What a target says together with what is beside it.
fn beside(view: &View<'_>, target: &FilePath) -> Option<String> {
    let name = target.path.name().filter(|name| table::wants_others(name))?;
    match neighbours(view, target) {
        Ok(names) => {
            table::together(&names, Some(name)).map(|reason| format!("with what is beside `{target}`: {reason}"))
        }
        Err(_) => Some(format!("what is beside `{target}` could not be looked at, and with it that may run")),
    }
}

/// The names in the folder that a target is in: those that are to be, and those that are there now, of which some may stay
/// though they are to leave.
fn neighbours(view: &View<'_>, target: &FilePath) -> Result<Vec<Vec<u8>>, Errno> {
    let root = view.root(target).map_err(|_| Errno::NOENT)?;
    let parent = target.path.parent().ok_or(Errno::NOENT)?;
    let trail = view.state.trail(root, &parent).ok_or(Errno::NOENT)?;
    let folder = trail.last().ok_or(Errno::NOENT)?;
    let mut names = view.list(folder)?;
    if let Key::Base(root, path) = folder {
        names.extend(disk::names(view.root_of(*root)?.way(path, view.masks)?.as_fd())?);
    }
    Ok(names)
}

/// What kind of thing comes to be at the target as it was elsewhere.
fn comes(what: &What) -> Option<Kind> {
    match what {
        What::Move { seen, .. } => Some(seen.kind),
        What::Arrive { content: Content::Copy { seen, .. }, .. } => Some(seen.kind),
        What::Arrive { content: Content::Stored(kept), .. } => Some(kept.stamp.kind),
        What::Arrive { .. } | What::MakeFolder { .. } | What::Rewrite { .. } | What::Remove { .. } => None,
    }
}

/// A link in place of a folder that things are run from: what it leads to is not looked at.
fn leads(view: &View<'_>, what: &What, target: &FilePath) -> Option<String> {
    comes(what).filter(|kind| *kind == Kind::Link)?;
    let reason = table::below(&whole(view, target))?;
    Some(format!("`{target}` leads elsewhere, and of what is in a folder of this name: {reason}"))
}

/// A program that was none, or that has other content.
fn arms(what: &What, target: &FilePath) -> Option<String> {
    let executable = match what {
        What::Arrive { content, replaces, .. } => {
            bits(content) & 0o111 != 0 && replaces.as_ref().is_none_or(|old| old.mode & 0o111 == 0)
        }
        // the mode of the file that is written over is kept
        What::Rewrite { seen, .. } => seen.mode & 0o111 != 0,
        What::Move { seen, replaces: Some(old), .. } => {
            seen.kind == Kind::File && seen.mode & 0o111 != 0 && old.mode & 0o111 == 0
        }
        What::MakeFolder { .. } | What::Move { .. } | What::Remove { .. } => false,
    };
    executable.then(|| match what {
        What::Rewrite { .. } => format!("`{target}` can be run as a program, and would have other content"),
        _ => format!("`{target}` would become something that can be run as a program"),
    })
}

fn bits(content: &Content) -> u32 {
    match content {
        Content::Staged(_) => 0,
        Content::Copy { seen, .. } if seen.kind == Kind::File => seen.mode,
        // what an undo puts back could be run there before
        Content::Stored(kept) if kept.copy && kept.stamp.kind == Kind::File => kept.stamp.mode,
        Content::Copy { .. } | Content::Stored(_) => 0,
    }
}

/// What is in a folder that comes to be at the target with all that it holds.
fn inside(view: &View<'_>, what: &What, target: &FilePath) -> Option<String> {
    let folder = folder(view, what)?;
    match folder.and_then(|folder| look_through(&folder, &whole(view, target), MOST)) {
        Ok(found) => found.map(|(path, reason)| match path.as_slice() {
            b"" => format!("of what is in `{target}`: {reason}"),
            path => format!("`{target}/{}`: {reason}", encode(path)),
        }),
        Err(Errno::TOOBIG) => Some(format!("`{target}` holds more than can be looked through, and some of it may run")),
        Err(_) => Some(format!("not all that is in `{target}` could be looked at, and some of it may run")),
    }
}

/// The folder that comes to be at the target, open where it is now; none for what is no folder, and for one that is new.
fn folder(view: &View<'_>, what: &What) -> Option<Result<OwnedFd, Errno>> {
    match what {
        What::Move { from, seen, .. } if seen.kind == Kind::Folder => {
            Some(view.root_of(from.0).and_then(|root| root.way(&from.1, view.masks)))
        }
        // what an undo puts back was there before, and to undo is never to need a second answer
        What::Arrive { content: Content::Stored(kept), .. } if kept.copy && kept.stamp.kind == Kind::Folder => {
            Some(stored(kept))
        }
        _ => None,
    }
}

fn stored(kept: &Kept) -> Result<OwnedFd, Errno> {
    let store = Store::open(&kept.store)?;
    disk::open_way(store.existing(&kept.folder)?.as_fd(), kept.name.as_bytes())
}

/// What the table knows of all below a folder as if each had come there by itself: the first of it, with its path from that
/// folder. What is to leave the folder counts, for it may stay. What is hidden in it does not, nor what is below that: it
/// comes along under the name that it had, with all around it.
fn look_through(folder: &OwnedFd, path: &[&[u8]], most: usize) -> Result<Option<(Vec<u8>, &'static str)>, Errno> {
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    let mut count = 0_usize;
    while let Some(at) = open.pop() {
        let mut names = disk::names_and_kinds(disk::open_way(folder.as_fd(), &at)?.as_fd())?;
        count = count.saturating_add(names.len());
        if count > most {
            return Err(Errno::TOOBIG);
        }
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let all: Vec<&[u8]> = names.iter().map(|(name, _)| name.as_slice()).collect();
        if let Some(reason) = table::together(&all, None) {
            return Ok(Some((at, reason)));
        }
        let within = at.split(|b| *b == b'/').filter(|name| !name.is_empty());
        let mut here: Vec<&[u8]> = path.iter().copied().chain(within).collect();
        for (name, kind) in names.iter().filter(|(name, _)| !is_hidden(name)) {
            let below = if at.is_empty() { name.clone() } else { [at.as_slice(), b"/", name.as_slice()].concat() };
            here.push(name);
            let linked = || table::below(&here).filter(|_| *kind == FileType::Symlink);
            if let Some(reason) = table::just_at(&here, *kind == FileType::Directory).or_else(linked) {
                return Ok(Some((below, reason)));
            }
            here.pop();
            if *kind == FileType::Directory {
                open.push(below);
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{fs, path::Path};

    fn file(path: &str) -> FilePath {
        path.parse().unwrap()
    }

    fn look(folder: &Path, path: &str, most: usize) -> Result<Option<(String, &'static str)>, Errno> {
        let names: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
        let open = disk::open_way(fs::File::open(folder).unwrap().as_fd(), b".").unwrap();
        look_through(&open, &names, most).map(|found| found.map(|(path, reason)| (encode(&path), reason)))
    }

    #[test]
    fn only_what_stays_in_its_hidden_folder_stays_hidden() {
        for (source, target, stays) in [
            ("F/.cache/a", "F/.cache/b", true),
            ("F/.cache/a/b", "F/.cache/c/d", true),
            ("F/p/.git/a", "F/p/.git/info/a", true),
            ("F/.cache/a", "F/.config/a", false),
            ("F/.cache/.config/a", "F/.config/a", false),
            ("F/.config/a", "F/.config/.a", false),
            ("F/.a", "F/.Rprofile", false),
            ("F/x/.Rprofile", "F/.Rprofile", false),
            ("F/.x/b", "F/.irbrc", false),
            ("F/.stuff", "F/repo/.git", false),
            ("F/x/.git", "F/repo/.git", false),
            ("F/x/.git/a", "F/repo/.git/a", false),
            ("G/.cache/a", "F/.cache/a", false),
        ] {
            assert_eq!(stays_hidden(&file(source), &file(target)), stays, "{source} -> {target}");
        }
    }

    #[test]
    fn what_is_in_a_folder_is_judged_by_where_it_comes_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        fs::create_dir_all(at.join("hooks/.git/hooks")).unwrap();
        fs::create_dir(at.join("autostart")).unwrap();
        for name in ["config", "hooks/post-commit.txt", "hooks/post-commit", "hooks/.git/config", "autostart/a"] {
            fs::write(at.join(name), "").unwrap();
        }
        let git = "git runs commands that it names";
        assert_eq!(look(at, "h/repo/.git", 100), Ok(Some(("config".to_owned(), git))));
        let login = "what is in it runs when you log in";
        assert_eq!(look(at, "h/.config", 100), Ok(Some(("autostart".to_owned(), login))));
        assert_eq!(look(at, "h/stuff", 100), Ok(Some(("hooks/post-commit".to_owned(), "git runs it"))));
        assert_eq!(look(&at.join("hooks"), "h/hooks", 100), Ok(Some(("post-commit".to_owned(), "git runs it"))));
        // under another name they are nothing, and what is hidden comes along as it was
        assert_eq!(look(&at.join("hooks"), "h/stuff", 100), Ok(None));
        // what a link leads to is not known
        std::os::unix::fs::symlink("/tmp", at.join("hooks/hooks")).unwrap();
        assert_eq!(look(&at.join("hooks"), "h/stuff", 100), Ok(Some(("hooks".to_owned(), "git runs it"))));
    }

    #[test]
    fn a_repository_in_a_folder_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("deep/inner");
        for name in ["objects", "refs"] {
            fs::create_dir_all(at.join(name)).unwrap();
        }
        fs::write(at.join("HEAD"), "").unwrap();
        assert_eq!(look(dir.path(), "h/x", 100), Ok(None));
        fs::write(at.join("config"), "").unwrap();
        let why = "they make a repository, and git runs commands that its settings name";
        assert_eq!(look(dir.path(), "h/x", 100), Ok(Some(("deep/inner".to_owned(), why))));
        assert_eq!(look(&at, "h/x", 100), Ok(Some((String::new(), why))));
    }

    #[test]
    fn what_cannot_be_looked_through_is_told_apart_from_what_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..10 {
            fs::write(dir.path().join(number.to_string()), "").unwrap();
        }
        assert_eq!(look(dir.path(), "h/x", 10), Ok(None));
        assert_eq!(look(dir.path(), "h/x", 9), Err(Errno::TOOBIG));
        let file = fs::File::open(dir.path().join("0")).unwrap();
        assert_eq!(look_through(&file.into(), &[&b"x"[..]], 10), Err(Errno::NOTDIR));
    }
}
