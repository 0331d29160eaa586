//! The plan: where each file goes. Pure: it is told what is there, and says what to change.

use crate::{
    language::Language,
    layout::{Folder, FolderNames, Key, Traits, folders},
    target::{Lister, Targets},
};
use deskhand_filing::{
    companions::Families,
    name::{join, last, parent},
    natural::Natural,
    placing::Placing,
    survey::{Left, Reason},
    words,
};
use deskhand_sdk::time::DateTime;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The folder to organize, as a path.
    pub root: String,
    /// What to sort by, the outermost first. Not empty.
    pub by: Vec<Key>,
    /// Folders below the root to put everything into; none for the root itself.
    pub into: Vec<String>,
    /// The language of new folders.
    pub language: Language,
}

/// A file that may be moved.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// Where it is.
    pub path: &'a str,
    /// What decides on its folder; or why it is left alone after all.
    pub traits: Result<Traits, Reason>,
    /// A date of it that is not to be believed, if that came first.
    pub passed_over: Option<DateTime>,
}

/// One file gets another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The index of the file.
    pub file: usize,
    /// Where to.
    pub target: String,
    /// What the person should know about it; often nothing.
    pub reason: String,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Folders to make, the outer before the inner.
    pub make: Vec<String>,
    /// In the order in which they are shown.
    pub moves: Vec<Move>,
    /// How many files lie where they belong.
    pub stay: u64,
    /// How many files get another name, because theirs is taken.
    pub renamed: u64,
    /// How many files have a first date that is not to be believed.
    pub doubtful: u64,
    /// What is left alone, of the files that were given.
    pub left: Left,
}

/// Plans for `files`. Files of one family (a picture and its XMP file) go together.
pub fn plan<L: Lister>(wish: &Wish, files: &[File<'_>], lister: &mut L) -> Result<Plan, L::Error> {
    let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
    let families = Families::among(&paths);
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_cached_key(|index| Natural::of(paths[*index]));

    let names = FolderNames::of(&wish.by, &wish.into);
    let mut plan = Plan::default();
    let mut targets = Targets::below(&wish.root);
    let mut wanted = Vec::new();
    for family in families.listed(order) {
        match leave(wish, &names, files, &family, &mut plan) {
            None => continue,
            Some(traits) => {
                let folders = path_of(wish, last(paths[family[0]]), &traits);
                wanted.push((targets.resolve(&folders, lister)?, family));
            }
        }
    }
    let mut placing = Placing::new(&families, &paths);
    for (folder, family) in wanted {
        if parent(paths[family[0]]) == &*folder {
            plan.stay += count(family.len());
        } else {
            let names: Vec<String> = family.iter().map(|index| last(paths[*index]).to_owned()).collect();
            let target = targets.at(&folder);
            target.is_used = true;
            for placed in placing.place(&family, &names, &folder, &mut target.taken) {
                let file = &files[placed.file];
                plan.renamed += u64::from(placed.taken_by.is_some());
                plan.doubtful += u64::from(file.passed_over.is_some());
                let reason = reason(file, &wish.by, placed.taken_by.as_deref());
                plan.moves.push(Move { file: placed.file, target: join(&folder, &placed.name), reason });
            }
        }
    }
    plan.make = targets.to_make();
    Ok(plan)
}

/// The traits of a family, which are those of its head; or none, if one of it is to be left alone and so all of it is.
fn leave(wish: &Wish, names: &FolderNames, files: &[File<'_>], family: &[usize], plan: &mut Plan) -> Option<Traits> {
    // a file with the name of a folder that sorting makes could stand in its way, today or the next time
    let why = |index: &usize| {
        let in_the_way = || names.contains(last(files[*index].path)).then_some(Reason::InTheWay);
        files[*index].traits.err().or_else(in_the_way)
    };
    let reasons: Vec<Option<Reason>> = family.iter().map(why).collect();
    if reasons.iter().all(Option::is_none) {
        return files[family[0]].traits.ok();
    }
    for (index, reason) in family.iter().zip(reasons) {
        let reason = reason.unwrap_or(Reason::Together);
        plan.left.add(reason, below(wish, files[*index].path));
    }
    None
}

fn path_of(wish: &Wish, name: &str, traits: &Traits) -> Vec<Folder> {
    let mut path: Vec<Folder> = wish.into.iter().map(Folder::named).collect();
    path.extend(folders(&wish.by, wish.language, name, traits));
    path
}

fn below<'a>(wish: &Wish, path: &'a str) -> &'a str {
    path.get(wish.root.len() + 1..).unwrap_or(path)
}

fn reason(file: &File<'_>, by: &[Key], taken_by: Option<&str>) -> String {
    let name = taken_by.map(|other| format!("the name {} is taken", words::name(other)));
    let date = file.passed_over.filter(|_| by.iter().any(|key| key.is_date()));
    let date = date.map(|moment| match file.traits {
        Ok(Traits { moment: Some(used), .. }) => {
            format!("its own date {} cannot be right, so {} is used", moment.date, used.date)
        }
        _ => format!("its date {} cannot be right", moment.date),
    });
    [name, date].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
