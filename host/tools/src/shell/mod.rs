//! `shell` and `python`: commands and code of the model, in an [`Enclosure`]. What they write to the folders of the task is
//! pending like what any other tool changes. [`Programs`] are those of plugins, each call's in an enclosure of its own.

mod enclosure;
mod on_host;
mod output;
mod programs;
mod running;

pub use enclosure::{Done, Enclosure, Ended, INTERPRETER, Job, reason};
pub use on_host::OnHost;
pub use programs::{Programs, Within};

use crate::{arguments, own::NotDone, place::Place};
use deskhand_agent::tool::{Call, Effect, Outcome, Output, Tool, Tools};
use deskhand_confine::{Excess, Kept, MOUNTS, Refused};
use deskhand_models::Piece;
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::{Person, Principal, Progress, Stop, path::decode};
use deskhand_workspace::Workspace;
use output::Heard;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fmt,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const SHELL: &str = "shell";
const PYTHON: &str = "python";
/// How many seconds a job has where the model does not say, and at most.
const SECONDS: u64 = 120;
const SECONDS_MOST: u64 = 3600;
/// The most of what was not taken that is told.
const REFUSED: usize = 20;

/// See the module.
pub struct ShellTools {
    enclosure: Arc<dyn Enclosure>,
    kept: Kept,
    place: Place,
    gate: Arc<Gate>,
    context: Context,
    person: Arc<dyn Person>,
}

impl fmt::Debug for ShellTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShellTools").field("place", &self.place).finish_non_exhaustive()
    }
}

/// See [`SHELL`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShellArguments {
    command: String,
    /// Where it runs.
    #[serde(default)]
    folder: Option<String>,
    /// Seconds that it has; 120 if not given.
    #[serde(default)]
    timeout: Option<u64>,
}

/// See [`PYTHON`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PythonArguments {
    code: String,
    #[serde(default)]
    timeout: Option<u64>,
}

/// What is needed to take a call up again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Again {
    /// What it wrote is kept under this number.
    Kept(u64),
    /// It could not be kept, and why.
    Lost(String),
}

impl ShellTools {
    /// In this enclosure, over the folders of this workspace, in the name of `context`.
    pub fn new(
        enclosure: Arc<dyn Enclosure>,
        kept: Kept,
        workspace: Workspace,
        gate: Arc<Gate>,
        context: Context,
        person: Arc<dyn Person>,
    ) -> Self {
        let place = Place::new(workspace, Arc::clone(&gate), context.clone());
        Self { enclosure, kept, place, gate, context, person }
    }

    /// Where in the enclosure a path of a task's folder is.
    fn inside(&self, folder: &str) -> Result<PathBuf, NotDone> {
        if folder.starts_with(MOUNTS) {
            return Ok(PathBuf::from(folder));
        }
        let path = self.place.path(folder)?;
        let name = OsString::from_vec(decode(path.folder.as_str()));
        Ok(Path::new(MOUNTS).join(name).join(path.path.as_path()))
    }

    fn job(&self, call: &Call) -> Result<(Job, Duration), NotDone> {
        let given = &call.arguments;
        let (job, timeout) = match call.tool.as_str() {
            SHELL => {
                let ShellArguments { command, folder, timeout } = arguments::read(given).map_err(NotDone::failed)?;
                let folder = folder.as_deref().map(|folder| self.inside(folder)).transpose()?;
                (Job::Shell { command, folder }, timeout)
            }
            PYTHON if self.enclosure.has_python() => {
                let PythonArguments { code, timeout } = arguments::read(given).map_err(NotDone::failed)?;
                (Job::Python { code }, timeout)
            }
            other => return Err(NotDone::failed(format!("there is no tool `{other}`"))),
        };
        Ok((job, Duration::from_secs(timeout.unwrap_or(SECONDS).clamp(1, SECONDS_MOST))))
    }

    fn run(&self, call: &Call, stop: &Stop) -> Result<Output, NotDone> {
        let (job, time) = self.job(call)?;
        self.enclosure.permit(&self.gate, &self.context)?;
        // all folders of the task are in it
        self.place.roots(None)?;
        let mut heard = Heard::default();
        let done = self.enclosure.run(&job, None, (time, stop), &mut |_, bytes| {
            heard.hear(bytes);
            if let Some(text) = heard.line(Instant::now()) {
                self.person.progress(&Progress { origin: Principal::Agent, text, done: None, total: None });
            }
        });
        if heard.was_shown() {
            let over = Progress { origin: Principal::Agent, text: String::new(), done: Some(1), total: Some(1) };
            self.person.progress(&over);
        }
        let done = done.map_err(|reason| NotDone::failed(format!("it was not run: {reason}")))?;
        let again = self.keep(&done);
        Ok(Output { again, ..output(&done, &heard, time) })
    }

