//! What of a folder may be sorted, and what is left alone and why.

use crate::{
    entry::{Kind, Seen},
    name::{extension, join, last, parent, path_key, split},
    words,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Why something is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A repository or working copy (Git, Mercurial, Subversion …), with all in it.
    Repository,
    /// A folder of a software project, with all in it.
    Project,
    /// An application bundle or another folder that is shown as one file.
    Bundle,
    /// A download that is not complete, and what belongs to it.
    Partial,
    /// A document that a program has open, and its lock file.
    Open,
    /// A file whose content is in a cloud.
    Placeholder,
    /// A saved web page, which shows its pictures from the folder beside it.
    SavedPage,
    /// A file that tells agents how things are done in its folder.
    Instructions,
    /// A name that begins with a dot.
    Hidden,
    /// A symbolic link.
    Link,
    /// A FIFO, a socket, a device.
    Special,
    /// Its facts could not be read.
    Unreadable,
    /// A file that belongs to one that is left alone.
    Together,
    /// A file whose name is that of a folder that sorting makes.
    InTheWay,
    /// A file that was changed or moved away while the plan was made.
    Changed,
    /// A file without any date that can be believed, where a date is needed.
    Undated,
}

impl Reason {
    fn words(self, n: u64) -> String {
        let (one, many) = match self {
            Self::Repository => ("repository", "repositories"),
            Self::Project => ("folder of a software project", "folders of software projects"),
            Self::Bundle => ("application bundle", "application bundles"),
            Self::Partial => ("partial download", "partial downloads"),
            Self::Open => ("document that is open in a program", "documents that are open in a program"),
            Self::Placeholder => ("file that is still in the cloud", "files that are still in the cloud"),
            Self::SavedPage => ("saved web page with its folder", "saved web pages with their folders"),
            Self::Instructions => {
                ("file with instructions for its folder", "files with instructions for their folders")
            }
            Self::Hidden => ("hidden file or folder", "hidden files or folders"),
            Self::Link => ("link", "links"),
            Self::Special => ("pipe, socket or device", "pipes, sockets or devices"),
            Self::Unreadable => ("file that could not be read", "files that could not be read"),
            Self::Together => ("file that belongs to one of these", "files that belong to these"),
            Self::InTheWay => {
                ("file with the name of a folder that sorting makes", "files with names of folders that sorting makes")
            }
            Self::Changed => ("file that changed meanwhile", "files that changed meanwhile"),
            Self::Undated => ("file without a date", "files without a date"),
        };
        words::count(n, one, many)
    }
}

/// How many, and the names of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    examples: Vec<String>,
}

/// What was left alone: counts, with the first three names for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left(BTreeMap<Reason, Tally>);

impl Left {
    /// Notes one more.
    pub fn add(&mut self, reason: Reason, name: &str) {
        let tally = self.0.entry(reason).or_default();
        tally.count += 1;
        if tally.examples.len() < 3 {
            tally.examples.push(name.to_owned());
        }
    }

    /// How many were left for a reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.0.get(&reason).map_or(0, |tally| tally.count)
    }

    /// How many were left in all; a folder counts as one.
    pub fn total(&self) -> u64 {
        self.0.values().map(|tally| tally.count).sum()
    }

    /// True if nothing was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line for each reason: `2 partial downloads (a.part, b.crdownload)`.
    pub fn lines(&self) -> Vec<String> {
        let line = |(reason, tally): (&Reason, &Tally)| {
            format!("{} ({})", reason.words(tally.count), words::examples(&tally.examples, tally.count))
        };
        self.0.iter().map(line).collect()
    }

    /// Joins what another part of the work left alone.
    pub fn merge(&mut self, other: Self) {
        for (reason, tally) in other.0 {
            let mine = self.0.entry(reason).or_default();
            mine.count += tally.count;
            let room = 3_usize.saturating_sub(mine.examples.len());
            mine.examples.extend(tally.examples.into_iter().take(room));
        }
    }
}

/// A folder, sifted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The entries that are files and may be sorted, as indices, in the order of the entries.
    pub files: Vec<usize>,
    /// How many folders there are that are not left alone.
    pub folders: u64,
    /// What is left alone.
    pub left: Left,
}

