//! Folders and what comes to lie in them, as a tree.

use super::quantity::{bytes, counted};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr as _;

/// A folder of the tree.
#[derive(Default)]
pub(crate) struct Folder {
    folders: BTreeMap<String, Folder>,
    /// A line each.
    files: Vec<String>,
    count: u64,
    bytes: u64,
}

impl Folder {
    /// Put a file where it belongs; `path` is the folders down to it.
    pub(crate) fn add<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, file: String, files: u64, bytes: u64) {
        self.count += files;
        self.bytes += bytes;
        match path.next() {
            Some(name) => self.folders.entry(name.to_owned()).or_default().add(path, file, files, bytes),
            None => self.files.push(file),
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
        let shown = if self.files.len() > limit { limit.saturating_sub(1) } else { self.files.len() };
        let mut items = self.folders.len() + shown + usize::from(shown < self.files.len());
        let mut next = |rows: &mut Vec<(String, String)>, text: String, note: String| {
            items -= 1;
            let (branch, below) = if items == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            rows.push((format!("{indent}{branch}{text}"), note));
            format!("{indent}{below}")
        };
        for (name, folder) in &self.folders {
            let note = format!("{:>12}  {:>8}", counted(folder.count, "file"), bytes(folder.bytes));
            let below = next(rows, format!("{name}/"), note);
            folder.rows(&below, limit, rows);
        }
        for file in &self.files[..shown] {
            next(rows, file.clone(), String::new());
        }
        if shown < self.files.len() {
            next(
                rows,
                format!(
                    "… and {}",
                    counted((self.files.len() - shown) as u64, "more file").replace("more files", "more")
                ),
                String::new(),
            );
        }
    }
}
