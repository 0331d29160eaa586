//! Bringing folders back to what they were before a commit, from its journal and what is found. Used when an apply fails,
//! when it is stopped, and when its process has died; so it assumes nothing about how far it had come.
//!
//! Each effect is a rename of a known file to a free name, or an exchange of two known files. Going through them
//! backwards, each is taken back if what it had moved is found at its new place. Taking back is a rename to a free name
//! too, so nothing can be overwritten; what is not recognised is left where it is and told.

use crate::{
    entry::{Kind, Stamp},
    journal::{At, Step, Times},
    places::Places,
};
use deskhand_vocabulary::FilePath;
use rustix::{fd::AsFd as _, io::Errno};
use std::collections::{HashMap, HashSet};

/// True if everything that was intended is found done.
pub(crate) fn is_done(places: &mut Places<'_>, steps: &[Step]) -> Result<bool, Errno> {
    // the last step of each change shows where its file had to end
    let mut seen = HashSet::new();
    for step in steps.iter().rev() {
        if !seen.insert(step.change) {
            continue;
        }
        if !places.stat(&step.to)?.is_some_and(|found| found.same_thing(&step.what)) {
            return Ok(false);
        }
        if let Some(other) = &step.other
            && !places.stat(&step.from)?.is_some_and(|found| found.same_thing(other))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Take back all steps that are found done. Returns what is not where it was, in words.
pub(crate) fn take_back(
    places: &mut Places<'_>,
    name: &dyn Fn(u32) -> Option<FilePath>,
    steps: &[Step],
) -> Result<Vec<String>, Errno> {
    let mut astray = Vec::new();
    let mut parts: HashMap<u32, u32> = HashMap::new();
    for step in steps {
        *parts.entry(step.change).or_default() += 1;
    }
    for step in steps.iter().rev() {
        // a folder that was made empty; one that was copied from another disk has a step for its original as well
        let made = is_staged(step) && step.what.kind == Kind::Folder && parts.get(&step.change) == Some(&1);
        if let Err(error) = take_back_step(places, step, made)? {
            astray.push(format!("{}: {error}", describe(places, name(step.change), step)));
        }
    }
    Ok(astray)
}

/// The outer error is one of the disk, after which nothing more is tried; the inner one is about this step alone.
fn take_back_step(places: &mut Places<'_>, step: &Step, made: bool) -> Result<Result<(), String>, Errno> {
    let from = places.stat(&step.from)?;
    let to = places.stat(&step.to)?;
    let is = |found: &Option<Stamp>, known: &Stamp| found.as_ref().is_some_and(|found| found.same_thing(known));
    if is(&to, &step.what) && is_staged(step) && !to.is_some_and(|found| found.same_content(&step.what)) {
        return Ok(Err("it was changed after it had come there, so it stays; what it replaced is kept".to_owned()));
    }
    if let Some(other) = &step.other {
        return match (is(&to, &step.what), is(&from, other)) {
            (true, true) => places.exchange(&step.from, &step.to).map(|()| Ok(())),
            // what was exchanged in has gone, and the name is free: the old one takes it again
            (false, true) if to.is_none() => places.rename(&step.from, &step.to, other).map(|()| Ok(())),
            (false, true) => Ok(Err("another file has its name now; the old version is kept".to_owned())),
            (_, false) => halfway(places, step, other, &from, &to),
        };
    }
    match (is(&from, &step.what), is(&to, &step.what)) {
        (false, true) if from.is_none() && made && !is_empty(places, &step.to)? => Ok(Err(filled())),
        (false, true) if from.is_none() => match places.rename(&step.to, &step.from, &step.what) {
            // what came into it in this moment stays where a person looks for it
            Ok(()) if made && !is_empty(places, &step.from)? => {
                places.rename(&step.from, &step.to, &step.what).map(|()| Err(filled()))
            }
            Ok(()) => Ok(Ok(())),
            Err(error @ (Errno::NOENT | Errno::EXIST)) => Ok(Err(format!("it could not go back ({error})"))),
            Err(error) => Err(error),
        },
        (false, true) => Ok(Err("another file has its name now".to_owned())),
        // both names, and one more than it had: a rename that was made of two halves
        (true, true)
            if step.from != step.to && to.is_some_and(|found| found.links == step.what.links.saturating_add(1)) =>
        {
            places.unlink(&step.to).map(|()| Ok(()))
        }
        // not begun, or a later step holds it
        _ => Ok(Ok(())),
    }
}

/// True if what is taken back was staged for the commit: it would be nobody's after that.
fn is_staged(step: &Step) -> bool {
    matches!(&step.from, At::Store(_, _, name) if name.starts_with('s'))
}

fn filled() -> String {
    "something was put into it meanwhile, so the new folder stays".to_owned()
}

fn is_empty(places: &mut Places<'_>, at: &At) -> Result<bool, Errno> {
    let names = match at {
        At::Tree(root, path) => {
            let way = places.root(*root)?.way(&path.0, places.masks)?;
            crate::disk::names(way.as_fd())?
        }
        At::Store(store, folder, name) => {
            let kept = places.kept(*store, *folder)?;
            crate::disk::names(crate::disk::open_folder(kept, name.as_bytes())?.as_fd())?
        }
    };
    Ok(names.is_empty())
}

/// An exchange that was made of three renames may have stopped between them.
fn halfway(
    places: &mut Places<'_>,
    step: &Step,
    other: &Stamp,
    from: &Option<Stamp>,
    to: &Option<Stamp>,
) -> Result<Result<(), String>, Errno> {
    let At::Store(store, folder, name) = &step.from else { return Ok(Ok(())) };
    let third = At::Store(*store, *folder, format!("{name}.old"));
    if !places.stat(&third)?.is_some_and(|found| found.same_thing(other)) {
        return Ok(Ok(()));
    }
    if to.is_some_and(|found| found.same_thing(&step.what)) && from.is_none() {
        places.rename(&step.to, &step.from, &step.what)?;
    } else if to.is_some() {
        return Ok(Err("another file has its name now; the old version is kept".to_owned()));
    }
    places.rename(&third, &step.to, other).map(|()| Ok(()))
}

fn describe(places: &Places<'_>, path: Option<FilePath>, step: &Step) -> String {
    let at = match &step.to {
        At::Tree(root, path) => {
            places.root(*root).map_or_else(|_| path.0.to_string(), |root| root.absolute(&path.0).display().to_string())
        }
        At::Store(store, folder, name) => places
            .stores
            .get(usize::from(*store))
            .map_or_else(String::new, |store| store.path.join(folder.to_string()).join(name).display().to_string()),
    };
    path.map_or_else(|| at.clone(), |path| format!("`{path}` may be at {at}"))
}

/// Give folders the times they had. Those that are not the same folders any more are left.
pub(crate) fn restore_times(places: &Places<'_>, folders: &[Times]) -> Result<(), Errno> {
    for times in folders {
        let Some(folder) = open(places, times)? else { continue };
        places.disk.set_times_of(folder.as_fd(), times.accessed, times.modified)?;
    }
    Ok(())
}

/// A folder whose times are known, if it is still the same and ours to touch.
pub(crate) fn open(places: &Places<'_>, times: &Times) -> Result<Option<rustix::fd::OwnedFd>, Errno> {
    let Ok(path) = crate::journal::Text::try_from(times.path.clone()) else { return Ok(None) };
    let way = match places.root(times.root)?.way(&path.0, places.masks) {
        Ok(way) => way,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ACCESS) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !Stamp::of(&way)?.same_thing(&times.stamp) {
        return Ok(None);
    }
    match crate::disk::open_folder(way.as_fd(), b".") {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::ACCESS) => Ok(None),
        Err(error) => Err(error),
    }
}