/// A whole folder that is not to be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsRepository;

const REPOSITORIES: &[&str] = &[".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS", ".fslckout", ".pijul"];
const PROJECTS: &[&str] = &[
    "cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "cmakelists.txt",
    "meson.build",
    "makefile",
    "composer.json",
    "gemfile",
    "mix.exs",
    "pubspec.yaml",
    "package.swift",
    "pyvenv.cfg",
    "configure.ac",
];
const PROJECT_ENDINGS: &[&str] = &["sln", "csproj", "cabal", "gemspec"];
const PROJECT_FOLDERS: &[&str] = &["node_modules", "site-packages", "__pycache__"];
const BUNDLES: &[&str] = &[
    "app",
    "bundle",
    "framework",
    "plugin",
    "kext",
    "appex",
    "prefpane",
    "photoslibrary",
    "musiclibrary",
    "tvlibrary",
    "imovielibrary",
    "fcpbundle",
    "aplibrary",
    "lrdata",
    "lrcat-data",
    "rtfd",
    "pages",
    "numbers",
    "key",
    "xcodeproj",
    "xcworkspace",
    "playground",
    "sparsebundle",
    "logicx",
    "band",
    "scriv",
    "vmwarevm",
    "pvm",
    "utm",
    "vbox",
    "appdir",
    "localized",
    "textbundle",
];
const PARTIAL: &[&str] = &[
    "part",
    "partial",
    "crdownload",
    "download",
    "opdownload",
    "!ut",
    "!qb",
    "bc!",
    "aria2",
    "filepart",
    "dtapart",
    "ytdl",
    "!bt",
    "xltd",
];
/// Files that Windows hides and macOS gives an invisible name.
const SYSTEM: &[&str] = &["desktop.ini", "thumbs.db", "ehthumbs.db", "icon\r"];
/// What Deskhand and others read where it lies.
const INSTRUCTIONS: &[&str] = &["DESKHAND.md", "AGENTS.md", "CLAUDE.md"];
const OFFICE: &[&str] = &[
    "doc", "docx", "docm", "dot", "dotx", "xls", "xlsx", "xlsm", "xlsb", "ppt", "pptx", "pptm", "rtf", "odt", "ods",
    "odp", "vsdx",
];
const PAGE_FOLDERS: &[&str] = &[
    "_files",
    ".files",
    "-Dateien",
    "_Dateien",
    "_fichiers",
    "_archivos",
    "_arquivos",
    "_file",
    "-filer",
    "_bestanden",
];

/// Sifts what was found below `root`: its entries, or those of the whole tree. `Err` if `root` is a repository.
pub fn sift(root: &str, entries: &[Seen<'_>]) -> Result<Survey, IsRepository> {
    let marks = Marks::of(entries);
    if marks.pruned.get(root) == Some(&Reason::Repository) {
        return Err(IsRepository);
    }
    let inside = |path: &str| {
        let mut folder = parent(path);
        while folder.len() > root.len() {
            if marks.pruned.contains_key(folder) {
                return true;
            }
            folder = parent(folder);
        }
        false
    };
    let mut survey = Survey::default();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !inside(entry.path)) {
        let below = entry.path.get(root.len() + 1..).unwrap_or(entry.path);
        match marks.reason(entry) {
            Some(reason) => survey.left.add(reason, below),
            None if entry.kind == Kind::File => survey.files.push(index),
            None => survey.folders += u64::from(entry.kind == Kind::Folder),
        }
    }
    Ok(survey)
}

/// True for the name of what makes the folder around it a repository or a working copy.
pub fn marks_repository(name: &str) -> bool {
    REPOSITORIES.contains(&name)
}

/// What one entry says of another.
struct Marks {
    /// Folders that are left alone with all in them. The folder itself may be the root.
    pruned: HashMap<String, Reason>,
    /// Keys of paths of files that a partial download or a lock file speaks of.
    files: HashMap<String, Reason>,
    /// Keys of `folder/rest` for each lock file of Microsoft Office, which lacks up to two characters of the name.
    locks: HashSet<String>,
    /// Keys of folders that hold the parts of a saved web page, without the ending that says so.
    pages: HashSet<String>,
}

