//! Folders and what comes to lie in them, as a tree.

use super::quantity::{bytes, count, counted};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr as _;

/// A folder of the tree.
#[derive(Default)]
pub(crate) struct Folder {
    folders: BTreeMap<String, Folder>,
    own: Lot,
    count: u64,
    bytes: u64,
}

/// What comes to lie in one folder. Of a hundred thousand files not all lines are wanted.
#[derive(Default)]
pub(crate) struct Lot {
    /// A line each, as many as are shown.
    lines: Vec<String>,
    /// How many lines there would be.
    all: usize,
    files: u64,
    bytes: u64,
}

impl Lot {
    /// One more, whose line is made only if it is one of the first `limit`.
    pub(crate) fn put(&mut self, limit: usize, line: impl FnOnce() -> String, files: u64, bytes: u64) {
        if self.lines.len() < limit {
            self.lines.push(line());
        }
        self.all += 1;
        self.files += files;
        self.bytes += bytes;
    }
}

impl Folder {
    /// Put files where they belong; `path` is the folders down to them.
    pub(crate) fn add<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, lot: Lot) {
        self.count += lot.files;
        self.bytes += lot.bytes;
        match path.next() {
            Some(name) => self.folders.entry(name.to_owned()).or_default().add(path, lot),
            None => {
                self.own.lines.extend(lot.lines);
                self.own.all += lot.all;
            }
        }
    }

    /// Make sure that a folder is shown, though nothing comes to lie in it.
    pub(crate) fn open<'a>(&mut self, mut path: impl Iterator<Item = &'a str>) {
        if let Some(name) = path.next() {
            self.folders.entry(name.to_owned()).or_default().open(path);
        }
    }

    /// The lines of the tree below this folder, with at most `limit` files shown in each.
    pub(crate) fn lines(&self, limit: usize) -> Vec<String> {
        let mut rows = Vec::new();
        self.rows("", limit, &mut rows);
        let width = rows.iter().filter(|(_, note)| !note.is_empty()).map(|(text, _)| text.width()).max().unwrap_or(0);
        rows.into_iter()
            .map(|(text, note)| match note.as_str() {
                "" => text,
                _ => format!("{text}{}  {note}", " ".repeat(width - text.width())),
            })
            .collect()
    }

    fn rows(&self, indent: &str, limit: usize, rows: &mut Vec<(String, String)>) {
        let files = shown(self.own.all, limit);
        let folders = shown(self.folders.len(), limit.saturating_mul(10));
        let (more_files, more_folders) = (self.own.all - files, self.folders.len() - folders);
        let mut items = folders + files + usize::from(more_files > 0) + usize::from(more_folders > 0);
        let mut next = |rows: &mut Vec<(String, String)>, text: String, note: String| {
            items -= 1;
            let (branch, below) = if items == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            rows.push((format!("{indent}{branch}{text}"), note));
            format!("{indent}{below}")
        };
        for (name, folder) in self.folders.iter().take(folders) {
            let (path, folder) = folder.chain(name);
            match folder.only_file() {
                Some(file) => {
                    next(rows, format!("{path}{file}"), String::new());
                }
                None => {
                    let note = format!("{:>12}  {:>8}", counted(folder.count, "file"), bytes(folder.bytes));
                    let below = next(rows, path, note);
                    folder.rows(&below, limit, rows);
                }
            }
        }
        if more_folders > 0 {
            next(rows, format!("… and {}", counted(more_folders as u64, "more folder")), String::new());
        }
        for file in self.own.lines.iter().take(files) {
            next(rows, file.clone(), String::new());
        }
        if more_files > 0 {
            next(rows, format!("… and {} more", count(more_files as u64)), String::new());
        }
    }

    /// Down as long as there is one folder and nothing else: the path to there, and what is there.
    fn chain(&self, name: &str) -> (String, &Self) {
        let mut path = format!("{name}/");
        let mut at = self;
        while at.own.all == 0
            && at.folders.len() == 1
            && let Some((name, only)) = at.folders.first_key_value()
        {
            path.push_str(&format!("{name}/"));
            at = only;
        }
        (path, at)
    }

    /// The one file, if nothing else comes to lie here.
    fn only_file(&self) -> Option<&String> {
        self.own.lines.first().filter(|_| self.own.all == 1 && self.folders.is_empty())
    }
}

/// How many of `number` are shown: all, or one less than the limit and a line for the rest.
fn shown(number: usize, limit: usize) -> usize {
    if number > limit { limit.saturating_sub(1) } else { number }
}
