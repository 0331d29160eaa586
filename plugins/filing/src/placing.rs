//! Free names: each file of a family gets a name that nothing has in the folder it goes to.

use crate::{
    companions::Families,
    name::{MAX_BYTES, Taken, byte_len, join, key, numbered_stem, split, without_number},
};
use std::collections::HashMap;

/// A name for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The index of the file.
    pub file: usize,
    /// Its name in the folder.
    pub name: String,
    /// What has the name that was wanted, if another had to be taken.
    pub taken_by: Option<String>,
}

/// Gives out names, each once.
#[derive(Debug)]
pub struct Placing<'a> {
    families: &'a Families,
    paths: &'a [&'a str],
    /// The last number that was tried, for each name in each folder: of many files with one name, each goes on from there.
    numbers: HashMap<String, u32>,
}

impl<'a> Placing<'a> {
    /// For files at `paths`, of these families.
    pub fn new(families: &'a Families, paths: &'a [&'a str]) -> Self {
        Self { families, paths, numbers: HashMap::new() }
    }

    /// Places a family into `folder`, under the `wanted` names (the head's first) if all of them are free, else all with one
    /// number that is. The names are taken from then on.
    pub fn place(&mut self, family: &[usize], wanted: &[String], folder: &str, taken: &mut Taken) -> Vec<Placed> {
        let Some(head) = wanted.first() else { return Vec::new() };
        // nearly all files are alone and their names free
        if let ([file], [name]) = (family, wanted)
            && byte_len(name) <= MAX_BYTES
            && taken.take(name)
        {
            return vec![Placed { file: *file, name: name.clone(), taken_by: None }];
        }
        let (stem, extension) = split(head);
        // what the longest name of the family has beyond the stem, which all of them begin with
        let longest = wanted.iter().map(|name| byte_len(name).saturating_sub(byte_len(stem))).max().unwrap_or(0);
        let counter = join(folder, &key(&format!("{}{extension}", without_number(stem))));
        let mut n = self.numbers.get(&counter).copied().unwrap_or(1);
        let mut names = wanted.to_vec();
        let mut taken_by: Option<String> = None;
        loop {
            let mut own = Taken::default();
            let fit = names.iter().all(|name| own.take(name) && byte_len(name) <= MAX_BYTES);
            if !fit && family.len() > 1 {
                // two of the family differ in case only, or an ending is too long: one stem for all cannot be
                let alone = family.iter().zip(wanted);
                return alone
                    .flat_map(|(index, name)| self.place(&[*index], std::slice::from_ref(name), folder, taken))
                    .collect();
            }
            let Some(blocker) = names.iter().find_map(|name| taken.by(name)) else { break };
            taken_by.get_or_insert_with(|| blocker.to_owned());
            n += 1;
            let stem = numbered_stem(stem, &"x".repeat(longest), n);
            names = self.families.names(family, self.paths, &format!("{stem}{extension}"));
        }
        if taken_by.is_some() {
            self.numbers.insert(counter, n);
        }
        let placed = family.iter().zip(wanted).zip(names).map(|((file, wanted), name)| {
            taken.take(&name);
            let taken_by = taken_by.clone().filter(|_| name != *wanted);
            Placed { file: *file, name, taken_by }
        });
        placed.collect()
    }
}
