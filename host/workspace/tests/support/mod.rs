//! What the tests of this room stand on: a home, a gate with a person who answers as told, folders to work on, and a
//! snapshot of a tree with all that belongs to it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod faults;
pub mod model;

use deskhand_permissions::{Context, Gate, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_vocabulary::{
    Access, Answer, Clock, FilePath, FolderName, Home, Log, Notice, Person, Plan, Principal, Progress, Question, Stop,
    TaskId, Unanswered,
};
use deskhand_workspace::{
    ChangeId, Decision, FileError, History, Preview, UndoOptions, WalkOptions, Workspace, WorkspaceError, disk::Disk,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// A clock that stands.
#[derive(Debug)]
pub struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// Answers as told, then yes to all; remembers what was asked and told.
#[derive(Default)]
pub struct Scripted {
    pub answers: Mutex<VecDeque<Result<Answer, Unanswered>>>,
    pub asked: Mutex<Vec<String>>,
    pub told: Mutex<Vec<String>>,
}

impl Person for Scripted {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {}

    fn ask_until(&self, question: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        let kind = serde_json::to_value(question).unwrap()["question"].as_str().unwrap().to_owned();
        self.asked.lock().unwrap().push(kind.clone());
        if kind == "grant" {
            return Ok(Answer::Yes);
        }
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(Answer::Yes))
    }

    fn tell(&self, notice: &Notice) {
        self.told.lock().unwrap().push(notice.text.clone());
    }

    fn progress(&self, _: &Progress) {}
}

/// A program of `examples/`, as it is built with these tests.
pub fn built(example: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().unwrap().parent().unwrap();
    let mut build = std::process::Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", example, "--manifest-path"]);
    build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    profile.join("examples").join(example)
}

/// A home with its gate, and a folder to work on beside it.
pub struct Desk {
    pub dir: Option<tempfile::TempDir>,
    pub home: Home,
    pub folder: PathBuf,
    pub records: Arc<Records>,
    pub person: Arc<Scripted>,
    pub gate: Gate,
    pub context: Context,
    pub task: TaskId,
}

/// Where trees are made: in memory where that is possible, since nothing here is about speed of a disk.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let builder = |at: &Path| tempfile::Builder::new().prefix("workspace-").tempdir_in(at);
    if memory.is_dir()
        && let Ok(dir) = builder(memory)
    {
        dir
    } else {
        tempfile::tempdir().unwrap()
    }
}

impl Desk {
    pub fn new() -> Self {
        Self::at(scratch())
    }

    pub fn at(dir: tempfile::TempDir) -> Self {
        let desk = Self::existing(dir.path());
        Self { dir: Some(dir), ..desk }
    }

