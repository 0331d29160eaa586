//! Files that belong together and stay together: a picture and its XMP file, the two halves of a Live Photo, RAW and
//! JPEG of one shot, an archive and its signature, a film and its subtitles.

use crate::name::{extension, join, last, parent, path_key, split};
use std::collections::HashMap;

const PICTURES: &[&str] = &["jpg", "jpeg", "heic", "heif", "png", "tif", "tiff", "webp", "dng", "avif", "psd", "gif"];
const RAW: &[&str] = &[
    "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "dng", "orf", "rw2", "raf", "pef", "srw", "x3f", "3fr",
    "iiq", "rwl", "erf", "kdc", "mrw",
];
const VIDEOS: &[&str] =
    &["mp4", "mkv", "mov", "avi", "m4v", "webm", "mpg", "mpeg", "wmv", "flv", "ts", "m2ts", "mts", "3gp", "ogv", "vob"];
const AUDIO: &[&str] = &["mp3", "flac", "m4a", "ogg", "opus", "wav", "wma", "aac", "ape", "wv", "aiff", "aif"];

/// Endings that are put behind a whole name: `a.zip` and `a.zip.sha256`.
const BEHIND: &[&str] = &[
    ".xmp",
    ".pp3",
    ".dop",
    ".aae",
    ".sig",
    ".asc",
    ".minisig",
    ".sigstore",
    ".pem",
    ".md5",
    ".sha1",
    ".sha256",
    ".sha512",
    ".md5sum",
    ".sha1sum",
    ".sha256sum",
    ".sha512sum",
    ".b2",
    ".b3",
    ".torrent",
    ".json",
    ".supplemental-metadata.json",
    ".srt",
    ".vtt",
    ".lrc",
    ".bak",
    ".orig",
    "~",
];

/// How one file follows another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// The index of the file that it follows.
    pub main: usize,
    /// What its name has after the main file's stem, or after the whole name if `whole`.
    pub rest: String,
    /// True if the whole name of the main file is the beginning of this one's.
    pub whole: bool,
}

/// Which of many files follow which. Only files of one folder belong together.
#[derive(Clone, Debug, Default)]
pub struct Families {
    follows: HashMap<usize, Follows>,
}

impl Families {
    /// Finds the families among `paths`.
    pub fn among(paths: &[&str]) -> Self {
        let keys: Vec<String> = paths.iter().map(|path| path_key(path)).collect();
        let names: HashMap<&str, usize> =
            keys.iter().enumerate().rev().map(|(index, key)| (key.as_str(), index)).collect();
        // of two names that differ in case only, one can follow: under a new stem both would be one name
        let own = names.values().copied();
        let follows = own.filter_map(|index| Some((index, main_of(index, paths[index], &names)?)));
        Self { follows: follows.collect() }
    }

    /// How the file at `index` follows another, if it does.
    pub fn follows(&self, index: usize) -> Option<&Follows> {
        self.follows.get(&index)
    }

    /// The file that the whole family of `index` stands around; itself if it follows none.
    pub fn head(&self, index: usize) -> usize {
        let mut head = index;
        // a chain is at most as long as there are links; what follows is always longer or of a later kind than its main
        for _ in 0..=self.follows.len() {
            match self.follows.get(&head) {
                Some(follows) => head = follows.main,
                None => break,
            }
        }
        head
    }

    /// The families: each head with those that follow it, a main before its followers; heads in the order of `order`.
    pub fn listed(&self, order: impl IntoIterator<Item = usize>) -> Vec<Vec<usize>> {
        let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut indices: Vec<usize> = self.follows.keys().copied().collect();
        indices.sort_unstable();
        for index in indices {
            followers.entry(self.head(index)).or_default().push(index);
        }
        let listed = order.into_iter().filter(|index| !self.follows.contains_key(index)).map(|head| {
            let mut family = vec![head];
            let mut rest = followers.remove(&head).unwrap_or_default();
            rest.sort_by_key(|index| self.distance(*index));
            family.extend(rest);
            family
        });
        listed.collect()
    }

    fn distance(&self, mut index: usize) -> usize {
        let mut steps = 0;
        while let Some(follows) = self.follows.get(&index) {
            index = follows.main;
            steps += 1;
            if steps > self.follows.len() {
                break;
            }
        }
        steps
    }

    /// The names of a family once its head is called `head`, in the order of `family` (as [`Families::listed`] gives it).
    /// `paths` are those that the families were found among.
    pub fn names(&self, family: &[usize], paths: &[&str], head: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(family.len());
        for (position, index) in family.iter().enumerate() {
            let name = match self.follows.get(index) {
                Some(follows) if position > 0 => {
                    let main = family.iter().position(|other| *other == follows.main).and_then(|at| names.get(at));
                    match main {
                        Some(main) if follows.whole => format!("{main}{}", follows.rest),
                        Some(main) => {
                            let old = last(paths.get(follows.main).copied().unwrap_or_default());
                            let stem = main.strip_suffix(split(old).1).unwrap_or_else(|| split(main).0);
                            format!("{stem}{}", follows.rest)
                        }
                        None => last(paths.get(*index).copied().unwrap_or_default()).to_owned(),
                    }
                }
                _ => head.to_owned(),
            };
            names.push(name);
        }
        names
    }
}

