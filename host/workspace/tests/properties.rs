//! Random change sets, against a model file system: the view shows what the model says, the commit makes it so, and the
//! undo of the commit leaves what was there, byte for byte and with all that belongs to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_workspace::State;
use proptest::prelude::*;
use support::{
    Desk, differences,
    model::{Op, plant, work},
    outline, shown,
};

fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    let op = any::<(u8, u8, u8, u8)>().prop_map(|(kind, a, b, c)| Op { kind, a, b, c });
    proptest::collection::vec(op, 1..most)
}

/// `PROPTEST_CASES` for a longer search.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_proposed_is_what_comes_and_undo_takes_it_back(first in ops(24), second in ops(12)) {
        let desk = Desk::new();
        let mut model = plant(&desk);
        let before = desk.tree();
        let task = desk.open();
        work(&task, &mut model, &first);
        prop_assert_eq!(shown(&task), model.outline());
        prop_assert_eq!(differences(&before, &desk.tree()), Vec::<String>::new());
        let mut commits = Vec::new();
        if !task.is_unchanged() {
            let decision = desk.propose(&task);
            prop_assert_eq!(decision.state, State::Applied, "{:?}", decision);
            let done = decision.done.unwrap();
            prop_assert_eq!(&done.refused, &vec![]);
            commits.push(done.id.0);
        }
        prop_assert_eq!(sorted(outline(&desk.tree())), model.outline());
        let between = desk.tree();

        // and once more on what came of it, with an undo, a redo and an undo
        work(&task, &mut model, &second);
        prop_assert_eq!(shown(&task), model.outline());
        if !task.is_unchanged() {
            let done = desk.propose(&task).done.unwrap();
            prop_assert_eq!(&done.refused, &vec![]);
            let after = desk.tree();
            prop_assert_eq!(sorted(outline(&after)), model.outline());
            let undo = desk.undo(done.id.0).done.unwrap();
            prop_assert_eq!(&undo.refused, &vec![]);
            prop_assert_eq!(differences(&between, &desk.tree()), Vec::<String>::new());
            let redo = desk.undo(undo.id.0).done.unwrap();
            prop_assert_eq!(&redo.refused, &vec![]);
            prop_assert_eq!(sorted(outline(&desk.tree())), model.outline());
            desk.undo(redo.id.0);
            prop_assert_eq!(differences(&between, &desk.tree()), Vec::<String>::new());
        }
        if let Some(commit) = commits.pop() {
            let undo = desk.undo(commit).done.unwrap();
            prop_assert_eq!(&undo.refused, &vec![]);
        }
        prop_assert_eq!(differences(&before, &desk.tree()), Vec::<String>::new());
    }
}
