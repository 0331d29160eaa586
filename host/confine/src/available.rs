//! Whether there is a sandbox on this machine, and what it lacks if not. It is tried; it is not guessed.

use crate::{confined::Confined, error::ConfineError, helper::Helper, running::Ended, start::start};
use std::{
    fs::read_to_string,
    path::{Path, PathBuf},
};

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Bubblewrap is not installed.
    #[error("there is no sandbox on this computer: bubblewrap is not installed. Install the package `bubblewrap`")]
    NoBubblewrap,
    /// Nobody but root may make user namespaces here.
    #[error("there is no sandbox on this computer: {by} forbids user namespaces, of which it is made. {remedy}")]
    NoNamespaces {
        /// What forbids them.
        by: &'static str,
        /// How to allow them.
        remedy: &'static str,
    },
    /// It was tried, and failed.
    #[error("there is no sandbox on this computer: {reason}")]
    Failed {
        /// What the system or bubblewrap says.
        reason: String,
    },
}

/// Settings of the kernel that forbid user namespaces, with the value that does, and what to do.
const FORBIDDING: [(&str, &str, &str, &str); 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "the setting user.max_user_namespaces",
        "Allow some with: sudo sysctl user.max_user_namespaces=10000",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "the setting kernel.unprivileged_userns_clone",
        "Allow them with: sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor",
        "Allow them for Deskhand with a profile of AppArmor that says `userns,`",
    ),
];

/// Bubblewrap, where the `PATH` has it.
pub(crate) fn bubblewrap() -> Option<PathBuf> {
    let places = std::env::var_os("PATH")?;
    std::env::split_paths(&places).map(|place| place.join("bwrap")).find(|path| path.is_absolute() && path.is_file())
}

/// Make a sandbox with an overlay in it, the layer below `place`, and run a program in it. To be called in a runtime of tokio.
///
/// # Errors
/// [`Unavailable`], with what to do about it.
pub async fn available(helper: &Helper, place: &Path) -> Result<(), Unavailable> {
    if bubblewrap().is_none() {
        return Err(Unavailable::NoBubblewrap);
    }
    let tried = attempt(helper, place).await;
    let Err(reason) = tried else { return Ok(()) };
    let forbids = |(file, value, ..): &&(&str, &str, _, _)| {
        !rustix::process::geteuid().is_root() && read_to_string(file).is_ok_and(|text| text.trim() == *value)
    };
    match FORBIDDING.iter().find(forbids) {
        Some((_, _, by, remedy)) => Err(Unavailable::NoNamespaces { by, remedy }),
        None => Err(Unavailable::Failed { reason }),
    }
}

async fn attempt(helper: &Helper, place: &Path) -> Result<(), String> {
    let mount = crate::overlay::Mount::of_nothing(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let mut probe = Confined::new("/bin/sh");
    let file = mount.inside().join("written");
    probe.arguments = vec!["-c".into(), r#"echo written > "$1""#.into(), "sh".into(), file.into()];
    probe.folders.push(mount);
    match start(helper, probe).await {
        Ok(mut running) => match running.wait().await {
            Ended::Exited(0) => Ok(()),
            ended => Err(format!("a program in it could not write to a folder ({ended:?})")),
        },
        Err(ConfineError::Sandbox { reason }) => Err(reason),
        Err(error) => Err(error.to_string()),
    }
}
