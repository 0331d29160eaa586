//! A desktop session whose keyring is open: a bus of its own, and `gnome-keyring-daemon` as `tests/setup` installs it.

use crate::{Place, deskhand};
use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

/// A shell in such a session, which runs this script; `$0` is `deskhand`.
pub fn session(place: &Place, script: &str) -> Command {
    let runtime = place.path("runtime");
    fs::create_dir(&runtime).expect("a new folder");
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let unlocked = "printf password | gnome-keyring-daemon --unlock --components=secrets >keyring.log 2>&1\n";
    let mut command = place.command("dbus-run-session");
    command.args(["--", "sh", "-c", &format!("{unlocked}{script}")]).arg(deskhand());
    command.env_remove("DBUS_SESSION_BUS_ADDRESS").env("XDG_RUNTIME_DIR", runtime).env("GNOME_KEYRING_CONTROL", "");
    command
}
