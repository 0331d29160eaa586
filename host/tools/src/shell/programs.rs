//! Programs of plugins. What runs for a plugin may no more than the plugin: it gets an enclosure of its own for the length of a
//! call, as that of the task but with the folders as the plugin sees them, as far as its rights go, and with a network on which
//! each host is decided on for the plugin. So nothing that a plugin leaves there is ever run by somebody else.

use super::{
    Enclosure, Job,
    running::{Order, Running, Started, work},
};
use deskhand_confine::{Extent, MOUNTS};
use deskhand_permissions::Context;
use deskhand_runtime::{Caller, Code, Place, Places, Process, Program, Refused, refused_by_gate};
use deskhand_vocabulary::{
    Entry, Event, FilePath, Log, PluginId, Principal, TaskId,
    manifest::{Permission, PermissionKind},
    path::decode,
};
use deskhand_workspace::Workspace;
use serde_json::json;
use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};
use tokio::{runtime::Handle, sync::mpsc::unbounded_channel};

/// What an enclosure for a plugin is made of.
pub struct Within {
    /// Who acts in it.
    pub context: Context,
    /// The folders as the plugin sees them.
    pub workspace: Workspace,
    /// How far they are in it.
    pub extent: Extent,
    /// What decides on each host, and brings there what is sent.
    pub outlet: deskhand_egress::Outlet,
    /// Of a runtime with time and network.
    pub handle: Handle,
}

type Make = dyn Fn(Within) -> Result<Arc<dyn Enclosure>, Refused> + Send + Sync;

/// See the module.
pub struct Programs(Box<Make>);

impl Programs {
    /// In enclosures that this makes, or says why there is none.
    pub fn new(make: impl Fn(Within) -> Result<Arc<dyn Enclosure>, Refused> + Send + Sync + 'static) -> Self {
        Self(Box::new(make))
    }
}

impl Places for Programs {
    fn open(&self, caller: Caller) -> Result<Box<dyn Place>, Refused> {
        let (Principal::Plugin(plugin), Some(task)) = (&caller.context.principal, caller.context.task) else {
            return Err(Refused::new(Code::Denied, "programs are run for a plugin in a task alone"));
        };
        let (plugin, extent) = (plugin.clone(), extent(&caller.context.rights));
        let enclosure = (self.0)(Within {
            context: caller.context.clone(),
            workspace: caller.workspace.clone(),
            extent,
            outlet: caller.outlet.clone(),
            handle: caller.handle.clone(),
        })?;
        let (orders, given) = mpsc::channel();
        let worker = Worker { enclosure: Arc::clone(&enclosure), log: Arc::clone(&caller.log), task, plugin };
        let thread = thread::Builder::new().name("deskhand-programs".to_owned());
        let thread = thread.spawn(move || worker.run(&given));
        let thread = thread.map_err(|error| Refused::new(Code::Failed, format!("no program could be run: {error}")))?;
        Ok(Box::new(Own { caller, extent, enclosure, orders: Some(orders), thread: Some(thread), last: None }))
    }
}

/// How far the folders of a task are open to a plugin's programs. What is removed takes both rights, as it is a change.
fn extent(rights: &[Permission]) -> Extent {
    let has = |kind| rights.iter().any(|right| right.kind == kind);
    match (has(PermissionKind::FilesRead), has(PermissionKind::FilesChange), has(PermissionKind::FilesRemove)) {
        (false, _, _) => Extent::Nothing,
        (true, false, _) => Extent::Read,
        (true, true, false) => Extent::Change,
        (true, true, true) => Extent::Remove,
    }
}

/// Who runs the programs of a place, one after the other.
struct Worker {
    enclosure: Arc<dyn Enclosure>,
    log: Arc<dyn Log>,
    task: TaskId,
    plugin: PluginId,
}

