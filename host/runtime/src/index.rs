//! What is installed: one file, read in one go when it is first needed, so that a thousand plugins cost one read and no
//! folder is searched. Written under a lock, whole, by temporary file and rename; a reader sees the old or the new one.

use crate::{cache::Compiled, durable, fault::PluginFault, inspect};
use deskhand_files::Origin;
use deskhand_vocabulary::{
    Home, Manifest, PluginId, PluginName, Sha256,
    manifest::{Credential, Extractor, Limits, Permission, Server, Tier},
};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// Why the index cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IndexError {
    /// The file system says no.
    #[error("the list of installed plugins, {}, could not be used: {reason}. Nothing was changed; `deskhand doctor` may say more", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        reason: String,
    },
    /// It is not what this version writes.
    #[error("the list of installed plugins, {}, is damaged ({reason}). Nothing was changed; put it back from a backup, or remove it and install your plugins again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        reason: String,
    },
    /// A newer Deskhand wrote it.
    #[error("the list of installed plugins, {}, was written by a newer Deskhand (format {format}). Use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// The file, as it is written.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    plugins: Vec<Row>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: PluginId,
    pub(crate) current: RowRelease,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) staged: Option<RowRelease>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RowRelease {
    pub(crate) component: Sha256,
    pub(crate) bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compiled: Option<Compiled>,
    pub(crate) manifest: Box<RawValue>,
}

/// An installed plugin.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Which.
    pub id: PluginId,
    /// The version that runs.
    pub release: Arc<Release>,
    /// A version that waits until the person agrees to it.
    pub staged: Option<Arc<Release>>,
}

/// One version of a plugin, on this computer.
#[derive(Debug)]
pub struct Release {
    /// The digest of the component.
    pub component: Sha256,
    /// Its size, in bytes.
    pub bytes: u64,
    pub(crate) compiled: Option<Compiled>,
    raw: Box<RawValue>,
    listing: OnceLock<Listing>,
    manifest: OnceLock<Manifest>,
}

impl Release {
    /// What lists and searches need of its manifest, parsed when it is first asked for: a start with a thousand plugins
    /// calls one of them.
    pub fn listing(&self) -> Result<&Listing, PluginFault> {
        if let Some(listing) = self.listing.get() {
            return Ok(listing);
        }
        let listing = serde_json::from_str(self.raw.get())
            .map_err(|error| PluginFault::ManifestBad { reason: error.to_string() })?;
        Ok(self.listing.get_or_init(|| listing))
    }

    /// The whole manifest, parsed when it is first asked for.
    pub fn manifest(&self) -> Result<&Manifest, PluginFault> {
        if let Some(manifest) = self.manifest.get() {
            return Ok(manifest);
        }
        let manifest = inspect::parse_manifest(self.raw.get().as_bytes())?;
        Ok(self.manifest.get_or_init(|| manifest))
    }

    /// Its tools; none where its manifest cannot be read, which a call of it says.
    pub(crate) fn tools(&self) -> &[ListedTool] {
        self.listing().map_or(&[], |listing| &listing.tools)
    }

    /// True if compiled code was made for it.
    pub fn is_compiled(&self) -> bool {
        self.compiled.is_some()
    }
}

/// The part of a manifest that lists, searches and the matching of requests read. Schemas are left out: they are most of a
/// manifest, and are parsed for the one plugin that is called.
#[derive(Clone, Debug, Deserialize)]
pub struct Listing {
    /// Who and what.
    pub plugin: ListedAbout,
    /// What it asks for.
    #[serde(default)]
    pub permissions: Arc<[Permission]>,
    /// Its slash commands.
    #[serde(default)]
    pub commands: Vec<ListedCommand>,
    /// Its tools.
    #[serde(default)]
    pub tools: Vec<ListedTool>,
    /// Whether it has more tools, which depend on an account.
    #[serde(default)]
    pub tool_catalog: bool,
    /// Its skill.
    #[serde(default)]
    pub skill: Option<ListedSkill>,
    /// Its sub-agent.
    #[serde(default)]
    pub agent: Option<ListedAgent>,
    /// Its extractor.
    #[serde(default)]
    pub extractor: Option<Extractor>,
    /// The credentials that the person connects for it.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// The MCP servers that it brings.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// What it needs at most.
    #[serde(default)]
    pub limits: Limits,
}

