//! Starting a program in a sandbox.

use crate::{
    available::{self, Unavailable},
    confined::Confined,
    error::ConfineError,
    group::Group,
    helper::Helper,
    layout,
    order::{self, Bounds, Environment, FOUND, GO, NOT_FOUND, Order, WAITS, WHOLE},
    running::Running,
    seccomp, tree, watch,
};
use deskhand_vocabulary::text;
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd},
    fd::AsFd,
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    ffi::OsStr,
    io::{self, Read, Write as _},
    os::fd::OwnedFd,
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch as latest};

/// How long a sandbox may take to come about. On a loaded machine it takes tenths of a second.
const SETUP: Duration = Duration::from_secs(30);
/// How much of what went wrong is told, in bytes.
const TOLD: usize = 4096;

/// The pipes of a program that runs, as they are before a runtime has them.
struct Pipes {
    stdin: std::process::ChildStdin,
    stdout: std::process::ChildStdout,
    stderr: std::process::ChildStderr,
}

/// Start a program in a sandbox. To be called in a runtime of tokio.
///
/// # Errors
/// Where there is no sandbox on this machine, it cannot be as it was asked for, or the program is not there. Nothing is left
/// running then.
pub async fn start(helper: &Helper, confined: Confined) -> Result<Running, ConfineError> {
    let order = order(helper, &confined)?;
    let environment = environment(&confined)?;
    let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(ConfineError::sandbox)?);
    let (tell, told) = oneshot::channel();
    let (end, ended) = latest::channel(None);
    let (helper, rung) = (helper.clone(), Arc::clone(&bell));
    // A thread of its own: the kernel ends the sandbox with the thread that started it, and those of a runtime come and go.
    let living = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
        // outlives all that runs
        let group = Group::of(confined.limits.processes);
        let (mut child, pipes, first) = match bring_up(&helper, &order, &environment, group.as_ref()) {
            Ok(up) => up,
            Err(error) => return drop(tell.send(Err(error))),
        };
        let first = Arc::new(first);
        // where nobody waits for it any more, the bell rings: its other end is in the same hands
        drop(tell.send(Ok((pipes, Arc::clone(&first)))));
        let uppers = confined.folders.iter().map(crate::overlay::Mount::upper);
        let written = uppers.chain(confined.home.clone()).collect();
        let watch = watch::Watch { limits: confined.limits, written, first };
        let last = watch.until_the_end(&mut child, rung.as_fd());
        // the folders are let go of before anybody hears that it is over
        drop(confined);
        end.send_replace(Some(last));
    });
    living.map_err(ConfineError::sandbox)?;
    // from here on it is stopped where nobody waits for it any more
    let mut running = Running { stdin: None, stdout: None, stderr: None, bell, first: None, ended };
    let (Pipes { stdin, stdout, stderr }, first) =
        told.await.map_err(|_| ConfineError::sandbox("its thread ended"))??;
    running.first = Some(first);
    running.stdin = Some(tokio::process::ChildStdin::from_std(stdin).map_err(ConfineError::sandbox)?);
    running.stdout = Some(tokio::process::ChildStdout::from_std(stdout).map_err(ConfineError::sandbox)?);
    running.stderr = Some(tokio::process::ChildStderr::from_std(stderr).map_err(ConfineError::sandbox)?);
    Ok(running)
}

fn order(helper: &Helper, confined: &Confined) -> Result<Order, ConfineError> {
    let limits = &confined.limits;
    let bubblewrap = available::bubblewrap().ok_or(Unavailable::NoBubblewrap)?;
    let layout::Layout { options, shown } = layout::layout(confined, helper)?;
    let proxy = confined.network.is_some().then_some(layout::PROXY);
    let command = std::iter::once(confined.program.clone()).chain(confined.arguments.iter().cloned());
    let command = Helper::inside(layout::HELPER, proxy, command);
    options.iter().chain(&command).try_for_each(|word| whole(word, b"\0"))?;
    Ok(Order {
        parent: rustix::process::getpid().as_raw_nonzero().get(),
        overlays: confined.folders.iter().map(crate::overlay::Mount::layers).collect(),
        shown: shown.into_iter().map(Into::into).collect(),
        bubblewrap: bubblewrap.into(),
        options,
        made: layout::made(),
        filters: seccomp::filters()?,
        bounds: Bounds {
            memory: limits.memory,
            processes: limits.processes,
            // whoever watches comes first, and can say why
            seconds: limits.processor.map(|time| time.as_secs().saturating_add(5)),
            file: limits.file,
        },
        command,
    })
}

fn environment(confined: &Confined) -> Result<Environment, ConfineError> {
    let environment = layout::environment(confined);
    for (name, value) in &environment {
        whole(name, b"\0=")?;
        whole(value, b"\0")?;
    }
    Ok(Environment(environment))
}

/// Whether a word is taken as one by whoever gets it.
fn whole(word: &OsStr, without: &[u8]) -> Result<(), ConfineError> {
    if word.as_encoded_bytes().iter().any(|byte| without.contains(byte)) {
        let what = text::safe(&word.to_string_lossy(), false);
        return Err(ConfineError::Asked { what, reason: "it has a sign in it that has no place there".to_owned() });
    }
    Ok(())
}

