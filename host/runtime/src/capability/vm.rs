//! `vm`: programs of the plugin, in a place of the call's own. They see the folders as the plugin does and as far as its rights
//! go; their network is a proxy that has each host decided on for the plugin, by the same hand as `http`.

use super::http::Gatekeeper;
use crate::{
    bindings::wit::{types, vm},
    call::Call,
    capability::files,
    reply::{Code, Refused},
    services::{self, Caller, Network, Place, Program},
};
use deskhand_egress::{Ask, Judge, Judged, Judgement};
use deskhand_vocabulary::{Stop, manifest::PermissionKind, path::decode};
use serde::Deserialize;
use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, sync::Arc, time::Duration};
use wasmtime::component::Resource;

/// The most programs that one call starts.
const PROGRAMS: u32 = 200;
/// How many seconds a program has where the plugin does not say, and at most; as for the commands of an agent.
const SECONDS: u64 = 120;
const SECONDS_MOST: u64 = 3600;
/// The most bytes that are read at once.
const PIECE: u32 = 1 << 20;
/// The most bytes of a program's words: those of a packet to a guest, with room to spare.
const WORDS: usize = 32 << 10;

/// A program that was started.
#[expect(unreachable_pub, reason = "the bindings name it in public")]
pub struct Process(Arc<dyn services::Process>);

/// What `options` hold; what is not known here is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    seconds: Option<u64>,
}

/// Has the gate asked about each host of a proxy, beside all else that it carries.
struct Beside(Arc<Gatekeeper>);

/// Stopped when this is dropped.
struct Until(Stop);

impl Drop for Until {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Judge for Beside {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        Box::pin(async move {
            let (gatekeeper, host) = (Arc::clone(&self.0), ask.host.clone());
            // once nobody waits for this any more, the person is not asked either
            let until = Until(Stop::default());
            let withdrawn = until.0.clone();
            let decided = tokio::task::spawn_blocking(move || gatekeeper.decide(&host, &withdrawn)).await;
            decided.unwrap_or_else(|error| Judgement::Refused { reason: error.to_string() })
        })
    }
}

/// How many programs a call may start.
pub(crate) const fn programs() -> u32 {
    PROGRAMS
}

fn still_runs() -> Refused {
    let message = "a program of this call still runs; wait for it, or kill it and wait";
    Refused::new(Code::Conflict, message)
}

fn none() -> Refused {
    Refused::new(Code::Invalid, "there is no such program")
}

/// A program that makes sense.
fn program(argv: Vec<String>, folder: &str, options: &str) -> Result<Program, Refused> {
    let invalid = |message: &str| Err(Refused::new(Code::Invalid, message));
    let options = if options.is_empty() { "{}" } else { options };
    let options: Options = serde_json::from_str(options)
        .map_err(|error| Refused::new(Code::Invalid, format!("the options of the program do not fit: {error}")))?;
    let words: Vec<Vec<u8>> = argv.iter().map(|word| decode(word)).collect();
    if words.first().is_none_or(Vec::is_empty) {
        return invalid("a program is named by its first word, and there is none");
    }
    if words.iter().flatten().any(|byte| *byte == 0) {
        return invalid("the words of a program hold no zero byte");
    }
    if words.iter().map(|word| word.len() + 8).sum::<usize>() > WORDS {
        let message = format!("the words of a program have at most {} KiB; let it read the rest", WORDS >> 10);
        return Err(Refused::new(Code::TooLarge, message));
    }
    let folder = if folder.is_empty() { None } else { Some(files::path(folder)?) };
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS).clamp(1, SECONDS_MOST));
    Ok(Program { words: words.into_iter().map(OsString::from_vec).collect(), folder, time })
}

impl Call {
    /// Whether no program of the call runs: what it writes is taken when it has ended, and nothing else may change the same
    /// meanwhile.
    pub(crate) fn at_rest(&self) -> Result<(), Refused> {
        let at_rest = self.place.as_ref().is_none_or(|place| place.is_at_rest());
        if at_rest { Ok(()) } else { Err(still_runs()) }
    }