/// Who and what a plugin is.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedAbout {
    /// Its name in its marketplace.
    pub name: PluginName,
    /// The version.
    pub version: Version,
    /// Who made it.
    pub publisher: String,
    /// What it is for.
    pub summary: String,
}

/// A slash command, without its schema.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedCommand {
    /// What is typed after `/`.
    pub name: PluginName,
    /// One sentence.
    pub summary: String,
    /// How arguments are written in words.
    #[serde(default)]
    pub forms: Vec<String>,
    /// Requests that it serves.
    #[serde(default)]
    pub triggers: Vec<String>,
    /// Requests that sound alike and that it does not serve.
    #[serde(default)]
    pub not_for: Vec<String>,
}

/// A tool, without its schemas.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedTool {
    /// Its name.
    pub name: PluginName,
    /// For the person.
    pub title: String,
    /// For the model.
    pub description: String,
    /// True if it says that it only reads.
    #[serde(default)]
    pub read_only: bool,
}

/// A skill, without its schema.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedSkill {
    /// Its name.
    pub name: PluginName,
    /// What it is for and when to take it up.
    pub description: String,
}

/// A sub-agent, without its schema.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedAgent {
    /// Its name.
    pub name: PluginName,
    /// What it does.
    pub description: String,
    /// How able a model it needs.
    #[serde(default)]
    pub tier: Tier,
    /// True if it runs a loop of its own.
    #[serde(default)]
    pub own_loop: bool,
}

/// All that is installed, as it was when it was read. Sorted by id.
#[derive(Debug, Default)]
pub struct Plugins {
    sorted: Vec<Installed>,
    edition: Edition,
}

/// Which state of the list of installed plugins this is: two that are equal were read from the same file, and nobody has
/// written to it in between. All zero where there is no list yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    inode: u64,
    bytes: u64,
    /// When it was last written to, and when anything about it last changed: seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Edition {
    fn of(facts: &Metadata) -> Self {
        Self {
            inode: facts.ino(),
            bytes: facts.len(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
        }
    }
}

impl Plugins {
    fn of(document: Document, edition: Edition) -> Self {
        let mut sorted: Vec<Installed> = document
            .plugins
            .into_iter()
            .map(|row| Installed { id: row.id, release: release(row.current), staged: row.staged.map(release) })
            .collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        Self { sorted, edition }
    }

    /// The one at a place of the list.
    pub fn get_at(&self, place: u32) -> Option<&Installed> {
        self.sorted.get(usize::try_from(place).ok()?)
    }

    /// Which state of the list this is.
    pub fn edition(&self) -> Edition {
        self.edition
    }

    /// One of them.
    pub fn get(&self, id: &PluginId) -> Option<&Installed> {
        self.sorted.binary_search_by(|installed| installed.id.cmp(id)).ok().map(|at| &self.sorted[at])
    }
}

impl std::ops::Deref for Plugins {
    type Target = [Installed];

    fn deref(&self) -> &[Installed] {
        &self.sorted
    }
}

/// The file and what was last read of it.
pub(crate) struct Index {
    path: PathBuf,
    read: Mutex<Option<Read>>,
}

/// What was last read of the file.
struct Read {
    plugins: Arc<Plugins>,
    /// When the file was last seen to be still the same.
    seen: Instant,
}

/// How long a call relies on the file being the same. Looking costs a tenth of a call; what another process installs is
/// callable, and what it uninstalls is not, at most this much later.
const RELIANCE: Duration = Duration::from_millis(20);

