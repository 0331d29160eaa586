//! `files`: reading the folders of the task, with its pending changes applied.

use crate::{
    bindings::wit::{files, types},
    call::{Call, stopped},
    reply::{Code, Refused},
};
use deskhand_vocabulary::{FilePath, Notice, Principal};
use deskhand_workspace::{Entry, FileError, Glob, WalkOptions};
use serde::Deserialize;

/// How many files are looked at between two looks at whether the person has stopped the task.
const STRIDE: usize = 64;
/// The same where the workspace itself looks at each file whether it is stopped, and reads several at once.
const STRETCH: usize = 1024;
/// How many things that could not be read are told the person in one call; the rest is left out.
const UNREAD: u32 = 20;

/// What a plugin is told of an error of the workspace.
pub(crate) fn of_file(error: &FileError) -> types::Error {
    use deskhand_workspace::Code as Of;
    let code = match error.code {
        Of::Invalid => Code::Invalid,
        Of::Denied => Code::Denied,
        Of::NotFound => Code::NotFound,
        Of::Conflict => Code::Conflict,
        Of::TooLarge => Code::TooLarge,
        Of::Unsupported => Code::Unsupported,
        Of::Exhausted => Code::Exhausted,
        Of::Failed => Code::Failed,
    };
    Refused::new(code, error.message.clone()).into()
}

/// A path as a plugin writes it.
pub(crate) fn path(text: &str) -> Result<FilePath, Refused> {
    text.parse().map_err(|error| Refused::new(Code::Invalid, format!("`{text}` is not a path here: {error}")))
}

fn entry(entry: Entry) -> files::Entry {
    files::Entry {
        path: entry.path.to_string(),
        kind: entry.kind.name().to_owned(),
        size: entry.size,
        modified: instant(entry.modified),
        created: entry.created.map(instant),
        file_id: entry.file_id,
        links: entry.links,
        version: entry.version,
    }
}

/// `types.instant`: seconds since 1970, downwards, and the nanoseconds from there.
pub(super) fn instant(at: jiff::Timestamp) -> types::Instant {
    let nanoseconds = at.as_nanosecond();
    let second = 1_000_000_000;
    types::Instant {
        seconds: i64::try_from(nanoseconds.div_euclid(second)).unwrap_or_default(),
        nanoseconds: u32::try_from(nanoseconds.rem_euclid(second)).unwrap_or_default(),
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct Options {
    deep: bool,
    hidden: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { deep: true, hidden: false }
    }
}

impl Options {
    fn parse(text: &str) -> Result<Self, Refused> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text)
            .map_err(|error| Refused::new(Code::Invalid, format!("the options are not understood: {error}")))
    }
}

impl Call {
    /// A path, in a folder that may be looked at.
    fn readable(&mut self, text: &str) -> Result<FilePath, Refused> {
        let path = path(text)?;
        if let Some(known) = self.readable.get(&path.folder) {
            return known.clone().map(|()| path);
        }
        let Some(absolute) = self.workspace.folder_map().remove(&path.folder) else {
            let message = format!("the task has no folder `{}`; `folders` lists those that it has", path.folder);
            return Err(Refused::new(Code::NotFound, message));
        };
        let decided = self.rights.read(&absolute);
        self.readable.insert(path.folder.clone(), decided.clone());
        decided.map(|()| path)
    }

    /// What `look` finds for each of many paths, until the person stops the task.
    fn each<T>(
        &mut self,
        texts: &[String],
        stride: usize,
        mut look: impl FnMut(&Self, &[FilePath]) -> Vec<Result<T, FileError>>,
    ) -> Vec<Result<T, types::Error>> {
        let meter = self.meter.clone();
        let _paused = meter.pause();
        let mut results = Vec::with_capacity(texts.len());
        for texts in texts.chunks(stride) {
            if self.invocation.stop.is_stopped() {
                results.extend(texts.iter().map(|_| Err(stopped().into())));
                continue;
            }
            let parsed: Vec<_> = texts.iter().map(|text| self.readable(text)).collect();
            let paths: Vec<_> = parsed.iter().filter_map(|path| path.as_ref().ok()).cloned().collect();
            let mut found = look(self, &paths).into_iter();
            for path in parsed {
                results.push(match path {
                    Err(refused) => Err(refused.into()),
                    Ok(_) => match found.next() {
                        Some(found) => found.map_err(|error| of_file(&error)),
                        None => Err(Refused::new(Code::Failed, "nothing was found out").into()),
                    },
                });
            }
        }
        results
    }

