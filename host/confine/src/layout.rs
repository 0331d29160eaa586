//! What a program sees in the sandbox, as options of bubblewrap. Made afresh from nothing: what is not named here is not
//! there.

use crate::{
    confined::{Confined, HOME, MOUNTS, PROXY_PORT},
    error::ConfineError,
    helper::Helper,
};
use deskhand_vocabulary::Home;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::{Component, Path, PathBuf},
};

/// Where the inner helper lies.
pub(crate) const HELPER: &str = "/run/deskhand/helper";
/// Where the proxy's socket lies.
pub(crate) const PROXY: &str = "/run/deskhand/proxy";
/// Where the outer helper mounts folders that are shown: over something that neither it nor bubblewrap looks at.
pub(crate) const SHOWN: &str = "/sys";

/// The folders that hold the system beside `/usr`; on most systems they are links into it (FHS 3.0, section 3), and on a few it
/// lies in a store.
const SYSTEM: [&str; 8] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "gnu/store"];

/// Where programs lie that are no part of the system (FHS 3.0, section 3.13), and where some of them keep their sockets.
const ADDED: &str = "/opt";

/// What programs look for in `/etc`. No keys, no accounts, nothing that says whose machine it is.
const SETTINGS: [&str; 22] = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "fonts",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
];

/// The parts of `/proc` by which the kernel takes orders (proc(5)).
const KERNEL: [&str; 11] =
    ["acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "pressure", "scsi", "sys", "sysrq-trigger"];

/// The parts of `/proc` that tell whoever is root outside of what others on this machine have in the kernel.
const TELLING: [&str; 6] = ["kcore", "key-users", "keys", "slabinfo", "timer_list", "vmallocinfo"];

const ACCOUNTS: &str = "root:x:0:0:root:/:/usr/sbin/nologin\n\
                        user:x:1000:1000:user:/sandbox:/bin/sh\n\
                        nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n";
const NAMES: &str = "127.0.0.1 localhost\n::1 localhost\n";
/// From files alone: services that answer for names are not there.
const SOURCES: &str = "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n";

/// Bytes of `/dev/shm`.
const SHARED: u64 = 64 << 20;

struct Options(Vec<OsString>);

impl Options {
    fn add<const N: usize>(&mut self, words: [&OsStr; N]) {
        self.0.extend(words.map(OsStr::to_owned));
    }

    fn say<const N: usize>(&mut self, words: [&str; N]) {
        self.add(words.map(OsStr::new));
    }

    fn bind(&mut self, how: &str, from: &OsStr, to: &OsStr) {
        self.add([how.as_ref(), from, to]);
    }

    fn memory(&mut self, size: u64, mode: &str, at: &OsStr) {
        self.say(["--size", &size.to_string(), "--perms", mode]);
        self.add(["--tmpfs".as_ref(), at]);
    }
}

/// Files that are made up, by their paths.
pub(crate) fn made() -> Vec<(OsString, Vec<u8>)> {
    let telling = TELLING.map(|name| Path::new("/proc").join(name)).into_iter().filter(|path| path.exists());
    let made = [
        ("/etc/passwd", ACCOUNTS),
        ("/etc/group", GROUPS),
        ("/etc/hosts", NAMES),
        ("/etc/nsswitch.conf", SOURCES),
        ("/etc/resolv.conf", ""),
    ]
    .map(|(path, text)| (path.into(), text.as_bytes().to_vec()));
    made.into_iter().chain(telling.map(|path| (path.into(), Vec::new()))).collect()
}

/// What a program sees.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The options of bubblewrap.
    pub(crate) options: Vec<OsString>,
    /// Folders of this machine. Each is mounted for bubblewrap to find it at [`shown_at`] its number: through an overlay, in
    /// which sockets and pipes lead to nobody.
    pub(crate) shown: Vec<PathBuf>,
}

/// Where the outer helper mounts a folder that is shown, in a place that nobody else sees and the sandbox has not.
pub(crate) fn shown_at(number: usize) -> PathBuf {
    Path::new(SHOWN).join(number.to_string())
}