fn main_of(index: usize, path: &str, names: &HashMap<&str, usize>) -> Option<Follows> {
    let (folder, name) = (parent(path), last(path));
    let find =
        |candidate: &str| names.get(path_key(&join(folder, candidate)).as_str()).copied().filter(|main| *main != index);
    let lower = name.to_lowercase();
    for ending in BEHIND {
        let whole = lower.ends_with(ending).then(|| name.len().checked_sub(ending.len())).flatten();
        let Some(cut) = whole.filter(|cut| *cut > 0 && name.is_char_boundary(*cut)) else { continue };
        // a bare `.json` is a companion only of what is not data itself, as a photo service writes it
        let data = *ending == ".json" && !has_extension(&name[..cut], &[PICTURES, RAW, VIDEOS]);
        if let Some(main) = find(&name[..cut]).filter(|_| !data) {
            return Some(Follows { main, rest: name[cut..].to_owned(), whole: true });
        }
    }
    let by_stem = |mains: &[&[&str]], languages: bool| {
        let dot = name.rfind('.')?;
        let tagged = || name[..dot].rfind('.').filter(|at| languages && (1..=8).contains(&(dot - at - 1)));
        for cut in std::iter::once(dot).chain(tagged()) {
            for ending in mains.iter().copied().flatten() {
                if let Some(main) = find(&format!("{}.{ending}", &name[..cut])) {
                    return Some(Follows { main, rest: name[cut..].to_owned(), whole: false });
                }
            }
        }
        None
    };
    match extension(name).as_str() {
        "xmp" => by_stem(&[RAW, PICTURES, VIDEOS], false),
        "aae" => by_stem(&[PICTURES, VIDEOS], false),
        "pp3" | "dop" | "on1" | "cos" => by_stem(&[RAW, PICTURES], false),
        "thm" | "lrv" => by_stem(&[VIDEOS, PICTURES], false),
        "srt" | "sub" | "vtt" | "ass" | "ssa" | "idx" | "sup" => by_stem(&[VIDEOS, AUDIO], true),
        "nfo" => by_stem(&[VIDEOS], false),
        "lrc" | "cue" => by_stem(&[AUDIO], false),
        // Live Photos
        "mov" => by_stem(&[&["heic", "heif", "jpg", "jpeg"]], false),
        raw if RAW.contains(&raw) => by_stem(&[&["jpg", "jpeg", "heic", "heif"]], false),
        _ => None,
    }
}

fn has_extension(name: &str, of: &[&[&str]]) -> bool {
    let extension = extension(name);
    of.iter().any(|list| list.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn families<'a>(paths: &'a [&'a str]) -> Vec<Vec<&'a str>> {
        let families = Families::among(paths);
        let listed = families.listed(0..paths.len());
        listed.iter().map(|family| family.iter().map(|index| paths[*index]).collect()).collect()
    }

    #[test]
    fn what_belongs_together() {
        let paths = [
            "d/IMG_1.HEIC",
            "d/IMG_1.MOV",
            "d/img_1.aae",
            "d/P1.CR2",
            "d/P1.JPG",
            "d/P1.xmp",
            "d/a.tar.gz",
            "d/a.tar.gz.asc",
            "d/a.tar.gz.asc.sha256",
            "d/Film.mkv",
            "d/Film.de.srt",
            "d/film.srt",
            "d/x.json",
            "d/x.csv",
            "d/x.csv.json",
            "d/q.jpg",
            "d/q.jpg.json",
            "e/q.xmp",
            "d/note.txt",
            "d/note.txt~",
            "d/NOTE.txt~",
        ];
        assert_eq!(
            families(&paths),
            [
                vec!["d/IMG_1.HEIC", "d/IMG_1.MOV", "d/img_1.aae"],
                vec!["d/P1.JPG", "d/P1.CR2", "d/P1.xmp"],
                vec!["d/a.tar.gz", "d/a.tar.gz.asc", "d/a.tar.gz.asc.sha256"],
                vec!["d/Film.mkv", "d/Film.de.srt", "d/film.srt"],
                vec!["d/x.json"],
                vec!["d/x.csv"],
                vec!["d/x.csv.json"],
                vec!["d/q.jpg", "d/q.jpg.json"],
                vec!["e/q.xmp"],
                vec!["d/note.txt", "d/note.txt~"],
                vec!["d/NOTE.txt~"],
            ]
        );
    }

    #[test]
    fn a_family_is_renamed_as_one() {
        let paths = ["d/P1.CR2", "d/P1.JPG", "d/p1.xmp", "d/P1.JPG.sha256"];
        let families = Families::among(&paths);
        let family = &families.listed(0..4)[0];
        assert_eq!(family, &[1, 0, 3, 2]);
        assert_eq!(
            families.names(family, &paths, "P1 (2).JPG"),
            ["P1 (2).JPG", "P1 (2).CR2", "P1 (2).JPG.sha256", "P1 (2).xmp"]
        );
    }
}
