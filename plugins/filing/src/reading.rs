//! Reading a folder of the task: what lies in it, and the facts of its files, in batches, with progress.

use crate::{
    entry::{Facts, Kind, Seen},
    name::parent,
    words,
};
use deskhand_sdk::{
    Code, Error, Result,
    files::{self, Entry, Fact, Folder},
    invocation,
    path::FilePath,
};

/// How many files the host is asked about at a time.
pub const BATCH: usize = 500;

/// The folders of the task in which something may be changed. The others are named in `read_only`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Where changes may be proposed.
    pub writable: Vec<FilePath>,
    /// The names of those that may only be read.
    pub read_only: Vec<String>,
}

/// The folders of the task; an error that says what to do, if none of them may be changed.
pub fn roots() -> Result<Roots> {
    let (writable, read_only): (Vec<Folder>, Vec<Folder>) =
        files::folders().into_iter().partition(|folder| folder.writable);
    let read_only: Vec<String> = read_only.into_iter().map(|folder| folder.name).collect();
    if !writable.is_empty() {
        return Ok(Roots { writable: writable.iter().map(Folder::path).collect(), read_only });
    }
    Err(match read_only.as_slice() {
        [] => Error::invalid("There is no folder to work on. Name one, for example with `--folder ~/Downloads`."),
        names => Error::new(
            Code::Denied,
            format!(
                "{} may only be read. Grant it for writing as well to let files be moved; they are moved only after you agree.",
                names.join(", ")
            ),
        ),
    })
}

/// What lies in a folder: directly in it, or all the way down if `deep`.
pub fn read(root: &FilePath, deep: bool) -> Result<Vec<Entry>> {
    let walk = files::walk(root);
    let walk = if deep { walk } else { walk.depth(1) };
    let mut entries = Vec::new();
    for entry in walk {
        let entry = entry?;
        // a host that does not know the option lists more than was asked for
        if deep || parent(entry.path.as_str()) == root.as_str() {
            entries.push(entry);
        }
        if entries.len().is_multiple_of(BATCH) {
            invocation::check()?;
            invocation::working(&format!("Reading {}: {}", root.name(), words::files(count(entries.len()))));
        }
    }
    Ok(entries)
}

/// The entries as planning sees them.
pub fn seen(entries: &[Entry]) -> Vec<Seen<'_>> {
    entries.iter().map(|entry| Seen { path: entry.path.as_str(), kind: kind(&entry.kind) }).collect()
}

/// What an entry is.
pub fn kind(kind: &files::Kind) -> Kind {
    match kind {
        files::Kind::File => Kind::File,
        files::Kind::Folder => Kind::Folder,
        files::Kind::Link => Kind::Link,
        files::Kind::Other(_) => Kind::Other,
    }
}

/// What `keep` makes of the facts of each file, in their order: of 100,000 files not all facts need to be kept.
pub fn facts_as<T>(
    entries: &[Entry],
    files: &[usize],
    mut keep: impl FnMut(&Entry, Result<Facts>) -> T,
) -> Result<Vec<T>> {
    const NAMES: [Fact; 6] =
        [Fact::MediaType, Fact::Taken, Fact::Created, Fact::Recorded, Fact::Modified, Fact::Placeholder];
    let mut kept = Vec::with_capacity(files.len());
    for batch in files.chunks(BATCH) {
        invocation::check()?;
        let message = format!("Reading {} of {}", words::number(count(kept.len())), words::number(count(files.len())));
        invocation::progress(&message, count(kept.len()), count(files.len()));
        let paths: Vec<FilePath> = batch.iter().map(|index| entries[*index].path.clone()).collect();
        let mut answers = files::attributes_as::<Facts>(&paths, &NAMES).into_iter();
        for index in batch {
            let facts = answers.next().unwrap_or_else(|| Err(Error::failed("the host gave no answer")));
            kept.push(keep(&entries[*index], facts));
        }
    }
    Ok(kept)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