/// The layout of a sandbox for a program.
pub(crate) fn layout(confined: &Confined, helper: &Helper) -> Result<Layout, ConfineError> {
    let mut options = Options(Vec::new());
    let mut shown = Vec::new();
    isolation(&mut options);
    system(&mut options);
    if std::fs::read_dir(ADDED).is_ok_and(|mut inside| inside.next().is_some()) {
        show(&mut options, Path::new(ADDED), &mut shown);
    }
    memory(&mut options, confined);
    options.bind("--ro-bind", helper.program().as_os_str(), HELPER.as_ref());
    if let Some(socket) = &confined.network {
        options.bind("--bind", socket.as_os_str(), PROXY.as_ref());
    }
    for path in confined.empty.iter().filter(|path| is_plain(path) && is_free(path)) {
        options.memory(4096, "0700", path.as_os_str());
    }
    let mut hidden: HashMap<&Path, Vec<PathBuf>> = HashMap::new();
    let own = if confined.readable.is_empty() { Vec::new() } else { helper.hidden()? };
    for path in &confined.readable {
        hidden.insert(path, readable(path, &own)?);
    }
    for path in outermost(&confined.readable) {
        match path.is_dir() {
            true => show(&mut options, path, &mut shown),
            false => options.bind("--ro-bind", path.as_os_str(), path.as_os_str()),
        }
        for hidden in hidden.remove(path).into_iter().flatten() {
            options.memory(4096, "0000", hidden.as_os_str());
        }
    }
    options.say(["--dir", MOUNTS]);
    for folder in &confined.folders {
        for (place, covered) in folder.places() {
            options.bind("--bind", folder.at().as_os_str(), place.as_os_str());
            for covered in covered {
                options.memory(4096, "0000", covered.as_os_str());
            }
        }
    }
    let start = confined.working_folder.clone().unwrap_or_else(|| PathBuf::from(HOME));
    options.add(["--chdir".as_ref(), start.as_os_str()]);
    Ok(Layout { options: options.0, shown })
}

/// Show a folder of this machine under its own path.
fn show(options: &mut Options, path: &Path, shown: &mut Vec<PathBuf>) {
    options.bind("--ro-bind", shown_at(shown.len()).as_os_str(), path.as_os_str());
    shown.push(path.to_owned());
}

/// Those that lie in no other, which shows them as well. Nothing is put into what is shown: a link there could lead it out of
/// the sandbox while that is made.
fn outermost(paths: &[PathBuf]) -> Vec<&Path> {
    let mut paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    paths.sort();
    paths.dedup_by(|path, before| path.starts_with(before));
    paths
}

