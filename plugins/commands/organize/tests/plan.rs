//! Plans over a file system in memory: whole plans of chosen folders, and what holds for every folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_filing::{
    entry::{Kind, Seen},
    name::{byte_len, key, last, parent},
    survey::sift,
};
use deskhand_organize::{
    language::Language,
    layout::{Key, Traits},
    plan::{File, Plan, Wish, plan},
    target::{Lister, Listing},
    types::Type,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    convert::Infallible,
};

/// A file system: paths and what they are. `D` is the folder that is organized.
#[derive(Clone, Debug, Default)]
struct Disk(BTreeMap<String, Kind>);

impl Disk {
    fn of(paths: &[&str]) -> Self {
        let mut disk = Self::default();
        for path in paths {
            disk.put(path);
        }
        disk
    }

    /// `a/` is a folder, `a@` a link, everything else a file; the folders above come to be.
    fn put(&mut self, path: &str) {
        let (path, kind) = match path.strip_suffix('/') {
            Some(path) => (path, Kind::Folder),
            None => path.strip_suffix('@').map_or((path, Kind::File), |path| (path, Kind::Link)),
        };
        let mut above = parent(path);
        while !above.is_empty() {
            self.0.insert(above.to_owned(), Kind::Folder);
            above = parent(above);
        }
        self.0.entry(path.to_owned()).or_insert(kind);
    }

    fn files(&self) -> usize {
        self.0.values().filter(|kind| **kind == Kind::File).count()
    }

    fn plan(&self, wish: &Wish, deep: bool) -> (Vec<String>, Plan, u64) {
        let entries: Vec<Seen<'_>> = self
            .0
            .iter()
            .filter(|(path, _)| path.starts_with("D/") && (deep || parent(path) == "D"))
            .map(|(path, kind)| Seen { path, kind: *kind })
            .collect();
        let survey = sift("D", &entries).unwrap();
        let paths: Vec<String> = survey.files.iter().map(|index| entries[*index].path.to_owned()).collect();
        let files: Vec<File<'_>> =
            paths.iter().map(|path| File { path, traits: Ok(traits(last(path))), passed_over: None }).collect();
        let plan = plan(wish, &files, &mut self.clone()).unwrap();
        (paths, plan, survey.left.total())
    }

    /// Carries a plan out, and fails where a file system would.
    fn apply(&mut self, paths: &[String], plan: &Plan) {
        for folder in &plan.make {
            assert_eq!(self.0.get(parent(folder)), Some(&Kind::Folder), "{folder}");
            assert_eq!(self.0.insert(folder.clone(), Kind::Folder), None, "{folder}");
        }
        for step in &plan.moves {
            let kind = self.0.remove(&paths[step.file]).expect("a file is moved once");
            assert_eq!(self.0.get(parent(&step.target)), Some(&Kind::Folder), "{}", step.target);
            assert_eq!(self.0.insert(step.target.clone(), kind), None, "{}", step.target);
        }
    }
}

impl Lister for Disk {
    type Error = Infallible;

    fn list(&mut self, path: &str) -> Result<Listing, Infallible> {
        assert_eq!(self.0.get(path), Some(&Kind::Folder), "only folders that are there are listed: {path}");
        let below = self.0.iter().filter(|(other, _)| parent(other) == path);
        Ok(below.map(|(other, kind)| (last(other).to_owned(), *kind)).collect())
    }
}

/// The date comes from the first letter and the extension, which a number at the end of the stem leaves alone; the files of
/// one family disagree about it.
fn traits(name: &str) -> Traits {
    let first = name.bytes().next().map_or(0, usize::from);
    let year = 2020 + (first + deskhand_filing::name::extension(name).len()) % 3;
    let moment = (!name.contains("undated")).then(|| format!("{year}-05-31T18:02:11").parse().unwrap());
    Traits { kind: Type::of("", name), moment, size: 1 }
}

fn wish(by: &[Key]) -> Wish {
    Wish { root: "D".into(), by: by.to_vec(), into: Vec::new(), language: Language::English }
}

fn shown(paths: &[String], plan: &Plan) -> Vec<String> {
    let moves = plan.moves.iter().map(|step| {
        let reason = if step.reason.is_empty() { String::new() } else { format!(" ({})", step.reason) };
        format!("{} -> {}{reason}", paths[step.file], step.target)
    });
    plan.make.iter().map(|folder| format!("make {folder}")).chain(moves).collect()
}

