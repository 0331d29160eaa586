//! Documents as text, through whichever plugin extracts them: PDF, Office files and others that are no text themselves. The
//! plugin is handed the document's bytes and has no right to anything else.

use crate::{answers, calling::Calling, own::NotDone, place::Place};
use deskhand_permissions::effect::ExtractText;
use deskhand_runtime::{CallError, Installed};
use deskhand_vocabulary::{FilePath, PluginId, Stop};
use deskhand_workspace::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest document that is read, in bytes.
const DOCUMENT: u64 = 64 << 20;
/// The most text of one, in bytes: less than a plugin may answer with, and some thousand pages.
const TEXT: usize = 3 << 20;
/// How many documents are kept as text while a task works on them. One that is read on piece by piece is extracted once.
const KEPT: usize = 8;

/// A document as text.
#[derive(Debug)]
pub(crate) struct Document {
    /// Who extracted it.
    pub(crate) plugin: PluginId,
    /// Its media type.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// True if there is more than is kept.
    pub(crate) cut: bool,
}

#[derive(Debug)]
struct Kept {
    path: FilePath,
    version: String,
    document: Arc<Document>,
}

/// See the module.
pub struct Documents {
    calling: Calling,
    /// The last that were read, the latest at the end.
    kept: Mutex<Vec<Kept>>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Documents {
    /// Through the plugins that are installed.
    pub fn new(calling: Calling) -> Self {
        Self { calling, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if some plugin extracts text at all.
    pub(crate) fn is_there(&self) -> bool {
        let extracts =
            |installed: &Installed| installed.release.listing().is_ok_and(|listing| listing.extractor.is_some());
        self.calling.plugins.iter().any(extracts)
    }

    /// Who extracts documents of a media type: of several plugins, the first by its name.
    fn plugin(&self, kind: &str) -> Option<PluginId> {
        let extracts = |installed: &&Installed| {
            let extractor = installed.release.listing().ok().and_then(|listing| listing.extractor.as_ref());
            extractor.is_some_and(|extractor| extractor.media_types.iter().any(|known| known == kind))
        };
        self.calling.plugins.iter().find(extracts).map(|installed| installed.id.clone())
    }

    /// A file as text; none if no plugin extracts what it is.
    pub(crate) fn read(
        &self,
        place: &Place,
        path: &FilePath,
        entry: &Entry,
        kind: &str,
        stop: &Stop,
    ) -> Result<Option<Arc<Document>>, NotDone> {
        let same = |kept: &Kept| kept.path == *path && kept.version == entry.version;
        if let Some(kept) = self.kept().iter().find(|kept| same(kept)) {
            return Ok(Some(Arc::clone(&kept.document)));
        }
        let Some(plugin) = self.plugin(kind) else { return Ok(None) };
        if entry.size > DOCUMENT {
            return Err(NotDone::failed(format!(
                "`{path}` is a document of {} bytes ({kind}); at most {DOCUMENT} are read",
                entry.size
            )));
        }
        let document = place.bytes(path, entry)?;
        let permit = self.calling.decide(ExtractText { plugin: plugin.clone() })?;
        let extracted = self
            .calling
            .runtime
            .extract_text(self.calling.alone(stop), permit, kind, document, TEXT)
            .map_err(|error| not_extracted(path, kind, &plugin, &error))?;
        let document = Arc::new(Document { plugin, kind: kind.to_owned(), text: extracted.text, cut: extracted.cut });
        let mut kept = self.kept();
        kept.retain(|kept| kept.path != *path);
        kept.push(Kept { path: path.clone(), version: entry.version.clone(), document: Arc::clone(&document) });
        let over = kept.len().saturating_sub(KEPT);
        kept.drain(..over);
        Ok(Some(document))
    }
}

/// Why a document is not there as text, for the model.
fn not_extracted(path: &FilePath, kind: &str, plugin: &PluginId, error: &CallError) -> NotDone {
    let output = answers::of_error(error, false);
    let reason = match error {
        CallError::Refused { .. } | CallError::Stopped => output.text(),
        // a document that makes its reader fail is damaged, or made to do so
        _ => format!("{}. The document may be damaged, or made to harm", output.text().trim_end_matches('.')),
    };
    NotDone::new(output.outcome, format!("`{path}` ({kind}) cannot be read through {plugin}: {reason}"))
}
