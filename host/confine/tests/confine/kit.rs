//! A task with a granted folder, and programs that run over it in a sandbox.

use deskhand_confine::{Confined, Ended, Helper, Overlay, Running, Taken, start};
use deskhand_permissions::{Context, Gate, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_vocabulary::{
    Access, Answer, Clock, FilePath, Home, Log, Notice, Person, Plan, Progress, Question, Stop, Unanswered,
};
use deskhand_workspace::{Decision, WalkOptions, Workspace};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::io::AsyncReadExt as _;

/// Names the helper for a run as somebody else, who may not look into the folder that it is built in.
pub const HELPER: &str = "DESKHAND_TEST_SANDBOX_HELPER";

pub fn helper() -> Helper {
    helper_of(&Home::within(Path::new("/no/home")))
}

pub fn helper_of(home: &Home) -> Helper {
    let built = std::env::var_os(HELPER).unwrap_or_else(|| env!("CARGO_BIN_EXE_deskhand-sandbox").into());
    Helper::at(built.into(), home)
}

#[derive(Debug)]
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// Answers as told, then yes to all; remembers what was asked.
#[derive(Default)]
pub struct Scripted {
    pub answers: Mutex<VecDeque<Answer>>,
    pub asked: Mutex<Vec<String>>,
}

impl Person for Scripted {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {}

    fn ask_until(&self, question: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        let kind = serde_json::to_value(question).unwrap()["question"].as_str().unwrap().to_owned();
        if kind == "grant" {
            return Ok(Answer::Yes);
        }
        self.asked.lock().unwrap().push(kind);
        Ok(self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Yes))
    }

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}

pub struct Desk {
    pub dir: tempfile::TempDir,
    pub folder: PathBuf,
    pub person: Arc<Scripted>,
    pub workspace: Workspace,
    gate: Gate,
    context: Context,
}

impl Desk {
    /// A granted folder `photos` with these files, in a task with nothing pending.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::granted(files, "photos", Access::Write)
    }

    /// The same on the disk: where a sandbox has nothing of its own.
    pub fn on_disk(files: &[(&str, &str)]) -> Self {
        Self::granted_in(tempfile::tempdir().unwrap(), files, "photos", Access::Write)
    }

    pub fn granted(files: &[(&str, &str)], name: &str, access: Access) -> Self {
        Self::granted_in(scratch(), files, name, access)
    }

    fn granted_in(dir: tempfile::TempDir, files: &[(&str, &str)], name: &str, access: Access) -> Self {
        let top = dir.path().canonicalize().unwrap();
        let home = Home::within(&top.join("home"));
        for folder in home.folders() {
            fs::create_dir_all(folder).unwrap();
        }
        let folder = top.join(name);
        fs::create_dir_all(&folder).unwrap();
        for (path, content) in files {
            write(&folder.join(path), content);
        }
        Self::of(dir, &home, folder, access)
    }

    /// A task whose granted folder is where the home lies itself.
    pub fn containing_home() -> Self {
        let dir = scratch();
        let top = dir.path().canonicalize().unwrap();
        let home = Home::within(&top.join("home"));
        for folder in home.folders() {
            fs::create_dir_all(folder).unwrap();
        }
        Self::of(dir, &home, top, Access::Write)
    }

    fn of(dir: tempfile::TempDir, home: &Home, folder: PathBuf, access: Access) -> Self {
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(Standstill)).unwrap());
        let person = Arc::new(Scripted::default());
        let gate = Gate::new(Arc::clone(&records), Arc::clone(&person) as Arc<dyn Person>, home);
        let task = records.start_task(serde_json::json!({"request": "test"})).unwrap();
        let context = Context::person(Some(task), Standing::default());
        let log = Arc::clone(&records) as Arc<dyn Log>;
        let workspace = Workspace::for_task(home, Arc::new(Standstill), log, task).unwrap();
        let effect = OpenFolder::at(&folder, access, home).unwrap();
        workspace.add_folder(gate.permit(&context, effect).unwrap()).unwrap();
        Self { dir, folder, person, workspace, gate, context }
    }

    pub fn place(&self) -> PathBuf {
        self.dir.path().join("home/sandboxes")
    }

    pub fn overlay(&self) -> Overlay {
        let folder = self.workspace.folders().remove(0).name;
        Overlay::over(&self.workspace, &folder, &self.place()).unwrap()
    }

    /// Run a script over the folder, and take what it wrote.
    pub async fn shell(&self, script: &str) -> (Said, Taken) {
        let mut overlay = self.overlay();
        let said = shell_over(&overlay, script).await;
        let taken = overlay.take(&self.workspace, "written by a test").unwrap();
        (said, taken)
    }

    /// What is pending: `kind source -> target`.
    pub fn pending(&self) -> Vec<String> {
        let shown = |path: &Option<FilePath>| path.as_ref().map(ToString::to_string).unwrap_or_default();
        let pending = self.workspace.pending(None, 10_000);
        let lines = pending
            .iter()
            .map(|change| format!("{} {} -> {}", change.kind.name(), shown(&change.source), shown(&change.target)));
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    }

    /// What the task sees: `folder/` or `file=content`.
    pub fn view(&self) -> Vec<String> {
        let top = self.workspace.folders().remove(0).name.to_string().parse().unwrap();
        let options = WalkOptions { deep: true, hidden: true, glob: None };
        let page = self.workspace.walk(&top, &options, None, 1000).unwrap();
        let line = |entry: &deskhand_workspace::Entry| match entry.kind {
            deskhand_workspace::Kind::Folder => format!("{}/", entry.path.path.as_path().display()),
            deskhand_workspace::Kind::File => {
                let content = self.workspace.read(&entry.path, None, 0, 1000).unwrap();
                format!("{}={}", entry.path.path.as_path().display(), String::from_utf8_lossy(&content).trim_end())
            }
            _ => format!("{}@", entry.path.path.as_path().display()),
        };
        page.entries.iter().map(line).collect()
    }

    /// What lies on the disk, in the same form.
    pub fn disk(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut open = vec![self.folder.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let shown = path.strip_prefix(&self.folder).unwrap().display().to_string();
                if path.is_symlink() {
                    lines.push(format!("{shown}@"));
                } else if path.is_dir() {
                    lines.push(format!("{shown}/"));
                    open.push(path);
                } else {
                    lines.push(format!("{shown}={}", fs::read_to_string(&path).unwrap().trim_end()));
                }
            }
        }
        lines.sort();
        lines
    }

    pub fn propose(&self) -> Decision {
        let view = serde_json::json!({"arrange": "tree"});
        let person = self.person.as_ref();
        let (gate, stop) = (&self.gate, Stop::default());
        deskhand_workspace::propose(&self.workspace, gate, &self.context, person, "Test", view, &stop).unwrap()
    }
}

