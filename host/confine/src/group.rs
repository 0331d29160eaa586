//! The number of processes of a sandbox where Deskhand runs as root, whom the limit of processes does not hold (setrlimit(2)): a
//! control group with a limit of its own (cgroups(7)). Where none can be made, whoever watches holds it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::Duration,
};

/// Where groups are made: in the hierarchy of version 1 that counts processes, or in that of version 2.
const PLACES: [&str; 2] = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
/// Before the number of the process, in the name of a group.
const NAME: &str = "deskhand-";
/// Processes that belong to the making of a sandbox. Beyond the limit itself whoever watches says why it is ended.
const OWN: u64 = 8;
/// How often a group is tried to be removed: its last processes may just be going.
const TRIES: u32 = 100;

/// Told apart within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// See the module. It goes when this is dropped, and nothing is in it any more.
#[derive(Debug)]
pub(crate) struct Group(PathBuf);

impl Group {
    /// With so many processes at the most; none where none is needed or none can be made.
    pub(crate) fn of(processes: u64) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let name = format!("{NAME}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        PLACES.iter().map(Path::new).find_map(|place| {
            sweep(place);
            Self::made(place.join(&name), processes.saturating_add(OWN)).ok()
        })
    }

    fn made(path: PathBuf, processes: u64) -> io::Result<Self> {
        fs::create_dir(&path)?;
        let group = Self(path);
        // on a file system of another kind this is no file that is there
        let mut limit = fs::OpenOptions::new().write(true).open(group.0.join("pids.max"))?;
        io::Write::write_all(&mut limit, processes.to_string().as_bytes())?;
        Ok(group)
    }

    /// Put a process in it, with all that it starts from now on.
    pub(crate) fn take(&self, process: u32) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), process.to_string())
    }
}

/// Remove the groups of processes that were killed.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir(entry.path()); // what is in use stays
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..TRIES {
            match fs::remove_dir(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => sleep(Duration::from_millis(10)),
                // an empty group that stays is in nobody's way
                _ => return,
            }
        }
    }
}
