//! The order in which people expect names: `Photo 9` before `Photo 10`.

use crate::name::key;
use std::cmp::Ordering;

/// A name to be sorted by. Digits compare as numbers of any length, the rest without regard to case; names that are
/// alike in this compare by their characters, so the order is total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural {
    key: String,
    name: String,
}

impl Natural {
    /// Of a name or a path.
    pub fn of(name: &str) -> Self {
        Self { key: key(name), name: name.to_owned() }
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.key, &other.key).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, rest_a) = digits(a);
            let (n, rest_b) = digits(b);
            (a, b) = (rest_a, rest_b);
            // without leading zeros, the longer number is the greater
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            // what a folder holds comes before names that merely go on
            rank(x).cmp(&rank(y))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn rank(c: char) -> u32 {
    if c == '/' { 0 } else { u32::from(c) + 1 }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (number.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_count() {
        let mut names = ["b", "a10", "a9", "A1", "a01", "a 2", "a/z", "a", "ä", "a9b10", "a9b9"];
        names.sort_by_key(|name| Natural::of(name));
        assert_eq!(names, ["a", "a/z", "a 2", "A1", "a01", "a9", "a9b9", "a9b10", "a10", "b", "ä"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_total(a in "[aA0-3/ ]{0,6}", b in "[aA0-3/ ]{0,6}", c in "[aA0-3/ ]{0,6}") {
            let [x, y, z] = [&a, &b, &c].map(|name| Natural::of(name));
            prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
            prop_assert_eq!(x.cmp(&y) == Ordering::Equal, a == b);
            if x <= y && y <= z {
                prop_assert!(x <= z);
            }
        }
    }
}
