//! The journal of a commit: what is intended, durable before the first effect, and how it ended.
//!
//! `commits/<number>/journal` is a sequence of records, each a 4-byte little-endian length, the first 8 bytes of the
//! SHA-256 of the payload, and the payload as JSON. A record that is cut off or does not match its digest ends the
//! journal: it was being written when the machine stopped, so nothing that it says has begun. `commits/<number>/lock` is
//! locked (flock(2)) by the process that applies, for as long as it lives.

use crate::{
    disk::Disk,
    entry::{Kind, Moment, Stamp},
    error::WorkspaceError,
    folder::Root,
    planning::Place,
};
use deskhand_files::Origin;
use deskhand_vocabulary::{
    Change, ChangeKind, CommitId, FilePath, Home, Principal, RelativePath, Sha256, TaskId, path,
};
use jiff::Timestamp;
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, BufReader, ErrorKind, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The version of the form. A journal of a later one is refused, not guessed at.
pub(crate) const VERSION: u32 = 1;

/// A record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Record {
    Head(Box<Head>),
    Changes(Vec<Recorded>),
    Steps(Vec<Step>),
    /// All of the intent is above.
    Ready,
    End(End),
}

/// [`Record::Changes`] and [`Record::Steps`] as they are written, without a copy of them.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Part<'a> {
    Changes(&'a [Recorded]),
    Steps(&'a [Step]),
    End(&'a End),
}

/// What is written down is found again after the disk was mounted anew: where that gives other inode numbers, they do not
/// count.
pub(crate) fn without_inodes(roots: &[Arc<Root>], head: &mut Head, changes: &mut [Recorded], steps: &mut [Step]) {
    let passing: HashSet<u64> = roots.iter().filter(|root| !root.inodes_last).map(|root| root.stamp.dev).collect();
    if passing.is_empty() {
        return;
    }
    let strip = |stamp: &mut Stamp| {
        if passing.contains(&stamp.dev) {
            *stamp = stamp.without_inode();
        }
    };
    head.roots.iter_mut().for_each(|top| strip(&mut top.stamp));
    head.folders.iter_mut().chain(&mut head.restore).for_each(|times| strip(&mut times.stamp));
    for recorded in changes {
        recorded.made.iter_mut().for_each(|made| strip(Arc::make_mut(made)));
        recorded.before.iter_mut().for_each(|before| strip(&mut before.stamp));
    }
    for step in steps {
        strip(Arc::make_mut(&mut step.what));
        step.other.iter_mut().for_each(|other| strip(Arc::make_mut(other)));
    }
}

/// A record with its length and digest.
fn frame(record: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), Errno> {
    let payload = serde_json::to_vec(record).map_err(|_| Errno::INVAL)?;
    let length = u32::try_from(payload.len()).map_err(|_| Errno::FBIG)?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&Sha256::of(&payload).0[..8]);
    bytes.extend_from_slice(&payload);
    Ok(())
}

/// What is applied, where, for whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) commit: CommitId,
    pub(crate) task: Option<TaskId>,
    pub(crate) at: Timestamp,
    pub(crate) title: String,
    pub(crate) origin: Principal,
    pub(crate) plan: Sha256,
    pub(crate) changes: u64,
    /// The commit that this one takes back, wholly or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undoes: Option<CommitId>,
    /// How many changes of that commit were left as they are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) left: u64,
    pub(crate) roots: Vec<Top>,
    /// Absolute paths of stores; the commit's folder in each bears its number.
    pub(crate) stores: Vec<String>,
    /// The folders whose times the effects change, as they were.
    pub(crate) folders: Vec<Times>,
    /// Folders that get the times they had before the commit that is undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) restore: Vec<Times>,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

/// A granted folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Top {
    pub(crate) name: String,
    /// Absolute, as `path::encode` writes it.
    pub(crate) path: String,
    pub(crate) stamp: Stamp,
}

/// The times of a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) root: u16,
    pub(crate) path: String,
    pub(crate) stamp: Stamp,
    pub(crate) accessed: Moment,
    pub(crate) modified: Moment,
}

/// A change and what its undo needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) change: Arc<Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undoes: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tidy: bool,
    /// What is at the target afterwards, as far as it was known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<Arc<Stamp>>,
    /// The digest of what was written there, where it was new content: tells a file that was only touched from one that was
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrote: Option<Sha256>,
    /// For a folder that came back with something in it: the digest of that, so that its removal takes nothing else along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<Sha256>,
    /// What was removed or replaced, and where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Box<Before>>,
}

