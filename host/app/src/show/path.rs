//! Paths of folders, for a person.

use super::line;
use deskhand_vocabulary::path::encode;
use std::{
    collections::BTreeSet,
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

/// A whole path, in one line.
pub(crate) fn path(path: &Path) -> String {
    line(&encode(path.as_os_str().as_bytes()))
}

/// As much of the end of a path as tells it from all other `known` ones: `Downloads`, or `old/Downloads` where several
/// end so.
pub(crate) fn apart(of: &Path, known: &BTreeSet<&Path>) -> String {
    let parts: Vec<Component<'_>> = of.components().collect();
    let tail = |from: usize| parts[from..].iter().collect::<PathBuf>();
    let alone = |from: &usize| known.iter().all(|other| *other == of || !other.ends_with(tail(*from)));
    let from = (1..parts.len()).rev().find(alone).unwrap_or(0);
    path(&tail(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_of_a_path_as_tells_it_apart() {
        let paths = ["/home/ada/Downloads", "/home/ada/old/Downloads", "/home/ada/Scans", "/Scans", "/"].map(Path::new);
        let known = paths.into_iter().collect();
        assert_eq!(
            paths.map(|path| apart(path, &known)),
            ["ada/Downloads", "old/Downloads", "ada/Scans", "/Scans", "/"]
        );
        assert_eq!(apart(Path::new("/home/ada/Only"), &known), "Only");
    }
}
