//! `grep`: which files hold a text, and where.

use super::listing::walk;
use crate::{
    own::{NotDone, Own},
    place::Place,
};
use deskhand_agent::tool::{Effect, Output};
use deskhand_vocabulary::{FilePath, Stop};
use deskhand_workspace::{Entry, Glob, Kind, WalkOptions, Workspace};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    io::{self, Read},
};

/// So many lines are told in one call.
const MOST: usize = 200;
/// The longest line that is told, in characters.
const LINE: usize = 300;

/// See the module.
pub(crate) struct Grep;

/// See [`Grep`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// A regular expression, for a line.
    pattern: String,
    /// A file, or a folder with all in it; without it, all folders.
    path: Option<String>,
    /// In files of such names only, such as `*.txt`.
    glob: Option<String>,
    /// Whether `a` and `A` differ.
    #[serde(default)]
    case: bool,
    /// In PDF, Office and other documents too, which takes longer.
    #[serde(default)]
    documents: bool,
    /// So many lines around each.
    #[serde(default)]
    around: usize,
}

impl Own for Grep {
    const NAME: &'static str = "grep";
    const DESCRIPTION: &'static str = "Search text in files: path, line number, line.";
    const EFFECT: Effect = Effect::Read;
    type Arguments = Arguments;

    fn call(place: &Place, arguments: Arguments, stop: &Stop) -> Result<Output, NotDone> {
        let Arguments { pattern, path, glob, case, around, documents } = arguments;
        let matcher = RegexMatcherBuilder::new()
            .case_insensitive(!case)
            .size_limit(1 << 20)
            .build(&pattern)
            .map_err(|error| NotDone::failed(format!("the pattern `{pattern}` is not understood: {error}")))?;
        let glob = glob.map(|glob| Glob::new(&glob)).transpose()?;
        let mut search = Search {
            place,
            stop,
            searcher: SearcherBuilder::new()
                .line_number(true)
                .before_context(around.min(10))
                .after_context(around.min(10))
                .binary_detection(BinaryDetection::quit(0))
                .heap_limit(Some(16 << 20))
                .build(),
            matcher,
            text: String::new(),
            lines: 0,
        };
        for root in place.roots(path.as_deref())? {
            let entry = place.stat(&root)?;
            if entry.kind == Kind::File {
                search.named(&entry, documents)?;
                continue;
            }
            let options = WalkOptions { deep: true, glob: glob.clone(), hidden: false };
            let mut failed = None;
            walk(place, &root, &options, stop, |entry| {
                if stop.is_stopped() {
                    failed = Some(NotDone::stopped());
                } else if entry.kind == Kind::File
                    && let Err(error) = search.file(&entry, documents)
                {
                    failed = Some(error);
                }
                failed.is_none() && search.lines < MOST
            })?;
            if let Some(failed) = failed {
                return Err(failed);
            }
        }
        let Search { mut text, lines, .. } = search;
        if lines >= MOST {
            let _ = writeln!(text, "There may be more: name a folder, a glob or a narrower pattern");
        } else if lines == 0 {
            text.push_str("nothing\n");
        }
        Ok(Output::done(text))
    }
}

struct Search<'a> {
    place: &'a Place,
    stop: &'a Stop,
    searcher: Searcher,
    matcher: RegexMatcher,
    text: String,
    lines: usize,
}

impl Search<'_> {
    /// A file that the model named. A page or mail is text itself, and is searched as such if nothing else is said.
    fn named(&mut self, entry: &Entry, documents: bool) -> Result<(), NotDone> {
        let is_text = |kind: String| kind.starts_with("text/") || kind.starts_with("message/");
        self.file(entry, documents || !is_text(self.place.media_type(&entry.path, self.stop)))
    }

    fn file(&mut self, entry: &Entry, documents: bool) -> Result<(), NotDone> {
        let path = &entry.path;
        if let Some(extractors) = self.place.documents.as_ref().filter(|_| documents) {
            let kind = self.place.media_type(path, self.stop);
            match extractors.read(self.place, path, entry, &kind, self.stop) {
                Ok(None) => {}
                Ok(Some(document)) => return self.search(path, document.text.as_bytes()),
                Err(_) if self.stop.is_stopped() => return Err(NotDone::stopped()),
                Err(not_done) => {
                    let _ = writeln!(self.text, "not searched: {}", not_done.output().text());
                    self.lines += 1;
                    return Ok(());
                }
            }
        }
        self.search(path, Reader { workspace: &self.place.workspace, path, at: 0 })
    }

    fn search(&mut self, path: &FilePath, reader: impl Read) -> Result<(), NotDone> {
        let sink = Lines { path, text: &mut self.text, lines: &mut self.lines };
        // a file that cannot be read, or has a line that is longer than all memory, is left out as one that holds nothing
        match self.searcher.search_reader(&self.matcher, reader, sink) {
            Ok(()) => {}
            Err(error) => {
                let _ = writeln!(self.text, "not searched: {path} ({error})");
                self.lines += 1;
            }
        }
        Ok(())
    }
}

/// A file of the workspace as a stream.
struct Reader<'a> {
    workspace: &'a Workspace,
    path: &'a FilePath,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.workspace.read(self.path, None, self.at, length).map_err(io::Error::other)?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

struct Lines<'a> {
    path: &'a FilePath,
    text: &'a mut String,
    lines: &'a mut usize,
}

impl Lines<'_> {
    fn line(&mut self, number: Option<u64>, mark: char, bytes: &[u8]) -> bool {
        let line = String::from_utf8_lossy(bytes);
        let line = deskhand_vocabulary::text::shortened(line.trim_end_matches(['\n', '\r']), LINE);
        let _ = writeln!(self.text, "{}{mark}{}{mark}{line}", self.path, number.unwrap_or_default());
        *self.lines += 1;
        *self.lines < MOST
    }
}

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        Ok(self.line(found.line_number(), ':', found.bytes()))
    }

    fn context(&mut self, _: &Searcher, found: &SinkContext<'_>) -> Result<bool, io::Error> {
        Ok(self.line(found.line_number(), '-', found.bytes()))
    }
}