#[test]
fn by_type_and_date() {
    let disk =
        Disk::of(&["D/b.jpg", "D/a10.pdf", "D/a9.pdf", "D/sub/c.txt", "D/undated.mp3", "D/Documents/2021/x.pdf"]);
    let (paths, plan, _) = disk.plan(&wish(&[Key::Type, Key::Date]), false);
    assert_eq!(
        shown(&paths, &plan),
        [
            "make D/Audio",
            "make D/Audio/No date",
            "make D/Documents/2021/2021-05",
            "make D/Pictures",
            "make D/Pictures/2022",
            "make D/Pictures/2022/2022-05",
            "D/a9.pdf -> D/Documents/2021/2021-05/a9.pdf",
            "D/a10.pdf -> D/Documents/2021/2021-05/a10.pdf",
            "D/b.jpg -> D/Pictures/2022/2022-05/b.jpg",
            "D/undated.mp3 -> D/Audio/No date/undated.mp3",
        ]
    );
}

#[test]
fn names_that_are_taken() {
    let disk = Disk::of(&[
        "D/Pictures/A.jpg",
        "D/Pictures/u\u{308}.jpg",
        "D/a.JPG",
        "D/ü.jpg",
        "D/ü.xmp",
        "D/Archives/x.tar.gz",
        "D/x.TAR.GZ",
        "D/x (2).tar.gz",
        "D/x.tar.gz.asc",
    ]);
    let (paths, plan, _) = disk.plan(&wish(&[Key::Type]), false);
    assert_eq!(
        shown(&paths, &plan),
        [
            "D/a.JPG -> D/Pictures/a (2).JPG (the name A.jpg is taken)",
            "D/x (2).tar.gz -> D/Archives/x (2).tar.gz",
            "D/x.TAR.GZ -> D/Archives/x (3).TAR.GZ (the name x.tar.gz is taken)",
            "D/x.tar.gz.asc -> D/Archives/x (3).TAR.GZ.asc (the name x.tar.gz is taken)",
            "D/ü.jpg -> D/Pictures/ü (2).jpg (the name u\u{308}.jpg is taken)",
            "D/ü.xmp -> D/Pictures/ü (2).xmp (the name u\u{308}.jpg is taken)",
        ]
    );
    assert_eq!(plan.renamed, 5);
}

#[test]
fn folders_that_are_there() {
    let disk = Disk::of(&[
        "D/pictures/x.jpg",
        "D/Dokumente/",
        "D/Audio@",
        "D/Videos",
        "D/a.jpg",
        "D/a.pdf",
        "D/a.mp3",
        "D/a.mkv",
    ]);
    let (paths, plan, left) = disk.plan(&wish(&[Key::Type]), false);
    assert_eq!(
        shown(&paths, &plan),
        [
            "make D/Audio (2)",
            "make D/Videos (2)",
            "D/a.jpg -> D/pictures/a.jpg",
            "D/a.mkv -> D/Videos (2)/a.mkv",
            "D/a.mp3 -> D/Audio (2)/a.mp3",
            "D/a.pdf -> D/Dokumente/a.pdf",
        ]
    );
    assert_eq!(left, 1);
    assert_eq!(plan.left.lines(), ["1 file with the name of a folder that sorting makes (Videos)"]);
}

#[test]
fn a_repository_takes_nothing() {
    let disk = Disk::of(&["D/Code/.git/HEAD", "D/a.py", "D/Documents/2022/.hg/x", "D/a12.pdf"]);
    let (paths, plan, _) = disk.plan(&wish(&[Key::Type, Key::Year]), false);
    assert_eq!(
        shown(&paths, &plan),
        [
            "make D/Code (2)",
            "make D/Code (2)/2020",
            "make D/Documents/2021",
            "D/a.py -> D/Code (2)/2020/a.py",
            "D/a12.pdf -> D/Documents/2021/a12.pdf",
        ]
    );
}

#[test]
fn into_a_subfolder_and_all_the_way_down() {
    let disk = Disk::of(&["D/a.jpg", "D/x/y/b.jpg", "D/Sorted/Pictures/c.jpg", "D/x/.git/HEAD", "D/z/d.jpg"]);
    let wish = Wish { into: vec!["Sorted".into()], ..wish(&[Key::Type]) };
    let (paths, plan, left) = disk.plan(&wish, true);
    assert_eq!(shown(&paths, &plan), ["D/a.jpg -> D/Sorted/Pictures/a.jpg", "D/z/d.jpg -> D/Sorted/Pictures/d.jpg"]);
    assert_eq!((plan.stay, left), (1, 1));
}

#[test]
fn the_longest_names_stay_within_the_limit() {
    let long = format!("{}.jpeg", "ü".repeat(125));
    let disk = Disk::of(&[&format!("D/{long}"), &format!("D/Pictures/{long}"), "D/\u{f7ff}\n.jpg"]);
    let (paths, plan, _) = disk.plan(&wish(&[Key::Type]), false);
    let expected = format!("D/Pictures/{} (2).jpeg", "ü".repeat(123));
    assert_eq!(
        shown(&paths, &plan),
        [
            format!("D/{long} -> {expected} (the name {}… is taken)", "ü".repeat(59)),
            "D/\u{f7ff}\n.jpg -> D/Pictures/\u{f7ff}\n.jpg".to_owned(),
        ]
    );
}

