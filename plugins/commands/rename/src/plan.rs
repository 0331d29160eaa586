//! The plan: which file gets which name. Pure: it is told what is there, and says what to change.

use crate::{
    change::{Change, NotAName},
    glob::Glob,
    pattern::Values,
};
use deskhand_filing::{
    companions::Families,
    name::{Taken, join, last, parent, split},
    natural::Natural,
    placing::Placing,
    survey::{Left, Reason},
};
use deskhand_sdk::time::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

/// The order in which files are numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "name": ["names", "alphabet", "alphabetically", "namen", "alphabetisch"],
    "date": ["time", "date taken", "oldest first", "age", "datum", "alter"],
    "newest": ["newest first", "latest first", "neueste"],
    "size": ["file size", "smallest first", "größe"]
}))]
pub enum Sort {
    /// By name: 9 before 10.
    #[default]
    Name,
    /// By date, the oldest first; what has no date comes last.
    Date,
    /// By date, the newest first; what has no date comes last.
    Newest,
    /// By size, the smallest first.
    Size,
}

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// How names change.
    pub change: Change,
    /// Which files; none for all.
    pub only: Option<Glob>,
    /// The order of numbers.
    pub sort: Sort,
    /// The first number.
    pub start: u64,
    /// True if numbers get as many digits as the last one needs, and at least two.
    pub even_digits: bool,
}

/// A file that may get another name.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Where it is.
    pub path: &'a str,
    /// In bytes.
    pub size: u64,
    /// Its date, if it has one that can be believed; or why it is left alone after all.
    pub moment: Result<Option<DateTime>, Reason>,
}

/// One file gets another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The index of the file.
    pub file: usize,
    /// Where to.
    pub target: String,
    /// What has the name that was wanted, if another had to be taken.
    pub taken_by: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Sorted by folder and number. Chains and circles among them are fine.
    pub moves: Vec<Move>,
    /// How many files have their name already.
    pub stay: u64,
    /// What is left alone, of the files that were given.
    pub left: Left,
    /// Files whose new name cannot be, with the reason. If there are any, nothing should be proposed.
    pub refused: Vec<(usize, NotAName)>,
    /// True if numbers were added, because all names of a folder would have been one.
    pub numbered: bool,
}

/// Plans new names for `files`. `others` are all paths in the same folders, the files' own among them or not.
pub fn plan<'a>(root: &str, wish: &Wish, files: &[File<'a>], others: impl IntoIterator<Item = &'a str>) -> Plan {
    let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
    let families = Families::among(&paths);
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_cached_key(|index| (rank(wish.sort, &files[*index]), Natural::of(paths[*index])));

    let mut plan = Plan::default();
    let mut folders: BTreeMap<Natural, Vec<Vec<usize>>> = BTreeMap::new();
    for family in families.listed(order) {
        let meant = wish.only.as_ref().is_none_or(|glob| family.iter().any(|index| glob.matches(last(paths[*index]))));
        if !meant {
            continue;
        }
        if family.iter().all(|index| files[*index].moment.is_ok()) {
            folders.entry(Natural::of(parent(paths[family[0]]))).or_default().push(family);
            continue;
        }
        for index in family {
            let reason = files[index].moment.err().unwrap_or(Reason::Together);
            plan.left.add(reason, paths[index].get(root.len() + 1..).unwrap_or(paths[index]));
        }
    }

    let mut changing: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    for list in folders.into_values() {
        let change = numbered(wish, list.len(), &mut plan);
        for (number, family) in (wish.start..).zip(list) {
            let head = &files[family[0]];
            let (stem, extension) = split(last(head.path));
            let folder = last(parent(head.path));
            let moment = head.moment.ok().flatten();
            match change.of(&Values { name: stem, extension, number, moment, folder }) {
                // a file without a date is left as it is; the others can have theirs
                Err(NotAName::Undated) => {
                    for index in family {
                        plan.left.add(Reason::Undated, paths[index].get(root.len() + 1..).unwrap_or(paths[index]));
                    }
                }
                Err(why) => plan.refused.push((family[0], why)),
                Ok(name) if name == last(head.path) => plan.stay += u64::try_from(family.len()).unwrap_or(u64::MAX),
                Ok(name) => {
                    let names = families.names(&family, &paths, &name);
                    changing.push((family, names));
                }
            }
        }
    }
    assign(&mut plan, &families, &paths, changing, others);
    plan
}

/// The place in the order; ties go by name.
fn rank(sort: Sort, file: &File<'_>) -> (bool, Option<DateTime>, Reverse<Option<DateTime>>, u64) {
    let moment = file.moment.ok().flatten();
    match sort {
        Sort::Name => (false, None, Reverse(None), 0),
        Sort::Date => (moment.is_none(), moment, Reverse(None), 0),
        Sort::Newest => (moment.is_none(), None, Reverse(moment), 0),
        Sort::Size => (false, None, Reverse(None), file.size),
    }
}

/// The change for a folder with so many families: with numbers if all names would be one, and of even width if wanted.
fn numbered(wish: &Wish, families: usize, plan: &mut Plan) -> Change {
    let mut change = wish.change.clone();
    let end = wish.start.saturating_add(u64::try_from(families).unwrap_or(u64::MAX)).saturating_sub(1);
    let digits = end.to_string().len().max(2);
    if let Some(pattern) = change.pattern.take() {
        let add = pattern.is_constant() && families > 1;
        plan.numbered |= add;
        change.pattern = Some(match () {
            () if add => pattern.with_number(digits),
            () if wish.even_digits => pattern.with_digits(digits),
            () => pattern,
        });
    }
    change
}

/// Gives out the names, where they are free: what a file of the plan has now is free, unless it keeps it.
fn assign<'a>(
    plan: &mut Plan,
    families: &Families,
    paths: &[&'a str],
    changing: Vec<(Vec<usize>, Vec<String>)>,
    others: impl IntoIterator<Item = &'a str>,
) {
    let leaving: HashMap<&str, usize> =
        changing.iter().flat_map(|(family, _)| family).map(|index| (paths[*index], *index)).collect();
    let mut taken: HashMap<&str, Taken> = HashMap::new();
    for path in others.into_iter().chain(paths.iter().copied()) {
        if !leaving.contains_key(path) {
            taken.entry(parent(path)).or_default().take(last(path));
        }
    }
    let mut placing = Placing::new(families, paths);
    for (family, names) in changing {
        let folder = parent(paths[family[0]]);
        for placed in placing.place(&family, &names, folder, taken.entry(folder).or_default()) {
            let target = join(folder, &placed.name);
            if target == paths[placed.file] {
                plan.stay += 1;
            } else {
                plan.moves.push(Move { file: placed.file, target, taken_by: placed.taken_by });
            }
        }
    }
}