impl Marks {
    fn of(entries: &[Seen<'_>]) -> Self {
        let mut marks =
            Self { pruned: HashMap::new(), files: HashMap::new(), locks: HashSet::new(), pages: HashSet::new() };
        let mut bare: HashMap<&str, u8> = HashMap::new();
        for entry in entries {
            let (folder, name) = (parent(entry.path), last(entry.path));
            let lower = name.to_lowercase();
            if REPOSITORIES.contains(&name) {
                marks.pruned.insert(folder.to_owned(), Reason::Repository);
            }
            // a bare repository (gitrepository-layout(5))
            let bit = match (name, entry.kind) {
                ("HEAD", Kind::File) => 1,
                ("objects", Kind::Folder) => 2,
                ("refs", Kind::Folder) => 4,
                _ => 0,
            };
            if bit > 0 {
                let bits = bare.entry(folder).or_default();
                *bits |= bit;
                if *bits == 7 {
                    marks.pruned.insert(folder.to_owned(), Reason::Repository);
                }
            }
            match entry.kind {
                Kind::Folder => marks.note_folder(entry, name, &lower),
                Kind::File => marks.note_file(folder, name, &lower),
                Kind::Link | Kind::Other => {}
            }
        }
        marks
    }

    fn note_folder(&mut self, entry: &Seen<'_>, name: &str, lower: &str) {
        let ending = extension(name);
        let reason = if PARTIAL.contains(&ending.as_str()) {
            Some(Reason::Partial)
        } else if name.starts_with('.') {
            Some(Reason::Hidden)
        } else if BUNDLES.contains(&ending.as_str()) {
            Some(Reason::Bundle)
        } else if PROJECT_FOLDERS.contains(&lower) {
            Some(Reason::Project)
        } else {
            None
        };
        if let Some(reason) = reason {
            self.pruned.entry(entry.path.to_owned()).or_insert(reason);
        }
        for ending in PAGE_FOLDERS {
            if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
                self.pages.insert(path_key(&join(parent(entry.path), stem)));
            }
        }
    }

    fn note_file(&mut self, folder: &str, name: &str, lower: &str) {
        if PROJECTS.contains(&lower) || PROJECT_ENDINGS.contains(&extension(name).as_str()) {
            self.pruned.entry(folder.to_owned()).or_insert(Reason::Project);
        }
        if PARTIAL.contains(&extension(name).as_str()) {
            let whole = name.rfind('.').map_or(name, |dot| &name[..dot]);
            self.files.insert(path_key(&join(folder, whole)), Reason::Partial);
        }
        if let Some(document) = name.strip_prefix(".~lock.").and_then(|rest| rest.strip_suffix('#')) {
            self.files.insert(path_key(&join(folder, document)), Reason::Open);
        }
        if let Some(rest) = name.strip_prefix("~$") {
            self.locks.insert(path_key(&join(folder, rest)));
        }
    }

    fn reason(&self, entry: &Seen<'_>) -> Option<Reason> {
        let (folder, name) = (parent(entry.path), last(entry.path));
        match entry.kind {
            Kind::Folder => return self.pruned.get(entry.path).copied(),
            Kind::Link => return Some(Reason::Link),
            Kind::Other => return Some(Reason::Special),
            Kind::File => {}
        }
        let ending = extension(name);
        if PARTIAL.contains(&ending.as_str()) {
            return Some(Reason::Partial);
        }
        if name.starts_with("~$") || (name.starts_with(".~lock.") && name.ends_with('#')) {
            return Some(Reason::Open);
        }
        if SYSTEM.contains(&name.to_lowercase().as_str()) {
            return Some(Reason::Hidden);
        }
        if INSTRUCTIONS.contains(&name) {
            return Some(Reason::Instructions);
        }
        if name.starts_with('.') {
            return Some(if ending == "icloud" { Reason::Placeholder } else { Reason::Hidden });
        }
        if let Some(reason) = self.files.get(&path_key(entry.path)) {
            return Some(*reason);
        }
        if OFFICE.contains(&ending.as_str()) && !self.locks.is_empty() {
            let starts = name.char_indices().map(|(at, _)| at).take(3);
            if starts.into_iter().any(|at| self.locks.contains(&path_key(&join(folder, &name[at..])))) {
                return Some(Reason::Open);
            }
        }
        if matches!(ending.as_str(), "html" | "htm" | "xhtml" | "mht") {
            return self.pages.contains(&path_key(&join(folder, split(name).0))).then_some(Reason::SavedPage);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str) -> Seen<'_> {
        let kinds = [('/', Kind::Folder), ('@', Kind::Link), ('|', Kind::Other)];
        let found = kinds.iter().find_map(|(mark, kind)| Some(Seen { path: path.strip_suffix(*mark)?, kind: *kind }));
        found.unwrap_or(Seen { path, kind: Kind::File })
    }

