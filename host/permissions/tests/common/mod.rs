//! What the tests of the gate share: a real home with real records, and a person who answers as they were told.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, missing_docs)]

use deskhand_permissions::{Context, Gate, Standing};
use deskhand_records::{Filter, Recorded, Records};
use deskhand_vocabulary::{
    Answer, Change, ChangeKind, Event, Home, Notice, Person, Plan, PluginId, Principal, Progress, Question, Sha256,
    SystemClock, TaskId, Unanswered,
    manifest::{Permission, PermissionKind},
};
use serde_json::json;
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// A person with prepared answers; a question without one fails the test.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) answers: Mutex<VecDeque<Result<Answer, Unanswered>>>,
    pub(crate) asked: Mutex<Vec<serde_json::Value>>,
}

impl Person for Scripted {
    fn present(&self) -> bool {
        true
    }

    fn ask_until(&self, question: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        self.asked.lock().unwrap().push(serde_json::to_value(question).unwrap());
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| panic!("not expected: {question:?}"))
    }

    fn show(&self, _: &Plan) {}

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) records: Arc<Records>,
    pub(crate) person: Arc<Scripted>,
    pub(crate) gate: Gate,
    pub(crate) task: TaskId,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::within(&folder.path().join("deskhand"));
        for own in home.folders() {
            std::fs::create_dir_all(own).unwrap();
        }
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(SystemClock)).unwrap());
        let person = Arc::new(Scripted::default());
        let gate = Gate::new(Arc::clone(&records), Arc::clone(&person) as Arc<dyn Person>, &home);
        let task = records.start_task(json!({})).unwrap();
        Self { folder, home, records, person, gate, task }
    }

    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Result<Answer, Unanswered>>) {
        self.person.answers.lock().unwrap().extend(answers);
    }

    /// The kinds of question that were put since the last look.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.person.asked.lock().unwrap());
        assert!(self.person.answers.lock().unwrap().is_empty(), "an answer was not needed");
        asked.iter().map(|question| question["question"].as_str().unwrap().to_owned()).collect()
    }

    /// A folder that can be granted.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        let path = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// All decisions on record: allowed, and by which rule.
    pub(crate) fn decisions(&self) -> Vec<(bool, String)> {
        self.events()
            .into_iter()
            .filter_map(|recorded| match recorded.event {
                Event::Decided { allowed, rule, .. } => Some((allowed, rule)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.records.flush().unwrap();
        self.on_disk()
    }

    /// What another process would see now.
    pub(crate) fn on_disk(&self) -> Vec<Recorded> {
        self.records.events(Filter::default()).map(Result::unwrap).collect()
    }

    pub(crate) fn plugin(&self, rights: &[PermissionKind]) -> Context {
        plugin(self.task, rights)
    }
}

pub(crate) fn id(text: &str) -> PluginId {
    text.parse().unwrap()
}

pub(crate) fn right(kind: PermissionKind, scope: &[&str]) -> Permission {
    Permission { kind, scope: scope.iter().map(|name| (*name).to_owned()).collect(), reason: "for the test".into() }
}

pub(crate) fn plugin(task: TaskId, rights: &[PermissionKind]) -> Context {
    let rights = rights.iter().map(|kind| right(*kind, &["helper", "other/tidy"])).collect();
    Context::plugin(task, id("default:organize"), rights, Standing::default())
}

pub(crate) fn change(id: u64, kind: ChangeKind, source: Option<&str>, target: Option<&str>) -> Change {
    Change {
        id,
        kind,
        source: source.map(|path| path.parse().unwrap()),
        target: target.map(|path| path.parse().unwrap()),
        bytes: 1,
        files: 1,
        replaces: false,
        returned: None,
        reason: String::new(),
        sensitive: None,
        relies_on: Vec::new(),
        conflict: None,
    }
}

pub(crate) fn plan(changes: Vec<Change>) -> Arc<Plan> {
    let digest = Sha256::of_json(&changes).unwrap();
    Arc::new(Plan {
        title: "t".into(),
        origin: Principal::Plugin(id("default:organize")),
        changes: changes.into_iter().map(Arc::new).collect(),
        view: json!({}),
        beyond: None,
        digest,
    })
}
