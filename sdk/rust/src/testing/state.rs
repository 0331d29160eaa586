//! What the test host knows, and how it answers each function of the interface.

use super::{
    Answer, File, Proposal,
    disk::{Content as DiskContent, Disk},
    file::media_type_of,
    glob,
    pending::{Set, Step},
};
use crate::{
    Code, Content, Error, Result, ToolOutput,
    changes::{Pending, RawDecision},
    files::{Entry, Folder, Page},
    http::{Request, Response},
    log::Level,
    memory::Note,
    path::FilePath,
    store::Item,
    time::Moment,
    user::Choice,
};
use serde_json::{Map, Value, json};
use sha2::Digest as _;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    rc::Rc,
};

/// A tool of a test.
pub(crate) type TestTool = Rc<dyn Fn(Value) -> Result<ToolOutput>>;
type TestAgent = Rc<dyn Fn(&str, Value) -> Result<ToolOutput>>;
type TestModel = Rc<dyn Fn(&crate::model::Heard) -> Result<crate::model::Reply>>;

/// A program of a test.
pub(crate) type TestProgram = Rc<dyn Fn(&[String], &[u8]) -> Result<crate::vm::Output>>;

/// A server of a test.
pub(crate) type TestServer = Rc<dyn Fn(&Request) -> Result<Response>>;

/// The most bytes that one read returns.
const MOST_READ: u32 = 1 << 20;
/// The most that a view may take, in bytes.
const VIEW: usize = 256 << 10;

pub(crate) struct State {
    grants: Vec<Folder>,
    pub(crate) real: Disk,
    /// The disk with what is pending; made when it is first looked at.
    view: Option<Disk>,
    /// The last walk, while nothing has changed since: what was asked, and all of the answer.
    walked: Option<(String, Rc<[FilePath]>)>,
    pub(crate) set: Set,
    pub(crate) now: Moment,
    pub(crate) time_zone: String,
    pub(crate) utc_offset: i32,
    pub(crate) locale: String,
    pub(crate) config: Value,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) replies: VecDeque<Value>,
    pub(crate) checks_left: Option<u64>,
    pub(crate) tools: Vec<(String, TestTool)>,
    pub(crate) agents: Vec<(String, TestAgent)>,
    pub(crate) model: Option<TestModel>,
    pub(crate) programs: Vec<(String, TestProgram)>,
    /// What answers requests to addresses that begin so.
    pub(crate) servers: Vec<(String, TestServer)>,
    pub(crate) credentials: BTreeSet<String>,
    pub(crate) requests: Vec<Request>,
    pub(crate) meanwhile: Vec<(FilePath, Vec<u8>)>,
    store: BTreeMap<String, (Vec<u8>, u64)>,
    pub(super) notes: Vec<Note>,
    commits: u64,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) questions: Vec<String>,
    pub(crate) notices: Vec<String>,
    pub(crate) progress: Vec<(String, Option<f32>)>,
    pub(crate) emitted: Vec<Content>,
    pub(crate) lines: Vec<(Level, String)>,
    pub(crate) calls: HashMap<&'static str, Cell<u64>>,
}

/// Setting up.
impl State {
    pub(crate) fn new() -> Self {
        Self {
            grants: Vec::new(),
            real: Disk::default(),
            view: None,
            walked: None,
            set: Set::default(),
            now: Moment::at(1_704_067_200),
            time_zone: "Etc/UTC".into(),
            utc_offset: 0,
            locale: "en".into(),
            config: json!({}),
            answers: VecDeque::new(),
            replies: VecDeque::new(),
            checks_left: None,
            tools: Vec::new(),
            agents: Vec::new(),
            model: None,
            programs: Vec::new(),
            servers: Vec::new(),
            credentials: BTreeSet::new(),
            requests: Vec::new(),
            meanwhile: Vec::new(),
            store: BTreeMap::new(),
            notes: Vec::new(),
            commits: 0,
            proposals: Vec::new(),
            questions: Vec::new(),
            notices: Vec::new(),
            progress: Vec::new(),
            emitted: Vec::new(),
            lines: Vec::new(),
            calls: HashMap::new(),
        }
    }

    /// Change the disk as somebody else would: what is pending is seen over it where it still fits.
    fn put(&mut self, change: impl FnOnce(&mut Disk, Moment)) {
        change(&mut self.real, self.now);
        self.set_view(None);
    }

    fn set_view(&mut self, view: Option<Disk>) {
        (self.view, self.walked) = (view, None);
    }

