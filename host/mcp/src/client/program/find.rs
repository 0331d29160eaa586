//! Where a program lies that a person names, and what of it a sandbox has to show so that it runs there.

use std::{
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Where a program is that a person names: by its path, or as their shell would find it in `path`.
pub(super) fn find(command: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|path| is_program(path));
    }
    let folders: OsString = path.map_or_else(|| "/usr/local/bin:/usr/bin:/bin".into(), OsStr::to_owned);
    let found =
        std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(command));
    found.into_iter().find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// The folders that are in every sandbox (FHS 3.0).
const SYSTEM: [&str; 10] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store"];

/// What a program is installed with, beside the system: the folder of programs that it is in, its virtual environment (PEP
/// 405), its packages of Node.js. Files that it is given by their whole paths, the same. Folders that it is given are not.
pub(super) fn installed(program: &Path, arguments: &[String]) -> Vec<PathBuf> {
    let mut shown = Vec::new();
    of(program, true, &mut shown);
    for argument in arguments.iter().map(Path::new).filter(|path| path.is_absolute() && path.is_file()) {
        of(argument, false, &mut shown);
    }
    shown.retain(|path| !SYSTEM.iter().any(|system| path.starts_with(system)));
    shown.sort();
    // what lies in another is shown with it
    shown.dedup_by(|path, other| path.starts_with(other));
    shown
}

fn of(path: &Path, programs: bool, shown: &mut Vec<PathBuf>) {
    let real = path.canonicalize().ok();
    for path in std::iter::once(path).chain(real.as_deref()) {
        shown.push(path.to_owned());
        let Some(folder) = path.parent().filter(|folder| folder.ends_with("bin")) else {
            shown.extend(packages(path));
            continue;
        };
        if programs {
            shown.push(folder.to_owned());
        }
        if let Some(environment) = folder.parent().filter(|folder| is_environment(folder)) {
            shown.push(environment.to_owned());
            shown.extend(base(environment));
        }
        shown.extend(packages(path));
    }
}

/// The outermost folder of packages that something lies in.
fn packages(path: &Path) -> Option<PathBuf> {
    path.ancestors().filter(|folder| folder.ends_with("node_modules")).last().map(Path::to_owned)
}

/// Whether a folder is a virtual environment and nothing else of the person's: any program can be given a file of that name, so
/// what lies around it is not believed to be one.
fn is_environment(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").is_file() && has_python_below(folder, "site-packages") && !is_of_a_person(folder)
}

/// Where the Python lies that a virtual environment is made of. What it says of that can have been written by the very program
/// that is to be confined, so a folder is shown only if a Python is installed there: its program and its library.
fn base(environment: &Path) -> Option<PathBuf> {
    let said = std::fs::read_to_string(environment.join("pyvenv.cfg")).unwrap_or_default();
    let lines = said.lines().filter_map(|line| line.split_once('='));
    let home = lines.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("home"))?.1.trim().to_owned();
    // a link there may lead on to where it really is
    let program = ["python3", "python"].iter().find_map(|name| Path::new(&home).join(name).canonicalize().ok())?;
    let base = program.parent().filter(|folder| folder.ends_with("bin"))?.parent()?;
    let is_one = is_program(&program) && has_python_below(base, "os.py") && !is_of_a_person(base);
    is_one.then(|| base.to_owned())
}

/// Whether a folder has a library of Python with this in it.
fn has_python_below(folder: &Path, name: &str) -> bool {
    let libraries = std::fs::read_dir(folder.join("lib")).into_iter().flatten().flatten();
    let pythons = libraries.filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"));
    pythons.into_iter().any(|entry| entry.path().join(name).exists())
}

/// Whether a folder is where a person keeps other things as well: a home, what it is in, or what programs keep for them.
fn is_of_a_person(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return true };
    let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
    home.is_none_or(|home| home.starts_with(&folder) || folder == home.join(".local"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::installed;
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::{Path, PathBuf},
    };

    fn file(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_a_program_is_installed_with_is_shown_and_no_more() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().canonicalize().unwrap();
        let shown = |program: &str, arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|path| top.join(path).display().to_string()).collect();
            installed(&top.join(program), &arguments)
        };
        let at = |paths: &[&str]| paths.iter().map(|path| top.join(path)).collect::<Vec<PathBuf>>();
        file(&top.join("home/keys"), "");

        // a script: itself alone
        file(&top.join("home/server.py"), "");
        assert_eq!(shown("home/server.py", &[]), at(&["home/server.py"]));
        // what is given is shown if it is a file
        assert_eq!(installed(Path::new("/usr/bin/python3"), &[]), Vec::<PathBuf>::new());
        assert_eq!(
            installed(Path::new("/usr/bin/python3"), &[top.join("home/server.py").display().to_string()]),
            at(&["home/server.py"])
        );
        assert_eq!(shown("home/server.py", &["home"]), at(&["home/server.py"]));

        // a virtual environment, and the Python of it
        let python = |at: &str| {
            file(&top.join(at).join("bin/python3"), "");
            fs::set_permissions(top.join(at).join("bin/python3"), fs::Permissions::from_mode(0o755)).unwrap();
            file(&top.join(at).join("lib/python3.13/os.py"), "");
        };
        let environment = |says: &str| file(&top.join("venv/pyvenv.cfg"), says);
        python("python");
        environment(&format!("home = {}\nversion = 3\n", top.join("python/bin").display()));
        file(&top.join("venv/bin/tool"), "");
        fs::create_dir_all(top.join("venv/lib/python3.13/site-packages")).unwrap();
        assert_eq!(shown("venv/bin/tool", &[]), at(&["python", "venv"]));
        fs::create_dir_all(top.join("home/.local/bin")).unwrap();
        symlink(top.join("venv/bin/tool"), top.join("home/.local/bin/tool")).unwrap();
        assert_eq!(shown("home/.local/bin/tool", &[]), at(&["home/.local/bin", "python", "venv"]));

        // one that is linked to from elsewhere is where it really is
        fs::create_dir_all(top.join("links/bin")).unwrap();
        symlink(top.join("python/bin/python3"), top.join("links/bin/python3")).unwrap();
        environment(&format!("HOME = {}\n", top.join("links/bin").display()));
        assert_eq!(shown("venv/bin/tool", &[]), at(&["python", "venv"]));

        // what it says may be its own idea: what is no Python is not shown, and the first that it says counts
        file(&top.join("home/bin/other"), "");
        for says in [format!("home = {}\n", top.join("home/bin").display()), "home = /\n".to_owned(), String::new()] {
            environment(&format!("{says}home = {}\n", top.join("home").display()));
            assert_eq!(shown("venv/bin/tool", &[]), at(&["venv"]), "{says}");
        }
        // and a file of that name makes no environment of what lies around it
        file(&top.join("home/pyvenv.cfg"), "");
        assert_eq!(shown("home/bin/other", &[]), at(&["home/bin"]));

        // packages of Node.js, from the outermost
        file(&top.join("app/node_modules/one/node_modules/two/cli.js"), "");
        fs::create_dir_all(top.join("app/node_modules/.bin")).unwrap();
        symlink("../one/node_modules/two/cli.js", top.join("app/node_modules/.bin/two")).unwrap();
        assert_eq!(shown("app/node_modules/.bin/two", &[]), at(&["app/node_modules"]));
    }
}
