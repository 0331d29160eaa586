//! Git repositories, as far as an undo has to know of them: what is in `.git` refers to what is in `.git/objects` by content, so
//! that an object which came with other changes is needed for as long as any of those stays.

use deskhand_vocabulary::{FilePath, FolderName};

/// The repository that a path lies in the `.git` of: its folder, and the names up to there.
pub(crate) fn around(path: &FilePath) -> Option<(FolderName, Vec<&[u8]>)> {
    let names: Vec<&[u8]> = path.path.names().collect();
    let git = names.iter().rposition(|name| *name == b".git")?;
    (git + 1 < names.len()).then(|| (path.folder.clone(), names[..git].to_vec()))
}

/// True of what lies in its `objects`.
pub(crate) fn is_object(path: &FilePath) -> bool {
    let names: Vec<&[u8]> = path.path.names().collect();
    names.iter().rposition(|name| *name == b".git").is_some_and(|git| names.get(git + 1) == Some(&&b"objects"[..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_repository_is_what_its_git_folder_lies_in() {
        let path = |text: &str| text.parse::<FilePath>().unwrap();
        let around = |text: &str| {
            let path = path(text);
            super::around(&path).map(|(folder, names)| (folder.to_string(), names.join(&b'/')))
        };
        assert_eq!(around("Files/a/.git/index"), Some(("Files".to_owned(), b"a".to_vec())));
        assert_eq!(around("Files/.git/objects/ab/cd"), Some(("Files".to_owned(), Vec::new())));
        for other in ["Files/a/index", "Files/.git", "Files/.gitignore", "Files/a/.git"] {
            assert_eq!(around(other), None, "{other}");
        }
        let objects =
            ["Files/.git/objects/ab/cd", "Files/.git/index", "Files/objects/a", "Files/a/.git/objects/pack/p"];
        assert_eq!(objects.map(|text| is_object(&path(text))), [true, false, false, true]);
    }
}
