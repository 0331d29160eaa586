//! A program in a sandbox: it sees the folders of the task with what is pending in them, what it is installed with, a home of
//! its own that lasts, and as its only network the proxy, where each host is decided on.

use super::{GRACE, Program, Streams, find::installed};
use crate::client::sandbox::{Sandbox, State, Wrote};
use deskhand_confine::{Confined as Asked, Ended, Excess, Running, start as start_confined};
use deskhand_egress::{Gateway, gateway::HTTPS};
use deskhand_vocabulary::ServerName;
use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// Variables that are the sandbox's own, whatever is declared: the person's folders are not there.
const OWN: [&str; 2] = ["HOME", "TMPDIR"];

/// A program at work. Dropped, it and all that it started are ended.
pub(crate) struct Confined {
    running: Running,
    state: State,
    /// Its way out, open as long as this is.
    _gateway: Gateway,
}

impl fmt::Debug for Confined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confined").field("running", &self.running).finish_non_exhaustive()
    }
}

pub(super) async fn start(
    server: &ServerName,
    program: &Program,
    sandbox: &Sandbox,
) -> Result<(Confined, Streams), String> {
    let room = sandbox.room(server).map_err(|error| error.to_string())?;
    let gateway = Gateway::open(sandbox.outlet(server), &room.folder, &room.socket, &[HTTPS])
        .map_err(|error| format!("its way out could not be opened: {error}"))?;
    let state = sandbox.state(server, program.folders).await?;
    let shown = installed(&program.path, &program.arguments);
    let mut asked = Asked::new(&program.path);
    asked.arguments = program.arguments.iter().map(OsString::from).collect();
    asked.environment = environment(program);
    asked.folders = state.mounts();
    asked.readable = shown.into_iter().chain(program.sees.iter().cloned()).collect();
    asked.empty = sandbox.stand_ins(&program.arguments);
    asked.home = Some(room.home);
    asked.network = Some(gateway.socket().to_owned());
    let mut running = start_confined(sandbox.helper(), asked).await.map_err(|error| error.to_string())?;
    let (Some(input), Some(output), Some(errors)) =
        (running.stdin.take(), running.stdout.take(), running.stderr.take())
    else {
        return Err("its streams were not opened".to_owned());
    };
    Ok((Confined { running, state, _gateway: gateway }, Streams { input, output, errors }))
}

/// What is declared, and where its own programs are.
fn environment(program: &Program) -> Vec<(OsString, OsString)> {
    let declared = program.environment.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let secrets = program.secrets.iter().map(|(name, value)| (name.into(), value.reveal().into()));
    let path = (!program.environment.contains_key("PATH")).then(|| beside(&program.path)).flatten();
    let path = path.map(|path| ("PATH".into(), path));
    declared.map(|(name, value)| (name.into(), value.into())).chain(secrets).chain(path).collect()
}

/// The usual folders of programs after the one that a program is in, if that is another.
fn beside(program: &Path) -> Option<OsString> {
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"];
    let folder = program.parent().filter(|folder| folder.ends_with("bin") && folder.is_absolute())?;
    if usual.iter().any(|usual| folder == Path::new(usual)) {
        return None;
    }
    std::env::join_paths(std::iter::once(folder).chain(usual.iter().map(Path::new))).ok()
}

impl Confined {
    pub(super) fn folders(&self) -> Vec<(PathBuf, String)> {
        self.state.folders()
    }

    pub(super) fn is_behind(&self) -> bool {
        self.state.is_behind()
    }

    pub(super) fn sees_folders(&self) -> bool {
        self.state.sees_folders()
    }

    pub(super) async fn take(&mut self) -> Wrote {
        if !self.state.sees_folders() {
            return Wrote::default();
        }
        match self.running.hold().await {
            Ok(held) => {
                let wrote = self.state.take().await;
                drop(held);
                wrote
            }
            Err(error) => Wrote::unread(&format!("it could not be held still for that: {error}")),
        }
    }

    pub(super) async fn end(mut self) -> Wrote {
        if tokio::time::timeout(GRACE, self.running.wait()).await.is_err() {
            self.running.stop();
            self.running.wait().await;
        }
        self.state.take().await
    }

    pub(super) async fn ended(&mut self) -> Option<String> {
        let ended = tokio::time::timeout(GRACE, self.running.wait()).await.ok()?;
        Some(match ended {
            Ended::Exited(code @ 128..) => format!("it was ended by signal {}", code - 128),
            Ended::Exited(127) => {
                "it ended with code 127, as where a program is not found that it starts; one that lies elsewhere \
                 is shown to it with `deskhand mcp add --see FOLDER`"
                    .to_owned()
            }
            Ended::Exited(code) => format!("it ended with code {code}"),
            Ended::Beyond(excess) => format!("it used more {} than a sandbox gives, and was ended", what(excess)),
            Ended::Stopped => "it was ended".to_owned(),
        })
    }
}

const fn what(excess: Excess) -> &'static str {
    match excess {
        Excess::Memory => "memory",
        Excess::Processes => "processes",
        Excess::Processor => "time of processors",
        Excess::Disk => "room on the disk",
    }
}