    fn sifted<'a>(paths: &[&'a str]) -> Result<(Vec<&'a str>, Vec<String>), IsRepository> {
        let survey = sift("D", &paths.iter().map(|path| seen(path)).collect::<Vec<_>>())?;
        Ok((survey.files.into_iter().map(|file| paths[file]).collect(), survey.left.lines()))
    }

    #[test]
    fn a_repository_is_not_sorted() {
        assert_eq!(sifted(&["D/.git/", "D/a.txt"]), Err(IsRepository));
        // a worktree has a file of that name, a bare repository none
        assert_eq!(sifted(&["D/.git", "D/a.txt"]), Err(IsRepository));
        assert_eq!(sifted(&["D/HEAD", "D/objects/", "D/refs/", "D/config"]), Err(IsRepository));
        assert_eq!(sifted(&["D/Makefile", "D/a.txt"]), Ok((vec!["D/Makefile", "D/a.txt"], vec![])));
    }

    #[test]
    fn what_is_left_alone() {
        let paths = [
            "D/keep.txt",
            "D/.bashrc",
            "D/.photo.jpg.icloud",
            "D/film.mkv.part",
            "D/film.mkv",
            "D/iso.iso.aria2",
            "D/iso.iso",
            "D/x.crdownload",
            "D/~$port.docx",
            "D/Report.docx",
            "D/Sport.docx",
            "D/.~lock.sheet.ods#",
            "D/sheet.ods",
            "D/l@",
            "D/pipe|",
            "D/App.app/",
            "D/page.html",
            "D/page_files/",
            "D/other.html",
            "D/DESKHAND.md",
            "D/sub/",
        ];
        let (files, left) = sifted(&paths).unwrap();
        // what is inside a bundle was not listed; a plain folder is not worth a word
        assert_eq!(files, ["D/keep.txt", "D/other.html"]);
        assert_eq!(
            left,
            [
                "1 application bundle (App.app)",
                "5 partial downloads (film.mkv.part, film.mkv, iso.iso.aria2 and 2 more)",
                "5 documents that are open in a program (~$port.docx, Report.docx, Sport.docx and 2 more)",
                "1 file that is still in the cloud (.photo.jpg.icloud)",
                "1 saved web page with its folder (page.html)",
                "1 file with instructions for its folder (DESKHAND.md)",
                "1 hidden file or folder (.bashrc)",
                "1 link (l)",
                "1 pipe, socket or device (pipe)",
            ]
        );
    }

    #[test]
    fn whole_folders_are_left_alone() {
        let paths = [
            "D/a/",
            "D/a/x.txt",
            "D/r/",
            "D/r/.git/",
            "D/r/.git/HEAD",
            "D/r/src/",
            "D/r/src/m.rs",
            "D/p/",
            "D/p/package.json",
            "D/p/i.js",
            "D/.c/",
            "D/.c/x",
            "D/A.app/",
            "D/A.app/b",
            "D/a/n/",
            "D/a/n/y.txt",
        ];
        let (files, left) = sifted(&paths).unwrap();
        assert_eq!(files, ["D/a/x.txt", "D/a/n/y.txt"]);
        assert_eq!(
            left,
            [
                "1 repository (r)",
                "1 folder of a software project (p)",
                "1 application bundle (A.app)",
                "1 hidden file or folder (.c)",
            ]
        );
    }
}
