//! The installed commands, as far as a request needs them: their names and the table of what they serve, from a file that
//! is made when the list of plugins has changed. The manifest of a command is read when that command is nearly meant.

use super::{Candidate, table::Table};
use deskhand_runtime::{Edition, PluginFault, Plugins};
use deskhand_vocabulary::{Home, PluginId, Sha256};
use serde::{Deserialize, Serialize};
use std::{
    fs::Metadata,
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What the file begins with; another number for another form of the file.
const FORMAT: [u8; 8] = *b"dskhrq02";
/// The most that is read, in bytes: a thousand commands take less than one MiB.
const MOST: u64 = 64 << 20;
/// The length of the digest that stands before the rest.
const DIGEST: usize = 32;

type Get = dyn Fn(usize) -> Result<Candidate, PluginFault>;

/// See the module.
pub(crate) struct Catalogue {
    names: Vec<(PluginId, String)>,
    table: Table,
    get: Box<Get>,
}

/// A command in the file: which plugin, which of its commands, and its name.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    plugin: u32,
    command: u32,
    name: String,
}

/// What the file was made from and by. A table of another list of plugins, or of another build of this program, is of no
/// use.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    format: [u8; 8],
    plugins: Edition,
    /// The size of the program's file, and when it was last written to: seconds and nanoseconds.
    program: (u64, i64, i64),
}

/// The file, as it is written.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Document {
    places: Vec<Place>,
    table: Table,
}

impl Origin {
    /// None where the program's own file cannot be looked at; then nothing is kept.
    fn now(plugins: &Plugins) -> Option<Self> {
        let program = std::env::current_exe().and_then(std::fs::metadata).ok()?;
        let program = (program.len(), program.mtime(), program.mtime_nsec());
        Some(Self { format: FORMAT, plugins: plugins.edition(), program })
    }
}

impl Catalogue {
    /// The commands of `plugins`. Made anew, and kept in the home's cache, where what is kept there is of another list or
    /// another program, damaged, or open to others.
    pub(crate) fn open(plugins: Arc<Plugins>, home: &Home) -> Result<Self, PluginFault> {
        let path = file(home);
        let origin = Origin::now(&plugins);
        let kept = origin.as_ref().and_then(|origin| load(&path, origin));
        let document = match kept.filter(|document| document.fits(&plugins)) {
            Some(document) => document,
            None => {
                let document = Document::of(&plugins)?;
                if let Some(origin) = &origin {
                    // what cannot be kept is made again the next time
                    let _ = keep(&path, origin, &document);
                }
                document
            }
        };
        let Document { places, table } = document;
        let names = places.iter().filter_map(|place| {
            let plugin = plugins.get_at(place.plugin)?;
            Some((plugin.id.clone(), place.name.clone()))
        });
        Ok(Self { names: names.collect(), table, get: Box::new(move |at| candidate(&plugins, places.get(at))) })
    }

    /// The commands that are given.
    #[cfg(test)]
    pub(crate) fn of(candidates: Vec<Candidate>) -> Self {
        let names = candidates.iter().map(|known| (known.plugin.clone(), known.command.name.to_string())).collect();
        let table = Table::of(candidates.iter().map(|known| &known.command));
        Self { names, table, get: Box::new(move |at| candidates.get(at).cloned().ok_or_else(gone)) }
    }

    /// Every command's plugin and name, in the order of their indices.
    pub(crate) fn names(&self) -> &[(PluginId, String)] {
        &self.names
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// A whole command.
    pub(crate) fn candidate(&self, index: usize) -> Result<Candidate, PluginFault> {
        (self.get)(index)
    }
}

/// Where the table is kept: it can be made again.
fn file(home: &Home) -> PathBuf {
    home.cache.join("requests")
}

fn gone() -> PluginFault {
    PluginFault::Host { reason: "the list of its commands is not that of its manifest".to_owned() }
}

fn candidate(plugins: &Plugins, place: Option<&Place>) -> Result<Candidate, PluginFault> {
    let place = place.ok_or_else(gone)?;
    let plugin = plugins.get_at(place.plugin).ok_or_else(gone)?;
    let command = usize::try_from(place.command)
        .ok()
        .and_then(|at| plugin.release.manifest().map(|it| it.commands.get(at)).transpose());
    Ok(Candidate { plugin: plugin.id.clone(), command: command.ok_or_else(gone)??.clone() })
}

impl Document {
    fn of(plugins: &Plugins) -> Result<Self, PluginFault> {
        let (mut places, mut commands) = (Vec::new(), Vec::new());
        for (plugin, installed) in (0..).zip(plugins.iter()) {
            for (command, declared) in (0..).zip(&installed.release.manifest()?.commands) {
                places.push(Place { plugin, command, name: declared.name.to_string() });
                commands.push(declared);
            }
        }
        Ok(Self { places, table: Table::of(commands.into_iter()) })
    }

    /// Whether every command that it speaks of can be one of `plugins`.
    fn fits(&self, plugins: &Plugins) -> bool {
        self.places.len() == self.table.rows.len()
            && self.places.iter().all(|place| plugins.get_at(place.plugin).is_some())
    }
}

/// What is kept, if it is of this origin, whole, and nobody else could have written it.
fn load(path: &Path, origin: &Origin) -> Option<Document> {
    let file = deskhand_files::open(path, deskhand_files::Origin::Own).ok()?;
    if !private(&file.metadata().ok()?) {
        return None;
    }
    let mut bytes = Vec::new();
    (&file).take(MOST).read_to_end(&mut bytes).ok()?;
    let (digest, rest) = bytes.split_at_checked(DIGEST)?;
    let (found, rest): (Origin, &[u8]) = postcard::take_from_bytes(rest).ok()?;
    if found != *origin || Sha256::of(&bytes[DIGEST..]).0 != digest {
        return None;
    }
    postcard::from_bytes(rest).ok()
}

/// True for a file of this user that nobody else can write to.
fn private(facts: &Metadata) -> bool {
    facts.is_file() && facts.uid() == rustix::process::geteuid().as_raw() && facts.mode() & 0o022 == 0
}

/// Keep a document under its name, whole or not at all. Its digest tells what a crash has left of it.
fn keep(path: &Path, origin: &Origin, document: &Document) -> io::Result<()> {
    let bytes = postcard::to_allocvec(&(origin, document)).map_err(io::Error::other)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(&Sha256::of(&bytes).0)?;
    draft.write_all(&bytes)?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests;