/// The release of a row.
pub(crate) fn release(row: RowRelease) -> Arc<Release> {
    Arc::new(Release {
        component: row.component,
        bytes: row.bytes,
        compiled: row.compiled,
        raw: row.manifest,
        listing: OnceLock::new(),
        manifest: OnceLock::new(),
    })
}

impl Index {
    pub(crate) fn new(home: &Home) -> Self {
        Self { path: home.plugins().join("index.json"), read: Mutex::new(None) }
    }

    fn io(&self, error: &io::Error) -> IndexError {
        IndexError::Io { path: self.path.clone(), reason: error.to_string() }
    }

    /// Which state the file is in now.
    fn edition(&self) -> Result<Edition, IndexError> {
        match std::fs::metadata(&self.path) {
            Ok(facts) => Ok(Edition::of(&facts)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Edition::default()),
            Err(error) => Err(self.io(&error)),
        }
    }

    /// What is installed now. Reads the file if it is not the one that was read last.
    pub(crate) fn plugins(&self) -> Result<Arc<Plugins>, IndexError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Instant::now();
        if let Some(known) = &mut *read
            && known.plugins.edition == self.edition()?
        {
            known.seen = seen;
            return Ok(known.plugins.clone());
        }
        let (document, edition) = self.document()?;
        let plugins = Arc::new(Plugins::of(document, edition));
        *read = Some(Read { plugins: plugins.clone(), seen });
        Ok(plugins)
    }

    /// One plugin, as it was a moment ago.
    pub(crate) fn plugin(&self, id: &PluginId) -> Result<Option<Installed>, IndexError> {
        let recent = {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.as_ref().filter(|read| read.seen.elapsed() < RELIANCE).and_then(|read| read.plugins.get(id).cloned())
        };
        match recent {
            Some(installed) => Ok(Some(installed)),
            None => Ok(self.plugins()?.get(id).cloned()),
        }
    }

    fn document(&self) -> Result<(Document, Edition), IndexError> {
        let mut file = match deskhand_files::open(&self.path, Origin::Own) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Document { format: FORMAT, plugins: Vec::new() }, Edition::default()));
            }
            Err(error) => return Err(self.io(&error)),
        };
        // nobody writes to a list that is in place, so what is read is what these facts are of
        let edition = file.metadata().map(|facts| Edition::of(&facts)).map_err(|error| self.io(&error))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| self.io(&error))?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let damaged =
            |error: serde_json::Error| IndexError::Damaged { path: self.path.clone(), reason: error.to_string() };
        match serde_json::from_str::<Document>(&text) {
            Ok(document) if document.format == FORMAT => Ok((document, edition)),
            Ok(document) => Err(IndexError::Newer { path: self.path.clone(), format: document.format }),
            Err(error) => match serde_json::from_str::<Format>(&text) {
                Ok(other) if other.format > FORMAT => {
                    Err(IndexError::Newer { path: self.path.clone(), format: other.format })
                }
                _ => Err(damaged(error)),
            },
        }
    }

    /// Change the file under its lock. `change` sees the rows as they are on disk and says what it did.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vec<Row>) -> T) -> Result<T, IndexError> {
        let _lock = self.lock()?;
        durable::sweep(self.path.parent().unwrap_or_else(|| Path::new(".")));
        let (mut document, _) = self.document()?;
        let result = change(&mut document.plugins);
        document.plugins.sort_by(|a, b| a.id.cmp(&b.id));
        let text = serde_json::to_vec(&document)
            .map_err(|error| IndexError::Damaged { path: self.path.clone(), reason: error.to_string() })?;
        durable::write(&self.path, &text).map_err(|error| self.io(&error))?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(result)
    }

    fn lock(&self) -> Result<File, IndexError> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        durable::private_folder(folder).map_err(|error| self.io(&error))?;
        let file = deskhand_files::open_lock(&folder.join("index.lock")).map_err(|error| self.io(&error))?;
        file.lock().map_err(|error| self.io(&error))?;
        Ok(file)
    }
}