    /// One in a folder that somebody else looks after.
    pub fn existing(dir: &Path) -> Self {
        let dir = dir.canonicalize().unwrap();
        let home = Home::within(&dir.join("home"));
        for folder in home.folders() {
            fs::create_dir_all(folder).unwrap();
        }
        let folder = dir.join("Files");
        fs::create_dir_all(&folder).unwrap();
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(Standstill)).unwrap());
        let person = Arc::new(Scripted::default());
        let gate = Gate::new(Arc::clone(&records), Arc::clone(&person) as Arc<dyn Person>, &home);
        let task = records.start_task(serde_json::json!({"request": "test"})).unwrap();
        let context = Context::person(Some(task), Standing::default());
        Self { dir: None, home, folder, records, person, gate, context, task }
    }

    pub fn log(&self) -> Arc<dyn Log> {
        Arc::clone(&self.records) as Arc<dyn Log>
    }

    /// The same, and with it what removes all of it at the end.
    pub fn with(self, dir: Option<tempfile::TempDir>) -> Self {
        Self { dir, ..self }
    }

    /// The folder that all of it is in.
    pub fn place(&self) -> PathBuf {
        self.folder.parent().unwrap().to_owned()
    }

    /// A task on the folder.
    pub fn open(&self) -> Workspace {
        self.open_with(Arc::new(deskhand_workspace::disk::System))
    }

    pub fn open_with(&self, disk: Arc<dyn Disk>) -> Workspace {
        let workspace =
            Workspace::with_disk(&self.home, Arc::new(Standstill), self.log(), Some(self.task), disk).unwrap();
        self.add(&workspace, &self.folder, Access::Write);
        workspace
    }

    pub fn add(&self, workspace: &Workspace, folder: &Path, access: Access) -> FolderName {
        let effect = OpenFolder::at(folder, access, &self.home).unwrap();
        workspace.add_folder(self.gate.permit(&self.context, effect).unwrap()).unwrap()
    }

    pub fn propose(&self, workspace: &Workspace) -> Decision {
        self.try_propose(workspace, &Stop::default()).unwrap()
    }

    pub fn try_propose(
        &self,
        workspace: &Workspace,
        stop: &Stop,
    ) -> Result<Decision, deskhand_workspace::ProposeError> {
        let view = serde_json::json!({"arrange": "tree"});
        deskhand_workspace::propose(workspace, &self.gate, &self.context, self.person.as_ref(), "Test", view, stop)
    }

    pub fn history(&self) -> History {
        History::new(&self.home)
    }

    pub fn preview(&self, commit: u64, options: &UndoOptions) -> Result<(Workspace, Preview), WorkspaceError> {
        let workspace = self.open();
        let preview = self.history().preview(&workspace, deskhand_vocabulary::CommitId(commit), options)?;
        Ok((workspace, preview))
    }

    pub fn undo(&self, commit: u64) -> Decision {
        self.undo_with(commit, &UndoOptions::default())
    }

    pub fn undo_with(&self, commit: u64, options: &UndoOptions) -> Decision {
        let (workspace, preview) = self.preview(commit, options).unwrap();
        self.history()
            .undo(&workspace, &self.gate, &self.context, self.person.as_ref(), &preview, &Stop::default())
            .unwrap()
    }

    pub fn answer(&self, answer: Answer) {
        self.person.answers.lock().unwrap().push_back(Ok(answer));
    }

    pub fn file(&self, path: &str, content: &str) {
        write(&self.folder.join(path), content.as_bytes());
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub fn tree(&self) -> Tree {
        snapshot(&self.folder)
    }
}

pub fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// An old time, so that whatever touches it shows.
pub fn age(path: &Path, seconds: i64) {
    let time = rustix::fs::Timespec { tv_sec: 1_500_000_000 + seconds, tv_nsec: 123_456_789 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Give everything in a tree an old time of its own, folders last.
pub fn age_all(folder: &Path) {
    let mut paths: Vec<PathBuf> = vec![folder.to_owned()];
    let mut at = 0;
    while at < paths.len() {
        let path = paths[at].clone();
        at += 1;
        if path.symlink_metadata().unwrap().is_dir() {
            let mut inside: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            inside.sort();
            paths.extend(inside);
        }
    }
    for (index, path) in paths.iter().enumerate().rev() {
        age(path, i64::try_from(index).unwrap() * 1000);
    }
}

pub fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

/// Everything about one thing that must survive.
#[derive(Clone, PartialEq, Eq)]
pub struct Thing {
    pub kind: String,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: (i64, i64),
    pub content: Vec<u8>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub links: u64,
    pub inode: u64,
    pub blocks: u64,
}

impl std::fmt::Debug for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:o} {:?} {:?} {:?} {:?} x{} #{}",
            self.kind,
            self.mode,
            self.owner,
            self.modified,
            String::from_utf8_lossy(&self.content[..self.content.len().min(40)]),
            self.xattrs.len(),
            self.links,
            self.inode
        )
    }
}

pub type Tree = BTreeMap<Vec<u8>, Thing>;

/// A tree with all that belongs to it, by path; the folder itself under the empty one.
pub fn snapshot(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![Vec::new()];
    while let Some(at) = open.pop() {
        let path = if at.is_empty() { folder.to_owned() } else { folder.join(OsStr::from_bytes(&at)) };
        let meta = path.symlink_metadata().unwrap();
        let kind = meta.file_type();
        let content = if kind.is_file() {
            fs::read(&path).unwrap()
        } else if kind.is_symlink() {
            fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            Vec::new()
        };
        if kind.is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                let name = entry.unwrap().file_name();
                let mut inside = at.clone();
                if !inside.is_empty() {
                    inside.push(b'/');
                }
                inside.extend_from_slice(name.as_bytes());
                open.push(inside);
            }
        }
        let mut xattrs = Vec::new();
        let mut list = vec![0; 4096];
        let length = rustix::fs::llistxattr(&path, &mut list[..]).unwrap_or(0);
        for name in list[..length].split(|b| *b == 0).filter(|name| !name.is_empty()) {
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(&path, OsStr::from_bytes(name), &mut value[..]).unwrap_or(0);
            xattrs.push((name.to_vec(), value[..length].to_vec()));
        }
        xattrs.sort();
        let thing = Thing {
            kind: format!("{kind:?}").split_whitespace().next().unwrap_or("").to_owned()
                + if kind.is_dir() {
                    "dir"
                } else if kind.is_symlink() {
                    "link"
                } else if kind.is_file() {
                    "file"
                } else {
                    "special"
                },
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            modified: (meta.mtime(), meta.mtime_nsec()),
            content,
            xattrs,
            links: if kind.is_dir() { 0 } else { meta.nlink() },
            inode: meta.ino(),
            blocks: meta.blocks(),
        };
        tree.insert(at, thing);
    }
    tree
}