/// Names that collide in many ways.
fn name() -> impl Strategy<Value = String> {
    let stem = prop_oneof![
        "[aA][bB]?",
        Just("ü".to_owned()),
        Just("u\u{308}".to_owned()),
        Just("Ü".to_owned()),
        Just("a (2)".to_owned()),
        Just("A (2)".to_owned()),
        Just("\u{f7ff}\n".to_owned()),
        Just("Pictures".to_owned()),
        Just("documents".to_owned()),
        Just("2020".to_owned()),
        Just("undated".to_owned()),
        Just(".hidden".to_owned()),
        Just("~$b".to_owned()),
        Just("x".repeat(240)),
        Just("X".repeat(240)),
        Just("ü".repeat(110)),
    ];
    let ending = prop_oneof![
        Just(""),
        Just(".jpg"),
        Just(".JPG"),
        Just(".xmp"),
        Just(".XMP"),
        Just(".mov"),
        Just(".heic"),
        Just(".cr2"),
        Just(".jpg.xmp"),
        Just(".pdf"),
        Just(".docx"),
        Just(".tar.gz"),
        Just(".tar.gz.asc"),
        Just(".part"),
        Just(".srt"),
        Just(".de.srt"),
        Just(".mkv"),
        Just("@"),
        Just(".jpg~"),
    ];
    (stem, ending).prop_map(|(stem, ending)| format!("{stem}{ending}"))
}

fn path() -> impl Strategy<Value = String> {
    let folder = prop_oneof![
        4 => Just("D/"), 1 => Just("D/s/"), 1 => Just("D/Pictures/"), 1 => Just("D/pictures/"), 1 => Just("D/Documents/2021/2021-05/"),
        1 => Just("D/Bilder/"), 1 => Just("D/2021/2021-05/Pictures/"), 1 => Just("D/Audio/.git/"), 1 => Just("D/s/t/"),
    ];
    (folder, name()).prop_map(|(folder, name)| format!("{folder}{name}"))
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    prop_oneof![
        Just(vec![Key::Type, Key::Date]),
        Just(vec![Key::Type]),
        Just(vec![Key::Date, Key::Type]),
        Just(vec![Key::Year]),
        Just(vec![Key::Name, Key::Size]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_a_second_time_finds_nothing_to_do(
        paths in proptest::collection::vec(path(), 0..40),
        by in keys(),
        deep in any::<bool>(),
        into in any::<bool>(),
    ) {
        let mut disk = Disk::default();
        for path in &paths {
            // what is a folder already cannot become a file
            if !disk.0.contains_key(path.trim_end_matches('@')) && !paths.iter().any(|other| parent(other) == path) {
                disk.put(path);
            }
        }
        prop_assume!(disk.0.iter().all(|(path, _)| disk.0.get(parent(path)).is_none_or(|kind| *kind == Kind::Folder)));
        let wish = Wish { into: if into { vec!["Sorted".to_owned()] } else { Vec::new() }, ..wish(&by) };
        let before = disk.clone();
        let (files, plan, _) = disk.plan(&wish, deep);

        // every file once: moved, left or in its place
        let sources: HashSet<usize> = plan.moves.iter().map(|step| step.file).collect();
        prop_assert_eq!(sources.len(), plan.moves.len());
        prop_assert_eq!(files.len() as u64, plan.moves.len() as u64 + plan.left.total() + plan.stay);
        // no two targets, and no target and a file that is there, could be one name to some file system
        let mut names: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
        let targets = plan.moves.iter().map(|step| &step.target);
        for path in before.0.keys().chain(&plan.make).chain(targets) {
            names.entry((parent(path), key(last(path)))).or_default().push(path);
        }
        for path in plan.make.iter().chain(plan.moves.iter().map(|step| &step.target)) {
            prop_assert_eq!(&names[&(parent(path), key(last(path)))], &[path.as_str()]);
        }
        for step in &plan.moves {
            prop_assert!(byte_len(last(&step.target)) <= 255);
            prop_assert_eq!(
                last(&step.target) == last(&files[step.file]) || step.reason.contains("is taken"), true, "{}", step.target
            );
        }
        disk.apply(&files, &plan);
        prop_assert_eq!(disk.files(), before.files());

        let (again_files, again, _) = disk.plan(&wish, deep);
        prop_assert_eq!(shown(&again_files, &again), Vec::<String>::new());
    }
}