/// A before-image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) store: u16,
    /// The folder in the store, a commit's number.
    pub(crate) folder: u64,
    pub(crate) name: String,
    pub(crate) stamp: Stamp,
    /// Where it was, for what another file took the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<FilePath>,
    /// A copy of the content, where the file had other names through which it could be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<String>,
}

/// A place of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum At {
    /// In a granted folder.
    #[serde(rename = "t")]
    Tree(u16, Text),
    /// In a commit's folder of a store.
    #[serde(rename = "s")]
    Store(u16, u64, String),
}

impl At {
    /// What it lies in: which folder of the task or store, and where in that.
    pub(crate) fn folder(&self) -> (u16, u64, &[u8]) {
        match self {
            Self::Tree(root, path) => {
                let path = path.0.as_bytes();
                (*root, 0, &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)])
            }
            Self::Store(store, commit, _) => (*store, *commit, b""),
        }
    }
}

/// A path in its lossless text form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Text(pub(crate) RelativePath);

impl TryFrom<String> for Text {
    type Error = path::NotAPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() { Ok(Self(RelativePath::root())) } else { text.parse().map(Self) }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.to_string()
    }
}

/// One effect: a rename of `from` to `to`, which is free; or, with `other`, an exchange of the two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Which of the changes it belongs to, counted from 0.
    #[serde(rename = "n")]
    pub(crate) change: u32,
    #[serde(rename = "f")]
    pub(crate) from: At,
    #[serde(rename = "t")]
    pub(crate) to: At,
    /// What is at `from` before.
    #[serde(rename = "w")]
    pub(crate) what: Arc<Stamp>,
    /// What is at `to` before.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) other: Option<Arc<Stamp>>,
}

/// How it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    /// Numbers of changes that were not made, and why.
    pub(crate) refused: Vec<(u64, String)>,
    /// When each touched folder was last changed, after it all; none where it is not there any more.
    pub(crate) folders: Vec<Option<Moment>>,
    /// What could not be brought back to its place, and where it is now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) astray: Vec<String>,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its changes are made, but for those refused.
    Applied,
    /// All was taken back.
    RolledBack,
    /// Every change was refused.
    Nothing,
}

impl Outcome {
    /// The name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::RolledBack => "rolled-back",
            Self::Nothing => "nothing",
        }
    }
}

/// A journal that is being written.
pub(crate) struct Writer {
    pub(crate) commit: CommitId,
    folder: OwnedFd,
    file: OwnedFd,
    /// Held for as long as this process applies.
    _lock: OwnedFd,
}

impl Writer {
    /// Take the next number. The number is taken by making its folder, so no two processes get the same.
    pub(crate) fn begin(home: &Home, disk: &dyn Disk) -> Result<Self, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::home(home.commits(), error);
        let home_lock = lock_home(home)?;
        let commits = open_folder(&home.commits()).map_err(failed)?;
        let mut number = numbers(home)?.last().copied().unwrap_or(0).max(last_number(home, &home_lock));
        loop {
            number = number.checked_add(1).ok_or_else(|| failed(Errno::OVERFLOW))?;
            match disk.make_folder(commits.as_fd(), number.to_string().as_bytes(), 0o700) {
                Ok(()) => break,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        // a number is never given twice, whatever becomes of its folder
        rustix::io::pwrite(&home_lock, format!("{number:020}").as_bytes(), 0).map_err(failed)?;
        let path = home.commits().join(number.to_string());
        let folder = open_folder(&path).map_err(failed)?;
        let lock = disk.create(folder.as_fd(), b"lock", 0o600).map_err(failed)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
        let file = disk.create(folder.as_fd(), b"journal", 0o600).map_err(failed)?;
        Ok(Self { commit: CommitId(number), folder, file, _lock: lock })
    }

    /// Go on with a journal whose process is gone; `lock` shows that it is.
    pub(crate) fn resume(path: &Path, commit: CommitId, lock: OwnedFd, length: u64) -> Result<Self, Errno> {
        let folder = open_folder(path)?;
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&folder, "journal", flags, Mode::empty())?;
        rustix::fs::ftruncate(&file, length)?;
        rustix::fs::seek(&file, rustix::fs::SeekFrom::End(0))?;
        Ok(Self { commit, folder, file, _lock: lock })
    }

