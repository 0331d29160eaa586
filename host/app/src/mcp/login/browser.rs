//! The person's browser, where there is one.

use std::{
    env,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
};

/// Open an address. True where something was started that should; what it says and how long it stays is its own matter.
pub(super) fn open(address: &str) -> bool {
    let has_screen =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|it| !it.is_empty()));
    if !has_screen {
        return false;
    }
    let mut command = Command::new("xdg-open");
    // in a group of its own, so that stopping Deskhand does not close a browser that was started for this
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    match command.spawn() {
        Ok(mut child) => {
            thread::spawn(move || child.wait());
            true
        }
        Err(_) => false,
    }
}