fn isolation(options: &mut Options) {
    options.say(["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]);
    options.say(["--cap-drop", "ALL", "--hostname", "deskhand", "--uid", "1000", "--gid", "1000"]);
    options.say(["--clearenv"]);
}

fn system(options: &mut Options) {
    options.say(["--ro-bind", "/usr", "/usr"]);
    for name in SYSTEM {
        let path = Path::new("/").join(name);
        match std::fs::read_link(&path) {
            Ok(target) => options.bind("--symlink", target.as_os_str(), path.as_os_str()),
            Err(_) => options.bind("--ro-bind-try", path.as_os_str(), path.as_os_str()),
        }
    }
    for name in SETTINGS {
        let path = Path::new("/etc").join(name);
        options.bind("--ro-bind-try", path.as_os_str(), path.as_os_str());
    }
    options.say(["--proc", "/proc"]);
    // whoever is root outside owns these, rights or not
    for name in KERNEL {
        let path = Path::new("/proc").join(name);
        options.bind("--ro-bind-try", path.as_os_str(), path.as_os_str());
    }
    // bubblewrap itself: it has the pipes of the program, and its memory could be written to
    options.memory(4096, "0000", "/proc/1".as_ref());
    options.say(["--dev", "/dev", "--dir", "/var"]);
    options.say(["--symlink", "../tmp", "/var/tmp"]);
}

/// What can be written to beside the folders.
fn memory(options: &mut Options, Confined { limits, home, .. }: &Confined) {
    options.memory(SHARED, "1777", "/dev/shm".as_ref());
    options.say(["--remount-ro", "/dev"]);
    options.memory(limits.scratch, "1777", "/tmp".as_ref());
    match home {
        Some(home) => options.bind("--bind", home.as_os_str(), HOME.as_ref()),
        None => options.memory(limits.scratch, "0700", HOME.as_ref()),
    }
}

/// Where the sandbox has something of its own.
const TAKEN: [&str; 7] = ["/proc", "/dev", "/sys", "/run", "/var/tmp", MOUNTS, HOME];

/// Whether it is a whole path, and there is one way to read it.
fn is_plain(path: &Path) -> bool {
    let up = |part| matches!(part, Component::ParentDir | Component::CurDir);
    path.is_absolute() && !path.components().any(up)
}

/// Whether a granted folder can be at this place in the sandbox, beside the system.
pub(crate) fn is_free(path: &Path) -> bool {
    let of_system = SYSTEM.iter().chain(&["usr", "etc", "opt"]).map(|name| Path::new("/").join(name));
    let mut taken = of_system.chain(TAKEN.iter().map(PathBuf::from));
    let covers = |own: &str| Path::new(own).starts_with(path);
    !covers("/tmp") && !taken.any(|taken| path.starts_with(&taken) || taken.starts_with(path))
}

/// Whether something of this machine may be seen as it is; and what in it is covered.
fn readable(path: &Path, own: &[PathBuf]) -> Result<Vec<PathBuf>, ConfineError> {
    let refuse =
        |reason: &str| Err(ConfineError::Asked { what: path.display().to_string(), reason: reason.to_owned() });
    if !is_plain(path) || path.parent().is_none() {
        return refuse("it is not the whole path of a folder or file. Name it from the top");
    }
    if TAKEN.iter().any(|taken| path.starts_with(taken)) {
        return refuse("the sandbox has its own there. Install the program elsewhere");
    }
    let Ok(real) = path.canonicalize() else { return refuse("it is not there. Check the path") };
    if !real.is_dir() && !real.is_file() {
        return refuse("it is no folder and no file, but a way to somebody else. Name a folder or a file");
    }
    let user = rustix::process::geteuid().as_raw();
    let mut own: Vec<_> = own.iter().filter_map(|own| own.canonicalize().ok()).collect();
    if own.iter().any(|own| real.starts_with(own)) || Home::is_elsewhere(&real, user) {
        return refuse("it is Deskhand's own. Install the program elsewhere");
    }
    // what another home of this person keeps there for undo
    let store = real.join(Home::store_elsewhere(user));
    own.extend(Some(store).filter(|store| store.symlink_metadata().is_ok_and(|found| found.is_dir())));
    own.sort();
    own.dedup();
    own.retain(|own| !Home::is_elsewhere(own, user) || in_one_mount(own, &real));
    Ok(own.iter().filter_map(|own| own.strip_prefix(&real).ok()).map(|own| path.join(own)).collect())
}

/// Whether both may lie in one mount. What is mounted below a folder is not shown with it, so nothing can be laid over it there.
fn in_one_mount(one: &Path, other: &Path) -> bool {
    let mount =
        |path: &Path| statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).map(|found| found.stx_mnt_id);
    match (mount(one), mount(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => true,
    }
}

/// The program's environment.
pub(crate) fn environment(confined: &Confined) -> Vec<(OsString, OsString)> {
    let usual = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"),
        ("HOME", HOME),
        ("USER", "user"),
        ("LANG", "C.UTF-8"),
        ("TMPDIR", "/tmp"),
    ];
    let usual = usual.map(|(name, value)| (name, value.to_owned())).into_iter();
    let proxies = proxies().into_iter().filter(|_| confined.network.is_some());
    let ours = usual.chain(proxies).map(|(name, value)| (name.into(), value.into()));
    ours.chain(confined.environment.iter().cloned()).collect()
}

/// The variables by which programs find the proxy on their loopback.
pub fn proxies() -> [(&'static str, String); 5] {
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    [
        ("HTTP_PROXY", proxy.clone()),
        ("HTTPS_PROXY", proxy.clone()),
        ("http_proxy", proxy.clone()),
        ("https_proxy", proxy),
        // Node.js looks at these only if it is told to
        ("NODE_USE_ENV_PROXY", "1".to_owned()),
    ]
}