/// The names and contents of a tree, for short expectations.
pub fn outline(tree: &Tree) -> Vec<String> {
    tree.iter()
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, thing)| {
            let path = String::from_utf8_lossy(path);
            if thing.mode & 0o170_000 == 0o040_000 {
                format!("{path}/")
            } else {
                format!("{path}={}", String::from_utf8_lossy(&thing.content))
            }
        })
        .collect()
}

/// What two trees differ in, in words; empty if they are the same.
pub fn differences(a: &Tree, b: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, thing) in a {
        match b.get(path) {
            None => found.push(format!("{} is missing", String::from_utf8_lossy(path))),
            Some(other) if other != thing => {
                found.push(format!("{}: {thing:?} became {other:?}", String::from_utf8_lossy(path)));
            }
            Some(_) => {}
        }
    }
    for path in b.keys().filter(|path| !a.contains_key(*path)) {
        found.push(format!("{} is new", String::from_utf8_lossy(path)));
    }
    found
}

pub fn path(text: &str) -> FilePath {
    format!("Files/{text}").trim_end_matches('/').parse().unwrap()
}

pub fn raw(bytes: &[u8]) -> FilePath {
    path(&deskhand_vocabulary::path::encode(bytes))
}

pub fn version(workspace: &Workspace, at: &FilePath) -> String {
    workspace.stat(std::slice::from_ref(at)).remove(0).unwrap().version
}

pub fn mv(workspace: &Workspace, from: &str, to: &str) -> Result<ChangeId, FileError> {
    let from = path(from);
    let version = workspace.stat(std::slice::from_ref(&from)).remove(0)?.version;
    workspace.move_(&from, &version, &path(to), None)
}

pub fn rm(workspace: &Workspace, at: &str) -> Result<ChangeId, FileError> {
    let at = path(at);
    let version = workspace.stat(std::slice::from_ref(&at)).remove(0)?.version;
    workspace.remove(&at, &version)
}

pub fn cp(workspace: &Workspace, from: &str, to: &str) -> Result<ChangeId, FileError> {
    let from = path(from);
    let version = workspace.stat(std::slice::from_ref(&from)).remove(0)?.version;
    workspace.copy(&from, &version, &path(to), None)
}

pub fn put(workspace: &Workspace, at: &str, content: &str) -> Result<ChangeId, FileError> {
    let at = path(at);
    let version = workspace.stat(std::slice::from_ref(&at)).remove(0).ok().map(|entry| entry.version);
    workspace.write(&at, content.as_bytes(), version.as_deref())
}

/// All that the view shows, as `folder/` or `file=content`.
pub fn shown(workspace: &Workspace) -> Vec<String> {
    let options = WalkOptions { deep: true, glob: None, hidden: true };
    let mut cursor: Option<String> = None;
    let mut all = Vec::new();
    loop {
        let page = workspace.walk(&path(""), &options, cursor.as_deref(), 7).unwrap();
        for entry in &page.entries {
            let at = entry.path.path.to_string();
            all.push(match entry.kind {
                deskhand_workspace::Kind::Folder => format!("{at}/"),
                deskhand_workspace::Kind::File => {
                    let bytes = workspace.read(&entry.path, Some(&entry.version), 0, 1 << 20).unwrap();
                    format!("{at}={}", String::from_utf8_lossy(&bytes))
                }
                other => format!("{at} {}", other.name()),
            });
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    all.sort();
    all
}

pub fn principal() -> Principal {
    Principal::Person
}
