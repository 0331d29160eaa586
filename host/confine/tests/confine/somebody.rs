//! All of it once more as somebody who is not root.

use crate::kit::HELPER;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

/// An account that no system gives to anybody.
const SOMEBODY: &str = "61234";

#[test]
fn all_of_it_works_without_being_root() {
    if !rustix::process::geteuid().is_root() || std::env::var_os(HELPER).is_some() {
        return;
    }
    // where all of this is built, others may not look
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    open(dir.path());
    let copied = |from: &Path, name: &str| {
        let to = dir.path().join(name);
        fs::copy(from, &to).unwrap();
        open(&to);
        to
    };
    let helper = copied(Path::new(env!("CARGO_BIN_EXE_deskhand-sandbox")), "helper");
    let tests = copied(&std::env::current_exe().unwrap(), "tests");
    let own = dir.path().join("tmp");
    fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(SOMEBODY.parse().unwrap()), Some(SOMEBODY.parse().unwrap())).unwrap();
    let ran = Command::new("setpriv")
        .args(["--reuid", SOMEBODY, "--regid", SOMEBODY, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"])
        .arg(tests)
        .args(["--test-threads", "2", "--skip", "ten_thousand"])
        .env(HELPER, helper)
        .env("TMPDIR", &own)
        .env("HOME", &own)
        .current_dir(&own)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{out}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(out.contains("\nrunning "), "{out}");
}