    fn view(&mut self) -> &mut Disk {
        let seen = || self.set.view(&self.real, self.now).unwrap_or_else(|_| self.real.clone());
        self.view.get_or_insert_with(seen)
    }

    pub(crate) fn grant(&mut self, path: FilePath, writable: bool) {
        self.put(|disk, now| {
            disk.insert(&path, DiskContent::Folder, now);
        });
        self.grants.push(Folder { name: path.as_str().to_owned(), writable });
    }

    pub(crate) fn put_folder(&mut self, path: &FilePath) {
        self.put(|disk, now| {
            disk.insert(path, DiskContent::Folder, now);
        });
    }

    pub(crate) fn put_file(&mut self, path: &FilePath, file: File) {
        self.put(|disk, now| {
            let size = file.size.unwrap_or(file.bytes.len() as u64);
            let content = DiskContent::File(file.bytes.into(), size);
            let node = disk.insert(path, content, file.modified.unwrap_or(now));
            (node.created, node.readable, node.facts) = (file.created, !file.unreadable, file.facts);
        });
    }

    pub(crate) fn put_name(&mut self, path: &FilePath, name: &FilePath) {
        self.put(|disk, _| {
            #[expect(clippy::panic, reason = "a mistake in a test, which has no other way to be told")]
            if let Err(error) = disk.link(path, name) {
                panic!("a hard link of a test: {error}");
            }
        });
    }

    pub(crate) fn put_link(&mut self, path: &FilePath, target: &str) {
        self.put(|disk, now| {
            disk.insert(path, DiskContent::Link, now).facts.insert("link-target".into(), target.into());
        });
    }

    pub(crate) fn put_special(&mut self, path: &FilePath, kind: &str) {
        self.put(|disk, now| {
            disk.insert(path, DiskContent::Other(kind.to_owned()), now);
        });
    }

    pub(crate) fn drop_pending(&mut self) {
        self.set.clear();
        self.set_view(None);
    }

    fn count(&mut self, function: &'static str) {
        let count = self.calls.entry(function).or_default();
        count.set(count.get() + 1);
    }
}

/// `invocation` and `log`.
impl State {
    pub(crate) fn log(&mut self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        self.lines.push((level, format!("{message}{fields}")));
    }

    pub(crate) fn config(&self) -> String {
        self.config.to_string()
    }

    pub(crate) fn context(&self) -> String {
        json!({ "task": "1", "person": true, "locale": self.locale, "time-zone": self.time_zone }).to_string()
    }

    pub(crate) fn cancelled(&mut self) -> bool {
        match &mut self.checks_left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    pub(crate) fn progress(&mut self, message: &str, share: Option<f32>) {
        self.progress.push((message.to_owned(), share));
    }

    pub(crate) fn emit(&mut self, part: Content) {
        self.emitted.push(part);
    }
}

/// `http` and `credentials`.
impl State {
    /// What answers a request. A credential goes with it only if it is connected, as with the real host.
    pub(crate) fn fetch(&mut self, request: &Request) -> Result<TestServer> {
        self.count("fetch");
        if let Some(name) = &request.credential
            && !self.credentials.contains(name)
        {
            return Err(Error::new(Code::Denied, format!("the credential `{name}` is not connected")));
        }
        let server = self.servers.iter().find(|(begins, _)| request.url.starts_with(begins.as_str()));
        let Some((_, server)) = server else {
            let message = format!("nothing was sent: the test has no server for {}", request.url);
            return Err(Error::new(Code::Denied, message));
        };
        self.requests.push(request.clone());
        Ok(Rc::clone(server))
    }

    pub(crate) fn connected(&self, credential: &str) -> bool {
        self.credentials.contains(credential)
    }
}

/// `files`.
impl State {
    pub(crate) fn folders(&self) -> Vec<Folder> {
        self.grants.clone()
    }

    fn granted(&self, path: &FilePath) -> Result<&Folder> {
        self.grants.iter().find(|folder| folder.name == path.folder()).ok_or_else(|| {
            Error::not_found(format!("the task has no folder `{}`; `folders` lists those that it has", path.folder()))
        })
    }

