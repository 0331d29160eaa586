//! Reading the folders of a task, with its pending changes applied.

use crate::{
    disk,
    entry::{Entry, Kind},
    error::{Code, FileError},
    facts,
    layer::Key,
    view::{Seen, View},
    walk::{Page, WalkOptions, Walker},
    workers,
    workspace::{WALKERS, Workspace, locked},
};
use deskhand_vocabulary::{FilePath, Sha256, Stop};
use jiff::tz::TimeZone;
use rustix::{fd::AsFd as _, io::Errno};

impl Workspace {
    /// What lies below `root`, at most `limit` entries at a time, in the order of names, a folder before what is in it.
    /// `cursor` is the `next` of the page before. Links are never followed; what could not be read is told and the rest
    /// goes on.
    pub fn walk(
        &self,
        root: &FilePath,
        options: &WalkOptions,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page, FileError> {
        let known = cursor.and_then(|cursor| {
            let mut walkers = locked(&self.shared.walkers);
            let at = walkers.iter().position(|(name, walker)| name == cursor && walker.is_for(root, options))?;
            walkers.remove(at).map(|(_, walker)| walker)
        });
        self.look(|view| {
            let mut walker = match (known, cursor) {
                (Some(walker), _) => walker,
                (None, None) => Walker::new(view, root, options)?,
                (None, Some(cursor)) => Walker::resume(view, root, options, cursor)?,
            };
            let page = walker.page(view, limit.clamp(1, 10_000));
            if let Some(next) = &page.next {
                let mut walkers = locked(&self.shared.walkers);
                walkers.push_back((next.clone(), walker));
                if walkers.len() > WALKERS {
                    walkers.pop_front();
                }
            }
            Ok(page)
        })
    }

    /// What each of `paths` is.
    pub fn stat(&self, paths: &[FilePath]) -> Vec<Result<Entry, FileError>> {
        self.look(|view| paths.iter().map(|path| view.find(path).map(|seen| seen.entry(path.clone()))).collect())
    }

    /// At most `length` bytes of a file from `offset`; fewer at its end. With `if_version`, only of that version.
    pub fn read(
        &self,
        path: &FilePath,
        if_version: Option<&str>,
        offset: u64,
        length: u32,
    ) -> Result<Vec<u8>, FileError> {
        self.look(|view| read(view, path, if_version, offset, length))
    }

    /// At most `length` bytes from the beginning of a file as it lies there now, whatever is pending. To be shown beside what
    /// is.
    pub fn read_as_it_lies(&self, path: &FilePath, length: u32) -> Result<Vec<u8>, FileError> {
        self.look_beneath(|view| read(view, path, None, 0, length))
    }

    /// The file that a write to `path` is over, as it lies on the disk now: the one that is there, the one that pending moves
    /// bring there, or the one whose place a pending copy takes. None where nothing is written over.
    pub fn written_over(&self, path: &FilePath) -> Option<Entry> {
        let lies = self.look(|view| {
            let key = match view.find(path).ok()?.key {
                new @ Key::New(_) => view.state.nodes.get(&new)?.replaces.clone()?,
                there @ Key::Base(..) => there,
            };
            match key {
                Key::Base(root, path) => view.path(root, path),
                Key::New(_) => None,
            }
        })?;
        self.look_beneath(|view| view.find(&lies).ok().map(|seen| seen.entry(lies)))
    }

    /// The SHA-256 of each file's content.
    pub fn digest(&self, paths: &[FilePath]) -> Vec<Result<Sha256, FileError>> {
        let one = |view: &View<'_>, path: &FilePath| {
            let seen = view.find(path)?;
            let file = view.open(&seen).map_err(|error| FileError::system(error, path))?;
            disk::digest(file.as_fd()).map_err(|error| FileError::system(error, path))
        };
        self.look(|view| paths.iter().map(|path| one(view, path)).collect())
    }

    /// Well-known facts of each file, by name; unknown names are left out. Many files are read on a few threads. After
    /// `stop` no more are read.
    pub fn attributes(
        &self,
        paths: &[FilePath],
        names: &[String],
        zone: &TimeZone,
        stop: &Stop,
    ) -> Vec<Result<serde_json::Map<String, serde_json::Value>, FileError>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (roots, state) = (self.roots(), self.state());
        workers::each(paths, || {
            let view = View::new(&roots, &self.shared.masks, &state);
            let names = names.as_slice();
            move |path: &FilePath| match stop.is_stopped() {
                true => Err(FileError::new(Code::Failed, "stopped by you")),
                false => attributes(&view, path, names, zone),
            }
        })
    }
}

fn read(
    view: &View<'_>,
    path: &FilePath,
    if_version: Option<&str>,
    offset: u64,
    length: u32,
) -> Result<Vec<u8>, FileError> {
    let seen = view.find(path)?;
    check_version(path, &seen, if_version)?;
    let file = view.open(&seen).map_err(|error| FileError::system(error, path))?;
    let length = u64::from(length).min(seen.size.saturating_sub(offset).max(1 << 16));
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(1 << 16)];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::io::pread(&file, &mut bytes[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(FileError::system(error, path)),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

pub(crate) fn check_version(path: &FilePath, seen: &Seen, version: Option<&str>) -> Result<(), FileError> {
    match version {
        Some(version) if version != seen.version() => {
            Err(FileError::conflict(format!("`{path}` has changed since it was listed. Ask for it again")))
        }
        _ => Ok(()),
    }
}

fn attributes(
    view: &View<'_>,
    path: &FilePath,
    names: &[&str],
    zone: &TimeZone,
) -> Result<serde_json::Map<String, serde_json::Value>, FileError> {
    let seen = view.find(path)?;
    let failed = |error| FileError::system(error, path);
    let link = match (&seen.key, seen.kind) {
        (Key::Base(root, at), Kind::Link) => {
            let root = view.root_of(*root).map_err(failed)?;
            Some(root.link_text(at, view.masks).map_err(failed)?)
        }
        _ => None,
    };
    let file = match seen.kind {
        Kind::File => view.open(&seen).map(std::fs::File::from),
        _ => std::fs::File::open("/dev/null").map_err(crate::store::errno),
    }
    .map_err(failed)?;
    let known = facts::Known {
        name: path.path.name().unwrap_or_default(),
        size: seen.size,
        modified: crate::entry::timestamp(seen.modified),
        mode: seen.mode | seen.kind.bits(),
        blocks: seen.blocks,
        link_target: link.as_deref(),
    };
    Ok(facts::read(&file, &known, names, zone))
}
