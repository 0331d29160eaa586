//! One file of instructions, read so that it is what it seems: a plain file of text that lies in its folder. Of its text
//! the model gets what a person sees of it, and no more than a bound.

use deskhand_vocabulary::text;
use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat2},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::Path,
};

/// Its names. The first that is there counts.
pub(super) const NAMES: [&str; 3] = ["DESKHAND.md", "AGENTS.md", "CLAUDE.md"];
/// The most of a file that instructs, in bytes.
pub(super) const MOST: usize = 32 << 10;
/// What stands at the end of a text that is not there as a whole.
const CUT: &str = "\n(The file goes on, but no more of it is read.)";

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// As the model is given it; empty where the file says nothing.
    pub(super) text: String,
    /// True if the file is longer than [`MOST`], so that its end is missing.
    pub(super) cut: bool,
}

/// What stands under a name: its text, or why it is not followed.
pub(super) type Found = (&'static str, Result<Text, String>);

/// The file of instructions in `folder`, by the first of `names` that is there.
pub(super) fn of(folder: &Path, names: &[&'static str]) -> Option<Found> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    names.iter().find_map(|name| match open(&folder, name) {
        Ok(file) => Some((*name, read(file))),
        Err(Errno::NOENT) => None,
        Err(error) => Some((*name, Err(refused(error)))),
    })
}

fn open(folder: &OwnedFd, name: &str) -> Result<File, Errno> {
    // a pipe of this name must hold nobody up
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // a link may lead to another file of the folder, not out of it
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat2(folder, name, flags, Mode::empty(), inside).map(File::from)
}

fn refused(error: Errno) -> String {
    match error {
        Errno::XDEV | Errno::LOOP => "it is a link that leads out of its folder".to_owned(),
        Errno::NXIO => NOT_A_FILE.to_owned(),
        error => format!("it could not be read: {}", io::Error::from(error)),
    }
}

const NOT_A_FILE: &str = "it is no plain file";

fn read(file: File) -> Result<Text, String> {
    let not_read = |error: io::Error| format!("it could not be read: {error}");
    if !file.metadata().map_err(not_read)?.is_file() {
        return Err(NOT_A_FILE.to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(not_read)?;
    text_of(bytes)
}

fn text_of(mut bytes: Vec<u8>) -> Result<Text, String> {
    let cut = bytes.len() > MOST;
    bytes.truncate(MOST);
    if let Err(error) = std::str::from_utf8(&bytes) {
        // only the cut may have gone through a character
        if !cut || error.error_len().is_some() {
            return Err("it is not text (UTF-8)".to_owned());
        }
        bytes.truncate(error.valid_up_to());
    }
    let text = String::from_utf8(bytes).unwrap_or_default();
    let mut text = text::plain(&text).trim().to_owned();
    if cut {
        text.push_str(CUT);
    }
    Ok(Text { text, cut })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::{fs, os::unix::fs::symlink};

    fn said(text: &str) -> Result<Text, String> {
        Ok(Text { text: text.to_owned(), cut: false })
    }

    #[test]
    fn a_text_is_what_a_person_sees_of_it() {
        assert_eq!(text_of(b"\xEF\xBB\xBFBe \x1b[2Jbrief.\r\n\0\n".to_vec()), said("Be [2Jbrief."));
        assert_eq!(text_of(Vec::new()), said(""));
        assert_eq!(text_of(b"\xFF".to_vec()), Err("it is not text (UTF-8)".to_owned()));
        assert_eq!(text_of("Gr\u{fc}".as_bytes()[..3].to_vec()), Err("it is not text (UTF-8)".to_owned()));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_and_says_so() {
        let long = format!("{}\u{fc}{}", "a".repeat(MOST - 1), "b".repeat(9));
        let expected = format!("{}{CUT}", "a".repeat(MOST - 1));
        assert_eq!(text_of(long.into_bytes()), Ok(Text { text: expected, cut: true }));
        let whole = "a".repeat(MOST);
        assert_eq!(text_of(whole.clone().into_bytes()), said(&whole));
    }

    #[test]
    fn the_first_name_that_is_there_counts_and_links_stay_inside() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        fs::create_dir(&folder).unwrap();
        assert_eq!(of(&folder, &NAMES), None);
        fs::write(folder.join("CLAUDE.md"), "third").unwrap();
        symlink("CLAUDE.md", folder.join("AGENTS.md")).unwrap();
        assert_eq!(of(&folder, &NAMES), Some(("AGENTS.md", said("third"))));
        fs::write(place.path().join("elsewhere"), "planted").unwrap();
        symlink("../elsewhere", folder.join("DESKHAND.md")).unwrap();
        let outside = Some(("DESKHAND.md", Err("it is a link that leads out of its folder".to_owned())));
        assert_eq!(of(&folder, &NAMES), outside);
        fs::remove_file(folder.join("DESKHAND.md")).unwrap();
        symlink(place.path().join("elsewhere"), folder.join("DESKHAND.md")).unwrap();
        assert_eq!(of(&folder, &NAMES), outside);
        fs::remove_file(folder.join("DESKHAND.md")).unwrap();
        fs::create_dir(folder.join("DESKHAND.md")).unwrap();
        assert_eq!(of(&folder, &NAMES), Some(("DESKHAND.md", Err(NOT_A_FILE.to_owned()))));
    }
}
