//! The inner helper: says that the sandbox is whole, carries connections to the proxy, and starts the program.

use crate::{
    confined::PROXY_PORT,
    order::{self, Environment, FOUND, NOT_FOUND, WHOLE},
};
use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    process::{DumpableBehavior, set_dumpable_behavior},
};
use std::{
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use tokio::net::{TcpListener, UnixStream};

/// How many connections are carried at once; more wait for one to end.
const CARRIED: usize = 1024;

pub(crate) fn run(proxy: Option<OsString>, command: Vec<OsString>) -> ExitCode {
    match serve(proxy, &command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}"); // whoever reads it may be gone
            ExitCode::from(NOT_FOUND)
        }
    }
}

fn serve(proxy: Option<OsString>, command: &[OsString]) -> io::Result<ExitCode> {
    let (name, arguments) = command.split_first().ok_or_else(|| io::Error::other("no program was named"))?;
    // what it starts is the same user, and is kept from its pipes and its memory by this
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    say(WHOLE)?;
    let Environment(environment) = order::receive(&mut order::input()?)?;
    let mut starting = Command::new(found(name, &environment)?);
    starting.arg0(name).args(arguments).env_clear().envs(environment);
    let Some(proxy) = proxy else {
        say(FOUND)?;
        // only comes back where it fails
        return Err(starting.exec());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", PROXY_PORT)).await?;
        say(FOUND)?;
        let mut child = tokio::process::Command::from(starting).spawn()?;
        tokio::select! {
            ended = child.wait() => ended,
            stopped = carry(listener, PathBuf::from(proxy)) => stopped.map(|never| match never {}),
        }
    })?;
    // as bubblewrap says it of a program that it starts itself
    let code = ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap_or(0));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

fn say(word: [u8; 8]) -> io::Result<()> {
    io::stdout().write_all(&word)?;
    io::stdout().flush()
}

/// The program's file: what has a `/` in its name is one, and anything else is looked for in its own `PATH`.
fn found(name: &OsStr, environment: &[(OsString, OsString)]) -> io::Result<PathBuf> {
    let runs = |path: &Path| path.is_file() && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    let path = Path::new(name);
    let found = if path.components().count() > 1 || path.is_absolute() {
        runs(path).then(|| path.to_owned())
    } else {
        let places = environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, places)| places);
        places.and_then(|places| std::env::split_paths(places).map(|place| place.join(name)).find(|path| runs(path)))
    };
    found.ok_or_else(|| io::Error::other("there is no such program in the sandbox"))
}

/// Carry each connection to the proxy's socket. Never ends but by an error.
async fn carry(listener: TcpListener, proxy: PathBuf) -> io::Result<std::convert::Infallible> {
    let slots = std::sync::Arc::new(tokio::sync::Semaphore::new(CARRIED));
    loop {
        let slot = std::sync::Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
        let mut near = match listener.accept().await {
            Ok((near, _)) => near,
            // the program has used up its handles or the like: it comes again
            Err(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let proxy = proxy.clone();
        tokio::spawn(async move {
            if let Ok(mut far) = UnixStream::connect(&proxy).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await; // either end may break it off
            }
            drop(slot);
        });
    }
}