    pub(crate) fn walk(
        &mut self,
        root: &FilePath,
        pattern: Option<&str>,
        options: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        self.count("files.walk");
        self.granted(root)?;
        let options: Map<String, Value> = serde_json::from_str(options)?;
        let flag = |name: &str, usual| options.get(name).and_then(Value::as_bool).unwrap_or(usual);
        let (deep, hidden) = (flag("deep", true), flag("hidden", false));
        match self.view().node(root)?.content {
            DiskContent::Folder => {}
            _ => return Err(Error::invalid(format!("`{}` is not a folder", root.display()))),
        }
        let question = format!("{root}\0{pattern:?}\0{deep}{hidden}");
        if self.walked.as_ref().is_none_or(|(asked, _)| *asked != question) {
            let found = self.listed(root, pattern, deep, hidden);
            self.walked = Some((question, found));
        }
        let found = self.walked.as_ref().map(|(_, found)| Rc::clone(found)).unwrap_or_default();
        let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let from = cursor.map_or(0, |cursor| found.partition_point(|path| names(path.as_str()) <= names(cursor)));
        let page = &found[from..found.len().min(from + limit.clamp(1, 10_000) as usize)];
        let more = from + page.len() < found.len();
        let next = page.last().filter(|_| more).map(|path| path.as_str().to_owned());
        let view = self.view();
        let entries = page.iter().map(|path| view.entry(path)).collect::<Result<_>>()?;
        Ok(Page { entries, next })
    }

    fn listed(&mut self, root: &FilePath, pattern: Option<&str>, deep: bool, hidden: bool) -> Rc<[FilePath]> {
        let below = |path: &FilePath| path.as_str()[root.as_str().len() + 1..].to_owned();
        let fits = |path: &FilePath| {
            let below = below(path);
            (deep || !below.contains('/'))
                && (hidden || !below.split('/').any(|name| name.starts_with('.')))
                && pattern.is_none_or(|pattern| glob::matches(pattern, &below))
        };
        self.view().below(root).into_iter().filter(fits).collect()
    }

    pub(crate) fn stat(&mut self, path: &FilePath) -> Result<Entry> {
        self.count("files.stat");
        self.granted(path)?;
        self.view().entry(path)
    }

    pub(crate) fn read(
        &mut self,
        path: &FilePath,
        if_version: Option<&str>,
        offset: u64,
        length: u32,
    ) -> Result<Vec<u8>> {
        self.count("files.read");
        self.granted(path)?;
        let (bytes, size) = self.view().bytes(path)?;
        if if_version.is_some_and(|version| self.view().entry(path).is_ok_and(|entry| entry.version.0 != version)) {
            return Err(Error::conflict(format!("`{}` has changed since it was looked at", path.display())));
        }
        let end = offset.saturating_add(u64::from(length.min(MOST_READ))).min(size);
        let at = |at: u64| bytes.get(usize::try_from(at).unwrap_or(usize::MAX)).copied().unwrap_or(0);
        Ok((offset.min(end)..end).map(at).collect())
    }

    pub(crate) fn digest(&mut self, path: &FilePath) -> Result<String> {
        self.count("files.digest");
        self.granted(path)?;
        let (bytes, size) = self.view().bytes(path)?;
        let mut digest = sha2::Sha256::new();
        digest.update(&bytes[..]);
        let mut zeros = size.saturating_sub(bytes.len() as u64);
        while zeros > 0 {
            let some = zeros.min(4096);
            digest.update(&[0; 4096][..usize::try_from(some).unwrap_or(0)]);
            zeros -= some;
        }
        Ok(hex::encode(digest.finalize()))
    }

    pub(crate) fn attributes(&mut self, path: &FilePath, names: &[&str]) -> Result<String> {
        self.count("files.attributes");
        self.granted(path)?;
        let ahead = self.utc_offset;
        let node = self.view().node(path)?;
        let is_file = matches!(node.content, DiskContent::File(..));
        let derived = |name: &str| match name {
            "media-type" if is_file => Some(Value::from(media_type_of(path.extension()))),
            "media-type" if matches!(node.content, DiskContent::Folder) => Some(Value::from("inode/directory")),
            "file.modified" => Some(Value::from(node.modified.with_offset(ahead).to_string())),
            "mode" => Some(Value::from(if is_file { "0644" } else { "0755" })),
            "placeholder" => Some(Value::from(false)),
            _ => None,
        };
        let mut facts = Map::new();
        for name in names {
            if let Some(fact) = node.facts.get(*name).cloned().or_else(|| derived(name)) {
                facts.insert((*name).to_owned(), fact);
            }
        }
        Ok(Value::Object(facts).to_string())
    }
}

/// `changes`.
impl State {
    fn add(&mut self, paths: &[&FilePath], step: Step) -> Result<u64> {
        self.count("changes");
        for path in paths {
            if !self.granted(path)?.writable {
                return Err(Error::new(Code::Denied, format!("the folder `{}` may only be read", path.folder())));
            }
        }
        self.set.check_standing(&step)?;
        // on a step that does not fit, nothing of it is left in the view
        let now = self.now;
        step.make(self.view(), now)?;
        self.walked = None;
        Ok(self.set.add(step, &self.real, self.now))
    }

