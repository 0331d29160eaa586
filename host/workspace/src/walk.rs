//! Listing what lies below a folder, a page at a time.

use crate::{
    entry::{Entry, Kind},
    error::FileError,
    glob::Glob,
    layer::Key,
    view::View,
};
use deskhand_vocabulary::{FilePath, RelativePath};
use rustix::io::Errno;

/// What is wanted of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalkOptions {
    /// Into subfolders as well.
    pub deep: bool,
    /// Only what fits, on the path below where the walk begins. Folders are passed through whether they fit or not.
    pub glob: Option<Glob>,
    /// What has a name that begins with a dot, too.
    pub hidden: bool,
}

/// A part of a walk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What was found, in the order of the bytes of names, a folder before what is in it.
    pub entries: Vec<Entry>,
    /// What the next page is asked for with; none at the end.
    pub next: Option<String>,
    /// What could not be read, each with the reason; the walk went on without it.
    pub unread: Vec<(FilePath, String)>,
}

/// A folder that is being gone through.
#[derive(Debug)]
struct Level {
    key: Key,
    path: RelativePath,
    /// Backwards.
    names: Vec<Vec<u8>>,
}

/// A walk between two pages.
#[derive(Debug)]
pub(crate) struct Walker {
    root: FilePath,
    options: WalkOptions,
    levels: Vec<Level>,
    unread: Vec<(FilePath, String)>,
}

impl Walker {
    pub(crate) fn new(view: &View<'_>, root: &FilePath, options: &WalkOptions) -> Result<Self, FileError> {
        let seen = view.find(root)?;
        if seen.kind != Kind::Folder {
            return Err(FileError::invalid(format!("`{root}` is not a folder. Name the folder that it lies in")));
        }
        let names = view.list(&seen.key).map_err(|error| FileError::system(error, root))?;
        let level = Level { key: seen.key, path: root.path.clone(), names: backwards(names) };
        Ok(Self { root: root.clone(), options: options.clone(), levels: vec![level], unread: Vec::new() })
    }

    /// Go on behind the path that `cursor` names, with the folders as they are now.
    pub(crate) fn resume(
        view: &View<'_>,
        root: &FilePath,
        options: &WalkOptions,
        cursor: &str,
    ) -> Result<Self, FileError> {
        let bad = || FileError::invalid("the cursor is not one of this walk. Begin it anew");
        let last: FilePath = cursor.parse().map_err(|_| bad())?;
        if last.folder != root.folder || !last.path.is_within(&root.path) || last.path == root.path {
            return Err(bad());
        }
        let mut walker = Self::new(view, root, options)?;
        let below = last.path.names().skip(root.path.names().count());
        for name in below {
            let Some(level) = walker.levels.last_mut() else { break };
            level.names.retain(|other| other.as_slice() > name);
            let (key, path) = (view.state.child(&level.key, name), level.path.join(name));
            let (Some(key), Ok(path), true) = (key, path, options.deep) else { break };
            walker.enter(view, key, path);
        }
        Ok(walker)
    }

    pub(crate) fn is_for(&self, root: &FilePath, options: &WalkOptions) -> bool {
        self.root == *root && self.options == *options
    }

    fn enter(&mut self, view: &View<'_>, key: Key, path: RelativePath) {
        let kind = view.look(&key).map(|seen| seen.kind);
        match kind {
            Ok(Kind::Folder) => {}
            Ok(_) | Err(_) => return,
        }
        match view.list(&key) {
            Ok(names) => self.levels.push(Level { key, path, names: backwards(names) }),
            Err(error) => self.skip(path, error),
        }
    }

    fn skip(&mut self, path: RelativePath, error: Errno) {
        let path = FilePath { folder: self.root.folder.clone(), path };
        let reason = FileError::system(error, &path).message;
        self.unread.push((path, reason));
    }

    pub(crate) fn page(&mut self, view: &View<'_>, limit: u32) -> Page {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut page = Page::default();
        // a page without an end would be a call without an end: names looked at count as well
        let mut looked = 0;
        let mut last: Option<FilePath> = None;
        while let Some(level) = self.levels.last_mut() {
            if page.entries.len() >= limit || looked >= limit.saturating_mul(16).max(1 << 16) {
                page.next = last.as_ref().map(FilePath::to_string);
                break;
            }
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            looked += 1;
            if !self.options.hidden && name.starts_with(b".") {
                continue;
            }
            let Ok(path) = level.path.join(&name) else {
                let path = FilePath { folder: self.root.folder.clone(), path: level.path.clone() };
                self.unread.push((path, "something in it has too long a path".to_owned()));
                continue;
            };
            let Some(key) = view.state.child(&level.key, &name) else { continue };
            let whole = FilePath { folder: self.root.folder.clone(), path: path.clone() };
            last = Some(whole.clone());
            match view.look(&key) {
                Ok(seen) => {
                    let folder = seen.kind == Kind::Folder;
                    if self.fits(&path) {
                        page.entries.push(seen.entry(whole));
                    }
                    if folder && self.options.deep {
                        match view.list(&key) {
                            Ok(names) => self.levels.push(Level { key, path, names: backwards(names) }),
                            Err(error) => self.skip(path, error),
                        }
                    }
                }
                // gone since it was listed, or one of our own
                Err(Errno::NOENT) => {}
                Err(error) => self.skip(path, error),
            }
        }
        page.unread = std::mem::take(&mut self.unread);
        page
    }

    fn fits(&self, path: &RelativePath) -> bool {
        let Some(glob) = &self.options.glob else { return true };
        let root = self.root.path.as_bytes();
        let below = path.as_bytes().get(root.len()..).unwrap_or_default();
        glob.matches(below.strip_prefix(b"/").unwrap_or(below))
    }
}

fn backwards(mut names: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    names.reverse();
    names
}
