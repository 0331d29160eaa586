//! A host for tests: folders in memory, a person who answers as the test says, and a record of all that the plugin did.
//!
//! ```
//! use deskhand_sdk::prelude::*;
//!
//! let host = testing::Host::new().folder("Downloads").file("Downloads/a.txt", "text");
//! let size = host.run(|| Ok(files::stat(&FilePath::new("Downloads/a.txt")?)?.size));
//! assert_eq!(size, Ok(4));
//! ```

mod disk;
mod file;
mod glob;
mod memory;
mod pending;
mod state;

use crate::{
    Content, Result, ToolOutput,
    changes::Pending,
    http::{Request, Response},
    log::Level,
    model::{self, Heard},
    path::FilePath,
    time::Moment,
    vm::Output,
};
pub use file::File;
use serde::Serialize;
use serde_json::Value;
use state::State;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// The state of the host that runs on this thread.
pub(crate) fn current<T>(call: impl FnOnce(&mut State) -> T) -> T {
    let state = CURRENT.with_borrow(Clone::clone);
    #[expect(clippy::panic, reason = "a mistake in a test, which has no other way to be told")]
    let Some(state) = state else {
        panic!("a plugin's code runs within a host: in a test, call it inside `testing::Host::run`")
    };
    call(&mut state.borrow_mut())
}

/// What the person answers to a proposal.
pub enum Answer {
    /// Apply it.
    Apply,
    /// Decline.
    Cancel,
    /// Nobody is there: the decision is parked, and all of it stays pending.
    Absent,
    /// Edit the plan and apply it: without the changes for which this is false.
    Keep(Box<dyn Fn(&Pending) -> bool>),
}

/// A proposal that the person was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its title.
    pub title: String,
    /// How it was arranged, as the interface has it.
    pub view: Value,
    /// What was proposed.
    pub changes: Vec<Pending>,
}

impl Proposal {
    /// A line for each change, such as `move Downloads/a.txt -> Downloads/Texts/a.txt`.
    pub fn lines(&self) -> Vec<String> {
        let path = |path: &Option<FilePath>| path.as_ref().map(|path| format!(" {path}"));
        let line = |change: &Pending| match (path(&change.source), path(&change.target)) {
            (Some(source), Some(target)) => format!("{}{source} ->{target}", change.kind.name()),
            (source, target) => format!("{}{}", change.kind.name(), source.or(target).unwrap_or_default()),
        };
        self.changes.iter().map(line).collect()
    }
}

/// A host for tests. Set it up, [`run`](Host::run) the plugin's code in it, and look at what became of it.
#[derive(Clone)]
pub struct Host {
    state: Rc<RefCell<State>>,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host without folders, with a person who is there and applies what is proposed.
    pub fn new() -> Self {
        Self { state: Rc::new(RefCell::new(State::new())) }
    }

    fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state.borrow_mut());
        self
    }

    /// A folder that the person gave to the task.
    #[must_use]
    pub fn folder(self, name: &str) -> Self {
        self.with(|state| state.grant(path(name), true))
    }

    /// A folder that the person gave for reading only.
    #[must_use]
    pub fn read_only_folder(self, name: &str) -> Self {
        self.with(|state| state.grant(path(name), false))
    }

    /// A folder in a folder, with nothing in it yet.
    #[must_use]
    pub fn subfolder(self, at: &str) -> Self {
        self.with(|state| state.put_folder(&path(at)))
    }

    /// A file, with the folders above it that are missing.
    #[must_use]
    pub fn file(self, at: &str, file: impl Into<File>) -> Self {
        self.with(|state| state.put_file(&path(at), file.into()))
    }

    /// One more name for a file (a hard link).
    #[must_use]
    pub fn hard_link(self, file: &str, name: &str) -> Self {
        self.with(|state| state.put_name(&path(file), &path(name)))
    }

    /// A symbolic link.
    #[must_use]
    pub fn link(self, at: &str, target: &str) -> Self {
        self.with(|state| state.put_link(&path(at), target))
    }

    /// Something that is not a file, folder or link, such as `socket`.
    #[must_use]
    pub fn special(self, at: &str, kind: &str) -> Self {
        self.with(|state| state.put_special(&path(at), kind))
    }

    /// The person's time zone (IANA) and how many seconds its clocks are ahead of UTC, the whole year; `Etc/UTC` and 0
    /// if not said.
    #[must_use]
    pub fn time_zone(self, zone: &str, ahead: i32) -> Self {
        self.with(|state| {
            zone.clone_into(&mut state.time_zone);
            state.utc_offset = ahead;
        })
    }

    /// The person's language (BCP 47); `en` if not said.
    #[must_use]
    pub fn locale(self, locale: &str) -> Self {
        self.with(|state| locale.clone_into(&mut state.locale))
    }

    /// What time it is; 2024-01-01T00:00:00Z if not said.
    #[must_use]
    pub fn now(self, now: Moment) -> Self {
        self.with(|state| state.now = now)
    }

    /// The plugin's configuration.
    ///
    /// # Panics
    /// If the value is no JSON.
    #[must_use]
    pub fn config(self, config: &impl Serialize) -> Self {
        self.with(|state| state.config = json(config))
    }

    /// The person's answer to the next proposal, in the order in which they are given. Without one: apply.
    #[must_use]
    pub fn answer(self, answer: Answer) -> Self {
        self.with(|state| state.answers.push_back(answer))
    }

    /// The person declines the next proposal.
    #[must_use]
    pub fn cancels(self) -> Self {
        self.answer(Answer::Cancel)
    }

    /// The person's answer to the next question: `true` or `false` to one that is confirmed, the id to one with choices,
    /// an object to a form. Without one nobody is there, and the error is `parked`.
    ///
    /// # Panics
    /// If the value is no JSON.
    #[must_use]
    pub fn says(self, answer: impl Serialize) -> Self {
        self.with(|state| state.replies.push_back(json(&answer)))
    }

    /// The person stops the call once the plugin has asked so many times whether it is to stop.
    #[must_use]
    pub fn stops_after(self, checks: u64) -> Self {
        self.with(|state| state.checks_left = Some(checks))
    }

    /// A tool of another plugin.
    #[must_use]
    pub fn tool(self, name: &str, tool: impl Fn(Value) -> Result<ToolOutput> + 'static) -> Self {
        self.with(|state| state.tools.push((name.to_owned(), Rc::new(tool))))
    }

    /// A sub-agent of another plugin, which is given a task and what goes with it.
    #[must_use]
    pub fn agent(self, name: &str, agent: impl Fn(&str, Value) -> Result<ToolOutput> + 'static) -> Self {
        self.with(|state| state.agents.push((name.to_owned(), Rc::new(agent))))
    }

    /// The model of the task.
    #[must_use]
    pub fn model(self, model: impl Fn(&Heard) -> Result<model::Reply> + 'static) -> Self {
        self.with(|state| state.model = Some(Rc::new(model)))
    }

    /// A program, which is given its arguments and all that it reads.
    #[must_use]
    pub fn program(self, name: &str, program: impl Fn(&[String], &[u8]) -> Result<Output> + 'static) -> Self {
        self.with(|state| state.programs.push((name.to_owned(), Rc::new(program))))
    }

    /// A server for requests to addresses that begin so.
    #[must_use]
    pub fn server(self, begins: &str, server: impl Fn(&Request) -> Result<Response> + 'static) -> Self {
        self.with(|state| state.servers.push((begins.to_owned(), Rc::new(server))))
    }

    /// The person has connected this credential.
    #[must_use]
    pub fn credential(self, name: &str) -> Self {
        self.with(|state| {
            state.credentials.insert(name.to_owned());
        })
    }

    /// Change a file behind the plugin's back, once it has been proposed and before it is applied.
    #[must_use]
    pub fn meanwhile_written(self, at: &str, bytes: &[u8]) -> Self {
        self.with(|state| state.meanwhile.push((path(at), bytes.to_vec())))
    }

    /// Run the plugin's code. What it left pending is dropped if it fails.
    ///
    /// # Errors
    /// What the code returns.
    ///
    /// # Panics
    /// If it runs within the code of another host.
    pub fn run<T>(&self, code: impl FnOnce() -> Result<T>) -> Result<T> {
        /// Takes the host away again, also when the code panics.
        struct Leave;

        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(None);
            }
        }

        CURRENT.with_borrow_mut(|current| {
            assert!(current.is_none(), "a test host runs one plugin at a time on a thread");
            *current = Some(Rc::clone(&self.state));
        });
        let leave = Leave;
        let result = code();
        drop(leave);
        if result.is_err() {
            self.state.borrow_mut().drop_pending();
        }
        result
    }

    /// Every file and link by its path, in order, and every empty folder with `/` at its end, as the disk is now.
    pub fn tree(&self) -> Vec<String> {
        self.state.borrow().real.tree()
    }

    /// The bytes of a file as the disk is now; none if there is no file.
    pub fn content(&self, at: &str) -> Option<Vec<u8>> {
        self.state.borrow().real.bytes(&path(at)).ok().map(|(bytes, _)| bytes.to_vec())
    }

    /// What is pending and was not applied.
    pub fn pending(&self) -> Vec<Pending> {
        self.state.borrow().set.shown()
    }

    /// What the person was shown, in order.
    pub fn proposals(&self) -> Vec<Proposal> {
        self.state.borrow().proposals.clone()
    }

    /// The one proposal that the person was shown.
    ///
    /// # Panics
    /// If there was none, or more than one.
    pub fn proposal(&self) -> Proposal {
        let proposals = self.proposals();
        assert_eq!(proposals.len(), 1, "the person was shown so many proposals");
        proposals.into_iter().next().unwrap_or_else(|| Proposal {
            title: String::new(),
            view: Value::Null,
            changes: Vec::new(),
        })
    }

    /// The requests that were sent, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    /// The questions that were put to the person, in order.
    pub fn questions(&self) -> Vec<String> {
        self.state.borrow().questions.clone()
    }

    /// What the person was told, in order.
    pub fn notices(&self) -> Vec<String> {
        self.state.borrow().notices.clone()
    }

    /// How far the plugin said it was, in order: what, and the share that was done.
    pub fn progress(&self) -> Vec<(String, Option<f32>)> {
        self.state.borrow().progress.clone()
    }

    /// The parts that were shown before the call returned.
    pub fn emitted(&self) -> Vec<Content> {
        self.state.borrow().emitted.clone()
    }

    /// The lines of the plugin's log.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.state.borrow().lines.clone()
    }

    /// How many calls of the host the plugin made, by the name of the function; what costs is calls, not their size.
    pub fn calls(&self, function: &str) -> u64 {
        self.state.borrow().calls.get(function).map_or(0, Cell::get)
    }
}

#[expect(clippy::panic, reason = "a mistake in a test, which has no other way to be told")]
fn path(text: &str) -> FilePath {
    FilePath::new(text).unwrap_or_else(|error| panic!("the path `{text}` of a test: {error}"))
}

#[expect(clippy::panic, reason = "a mistake in a test, which has no other way to be told")]
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("a value of a test is no JSON: {error}"))
}