    pub(crate) fn make_folder(&mut self, path: &FilePath) -> Result<u64> {
        self.add(&[path], Step::MakeFolder(path.clone()))
    }

    pub(crate) fn write(&mut self, path: &FilePath, bytes: &[u8], over: Option<&str>) -> Result<u64> {
        let step = Step::Write { path: path.clone(), bytes: bytes.to_vec(), over: over.map(str::to_owned) };
        self.add(&[path], step)
    }

    pub(crate) fn move_file(
        &mut self,
        source: &FilePath,
        version: &str,
        target: &FilePath,
        over: Option<&str>,
    ) -> Result<u64> {
        let (source, target) = (source.clone(), target.clone());
        let (version, over) = (version.to_owned(), over.map(str::to_owned));
        self.add(&[&source.clone(), &target.clone()], Step::Move { source, version, target, over })
    }

    pub(crate) fn copy(
        &mut self,
        source: &FilePath,
        version: &str,
        target: &FilePath,
        over: Option<&str>,
    ) -> Result<u64> {
        self.granted(source)?;
        let step = Step::Copy {
            source: source.clone(),
            version: version.to_owned(),
            target: target.clone(),
            over: over.map(str::to_owned),
        };
        self.add(&[target], step)
    }

    pub(crate) fn remove(&mut self, path: &FilePath, version: &str) -> Result<u64> {
        if self.set.arrives_in(path) {
            return Err(Error::conflict(format!(
                "`{}` holds pending changes; remove or move what is to come into it first",
                path.display()
            )));
        }
        self.add(&[path], Step::Remove { path: path.clone(), version: version.to_owned() })
    }

    pub(crate) fn expect(&mut self, change: u64, path: &FilePath, version: &str) -> Result<()> {
        self.granted(path)?;
        self.view();
        let Self { set, view, real, .. } = self;
        set.expect(change, path, version, view.as_ref().unwrap_or(real))
    }

    pub(crate) fn explain(&mut self, change: u64, reason: &str) -> Result<()> {
        self.set.explain(change, reason)
    }

    pub(crate) fn withdraw(&mut self, change: u64) -> Result<()> {
        let (set, view) = self.set.without(change, &self.real, self.now)?;
        self.set = set;
        self.set_view(Some(view));
        Ok(())
    }

    pub(crate) fn pending(&self, after: Option<u64>, limit: u32) -> Vec<Pending> {
        let rest = self.set.shown().into_iter().filter(|change| after.is_none_or(|after| change.change.id() > after));
        rest.take(limit as usize).collect()
    }

    pub(crate) fn propose(&mut self, title: &str, view: &str) -> Result<RawDecision> {
        self.count("changes.propose");
        if view.len() > VIEW {
            return Err(Error::new(Code::TooLarge, format!("a view has at most {VIEW} bytes")));
        }
        let changes = self.set.shown();
        if changes.is_empty() {
            return Err(Error::invalid("nothing is to be changed"));
        }
        self.proposals.push(Proposal { title: title.to_owned(), view: serde_json::from_str(view)?, changes });
        for (path, bytes) in std::mem::take(&mut self.meanwhile) {
            self.real.write(&path, &bytes, self.now);
        }
        match self.answers.pop_front().unwrap_or(Answer::Apply) {
            Answer::Apply => Ok(self.apply()),
            Answer::Keep(keep) => {
                let dropped: Vec<u64> =
                    self.set.shown().iter().filter(|change| !keep(change)).map(|change| change.change.id()).collect();
                for change in dropped {
                    self.withdraw(change)?;
                }
                if self.set.shown().is_empty() { Ok(self.decline("no change was left")) } else { Ok(self.apply()) }
            }
            Answer::Cancel => Ok(self.decline("you declined")),
            // all of it stays pending
            Answer::Absent => Ok(decision("parked", None, 0, &[], "it waits for your answer")),
        }
    }

    fn decline(&mut self, reason: &str) -> RawDecision {
        self.drop_pending();
        decision("cancelled", None, 0, &[], reason)
    }

