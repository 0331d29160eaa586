//! Unpacking a wheel of Python (PEP 427): a zip archive whose files lie in the folder of modules as they lie in it. One that would
//! have more done to it, as a program of its own would, is refused.

use crate::{
    package::{LARGEST, place},
    tree::{Node, Tree},
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};
use zip::ZipArchive;

/// Where Debian's Python has the modules that packages bring.
const MODULES: &str = "usr/lib/python3/dist-packages";

/// Put all files of a wheel into the tree.
pub(crate) fn unpack(wheel: &Path, tree: &mut Tree) -> io::Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(wheel)?))?;
    for number in 0..archive.len() {
        let file = archive.by_index(number)?;
        if file.is_dir() {
            continue;
        }
        if file.is_symlink() {
            return Err(io::Error::other("it holds something that is no file or folder"));
        }
        let name = file.name()?.into_owned();
        // such as `NAME-1.0.data/scripts`
        if name.split_once('/').is_some_and(|(folder, _)| folder.ends_with(".data")) {
            return Err(io::Error::other("it holds files that belong elsewhere than its modules"));
        }
        let path = place(Path::new(&format!("{MODULES}/{name}")))?;
        let content = tree.store(file, LARGEST)?;
        if let Some(path) = path {
            tree.put(&path, Node::File { content, executable: false });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::unpack;
    use crate::{package::content, tree::Tree};
    use std::io::Write as _;
    use zip::{ZipWriter, write::SimpleFileOptions};

    /// The tree of a wheel with these files, each with its own name in it.
    fn unpacked(names: &[&str]) -> Result<Tree, String> {
        let mut wheel = ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
        for name in names {
            if let Some((name, target)) = name.split_once(" -> ") {
                wheel.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
            } else if name.ends_with('/') {
                wheel.add_directory(*name, SimpleFileOptions::default()).unwrap();
            } else {
                wheel.start_file(*name, SimpleFileOptions::default()).unwrap();
                wheel.write_all(name.as_bytes()).unwrap();
            }
        }
        let wheel = wheel.finish().unwrap();
        let mut tree = Tree::new().unwrap();
        unpack(wheel.path(), &mut tree).map_err(|error| error.to_string())?;
        Ok(tree)
    }

    #[test]
    fn a_wheel_lies_among_the_modules() {
        let tree =
            unpacked(&["thing/", "thing/__init__.py", "thing/lib/a.py", "thing-1.0.dist-info/METADATA"]).unwrap();
        let modules = "usr/lib/python3/dist-packages";
        let paths: Vec<&str> =
            tree.nodes().map(|(path, _)| path).filter_map(|path| path.strip_prefix(modules)).collect();
        let expected = [
            "",
            "/thing",
            "/thing-1.0.dist-info",
            "/thing-1.0.dist-info/METADATA",
            "/thing/__init__.py",
            "/thing/lib",
            "/thing/lib/a.py",
        ];
        assert_eq!(paths, expected);
        let file = content(&tree, &format!("{modules}/thing/lib/a.py")).unwrap();
        assert_eq!(tree.bytes(file).unwrap(), b"thing/lib/a.py");
    }

    #[test]
    fn a_wheel_that_leads_out_or_wants_more_done_is_refused() {
        let why = |name: &str| unpacked(&[name]).err();
        assert_eq!(why("../outside").as_deref(), Some("it holds a path that leads out of it"));
        assert_eq!(why("thing -> /etc").as_deref(), Some("it holds something that is no file or folder"));
        assert_eq!(
            why("thing-1.0.data/scripts/thing").as_deref(),
            Some("it holds files that belong elsewhere than its modules")
        );
        // one that claims to begin at the root stays within
        assert!(unpacked(&["/etc/passwd"]).unwrap().get("usr/lib/python3/dist-packages/etc/passwd").is_some());
    }
}
