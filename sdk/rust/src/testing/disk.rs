//! A file system in memory: names, and what they name, apart, so that one file can have two names.

use crate::{
    Code, Error, Result,
    files::{Entry, Kind, Version},
    path::FilePath,
    time::Moment,
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Bound,
    rc::Rc,
};

/// What a name names.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) modified: Moment,
    pub(crate) created: Option<Moment>,
    pub(crate) readable: bool,
    pub(crate) facts: Map<String, Value>,
    /// The same for the same content, so that a change that is made again finds what it was meant for.
    pub(crate) version: u64,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Folder,
    /// Bytes, and the size; what lies beyond the bytes reads as zeros.
    File(Rc<[u8]>, u64),
    Link,
    Other(String),
}

/// The file system. Cloning it is cheap enough to keep a view beside the real one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    names: BTreeMap<FilePath, u64>,
    nodes: HashMap<u64, Node>,
    links: HashMap<u64, u32>,
    last: u64,
}

impl Disk {
    fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn give_name(&mut self, path: FilePath, id: u64) {
        self.take_name(&path);
        self.names.insert(path, id);
        *self.links.entry(id).or_default() += 1;
    }

    fn take_name(&mut self, path: &FilePath) -> Option<u64> {
        let id = self.names.remove(path)?;
        if let Some(links) = self.links.get_mut(&id) {
            *links = links.saturating_sub(1);
        }
        Some(id)
    }

    /// Put a node at a path, with the folders above it that are missing.
    pub(crate) fn insert(&mut self, path: &FilePath, content: Content, modified: Moment) -> &mut Node {
        if let Some(parent) = path.parent()
            && !self.names.contains_key(&parent)
        {
            self.insert(&parent, Content::Folder, modified);
        }
        self.forget(path);
        let (id, version) = (self.fresh(), version_of(&content, modified));
        self.give_name(path.clone(), id);
        let node = Node { content, modified, created: None, readable: true, facts: Map::new(), version };
        self.nodes.entry(id).insert_entry(node).into_mut()
    }

    /// One more name for what has one.
    pub(crate) fn link(&mut self, path: &FilePath, name: &FilePath) -> Result<()> {
        let id = self.id(path)?;
        self.give_name(name.clone(), id);
        Ok(())
    }

    pub(crate) fn node(&self, path: &FilePath) -> Result<&Node> {
        let id = self.id(path)?;
        self.nodes.get(&id).ok_or_else(|| missing(path))
    }

    pub(crate) fn node_mut(&mut self, path: &FilePath) -> Result<&mut Node> {
        let id = self.id(path)?;
        self.nodes.get_mut(&id).ok_or_else(|| missing(path))
    }

    fn id(&self, path: &FilePath) -> Result<u64> {
        self.names.get(path).copied().ok_or_else(|| missing(path))
    }

    pub(crate) fn contains(&self, path: &FilePath) -> bool {
        self.names.contains_key(path)
    }

    pub(crate) fn entry(&self, path: &FilePath) -> Result<Entry> {
        let id = self.id(path)?;
        let node = self.node(path)?;
        let (kind, size) = match &node.content {
            Content::Folder => (Kind::Folder, 0),
            Content::File(_, size) => (Kind::File, *size),
            Content::Link => (Kind::Link, 0),
            Content::Other(name) => (Kind::Other(name.clone()), 0),
        };
        Ok(Entry {
            path: path.clone(),
            kind,
            size,
            modified: node.modified,
            created: node.created,
            file_id: id.to_string(),
            links: self.links.get(&id).copied().unwrap_or(1),
            version: Version(format!("{:016x}", node.version)),
        })
    }

    /// All below a folder, in the order of their names from the top.
    pub(crate) fn below(&self, root: &FilePath) -> Vec<FilePath> {
        let prefix = format!("{}/", root.as_str());
        let start = Bound::Excluded(root.clone());
        let mut below: Vec<FilePath> = self
            .names
            .range((start, Bound::Unbounded))
            .take_while(|(path, _)| path.as_str().starts_with(root.as_str()))
            .filter(|(path, _)| path.as_str().starts_with(&prefix))
            .map(|(path, _)| path.clone())
            .collect();
        below.sort_by(|a, b| a.as_str().split('/').cmp(b.as_str().split('/')));
        below
    }

    pub(crate) fn bytes(&self, path: &FilePath) -> Result<(Rc<[u8]>, u64)> {
        let node = self.node(path)?;
        match &node.content {
            _ if !node.readable => Err(Error::new(
                Code::Denied,
                format!("`{}` cannot be read: its permissions do not allow it", path.display()),
            )),
            Content::File(bytes, size) => Ok((Rc::clone(bytes), *size)),
            Content::Folder | Content::Link | Content::Other(_) => {
                Err(Error::unsupported(format!("`{}` is not a file", path.display())))
            }
        }
    }

    /// Give what lies at `source`, and all below it, the place `target`.
    pub(crate) fn rename(&mut self, source: &FilePath, target: &FilePath) -> Result<()> {
        let id = self.id(source)?;
        let below = self.below(source);
        self.forget(target);
        for path in below {
            let Some(id) = self.take_name(&path) else { continue };
            let moved = format!("{}{}", target.as_str(), &path.as_str()[source.as_str().len()..]);
            self.give_name(FilePath::from_host(moved), id);
        }
        self.take_name(source);
        self.give_name(target.clone(), id);
        Ok(())
    }

    /// A copy of a file, with a life of its own.
    pub(crate) fn copy(&mut self, source: &FilePath, target: &FilePath) -> Result<()> {
        let node = self.node(source)?.clone();
        self.forget(target);
        let id = self.fresh();
        self.give_name(target.clone(), id);
        self.nodes.insert(id, node);
        Ok(())
    }

    /// Write a file, new or over one (which keeps its other facts).
    pub(crate) fn write(&mut self, path: &FilePath, bytes: &[u8], now: Moment) {
        let content = Content::File(bytes.into(), bytes.len() as u64);
        let version = version_of(&content, now);
        match self.node_mut(path) {
            Ok(node) => {
                (node.content, node.modified, node.version) = (content, now, version);
            }
            Err(_) => {
                self.insert(path, content, now);
            }
        }
    }

    /// Take a name away, and all below it.
    pub(crate) fn forget(&mut self, path: &FilePath) {
        for path in self.below(path) {
            self.take_name(&path);
        }
        self.take_name(path);
    }

    /// Every file and link, and every folder with nothing in it (with `/` at its end), below the folders given.
    pub(crate) fn tree(&self) -> Vec<String> {
        let mut paths: Vec<&FilePath> = self.names.keys().collect();
        paths.sort_by(|a, b| a.as_str().split('/').cmp(b.as_str().split('/')));
        let mut lines = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            let folder = matches!(self.node(path).map(|node| &node.content), Ok(Content::Folder));
            let holds = paths.get(index + 1).is_some_and(|next| next.is_within(path));
            if !folder {
                lines.push(path.as_str().to_owned());
            } else if !holds && !path.is_root() {
                lines.push(format!("{path}/"));
            }
        }
        lines
    }
}

fn version_of(content: &Content, modified: Moment) -> u64 {
    let mut hasher = DefaultHasher::new();
    match content {
        Content::File(bytes, size) => (bytes, size, modified).hash(&mut hasher),
        Content::Folder | Content::Link | Content::Other(_) => {}
    }
    hasher.finish()
}

fn missing(path: &FilePath) -> Error {
    Error::not_found(format!("`{}` is not there", path.display()))
}
