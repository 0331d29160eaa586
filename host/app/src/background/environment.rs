//! What of the environment the supervisor works with. All else stays with the terminal that it happened to be started from.

use crate::{credentials::Connected, desk::Desk, keys::Place, mcp};
use std::{collections::BTreeSet, env, ffi::OsString};

/// Where things are, the person's language and time, and the way to the network and to the desktop.
const KEPT: [&str; 31] = [
    "DESKHAND_HOME",
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "LC_TIME",
    "TZ",
    "TZDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_BACKTRACE",
];

/// Those variables that are set, and those that hold the keys of models, of plugins and of MCP servers.
pub(super) fn kept(desk: &Desk) -> Vec<(OsString, OsString)> {
    let of_models = desk.settings.models.values().filter_map(|model| model.key.clone());
    // where it cannot be read, a plugin that needs its key says so
    let connections = Connected::of(&desk.home).all().unwrap_or_default();
    let of_plugins = connections.into_values().map(|connection| connection.key);
    let keys = of_models.chain(of_plugins).filter_map(|key| match key.parse() {
        Ok(Place::Environment(variable)) => Some(variable),
        _ => None,
    });
    let names: BTreeSet<String> = KEPT.map(str::to_owned).into_iter().chain(keys).chain(mcp::variables(desk)).collect();
    names.into_iter().filter_map(|name| env::var_os(&name).map(|value| (name.into(), value))).collect()
}
