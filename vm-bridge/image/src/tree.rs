//! A tree of files in the making: names and kinds in memory, contents in one temporary file.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

/// Where the content of a file lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    at: u64,
    length: u64,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    File { content: Content, executable: bool },
    Link(String),
}

/// Paths are relative, with `/` between names; those that are no Unicode are refused.
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
    contents: Arc<File>,
    end: u64,
}

impl Tree {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { nodes: BTreeMap::new(), contents: Arc::new(tempfile::tempfile()?), end: 0 })
    }

    /// Take content in, at most `most` bytes.
    pub(crate) fn store(&mut self, from: impl Read, most: u64) -> io::Result<Content> {
        let mut contents = &*self.contents;
        contents.seek(SeekFrom::Start(self.end))?;
        let length = io::copy(&mut from.take(most.saturating_add(1)), &mut contents)?;
        contents.flush()?;
        if length > most {
            return Err(io::Error::other("a file is longer than it may be"));
        }
        let content = Content { at: self.end, length };
        self.end += length;
        Ok(content)
    }

    /// Put something at a path, with the folders above it. What stood there is replaced, but a folder stays one:
    /// packages share them, and a link to a folder is followed by nobody here.
    pub(crate) fn put(&mut self, path: &str, node: Node) {
        let mut above = path;
        while let Some((folder, _)) = above.rsplit_once('/') {
            self.nodes.entry(folder.to_owned()).or_insert(Node::Folder);
            above = folder;
        }
        if node == Node::Folder {
            self.nodes.entry(path.to_owned()).or_insert(node);
        } else {
            self.nodes.insert(path.to_owned(), node);
        }
    }

    /// A file of a few words.
    pub(crate) fn put_text(&mut self, path: &str, text: &str) -> io::Result<()> {
        let content = self.store(text.as_bytes(), text.len() as u64)?;
        self.put(path, Node::File { content, executable: false });
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Everything, a folder before what is in it.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    pub(crate) fn reader(&self, content: Content) -> ContentReader {
        ContentReader { contents: Arc::clone(&self.contents), at: content.at, left: content.length }
    }

    pub(crate) fn bytes(&self, content: Content) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader(content).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads one content.
pub(crate) struct ContentReader {
    contents: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self.contents.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
