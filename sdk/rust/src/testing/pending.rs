//! The pending set of a test: changes, and the disk as it will be once they are made.

use super::disk::{Content, Disk};
use crate::{
    Code, Error, Result,
    changes::{Change, ChangeKind, Pending},
    path::FilePath,
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

/// What a change needs to be made.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    MakeFolder(FilePath),
    Write { path: FilePath, bytes: Vec<u8>, over: Option<String> },
    Move { source: FilePath, version: String, target: FilePath, over: Option<String> },
    Copy { source: FilePath, version: String, target: FilePath, over: Option<String> },
    Remove { path: FilePath, version: String },
}

impl Step {
    fn shown(&self) -> (ChangeKind, Option<&FilePath>, Option<&FilePath>) {
        match self {
            Self::MakeFolder(path) => (ChangeKind::MakeFolder, None, Some(path)),
            Self::Write { path, .. } => (ChangeKind::Write, None, Some(path)),
            Self::Move { source, target, .. } => (ChangeKind::Move, Some(source), Some(target)),
            Self::Copy { source, target, .. } => (ChangeKind::Copy, Some(source), Some(target)),
            Self::Remove { path, .. } => (ChangeKind::Remove, Some(path), None),
        }
    }

    /// What this and a later step on the same thing are together: one step, or nothing at all. None if the later step is
    /// about something else.
    fn followed_by(&self, later: &Self) -> Option<Option<Self>> {
        match (self, later) {
            (Self::Move { source, version, target, over: None }, Self::Move { source: from, target: to, over, .. })
                if target == from =>
            {
                let (source, version) = (source.clone(), version.clone());
                let moved = Self::Move { source, version, target: to.clone(), over: over.clone() };
                Some((self.source() != Some(to)).then_some(moved))
            }
            (Self::Move { source, version, target, over: None }, Self::Remove { path, .. }) if target == path => {
                Some(Some(Self::Remove { path: source.clone(), version: version.clone() }))
            }
            (Self::Copy { source, version, target, over: None }, Self::Move { source: from, target: to, over, .. })
                if target == from =>
            {
                let (source, version) = (source.clone(), version.clone());
                Some(Some(Self::Copy { source, version, target: to.clone(), over: over.clone() }))
            }
            (Self::Write { path, bytes, over: None }, Self::Move { source: from, target: to, over, .. })
                if path == from =>
            {
                Some(Some(Self::Write { path: to.clone(), bytes: bytes.clone(), over: over.clone() }))
            }
            (
                Self::Write { path, over, .. } | Self::Copy { target: path, over, .. },
                Self::Write { path: again, bytes, .. },
            ) if path == again => {
                Some(Some(Self::Write { path: path.clone(), bytes: bytes.clone(), over: over.clone() }))
            }
            (
                Self::MakeFolder(new)
                | Self::Write { path: new, over: None, .. }
                | Self::Copy { target: new, over: None, .. },
                Self::Remove { path, .. },
            ) if new == path => Some(None),
            _ => None,
        }
    }

    fn source(&self) -> Option<&FilePath> {
        self.shown().1
    }

    /// What it changes: what lies there before it is made.
    fn subject(&self) -> Option<&FilePath> {
        match self {
            Self::Write { path, over: Some(_), .. } => Some(path),
            other => other.source(),
        }
    }

    /// Make it on a disk, if it fits what is there.
    pub(crate) fn make(&self, disk: &mut Disk, now: Moment) -> Result<()> {
        match self {
            Self::MakeFolder(path) => {
                free(disk, path)?;
                disk.insert(path, Content::Folder, now);
            }
            Self::Write { path, bytes, over } => {
                target(disk, path, over.as_deref())?;
                disk.write(path, bytes, now);
            }
            Self::Move { source, version, target: to, over } => {
                seen(disk, source, version)?;
                ordinary(disk, source)?;
                if to != source && to.is_within(source) {
                    return Err(Error::invalid(format!("`{}` cannot be moved into itself", source.display())));
                }
                target(disk, to, over.as_deref())?;
                replaces(disk, source, to, over.is_some())?;
                disk.rename(source, to)?;
            }
            Self::Copy { source, version, target: to, over } => {
                seen(disk, source, version)?;
                match disk.node(source)?.content {
                    Content::File(..) => drop(disk.bytes(source)?),
                    Content::Link => {}
                    Content::Folder | Content::Other(_) => {
                        return Err(Error::unsupported(format!("`{}` is not a file", source.display())));
                    }
                }
                target(disk, to, over.as_deref())?;
                replaces(disk, source, to, over.is_some())?;
                disk.copy(source, to)?;
            }
            Self::Remove { path, version } => {
                seen(disk, path, version)?;
                ordinary(disk, path)?;
                disk.forget(path);
            }
        }
        Ok(())
    }
}

