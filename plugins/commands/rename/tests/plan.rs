//! What holds for every plan.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_filing::name::{byte_len, key, last, parent};
use deskhand_rename::{
    change::{Case, Change},
    order::{Step, order},
    pattern::Pattern,
    plan::{File, Plan, Sort, Wish, plan},
};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

fn name() -> impl Strategy<Value = String> {
    let stem = prop_oneof![
        "[aA][bB]?",
        "[0-3]{1,2}",
        Just("ü".to_owned()),
        Just("u\u{308}".to_owned()),
        Just("Ü (2)".to_owned()),
        Just("x 1".to_owned()),
        Just("X 02".to_owned()),
        Just("\u{f7ff}\n".to_owned()),
        Just("y".repeat(250)),
        Just("2024-05-31 a".to_owned()),
        Just("a b".to_owned()),
    ];
    let ending = prop_oneof![
        Just(""),
        Just(".jpg"),
        Just(".JPG"),
        Just(".xmp"),
        Just(".mov"),
        Just(".jpg.xmp"),
        Just(".cr2"),
        Just(".tar.gz"),
        Just(".txt~"),
    ];
    let folder = prop_oneof![3 => Just("D/"), 1 => Just("D/s/")];
    (folder, stem, ending).prop_map(|(folder, stem, ending)| format!("{folder}{stem}{ending}"))
}

fn change() -> impl Strategy<Value = Change> {
    let pattern =
        |text: &str, prefix| Change { pattern: Some(Pattern::read(text).unwrap()), prefix, ..Change::default() };
    prop_oneof![
        Just(pattern("x {n}", false)),
        Just(pattern("{n:2}", false)),
        Just(pattern("{date} {name}", true)),
        Just(pattern("{date}", false)),
        Just(pattern("x", false)),
        Just(pattern("{folder} {n}.{ext}", false)),
        Just(Change { case: Some(Case::Lowercase), ..Change::default() }),
        Just(Change { replace: Some(("a".into(), "b".into())), extension: Some(Case::Lowercase), ..Change::default() }),
        Just(Change { spaces: Some("_".into()), ..Change::default() }),
    ]
}

fn planned(wish: &Wish, paths: &[String]) -> Plan {
    let moment = "2024-05-31T18:02:11".parse().ok();
    let files: Vec<File<'_>> =
        paths.iter().map(|path| File { path, size: path.len() as u64, moment: Ok(moment) }).collect();
    plan("D", wish, &files, ["D/s", "D/Other", "D/3.jpg.d"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(
        paths in proptest::collection::btree_set(name(), 0..25),
        change in change(),
        sort in prop_oneof![Just(Sort::Name), Just(Sort::Size), Just(Sort::Newest)],
    ) {
        let paths: Vec<String> = paths.into_iter().collect();
        let wish = Wish { change, sort, start: 1, ..Wish::default() };
        let plan = planned(&wish, &paths);
        // every file once: renamed, as it is, or refused with its family
        let sources: HashSet<usize> = plan.moves.iter().map(|step| step.file).collect();
        prop_assert_eq!(sources.len(), plan.moves.len());
        if plan.refused.is_empty() {
            prop_assert_eq!(paths.len() as u64, plan.moves.len() as u64 + plan.stay + plan.left.total());
        }

        // carried out in its order, each name is free when it is needed
        let moves: Vec<(&str, &str)> =
            plan.moves.iter().map(|step| (paths[step.file].as_str(), step.target.as_str())).collect();
        let mut disk: BTreeSet<&str> = paths.iter().map(String::as_str).chain(["D/s", "D/Other", "D/3.jpg.d"]).collect();
        let before = disk.len();
        for step in order(&moves) {
            match step {
                Step::Park(n) => prop_assert!(disk.remove(moves[n].0)),
                Step::Unpark(n) => prop_assert!(disk.insert(moves[n].1)),
                Step::Move(n) => prop_assert!(disk.remove(moves[n].0) && disk.insert(moves[n].1), "{:?}", moves[n]),
            }
        }
        prop_assert_eq!(disk.len(), before);
        // no file left its folder, and no new name could be another's to some file system
        let mut names: HashMap<(&str, String), usize> = HashMap::new();
        for path in &disk {
            *names.entry((parent(path), key(last(path)))).or_default() += 1;
        }
        for (source, target) in &moves {
            prop_assert_eq!(parent(source), parent(target));
            prop_assert_eq!(names[&(parent(target), key(last(target)))], 1, "{}", target);
            prop_assert!(byte_len(last(target)) <= 255);
        }
    }
}