impl Worker {
    fn run(&self, orders: &mpsc::Receiver<Order>) {
        for order in orders {
            let record = work(self.enclosure.as_ref(), order);
            let event = record.event(self.plugin.clone());
            self.log.queue(Entry { task: Some(self.task), event, content: record.content() });
            record.tell();
        }
        self.enclosure.close();
    }
}

/// The place of a call.
struct Own {
    caller: Caller,
    extent: Extent,
    enclosure: Arc<dyn Enclosure>,
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    /// The program that was started last.
    last: Option<Arc<Running>>,
}

impl Own {
    /// Where in the enclosure a path of a folder of the task is.
    fn inside(&self, path: &FilePath) -> Result<PathBuf, Refused> {
        if self.extent == Extent::Nothing {
            let message = "the plugin may not read the folders of the task, so its programs do not see them";
            return Err(Refused::new(Code::Denied, message));
        }
        if !self.caller.workspace.folders().iter().any(|folder| folder.name == path.folder) {
            return Err(Refused::new(Code::NotFound, format!("the task has no folder `{}`", path.folder)));
        }
        let name = OsString::from_vec(decode(path.folder.as_str()));
        Ok(Path::new(MOUNTS).join(name).join(path.path.as_path()))
    }

    /// On record before it happens.
    fn record(&self, program: &Program) -> Result<(), Refused> {
        let Principal::Plugin(plugin) = &self.caller.context.principal else { return Ok(()) };
        let words: Vec<_> = program.words.iter().map(|word| word.to_string_lossy()).collect();
        let folder = program.folder.as_ref().map(ToString::to_string);
        let event = Event::ProgramStarted { plugin: plugin.clone(), place: self.enclosure.word().to_owned() };
        let content = Some(json!({ "words": words, "folder": folder }));
        let written = self.caller.log.append(Entry { task: self.caller.context.task, event, content });
        written.map(drop).map_err(|error| Refused::new(Code::Failed, error.to_string()))
    }
}

impl Place for Own {
    fn start(&mut self, program: Program) -> Result<Box<dyn Process>, Refused> {
        let folder = program.folder.as_ref().map(|path| self.inside(path)).transpose()?;
        let Caller { gate, context, .. } = &self.caller;
        self.enclosure.permit(gate, context).map_err(|refused| refused_by_gate(&refused))?;
        self.record(&program)?;
        let Program { words, time, .. } = program;
        let running = Arc::new(Running::new(self.caller.stop.part()));
        let (given, input) = unbounded_channel();
        let job = Job::Program { words, folder };
        let order = Order { job, input, time, running: Arc::clone(&running) };
        let sent = self.orders.as_ref().and_then(|orders| orders.send(order).ok());
        sent.ok_or_else(|| Refused::new(Code::Failed, "the place of this call has ended"))?;
        self.last = Some(Arc::clone(&running));
        Ok(Box::new(Started::new(running, given)))
    }

    fn is_at_rest(&self) -> bool {
        self.last.as_ref().is_none_or(|running| running.has_ended())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(running) = &self.last {
            running.kill();
        }
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // what it could not do it has said to whoever waits for the program
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_may_with_the_folders_what_the_plugin_may() {
        use PermissionKind::{FilesChange, FilesRead, FilesRemove, ProgramsRun};
        let of = |kinds: &[PermissionKind]| {
            let right = |kind: &PermissionKind| Permission { kind: *kind, scope: Vec::new(), reason: String::new() };
            extent(&kinds.iter().map(right).collect::<Vec<_>>())
        };
        assert_eq!(of(&[ProgramsRun]), Extent::Nothing);
        assert_eq!(of(&[FilesChange, FilesRemove]), Extent::Nothing);
        assert_eq!(of(&[FilesRead]), Extent::Read);
        assert_eq!(of(&[FilesRead, FilesRemove]), Extent::Read);
        assert_eq!(of(&[FilesRead, FilesChange]), Extent::Change);
        assert_eq!(of(&[FilesRead, FilesChange, FilesRemove]), Extent::Remove);
    }
}