    fn tell_unread(&mut self, path: &FilePath, reason: &str) {
        if self.unread == 0 {
            return;
        }
        self.unread -= 1;
        let more = if self.unread == 0 { ". More like it is not told" } else { "" };
        let text = format!("left out `{path}`: {reason}{more}");
        self.invocation.person.tell(&Notice { origin: Principal::Person, text });
    }
}

/// How many things that could not be read a call tells the person.
pub(crate) const fn unread() -> u32 {
    UNREAD
}

impl files::Host for Call {
    fn folders(&mut self) -> Vec<files::Folder> {
        self.workspace
            .folders()
            .into_iter()
            .map(|folder| files::Folder { name: folder.name.to_string(), writable: folder.writable })
            .collect()
    }

    fn walk(
        &mut self,
        root: String,
        glob: Option<String>,
        options: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<files::Page, types::Error> {
        let root = self.readable(&root)?;
        let Options { deep, hidden } = Options::parse(&options)?;
        let glob = glob.map(|glob| Glob::new(&glob)).transpose().map_err(|error| of_file(&error))?;
        if self.invocation.stop.is_stopped() {
            return Err(stopped().into());
        }
        let meter = self.meter.clone();
        let _paused = meter.pause();
        let options = WalkOptions { deep, glob, hidden };
        let page = self.workspace.walk(&root, &options, cursor.as_deref(), limit).map_err(|error| of_file(&error))?;
        for (path, reason) in &page.unread {
            self.tell_unread(path, reason);
        }
        Ok(files::Page { entries: page.entries.into_iter().map(entry).collect(), next: page.next })
    }

    fn stat(&mut self, paths: Vec<String>) -> Vec<Result<files::Entry, types::Error>> {
        let found = self.each(&paths, STRIDE, |call, paths| call.workspace.stat(paths));
        found.into_iter().map(|found| found.map(entry)).collect()
    }

    fn read(
        &mut self,
        path: String,
        if_version: Option<String>,
        offset: u64,
        length: u32,
    ) -> Result<Vec<u8>, types::Error> {
        let path = self.readable(&path)?;
        let meter = self.meter.clone();
        let _paused = meter.pause();
        let most = u32::try_from(self.runtime.config.piece_bytes).unwrap_or(u32::MAX);
        self.workspace.read(&path, if_version.as_deref(), offset, length.min(most)).map_err(|error| of_file(&error))
    }

    fn digest(&mut self, paths: Vec<String>) -> Vec<Result<String, types::Error>> {
        let found = self.each(&paths, STRIDE, |call, paths| {
            // a file each: one alone can take long
            let one = |path: &FilePath| match call.invocation.stop.is_stopped() {
                true => vec![],
                false => call.workspace.digest(std::slice::from_ref(path)),
            };
            paths.iter().flat_map(one).collect()
        });
        found.into_iter().map(|found| found.map(|digest| digest.to_string())).collect()
    }

    fn attributes(&mut self, paths: Vec<String>, names: Vec<String>) -> Vec<Result<String, types::Error>> {
        let zone = self.invocation.clock.zone();
        let found = self.each(&paths, STRETCH, |call, paths| {
            call.workspace.attributes(paths, &names, &zone, &call.invocation.stop)
        });
        found.into_iter().map(|found| found.map(|facts| serde_json::Value::Object(facts).to_string())).collect()
    }
}
