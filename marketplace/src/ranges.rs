//! Version requirements as intervals. A requirement says nothing about pre-releases that it does not name, so an upper
//! bound ends before the first pre-release of its version (`2.0.0-0`), as Cargo's rules have it.

use pubgrub::Ranges;
use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};
use std::ops::Bound;

/// The versions that a requirement allows.
pub(crate) fn of(requirement: &VersionReq) -> Ranges<Version> {
    requirement.comparators.iter().fold(Ranges::full(), |range, comparator| range.intersection(&one(comparator)))
}

fn one(comparator: &Comparator) -> Ranges<Version> {
    let Comparator { major, minor, patch, .. } = *comparator;
    let first = Version { pre: comparator.pre.clone(), ..Version::new(major, minor.unwrap_or(0), patch.unwrap_or(0)) };
    // Where the versions end that begin with the parts that are written.
    let end = || match (minor, patch) {
        (Some(minor), Some(patch)) => before(major, minor, patch.saturating_add(1)),
        (Some(minor), None) => before(major, minor.saturating_add(1), 0),
        (None, _) => before(major.saturating_add(1), 0, 0),
    };
    let between = |end: Version| Ranges::between(first.clone(), end);
    let whole = patch.is_some();
    match comparator.op {
        Op::Exact if whole => Ranges::singleton(first),
        Op::Greater if whole => Ranges::strictly_higher_than(first),
        Op::Greater => Ranges::higher_than(end()),
        Op::GreaterEq => Ranges::higher_than(first),
        Op::Less if comparator.pre.is_empty() => {
            Ranges::strictly_lower_than(before(first.major, first.minor, first.patch))
        }
        Op::Less => Ranges::strictly_lower_than(first),
        Op::LessEq if whole => Ranges::lower_than(first),
        Op::LessEq => Ranges::strictly_lower_than(end()),
        Op::Tilde if whole => between(before(major, first.minor.saturating_add(1), 0)),
        Op::Caret => between(match (major, minor, patch) {
            (0, Some(0), Some(patch)) => before(0, 0, patch.saturating_add(1)),
            (0, Some(minor), _) => before(0, minor.saturating_add(1), 0),
            _ => before(major.saturating_add(1), 0, 0),
        }),
        // Exact, tilde and wildcard of a part of a version; and what a later semver may bring, taken most narrowly.
        _ => between(end()),
    }
}

/// The first of all pre-releases of a version.
fn before(major: u64, minor: u64, patch: u64) -> Version {
    let pre = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }
}

/// A range for people: `1.2.3`, `from 1.2.0 on and before 2.0.0`.
pub(crate) fn text(range: &Ranges<Version>) -> String {
    if *range == Ranges::full() {
        return "in any version".to_owned();
    }
    let intervals: Vec<String> = range
        .iter()
        .map(|(from, to)| {
            let bound = |version: &Version| {
                let plain = Version::new(version.major, version.minor, version.patch);
                if version.pre.as_str() == "0" { plain.to_string() } else { version.to_string() }
            };
            let from_text = match from {
                Bound::Included(version) => Some(format!("from {} on", bound(version))),
                Bound::Excluded(version) => Some(format!("after {}", bound(version))),
                Bound::Unbounded => None,
            };
            let to_text = match to {
                Bound::Included(version) => Some(format!("up to {}", bound(version))),
                Bound::Excluded(version) => Some(format!("before {}", bound(version))),
                Bound::Unbounded => None,
            };
            match (from, to) {
                (Bound::Included(one), Bound::Included(other)) if one == other => one.to_string(),
                _ => [from_text, to_text].into_iter().flatten().collect::<Vec<_>>().join(" and "),
            }
        })
        .collect();
    intervals.join(" or ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_read_as_they_are_written() {
        let shown = |text: &str| super::text(&of(&text.parse().unwrap()));
        assert_eq!(shown("^1.2"), "from 1.2.0 on and before 2.0.0");
        assert_eq!(shown("=1.2.3"), "1.2.3");
        assert_eq!(shown(">=1, <1.5"), "from 1.0.0 on and before 1.5.0");
        assert_eq!(shown("*"), "in any version");
    }

    fn requirement() -> impl Strategy<Value = String> {
        let operator = prop_oneof!["=", ">", ">=", "<", "<=", "~", "\\^", ""];
        let part = (operator, 0u64..3, proptest::option::of((0u64..3, proptest::option::of(0u64..3)))).prop_map(
            |(operator, major, rest)| match rest {
                None => format!("{operator}{major}"),
                Some((minor, None)) => format!("{operator}{major}.{minor}"),
                Some((minor, Some(patch))) => format!("{operator}{major}.{minor}.{patch}"),
            },
        );
        proptest::collection::vec(part, 1..3).prop_map(|parts| parts.join(", "))
    }

    proptest! {
        #[test]
        fn a_version_is_in_the_range_exactly_if_it_matches(
            requirement in requirement(), major in 0u64..4, minor in 0u64..4, patch in 0u64..4,
        ) {
            let requirement: VersionReq = requirement.parse().unwrap();
            let version = Version::new(major, minor, patch);
            prop_assert_eq!(of(&requirement).contains(&version), requirement.matches(&version));
        }
    }
}
