//! Which files could be the same: those of one size that are not one file under several names.

use std::collections::{BTreeMap, HashSet};

/// A file, as grouping sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// In bytes.
    pub size: u64,
    /// The same for two names of one file.
    pub id: &'a str,
}

/// The files that could be the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Indices of files of one size, at least two each, the largest size first.
    pub groups: Vec<Vec<usize>>,
    /// How many empty files there are. They are the same, and say nothing.
    pub empty: u64,
    /// How many names belong to a file that is there under another name.
    pub links: u64,
}

/// Groups files by size. Of several names of one file only the first counts.
pub fn by_size(files: &[File<'_>]) -> Sizes {
    let mut sizes = Sizes::default();
    let mut seen = HashSet::new();
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if file.size == 0 {
            sizes.empty += 1;
        } else if !seen.insert(file.id) {
            sizes.links += 1;
        } else {
            groups.entry(file.size).or_default().push(index);
        }
    }
    sizes.groups = groups.into_values().rev().filter(|group| group.len() > 1).collect();
    sizes
}

/// Splits groups further, by what `of` says of each file; what it says nothing of is left out, and what is alone then.
pub fn split<K: Ord>(groups: Vec<Vec<usize>>, mut of: impl FnMut(usize) -> Option<K>) -> Vec<Vec<usize>> {
    let mut split = Vec::new();
    for group in groups {
        let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for index in group {
            if let Some(key) = of(index) {
                parts.entry(key).or_default().push(index);
            }
        }
        let mut parts: Vec<Vec<usize>> = parts.into_values().filter(|part| part.len() > 1).collect();
        // in the order of the files, whatever the keys are
        parts.sort_unstable();
        split.extend(parts);
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_size_and_then_by_content() {
        let sizes = [3, 0, 5, 3, 0, 3, 9, 5, 5];
        let ids = ["a", "b", "c", "d", "e", "a", "f", "g", "h"];
        let files: Vec<File<'_>> = sizes.into_iter().zip(ids).map(|(size, id)| File { size, id }).collect();
        let found = by_size(&files);
        assert_eq!(found, Sizes { groups: vec![vec![2, 7, 8], vec![0, 3]], empty: 2, links: 1 });
        let contents = ["x", "", "z", "x", "", "x", "f", "y", "z"];
        assert_eq!(split(found.groups.clone(), |index| Some(contents[index])), [vec![2, 8], vec![0, 3]]);
        assert_eq!(split(found.groups, |index| (index != 8).then_some(contents[index])), [vec![0, 3]]);
    }
}