/// A sandbox up to where the program comes next: the process that becomes bubblewrap, the program's pipes, and the first
/// process of the sandbox.
fn bring_up(
    helper: &Helper,
    order: &Order,
    environment: &Environment,
    group: Option<&Group>,
) -> Result<(Child, Pipes, OwnedFd), ConfineError> {
    let mut command = helper.outside();
    command.env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ConfineError::sandbox)?;
    let piped = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
    let Some(((stdin, stdout), stderr)) = piped else { return Err(ConfineError::sandbox("it has no pipes")) };
    let mut pipes = Pipes { stdin, stdout, stderr };
    let taken = group.map_or(Ok(()), |group| group.take(child.id()));
    match taken.and_then(|()| shake_hands(&child, &mut pipes, order, environment)) {
        Ok(first) => Ok((child, pipes, first)),
        Err(error) => Err(failed(child, &mut pipes, &error, order)),
    }
}

/// Tells the helper what is to be, and hears from it how far it is. Gives the first process of the sandbox.
fn shake_hands(child: &Child, pipes: &mut Pipes, order: &Order, environment: &Environment) -> io::Result<OwnedFd> {
    let until = Instant::now() + SETUP;
    order::send(&mut pipes.stdin, order)?;
    expect([WAITS], &mut pipes.stdout, until)?;
    map_accounts(child.id())?;
    pipes.stdin.write_all(&[GO])?;
    expect(WHOLE, &mut pipes.stdout, until)?;
    let gone = || io::Error::other("its first process is gone");
    let bubblewrap = Pid::from_child(child);
    let first = tree::first(bubblewrap).ok_or_else(gone)?;
    let handle = pidfd_open(first, PidfdFlags::empty())?;
    // the number might have been another's by now
    if tree::first(bubblewrap) != Some(first) {
        return Err(gone());
    }
    order::send(&mut pipes.stdin, environment)?;
    expect(FOUND, &mut pipes.stdout, until)?;
    Ok(handle)
}

/// Read exactly these bytes.
fn expect<const N: usize>(word: [u8; N], from: &mut (impl Read + AsFd), until: Instant) -> io::Result<()> {
    let mut heard = [0; N];
    let mut count = 0;
    while count < N {
        if !readable(from, until.saturating_duration_since(Instant::now()))? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not come about in time"));
        }
        match from.read(&mut heard[count..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => count += more,
        }
    }
    if heard == word { Ok(()) } else { Err(io::Error::other("its helper spoke out of turn")) }
}

/// Whether something, or an end, is to be read within this time.
fn readable(from: &impl AsFd, within: Duration) -> io::Result<bool> {
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    let mut wanted = [PollFd::new(from, PollFlags::IN)];
    match rustix::event::poll(&mut wanted, Some(&within)) {
        Err(rustix::io::Errno::INTR) => Ok(true),
        found => Ok(found? > 0),
    }
}

/// Which accounts there are in the helper's namespace (user_namespaces(7)): for root those that there are here, so that it can
/// write to files of others as it can without a sandbox; for anybody else, one's own.
fn map_accounts(helper: u32) -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let write = |name: &str, text: &str| {
        let mut file = std::fs::OpenOptions::new().write(true).open(format!("/proc/{helper}/{name}"))?;
        file.write_all(text.as_bytes())
    };
    if user.is_root() {
        for name in ["uid_map", "gid_map"] {
            write(name, &same(&std::fs::read_to_string(format!("/proc/self/{name}"))?))?;
        }
        return Ok(());
    }
    write("uid_map", &format!("0 {} 1", user.as_raw()))?;
    write("setgroups", "deny")?;
    write("gid_map", &format!("0 {} 1", group.as_raw()))
}

/// A map of each account that a map has to itself.
fn same(map: &str) -> String {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (first, _, count) = (words.next()?, words.next()?, words.next()?);
        Some(format!("{first} {first} {count}\n"))
    };
    map.lines().filter_map(line).collect()
}

/// What went wrong, from what the helper or bubblewrap said last. They are ended.
fn failed(mut child: Child, pipes: &mut Pipes, error: &io::Error, order: &Order) -> ConfineError {
    let broke = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
    if !broke {
        let _ = child.kill(); // it has ended if it cannot be
    }
    let said = last_words(&mut pipes.stderr);
    let _ = child.kill();
    let not_found = child.wait().is_ok_and(|status| status.code() == Some(NOT_FOUND.into()));
    let said = said.trim();
    let reason = if broke && !said.is_empty() { said.to_owned() } else { error.to_string() };
    match order.command.get(4).filter(|_| broke && not_found) {
        Some(program) => ConfineError::Program {
            program: text::safe(&program.to_string_lossy(), false),
            reason: format!("{reason}. Install it for all users, or name the folder that it is in"),
        },
        None => ConfineError::Sandbox { reason },
    }
}

/// What is said until an end, or a second in which nothing is.
fn last_words(from: &mut std::process::ChildStderr) -> String {
    let mut said = Vec::new();
    let mut piece = [0; 512];
    while said.len() < TOLD && readable(from, Duration::from_secs(1)).unwrap_or(false) {
        match from.read(&mut piece) {
            Ok(count) if count > 0 => said.extend_from_slice(&piece[..count]),
            _ => break,
        }
    }
    text::safe(&String::from_utf8_lossy(&said), true)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn root_keeps_the_accounts_that_it_has() {
        assert_eq!(same("         0          0 4294967295\n"), "0 0 4294967295\n");
        assert_eq!(same("0 1000 1\n1 100000 65536\n"), "0 0 1\n1 1 65536\n");
    }
}