    /// Write the whole intent: head, changes, steps, and that this is all.
    pub(crate) fn intend(
        &self,
        disk: &dyn Disk,
        head: Head,
        changes: &[Recorded],
        steps: &[Step],
    ) -> Result<(), Errno> {
        let mut bytes = Vec::new();
        frame(&Record::Head(Box::new(head)), &mut bytes)?;
        for part in changes.chunks(256) {
            frame(&Part::Changes(part), &mut bytes)?;
            self.flush(disk, &mut bytes, 1 << 20)?;
        }
        for part in steps.chunks(256) {
            frame(&Part::Steps(part), &mut bytes)?;
            self.flush(disk, &mut bytes, 1 << 20)?;
        }
        frame(&Record::Ready, &mut bytes)?;
        self.flush(disk, &mut bytes, 0)
    }

    fn flush(&self, disk: &dyn Disk, bytes: &mut Vec<u8>, over: usize) -> Result<(), Errno> {
        if bytes.len() > over {
            disk.write(self.file.as_fd(), bytes)?;
            bytes.clear();
        }
        Ok(())
    }

    /// Durable, with its name, when this returns.
    pub(crate) fn sync(&self, home: &Home, disk: &dyn Disk) -> Result<(), Errno> {
        disk.sync(self.file.as_fd())?;
        disk.sync(self.folder.as_fd())?;
        let commits = open_folder(&home.commits())?;
        disk.sync(commits.as_fd())?;
        let data = open_folder(&home.data)?;
        disk.sync(data.as_fd())
    }

    /// Write down how it ended. The lock stays until [`Writer::close`]: what is locked is looked at by recovery.
    pub(crate) fn end(&self, disk: &dyn Disk, end: &End) -> Result<(), Errno> {
        let mut bytes = Vec::new();
        frame(&Part::End(end), &mut bytes)?;
        disk.write(self.file.as_fd(), &bytes)?;
        disk.sync(self.file.as_fd())
    }

    /// How it ended is in the journal and in the log: nothing is left to be done about it. A lock that stays is taken away
    /// at the next start.
    pub(crate) fn close(&self, disk: &dyn Disk) {
        let _ = ended(disk, self.folder.as_fd());
    }

    /// Nothing was begun. The folder stays, so that numbers rise.
    pub(crate) fn forget(&self, disk: &dyn Disk) -> Result<(), Errno> {
        forget(disk, self.folder.as_fd())
    }
}

/// A commit that has ended has no lock; that is how recovery tells it without reading it.
pub(crate) fn ended(disk: &dyn Disk, folder: BorrowedFd<'_>) -> Result<(), Errno> {
    match disk.unlink(folder, b"lock") {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A commit of which nothing was begun is only a number.
pub(crate) fn forget(disk: &dyn Disk, folder: BorrowedFd<'_>) -> Result<(), Errno> {
    match disk.unlink(folder, b"journal") {
        Ok(()) | Err(Errno::NOENT) => ended(disk, folder),
        Err(error) => Err(error),
    }
}

/// A journal that was read.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub(crate) head: Head,
    pub(crate) changes: Vec<Recorded>,
    pub(crate) steps: Vec<Step>,
    /// True if all of the intent is there; else nothing was begun.
    pub(crate) ready: bool,
    pub(crate) end: Option<End>,
    /// Bytes up to the last whole record.
    pub(crate) length: u64,
}

impl Journal {
    /// Where the commit has brought folders, the store being nowhere; `here` tells the places of paths.
    pub(crate) fn moved_folders(&self, here: &dyn Fn(&FilePath) -> Option<Place>) -> HashMap<Place, Option<Place>> {
        let refused: HashSet<u64> = self.end.iter().flat_map(|end| end.refused.iter().map(|(id, _)| *id)).collect();
        let mut moved = HashMap::new();
        for Recorded { change, before, made, .. } in &self.changes {
            let source = change.source.as_ref().filter(|_| !refused.contains(&change.id));
            let Some(source) = source.and_then(here) else { continue };
            match change.kind {
                ChangeKind::Move if made.as_ref().is_some_and(|made| made.kind == Kind::Folder) => {
                    moved.insert(source, change.target.as_ref().and_then(here));
                }
                ChangeKind::Remove if before.as_ref().is_some_and(|before| before.stamp.kind == Kind::Folder) => {
                    moved.insert(source, None);
                }
                _ => {}
            }
        }
        moved
    }
}

/// Read a journal. None where not even its head is there, so that nothing was begun.
pub(crate) fn read(path: &Path, commit: u64) -> Result<Option<Journal>, WorkspaceError> {
    load(path, commit, Wanted::All)
}

/// As [`read`], without its steps, which are most of it; and without its changes, if it takes back nothing.
pub(crate) fn read_outline(path: &Path, commit: u64) -> Result<Option<Journal>, WorkspaceError> {
    load(path, commit, Wanted::Outline)
}

/// As [`read`], without its steps: all that history and undo ask for.
pub(crate) fn read_changes(path: &Path, commit: u64) -> Result<Option<Journal>, WorkspaceError> {
    load(path, commit, Wanted::Changes)
}

/// How much of a journal is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    Changes,
    Outline,
}