    /// The place of this call's programs.
    fn open_place(&mut self) -> Result<Box<dyn Place>, Refused> {
        let services = self.invocation.services.clone();
        let (Some(places), Some(Network { egress, recorder })) = (services.places, services.network) else {
            return Err(Refused::new(Code::Unsupported, "there is no place for programs here"));
        };
        // what it may not read, its programs are not shown either
        if self.rights.declares(PermissionKind::FilesRead) {
            for folder in self.workspace.folder_map().values() {
                self.rights.read(folder)?;
            }
        }
        let failed = |fault: crate::fault::PluginFault| Refused::new(Code::Failed, fault.to_string());
        let handle = self.runtime.machine().map_err(failed)?.handle().clone();
        let judge = Beside(Arc::new(Gatekeeper::of(self)));
        places.open(Caller {
            context: self.rights.context.clone(),
            gate: self.invocation.gate.clone(),
            log: self.invocation.log.clone(),
            workspace: self.workspace.clone(),
            outlet: egress.outlet(Arc::new(judge), recorder),
            handle,
            stop: self.invocation.stop.clone(),
        })
    }

    fn process(&self, process: &Resource<Process>) -> Result<Arc<dyn services::Process>, Refused> {
        self.table.get(process).map(|process| Arc::clone(&process.0)).map_err(|_| none())
    }
}

impl vm::Host for Call {
    fn start(&mut self, argv: Vec<String>, folder: String, options: String) -> Result<Resource<Process>, types::Error> {
        if !self.rights.declares(PermissionKind::ProgramsRun) {
            let message = format!("the plugin's manifest does not ask for `{}`", PermissionKind::ProgramsRun.name());
            return Err(Refused::new(Code::Denied, message).into());
        }
        let program = program(argv, &folder, &options)?;
        self.at_rest()?;
        self.programs = self
            .programs
            .checked_sub(1)
            .ok_or_else(|| Refused::new(Code::Exhausted, "this call has started too many programs"))?;
        let process = self.waiting(|call| {
            let mut place = match call.place.take() {
                Some(place) => place,
                None => call.open_place()?,
            };
            let started = place.start(program);
            call.place = Some(place);
            started
        })??;
        let full = |_| Refused::new(Code::Exhausted, "this call holds too many things open");
        Ok(self.table.push(Process(process.into())).map_err(full)?)
    }
}

impl vm::HostProcess for Call {
    fn read(&mut self, process: Resource<Process>, limit: u32) -> Result<vm::Piece, types::Error> {
        let process = self.process(&process)?;
        let most = usize::try_from(limit.clamp(1, PIECE)).unwrap_or(1);
        let services::Said { stdout, stderr, ended } = self.waiting(|_| process.read(most))??;
        Ok(vm::Piece { stdout, stderr, ended })
    }

    fn write(&mut self, process: Resource<Process>, bytes: Vec<u8>) -> Result<(), types::Error> {
        Ok(self.process(&process)?.write(&bytes)?)
    }

    fn close_stdin(&mut self, process: Resource<Process>) -> Result<(), types::Error> {
        self.process(&process)?.close_stdin();
        Ok(())
    }

    fn wait(&mut self, process: Resource<Process>) -> Result<String, types::Error> {
        let process = self.process(&process)?;
        Ok(self.waiting(|_| process.wait())??.to_string())
    }

    fn kill(&mut self, process: Resource<Process>) {
        if let Ok(process) = self.process(&process) {
            process.kill();
        }
    }

    fn drop(&mut self, process: Resource<Process>) -> wasmtime::Result<()> {
        let process = self.table.delete(process)?;
        // it is ended, which can take a moment; where the person stopped the task the call ends by itself
        let _ = self.waiting(|_| drop(process));
        Ok(())
    }
}