    /// Make all that still fits; what does not is refused with its reason and the rest goes on.
    fn apply(&mut self) -> RawDecision {
        let (real, refused) = self.set.applied(&self.real, self.now);
        let applied = self.set.len() - refused.len();
        self.real = real;
        self.drop_pending();
        self.commits += u64::from(applied > 0);
        let commit = (applied > 0).then(|| self.commits.to_string());
        decision("applied", commit, applied, &refused, "")
    }
}

/// A decision, as the host says it.
fn decision(state: &str, commit: Option<String>, applied: usize, refused: &[Value], reason: &str) -> RawDecision {
    let outcome = json!({ "applied": applied, "refused": refused, "rolled-back": false, "reason": reason });
    RawDecision { state: state.to_owned(), commit, outcome: outcome.to_string() }
}

/// `user`, `store` and `toolbox`.
impl State {
    pub(crate) fn notify(&mut self, message: &str) {
        self.notices.push(message.to_owned());
    }

    fn reply(&mut self, question: &str) -> Result<Value> {
        self.questions.push(question.to_owned());
        self.replies
            .pop_front()
            .ok_or_else(|| Error::new(Code::Parked, "nobody is there to answer; the question waits"))
    }

    pub(crate) fn confirm(&mut self, question: &str) -> Result<bool> {
        let reply = self.reply(question)?;
        reply.as_bool().ok_or_else(|| mismatch(question, "true or false", &reply))
    }

    pub(crate) fn choose(&mut self, question: &str, choices: &[Choice]) -> Result<String> {
        if choices.is_empty() {
            return Err(Error::invalid("a question with choices needs at least one"));
        }
        let reply = self.reply(question)?;
        let chosen = choices.iter().find(|choice| reply.as_str() == Some(&choice.id));
        chosen.map(|choice| choice.id.clone()).ok_or_else(|| mismatch(question, "the id of one of its choices", &reply))
    }

    pub(crate) fn ask(&mut self, question: &str, _schema: &str) -> Result<String> {
        let reply = self.reply(question)?;
        if reply.is_object() { Ok(reply.to_string()) } else { Err(mismatch(question, "an object", &reply)) }
    }

    pub(crate) fn store_get(&self, key: &str) -> Option<Item> {
        self.store.get(key).map(|(value, version)| Item { value: value.clone(), version: *version })
    }

    pub(crate) fn store_put(&mut self, key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64> {
        let version = self.store.get(key).map_or(0, |(_, version)| *version);
        if if_version.is_some_and(|seen| seen != version) {
            return Err(Error::conflict(format!("what is kept as `{key}` has changed since it was looked at")));
        }
        self.store.insert(key.to_owned(), (value.to_vec(), version + 1));
        Ok(version + 1)
    }

    pub(crate) fn store_delete(&mut self, key: &str) {
        self.store.remove(key);
    }

    pub(crate) fn store_list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Vec<String> {
        let fits = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        self.store.keys().filter(fits).take(limit as usize).cloned().collect()
    }

    pub(crate) fn tool(&self, name: &str) -> Result<TestTool> {
        let found = self.tools.iter().find(|(known, _)| known == name);
        found.map(|(_, tool)| Rc::clone(tool)).ok_or_else(|| Error::not_found(format!("there is no tool `{name}`")))
    }

    pub(crate) fn agent(&self, name: &str) -> Result<TestAgent> {
        let found = self.agents.iter().find(|(known, _)| known == name);
        let none = || Error::not_found(format!("there is no sub-agent `{name}`"));
        found.map(|(_, agent)| Rc::clone(agent)).ok_or_else(none)
    }

    pub(crate) fn model(&self) -> Result<TestModel> {
        self.model.clone().ok_or_else(|| Error::unsupported("no model is set up here"))
    }

    pub(crate) fn program(&self, name: &str) -> Result<TestProgram> {
        let found = self.programs.iter().find(|(known, _)| known == name);
        let none = || Error::new(Code::Unavailable, format!("the test has no program `{name}`"));
        found.map(|(_, program)| Rc::clone(program)).ok_or_else(none)
    }

    pub(crate) fn catalog(&self, query: Option<&str>, limit: u32) -> String {
        let fits = |name: &&String| query.is_none_or(|query| name.contains(query));
        let names = self.tools.iter().map(|(name, _)| name).filter(fits).take(limit as usize);
        let tools: Vec<Value> = names.map(|name| json!({ "name": name })).collect();
        json!({ "tools": tools }).to_string()
    }
}

fn mismatch(question: &str, wanted: &str, reply: &Value) -> Error {
    Error::invalid(format!("the test's answer to \"{question}\" is {reply}; it takes {wanted}"))
}