/// Where folders and layers are made: in memory where an overlay can have its layer there (Linux 6.6), since nothing here is
/// about the speed of a disk. The run as somebody else is on the disk.
fn scratch() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm").ok().filter(|_| std::env::var_os(HELPER).is_none());
    let keeps = |dir: &tempfile::TempDir| {
        rustix::fs::setxattr(dir.path(), "user.deskhand", b"y", rustix::fs::XattrFlags::empty()).is_ok()
    };
    memory.filter(keeps).unwrap_or_else(|| tempfile::tempdir().unwrap())
}

pub fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub ended: Ended,
}

/// A script of the shell.
pub fn script(text: &str) -> Confined {
    let mut confined = Confined::new("/bin/sh");
    confined.arguments = vec!["-c".into(), text.into()];
    confined
}

pub async fn run(confined: Confined) -> Said {
    finish(start(&helper(), confined).await.unwrap()).await
}

/// Read all that it says, until it has ended.
pub async fn finish(mut running: Running) -> Said {
    drop(running.stdin.take());
    let (mut stdout, mut stderr) = (running.stdout.take().unwrap(), running.stderr.take().unwrap());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (_, _, ended) = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err), running.wait());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
    Said { out: text(out), err: text(err), ended }
}

pub async fn shell(text: &str) -> Said {
    run(script(text)).await
}

pub async fn shell_over(overlay: &Overlay, text: &str) -> Said {
    let mut confined = script(text);
    confined.folders.push(overlay.mount());
    confined.working_folder = Some(overlay.mount().inside().to_owned());
    run(confined).await
}

/// The processes of this machine whose arguments hold a word that no other has.
pub fn processes_with(word: &str) -> usize {
    let listed = fs::read_dir("/proc").unwrap().flatten();
    let pids = listed.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
    let lines = pids.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

/// The states of those (proc_pid_stat(5)), but for what has ended.
pub fn states_with(word: &str) -> Vec<char> {
    let listed = fs::read_dir("/proc").unwrap().flatten();
    let mut states = Vec::new();
    for folder in listed.map(|entry| entry.path()) {
        let line = fs::read(folder.join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(word)
            && let Ok(text) = fs::read_to_string(folder.join("stat"))
        {
            states
                .extend(text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).filter(|state| *state != 'Z'));
        }
    }
    states
}

/// A word that no other process has among its arguments.
pub fn word() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("word-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Wait until something is so, which it is soon.
pub async fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it never came to be so");
}
