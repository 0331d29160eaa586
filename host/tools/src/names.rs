//! What the tools of plugins are called towards models, who take letters, digits, `_` and `-`, at most 64 of them.

use deskhand_models::{LONGEST_NAME, is_name};
use deskhand_vocabulary::{PluginId, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How many digits of a digest tell two apart whose names would be the same.
const DIGITS: usize = 8;

/// A name for each, in their order: `plugin__tool`. Where two would have the same, or one would be too long, each of them
/// has the beginning of its name and a digest of the whole of it, so that who else is there changes no name but theirs.
pub(crate) fn on_the_wire<'a>(tools: impl IntoIterator<Item = (&'a PluginId, &'a str)>) -> Vec<String> {
    let tools: Vec<_> = tools.into_iter().collect();
    let plain: Vec<String> = tools.iter().map(|(plugin, tool)| format!("{}__{tool}", plugin.name)).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &plain {
        *count.entry(name).or_default() += 1;
    }
    let mut taken: BTreeSet<String> = plain.iter().filter(|name| fits(name, &count)).cloned().collect();
    let name = |(at, (plugin, tool)): (usize, &(&PluginId, &str))| {
        let plain = &plain[at];
        if fits(plain, &count) {
            return plain.clone();
        }
        let digest = Sha256::of(format!("{plugin}/{tool}").as_bytes()).to_string();
        let longer = (DIGITS..=digest.len().min(LONGEST_NAME - 1)).map(|digits| {
            let begins: String =
                plain.chars().filter(|c| is_name(&c.to_string())).take(LONGEST_NAME - 1 - digits).collect();
            format!("{begins}_{}", &digest[..digits])
        });
        let mut free = longer.filter(|name| !taken.contains(name));
        let name = free.next().unwrap_or(digest);
        taken.insert(name.clone());
        name
    };
    tools.iter().enumerate().map(name).collect()
}

fn fits(name: &str, count: &BTreeMap<&str, usize>) -> bool {
    is_name(name) && count.get(name).is_none_or(|count| *count == 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(tools: &[(&str, &str)]) -> Vec<String> {
        let tools: Vec<(PluginId, &str)> =
            tools.iter().map(|(plugin, tool)| (plugin.parse().unwrap(), *tool)).collect();
        on_the_wire(tools.iter().map(|(plugin, tool)| (plugin, *tool)))
    }

    #[test]
    fn a_name_is_that_of_the_plugin_and_the_tool() {
        assert_eq!(
            names(&[("home:websearch", "search"), ("home:read-pdf", "read-pages")]),
            ["websearch__search", "read-pdf__read-pages"]
        );
    }

    #[test]
    fn those_that_would_be_the_same_are_told_apart_whatever_else_is_there() {
        let both = names(&[("acme:mail", "send"), ("home:mail", "send"), ("home:mail", "read")]);
        assert_eq!(both, ["mail__send_38e91c15", "mail__send_59cf4709", "mail__read"]);
        let again = names(&[("acme:a", "b"), ("acme:mail", "send"), ("home:mail", "send")]);
        assert_eq!(again[1..], both[..2]);
    }

    #[test]
    fn a_long_one_is_cut_and_still_one_of_its_own() {
        let (plugin, one, other) = (format!("home:{}", "p".repeat(60)), "t".repeat(64), format!("{}u", "t".repeat(63)));
        let names = names(&[(&plugin, &one), (&plugin, &other)]);
        assert!(names.iter().all(|name| name.len() == LONGEST_NAME && is_name(name)), "{names:?}");
        assert_ne!(names[0], names[1]);
    }
}