    /// Keep what is pending of it, for the case that another process goes on with the task.
    fn keep(&self, done: &Done) -> Value {
        match self.kept.keep(&done.reason, &done.taken.made, &self.place.workspace) {
            Ok(number) => json!(number.map(Again::Kept)),
            Err(error) => json!(Again::Lost(format!("what it wrote could not be kept on the disk: {error}"))),
        }
    }
}

/// What the model is told.
fn output(done: &Done, heard: &Heard, time: Duration) -> Output {
    let mut lines = vec![format!("[{}]", state(done, time))];
    if done.forgot {
        lines.push("[a new interpreter: the variables of before are gone]".to_owned());
    }
    lines.extend(
        done.taken
            .refused
            .iter()
            .take(REFUSED)
            .map(|Refused { path, reason }| format!("[not taken: `{path}`: {reason}]")),
    );
    let more = done.taken.more + done.taken.refused.len().saturating_sub(REFUSED) as u64;
    if more > 0 {
        lines.push(format!("[and {more} more were not taken]"));
    }
    lines.extend(done.taken.bits().map(|bits| format!("[not taken: {bits}]")));
    let text = heard.text(done.log.as_deref());
    let said = (!text.trim().is_empty()).then(|| Piece::text(text));
    let parts = [Piece::text(lines.join("\n"))].into_iter().chain(said).collect();
    let outcome = match done.ended {
        Ended::Exited(_) => Outcome::Done,
        Ended::Stopped => Outcome::Stopped,
        Ended::TimedOut(_) | Ended::Beyond(_) | Ended::Broken | Ended::NotStarted(_) => Outcome::Failed,
    };
    Output { outcome, ..Output::of(parts) }
}

fn state(done: &Done, time: Duration) -> String {
    let ended = match &done.ended {
        Ended::Exited(None) => "done".to_owned(),
        Ended::Exited(Some(code)) => format!("exit code {code}"),
        Ended::TimedOut(knows) => {
            let what = if *knows { "; the variables are still there" } else { "" };
            format!("ended after {} seconds{what}", time.as_secs())
        }
        Ended::Stopped => "stopped by the person".to_owned(),
        Ended::Beyond(excess) => format!("ended, since it used too {}", beyond(*excess)),
        Ended::Broken => "it ended the sandbox that it ran in".to_owned(),
        Ended::NotStarted(reason) => format!("not started: {reason}"),
    };
    match done.taken.added() {
        0 => ended,
        1 => format!("{ended}, 1 change is pending"),
        count => format!("{ended}, {count} changes are pending"),
    }
}

const fn beyond(excess: Excess) -> &'static str {
    match excess {
        Excess::Memory => "much memory",
        Excess::Processes => "many processes",
        Excess::Processor => "much time of the processor",
        Excess::Disk => "much room on the disk",
    }
}

impl Tools for ShellTools {
    fn tools(&self) -> Vec<Tool> {
        let [programs, modules] = self.enclosure.holds().map(|held| match held.is_empty() {
            true => held,
            false => format!(" {held}"),
        });
        let shell = format!(
            "Run a command in {}, with the folders at {MOUNTS}/NAME. What it changes there is pending. It ends with all that it \
             started. Its only network is a proxy to hosts that the person allows.{programs}",
            self.enclosure.name()
        );
        let python = format!("Run Python there. Variables stay; the value of a last expression is shown.{modules}");
        let mut tools = vec![Tool::new(SHELL, &shell, arguments::schema::<ShellArguments>(), Effect::Change)];
        if self.enclosure.has_python() {
            tools.push(Tool::new(PYTHON, &python, arguments::schema::<PythonArguments>(), Effect::Change));
        }
        tools
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        self.run(call, stop).unwrap_or_else(NotDone::output)
    }
}

/// What commands of a task wrote in a process that is gone.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where it is kept.
    pub kept: Kept,
    /// Where it is to be pending.
    pub workspace: Workspace,
}

impl Written {
    /// Let what a call wrote be pending once more. None where the call was of another tool.
    pub fn again(&self, call: &Call, output: &Output) -> Option<Result<(), String>> {
        [SHELL, PYTHON].contains(&call.tool.as_str()).then(|| match serde_json::from_value(output.again.clone()) {
            Ok(Again::Kept(number)) => self.kept.again(number, &self.workspace),
            Ok(Again::Lost(reason)) => Err(reason),
            Err(_) => Ok(()),
        })
    }
}