fn load(path: &Path, commit: u64, wanted: Wanted) -> Result<Option<Journal>, WorkspaceError> {
    match Records::open(&path.join("journal")) {
        Ok(records) => parse(records, path, commit, wanted),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WorkspaceError::home(path, error)),
    }
}

/// The records of a journal, one after the other, each in the same memory: a journal can be large.
struct Records {
    input: BufReader<fs::File>,
    /// Bytes of the file behind the last record.
    left: u64,
    /// Bytes of all records up to now.
    length: u64,
    payload: Vec<u8>,
}

impl Records {
    fn open(path: &Path) -> io::Result<Self> {
        let file = deskhand_files::open(path, Origin::Own)?;
        let left = file.metadata()?.len();
        Ok(Self { input: BufReader::with_capacity(1 << 16, file), left, length: 0, payload: Vec::new() })
    }

    /// The payload of the next record that is whole; none at the end of what is.
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut frame = [0; 12];
        if self.left < frame.len() as u64 {
            return Ok(None);
        }
        self.input.read_exact(&mut frame)?;
        let [a, b, c, d, digest @ ..] = frame;
        let length = u32::from_le_bytes([a, b, c, d]);
        let whole = frame.len() as u64 + u64::from(length);
        if self.left < whole {
            return Ok(None);
        }
        self.payload.resize(length as usize, 0);
        self.input.read_exact(&mut self.payload)?;
        if Sha256::of(&self.payload).0[..8] != digest {
            return Ok(None);
        }
        self.left -= whole;
        self.length += whole;
        Ok(Some(&self.payload))
    }
}

fn parse(mut records: Records, path: &Path, commit: u64, wanted: Wanted) -> Result<Option<Journal>, WorkspaceError> {
    let mut journal: Option<Journal> = None;
    while let Some(payload) = records.next().map_err(|error| WorkspaceError::home(path, error))? {
        let undoes = journal.as_ref().is_some_and(|journal: &Journal| journal.head.undoes.is_some());
        let steps = wanted != Wanted::All && payload.starts_with(b"{\"steps\"");
        let changes = wanted == Wanted::Outline && !undoes && payload.starts_with(b"{\"changes\"");
        if steps || changes {
            continue;
        }
        let record: Result<Record, _> = serde_json::from_slice(payload);
        if journal.is_none() {
            // a later version may have other fields: look at its number alone
            let version = version(payload);
            if version.is_some_and(|version| version > VERSION) {
                return Err(WorkspaceError::Journal {
                    commit,
                    reason: format!("it was written by a later version of Deskhand (form {})", version.unwrap_or(0)),
                    advice: "Update Deskhand, then start it again",
                });
            }
        }
        let record = record.map_err(|error| WorkspaceError::Journal {
            commit,
            reason: format!("a record is not understood ({error})"),
            advice: "Keep it, and run `deskhand doctor`",
        })?;
        match (record, journal.as_mut()) {
            (Record::Head(head), None) => {
                journal = Some(Journal {
                    head: *head,
                    changes: Vec::new(),
                    steps: Vec::new(),
                    ready: false,
                    end: None,
                    length: 0,
                });
            }
            (Record::Changes(changes), Some(journal)) => journal.changes.extend(changes),
            (Record::Steps(steps), Some(journal)) => journal.steps.extend(steps),
            (Record::Ready, Some(journal)) => journal.ready = true,
            (Record::End(end), Some(journal)) => journal.end = Some(end),
            (_, _) => {
                return Err(WorkspaceError::Journal {
                    commit,
                    reason: "its records are not in order".to_owned(),
                    advice: "Keep it, and run `deskhand doctor`",
                });
            }
        }
    }
    if let Some(journal) = &mut journal {
        journal.length = records.length;
    }
    Ok(journal)
}