/// The path is free, in a folder that is there.
fn free(disk: &Disk, path: &FilePath) -> Result<()> {
    if disk.contains(path) {
        return Err(Error::conflict(format!("something lies at `{}` already", path.display())));
    }
    let parent = path.parent().ok_or_else(|| Error::invalid("this is one of the folders given to the task"))?;
    match disk.node(&parent).map(|node| &node.content) {
        Ok(Content::Folder) => Ok(()),
        Ok(_) => Err(Error::conflict(format!("`{}` is not a folder", parent.display()))),
        Err(_) => Err(Error::not_found(format!("the folder `{}` is not there: make it first", parent.display()))),
    }
}

/// The path may be written to: it is free, or holds the file that is meant.
fn target(disk: &Disk, path: &FilePath, over: Option<&str>) -> Result<()> {
    let Some(version) = over else { return free(disk, path) };
    seen(disk, path, version)?;
    match disk.node(path)?.content {
        Content::File(..) => Ok(()),
        _ => Err(Error::unsupported(format!("`{}` is not a file, so nothing takes its place", path.display()))),
    }
}

/// Only a file takes the place of a file, and of another one.
fn replaces(disk: &Disk, source: &FilePath, to: &FilePath, over: bool) -> Result<()> {
    if !over {
        return Ok(());
    }
    let (entry, other) = (disk.entry(source)?, disk.entry(to)?);
    if entry.file_id == other.file_id {
        return Err(Error::invalid(format!("`{}` is the same file; nothing is to be done", to.display())));
    }
    if !entry.is_file() {
        return Err(Error::unsupported(format!("only a file can take the place of a file; `{}` stays", to.display())));
    }
    Ok(())
}

/// What lies there is in the state that was seen.
fn seen(disk: &Disk, path: &FilePath, version: &str) -> Result<()> {
    if path.is_root() {
        return Err(Error::invalid("a folder given to the task is not moved or removed itself"));
    }
    if disk.entry(path)?.version.0 == version {
        return Ok(());
    }
    Err(Error::conflict(format!("`{}` has changed since it was looked at", path.display())))
}

/// It is a file, folder or link: what else there is, such as a socket, is never changed.
fn ordinary(disk: &Disk, path: &FilePath) -> Result<()> {
    match &disk.node(path)?.content {
        Content::Other(kind) => {
            Err(Error::unsupported(format!("`{}` is a {kind}, which is never changed", path.display())))
        }
        Content::File(..) | Content::Folder | Content::Link => Ok(()),
    }
}

/// The pending set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    changes: Vec<(u64, Step, String)>,
    /// What changes stand on, by their numbers: a path, and the version that was seen.
    relies: BTreeMap<u64, Vec<(FilePath, String)>>,
    /// Where something comes to be.
    targets: BTreeSet<FilePath>,
    last: u64,
}

impl Set {
    /// Add a step that fits. The set holds what is to be and not the way there: changing a thing again changes its one
    /// pending change, and moving it home takes that away.
    pub(crate) fn add(&mut self, step: Step, real: &Disk, now: Moment) -> u64 {
        // most steps are on what was not changed before
        let again = step.subject().is_some_and(|subject| self.targets.contains(subject));
        for at in (0..self.changes.len()).rev().filter(|_| again) {
            let Some(merged) = self.changes[at].1.followed_by(&step) else { continue };
            let mut set = self.clone();
            let (id, _, reason) = set.changes.remove(at);
            if let Some(merged) = merged {
                set.changes.push((id, merged, reason));
            }
            // not if another change needs what was there in between
            if set.view(real, now).is_ok() {
                set.find_targets();
                *self = set;
                return id;
            }
            break;
        }
        self.last += 1;
        self.targets.extend(step.shown().2.cloned());
        self.changes.push((self.last, step, String::new()));
        self.last
    }

    fn find_targets(&mut self) {
        self.targets = self.changes.iter().filter_map(|(_, step, _)| step.shown().2.cloned()).collect();
    }

    /// True if something is to come into the folder.
    pub(crate) fn arrives_in(&self, folder: &FilePath) -> bool {
        let start = Bound::Excluded(folder.clone());
        let mut after = self.targets.range((start, Bound::Unbounded));
        after.by_ref().take_while(|path| path.as_str().starts_with(folder.as_str())).any(|path| path.is_within(folder))
    }

