//! The state of plugins against a plain map.
#![allow(clippy::unwrap_used)]

mod common;

use common::Home;
use deskhand_records::{
    Item, StateError,
    state::{MAX_KEY, MAX_TOTAL, MAX_VALUE},
};
use deskhand_vocabulary::PluginId;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn plugin(name: &str) -> PluginId {
    format!("m:{name}").parse().unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Put { plugin: usize, key: String, value: Vec<u8>, version: Guess },
    Delete { plugin: usize, key: String },
    Get { plugin: usize, key: String },
    List { plugin: usize, prefix: String, after: Option<String>, limit: u32 },
    Clear { plugin: usize },
    Reopen,
}

/// Which version a caller expects.
#[derive(Clone, Debug)]
enum Guess {
    Any,
    Absent,
    Right,
    Wrong,
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{1,2}", "a/[äß%_]{1,2}", Just("a\u{0}b".to_owned()), Just("\u{10ffff}".to_owned())]
}

fn step() -> impl Strategy<Value = Step> {
    let guess = prop_oneof![Just(Guess::Any), Just(Guess::Absent), Just(Guess::Right), Just(Guess::Wrong)];
    prop_oneof![
        4 => (0..2_usize, key(), prop::collection::vec(any::<u8>(), 0..20), guess)
            .prop_map(|(plugin, key, value, version)| Step::Put { plugin, key, value, version }),
        2 => (0..2_usize, key()).prop_map(|(plugin, key)| Step::Delete { plugin, key }),
        2 => (0..2_usize, key()).prop_map(|(plugin, key)| Step::Get { plugin, key }),
        2 => (0..2_usize, prop_oneof![Just(String::new()), key()], prop::option::of(key()), 0..5_u32)
            .prop_map(|(plugin, prefix, after, limit)| Step::List { plugin, prefix, after, limit }),
        1 => (0..2_usize).prop_map(|plugin| Step::Clear { plugin }),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_behaves_as_a_map_whose_versions_never_repeat(steps in prop::collection::vec(step(), 1..40)) {
        let home = Home::new();
        let mut records = home.open();
        let plugins = [plugin("one"), plugin("two")];
        let mut model: BTreeMap<(usize, String), Item> = BTreeMap::new();
        let mut last: BTreeMap<(usize, String), u64> = BTreeMap::new();
        for step in steps {
            let state = records.state();
            match step {
                Step::Put { plugin, key, value, version } => {
                    let now = model.get(&(plugin, key.clone())).map_or(0, |item| item.version);
                    let expected = match version {
                        Guess::Any => None,
                        Guess::Absent => Some(0),
                        Guess::Right => Some(now),
                        Guess::Wrong => Some(now + 7),
                    };
                    let put = state.put(&plugins[plugin], &key, value.clone(), expected);
                    if expected.is_none_or(|expected| expected == now) {
                        let version = put.unwrap();
                        let before = last.insert((plugin, key.clone()), version);
                        prop_assert!(before.is_none_or(|before| before < version));
                        model.insert((plugin, key), Item { value, version });
                    } else {
                        prop_assert_eq!(put, Err(StateError::Conflict { version: now }));
                    }
                }
                Step::Delete { plugin, key } => {
                    let was_there = model.remove(&(plugin, key.clone())).is_some();
                    prop_assert_eq!(state.delete(&plugins[plugin], &key), Ok(was_there));
                }
                Step::Get { plugin, key } => {
                    let item = model.get(&(plugin, key.clone())).cloned();
                    prop_assert_eq!(state.get(&plugins[plugin], &key), Ok(item));
                }
                Step::List { plugin, prefix, after, limit } => {
                    let listed: Vec<_> = model
                        .keys()
                        .filter(|(of, key)| *of == plugin && key.starts_with(&prefix))
                        .filter(|(_, key)| after.as_ref().is_none_or(|after| key > after))
                        .map(|(_, key)| key.clone())
                        .take(usize::try_from(limit).unwrap())
                        .collect();
                    prop_assert_eq!(state.list(&plugins[plugin], &prefix, after.as_deref(), limit), Ok(listed));
                }
                Step::Clear { plugin } => {
                    model.retain(|(of, _), _| *of != plugin);
                    state.clear(&plugins[plugin]).unwrap();
                }
                Step::Reopen => records = home.open(),
            }
        }
    }
}

#[test]
fn quotas_hold_and_what_is_freed_can_be_used_again() {
    let home = Home::new();
    let records = home.open();
    let (state, one) = (records.state(), plugin("one"));
    assert_eq!(state.put(&one, "", vec![], None), Err(StateError::Key));
    assert_eq!(state.put(&one, &"k".repeat(MAX_KEY + 1), vec![], None), Err(StateError::Key));
    assert_eq!(state.put(&one, "k", vec![0; MAX_VALUE + 1], None), Err(StateError::Value));
    assert_eq!(state.get(&one, ""), Err(StateError::Key));
    for nth in 0..15 {
        state.put(&one, &format!("{nth:02}"), vec![0; MAX_VALUE], None).unwrap();
    }
    let left = usize::try_from(MAX_TOTAL).unwrap() - 15 * (MAX_VALUE + 2) - 2;
    state.put(&one, "15", vec![0; left], None).unwrap();
    assert_eq!(state.put(&one, "16", vec![], None), Err(StateError::Full { wanted: MAX_TOTAL + 2 }));
    assert_eq!(state.put(&one, "15", vec![0; left + 1], None), Err(StateError::Full { wanted: MAX_TOTAL + 1 }));
    state.put(&plugin("two"), "k", vec![0; 10], None).unwrap();
    assert!(state.delete(&one, "00").unwrap());
    state.put(&one, "16", vec![], None).unwrap();
    state.put(&one, "15", vec![0; 1], None).unwrap();
    assert_eq!(state.get(&one, "15").unwrap().map(|item| item.value), Some(vec![0]));
}

#[test]
fn of_two_who_saw_the_same_version_one_wins() {
    let home = Home::new();
    let openings = [home.open(), home.open()];
    let seen = openings[0].state().put(&plugin("p"), "k", b"0".to_vec(), Some(0)).unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6_u8)
            .map(|nth| {
                let records = &openings[usize::from(nth % 2)];
                scope.spawn(move || records.state().put(&plugin("p"), "k", vec![nth], Some(seen)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect::<Vec<_>>();
    assert_eq!(won, [&(seen + 1)]);
    for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(lost, &StateError::Conflict { version: seen + 1 });
    }
}