/// What of a damaged journal can still be read: every record that matches its digest, wherever it stands. None if nothing
/// can.
pub(crate) fn salvage(path: &Path) -> Option<Journal> {
    let bytes = deskhand_files::read(&path.join("journal"), Origin::Own, u64::MAX).ok()?;
    let mut journal = Journal {
        head: Head {
            version: 0,
            commit: CommitId(0),
            task: None,
            at: Timestamp::UNIX_EPOCH,
            title: String::new(),
            origin: Principal::Person,
            plan: Sha256([0; 32]),
            changes: 0,
            undoes: None,
            left: 0,
            roots: Vec::new(),
            stores: Vec::new(),
            folders: Vec::new(),
            restore: Vec::new(),
        },
        changes: Vec::new(),
        steps: Vec::new(),
        ready: false,
        end: None,
        length: 0,
    };
    let mut found = false;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let Some((record, tail)) = next(rest) else {
            // to the next place where a record may begin: its payload is an object or a word
            let begins = |at: &usize| matches!(rest.get(at + 12), Some(b'{' | b'"')) && next(&rest[*at..]).is_some();
            let Some(at) = (1..rest.len()).find(begins) else { break };
            rest = &rest[at..];
            continue;
        };
        rest = tail;
        match serde_json::from_slice(record) {
            Ok(Record::Head(head)) => journal.head = *head,
            Ok(Record::Changes(changes)) => journal.changes.extend(changes),
            Ok(Record::Steps(steps)) => journal.steps.extend(steps),
            Ok(Record::Ready) => journal.ready = true,
            Ok(Record::End(end)) => journal.end = Some(end),
            Err(_) => continue,
        }
        found = true;
    }
    found.then_some(journal)
}

fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (digest, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (payload, rest) = rest.split_at_checked(length)?;
    (Sha256::of(payload).0[..8] == digest[..]).then_some((payload, rest))
}

fn version(payload: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
    value.get("head")?.get("version")?.as_u64().and_then(|version| u32::try_from(version).ok())
}

/// The mark in the folder of a commit whose journal was given up.
const GIVEN_UP: &str = "given-up";

/// Remove the journal of a commit that has ended. To be called with the lock of the home.
pub(crate) fn give_up(home: &Home, commit: CommitId) -> Result<(), WorkspaceError> {
    let path = home.commits().join(commit.to_string());
    let given_up = || -> std::io::Result<()> {
        // first the mark, or what is gone would be taken for lost
        fs::File::create(path.join(GIVEN_UP))?.sync_all()?;
        fs::File::open(&path)?.sync_all()?;
        for name in ["lock", "journal"] {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::File::open(&path)?.sync_all()
    };
    given_up().map_err(|error| WorkspaceError::home(&path, error))
}

/// Whether it was.
pub(crate) fn is_given_up(folder: &Path) -> bool {
    folder.join(GIVEN_UP).exists()
}

/// The numbers of all commits, rising.
pub(crate) fn numbers(home: &Home) -> Result<Vec<u64>, WorkspaceError> {
    let path = home.commits();
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(WorkspaceError::home(path, error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| WorkspaceError::home(&path, error))?;
        if let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The highest number that was given out, as it stands in the lock of the home; where that is new, as the log has it.
fn last_number(home: &Home, lock: &fs::File) -> u64 {
    let mut text = [0; 20];
    let known = match rustix::io::pread(lock, &mut text, 0) {
        Ok(20) => std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()),
        Ok(_) | Err(_) => None,
    };
    known.unwrap_or_else(|| crate::damage::Logged::of(home).begun.keys().next_back().copied().unwrap_or(0))
}

/// Held while numbers are given out and while the journals of the gone are claimed.
pub(crate) fn lock_home(home: &Home) -> Result<fs::File, WorkspaceError> {
    let path = home.commits().join(".lock");
    let lock = deskhand_files::open_lock(&path).map_err(|error| WorkspaceError::home(&path, error))?;
    loop {
        match rustix::fs::flock(&lock, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(lock),
            Err(Errno::INTR) => {}
            Err(error) => return Err(WorkspaceError::home(path, error)),
        }
    }
}

/// The lock of a commit, if its process is gone.
pub(crate) fn claim(path: &Path) -> io::Result<Option<OwnedFd>> {
    let lock = OwnedFd::from(deskhand_files::open_lock(&path.join("lock"))?);
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(lock)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// An absolute path from its text in a journal.
pub(crate) fn absolute(text: &str) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(&path::decode(text)))
}