    /// Let a change stand on a file that it does not touch.
    pub(crate) fn expect(&mut self, change: u64, path: &FilePath, version: &str, view: &Disk) -> Result<()> {
        let (_, step, _) = self.changes.iter().find(|(id, ..)| *id == change).ok_or_else(|| unknown(change))?;
        seen(view, path, version)?;
        if step.subject() == Some(path) {
            return Err(Error::invalid(format!("change {change} is about `{}` itself", path.display())));
        }
        if self.targets.contains(path) {
            return Err(Error::unsupported(format!("`{}` is itself pending; name what is there", path.display())));
        }
        if !view.entry(path)?.is_file() {
            return Err(Error::unsupported(format!("`{}` is not a file", path.display())));
        }
        self.relies.entry(change).or_default().push((path.clone(), version.to_owned()));
        Ok(())
    }

    /// The pending change that stands on what lies at `path` or in it, if one does.
    fn standing_on(&self, path: &FilePath) -> Option<u64> {
        let pending = |id: &u64| self.changes.iter().any(|(known, ..)| known == id);
        let found = self.relies.iter().find(|(id, relied)| {
            pending(id) && relied.iter().any(|(relied, _)| relied == path || relied.is_within(path))
        });
        found.map(|(id, _)| *id)
    }

    /// What another change stands on is neither removed nor written over.
    pub(crate) fn check_standing(&self, step: &Step) -> Result<()> {
        let lost = match step {
            Step::Remove { path, .. } | Step::Write { path, over: Some(_), .. } => Some(path),
            Step::Move { target, over: Some(_), .. } | Step::Copy { target, over: Some(_), .. } => Some(target),
            _ => None,
        };
        match lost.and_then(|path| Some((path, self.standing_on(path)?))) {
            None => Ok(()),
            Some((path, change)) => Err(Error::conflict(format!(
                "change {change} is pending only because `{}` stays as it is",
                path.display()
            ))),
        }
    }

    /// Why a change is not made: what it stands on is not there as it was seen.
    fn check_relied(&self, change: u64, real: &Disk) -> Result<()> {
        for (path, version) in self.relies.get(&change).into_iter().flatten() {
            if !real.entry(path).is_ok_and(|entry| entry.version.0 == *version) {
                return Err(Error::conflict(format!(
                    "`{}`, because of which it was proposed, has changed meanwhile",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn explain(&mut self, change: u64, reason: &str) -> Result<()> {
        let found = self.changes.iter_mut().find(|(id, ..)| *id == change).ok_or_else(|| unknown(change))?;
        reason.clone_into(&mut found.2);
        Ok(())
    }

    /// The disk as it would be without a change, and the set without it; a conflict if another needs it.
    pub(crate) fn without(&self, change: u64, real: &Disk, now: Moment) -> Result<(Self, Disk)> {
        if !self.changes.iter().any(|(id, ..)| *id == change) {
            return Err(unknown(change));
        }
        let mut rest = self.clone();
        rest.changes.retain(|(id, ..)| *id != change);
        rest.find_targets();
        let view = rest.view(real, now).map_err(|error| {
            Error::new(Code::Conflict, format!("another pending change needs it: {}", error.message))
        })?;
        Ok((rest, view))
    }

    /// The disk as it will be.
    pub(crate) fn view(&self, real: &Disk, now: Moment) -> Result<Disk> {
        let mut view = real.clone();
        for (_, step, _) in &self.changes {
            step.make(&mut view, now)?;
        }
        Ok(view)
    }

    /// The disk with all changes made that still fit, and those that do not, with the reason.
    pub(crate) fn applied(&self, real: &Disk, now: Moment) -> (Disk, Vec<serde_json::Value>) {
        let mut disk = real.clone();
        let mut refused = Vec::new();
        for (id, step, _) in &self.changes {
            if let Err(error) = self.check_relied(*id, real).and_then(|()| step.make(&mut disk, now)) {
                let (kind, source, target) = step.shown();
                refused.push(serde_json::json!({
                    "change": id,
                    "kind": kind.name(),
                    "source": source,
                    "target": target,
                    "reason": error.message,
                }));
            }
        }
        (disk, refused)
    }

    pub(crate) fn shown(&self) -> Vec<Pending> {
        let shown = |(id, step, reason): &(u64, Step, String)| {
            let (kind, source, target) = step.shown();
            Pending {
                change: Change(*id),
                kind,
                source: source.cloned(),
                target: target.cloned(),
                reason: reason.clone(),
            }
        };
        self.changes.iter().map(shown).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Forget all changes; their numbers are not used again.
    pub(crate) fn clear(&mut self) {
        self.changes.clear();
        self.relies.clear();
        self.targets.clear();
    }
}

fn unknown(change: u64) -> Error {
    Error::not_found(format!("there is no pending change {change}"))
}
