//! In which order files are moved, so that every name is free when it is needed: chains from their end, and circles (two files
//! that swap names) by way of a name in between.

use std::collections::HashMap;

/// One move: of the file at this index, or of what waits under a name in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the name in between.
    Park(usize),
    /// From where it is to where it belongs.
    Move(usize),
    /// From the name in between to where it belongs.
    Unpark(usize),
}

/// Orders moves of files, given as source and target. No two sources and no two targets are the same, and no target is the path of
/// something that stays.
pub fn order(moves: &[(&str, &str)]) -> Vec<Step> {
    let sources: HashMap<&str, usize> = moves.iter().enumerate().map(|(index, (source, _))| (*source, index)).collect();
    // what has to move first: the file that lies where this one goes
    let before = |index: usize| sources.get(moves[index].1).copied().filter(|other| *other != index);
    let mut done = vec![false; moves.len()];
    let mut steps = Vec::with_capacity(moves.len());
    for first in 0..moves.len() {
        let mut chain = Vec::new();
        let mut parked = None;
        let mut at = Some(first).filter(|index| !done[*index]);
        while let Some(index) = at {
            chain.push(index);
            at = before(index).filter(|other| !done[*other]);
            if at == Some(first) {
                // each target is the source of one file at most, so a circle closes where it began
                parked = at;
                break;
            }
        }
        if let Some(index) = parked {
            steps.push(Step::Park(index));
        }
        for index in chain.into_iter().rev() {
            steps.push(if parked == Some(index) { Step::Unpark(index) } else { Step::Move(index) });
            done[index] = true;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn chains_and_circles() {
        let moves = [("1", "2"), ("2", "3"), ("a", "b"), ("b", "c"), ("c", "a"), ("x", "y")];
        assert_eq!(
            order(&moves),
            [Step::Move(1), Step::Move(0), Step::Park(2), Step::Move(4), Step::Move(3), Step::Unpark(2), Step::Move(5),]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_name_is_free_when_it_is_needed(targets in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle(), files in 1..12usize) {
            let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
            let moves: Vec<(&str, &str)> = (0..files)
                .filter(|n| targets[*n] != *n)
                .map(|n| (names[n].as_str(), names[targets[n]].as_str()))
                // what stays lies in nobody's way
                .filter(|(_, target)| {
                    let target: usize = target.parse().unwrap();
                    target >= files || targets[target] != target
                })
                .collect();
            let mut lies: HashSet<&str> = moves.iter().map(|(source, _)| *source).collect();
            let mut parked: HashSet<usize> = HashSet::new();
            for step in order(&moves) {
                match step {
                    Step::Park(n) => prop_assert!(lies.remove(moves[n].0) && parked.insert(n)),
                    Step::Unpark(n) => prop_assert!(parked.remove(&n) && lies.insert(moves[n].1)),
                    Step::Move(n) => prop_assert!(lies.remove(moves[n].0) && lies.insert(moves[n].1)),
                }
            }
            prop_assert_eq!(lies, moves.iter().map(|(_, target)| *target).collect::<HashSet<_>>());
            prop_assert!(parked.is_empty());
        }
    }
}
