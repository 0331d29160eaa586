//! `/rename`: new names for many files at once, from a pattern, by date, by number, by replacing text.
//!
//! The work goes one way: read the folder, sift out what is to be left alone, ask the host for the facts of the rest, plan,
//! propose. The planning is pure (`plan`); what a name becomes is in `change`, the pattern language in `pattern`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod change;
pub mod glob;
pub mod order;
pub mod pattern;
pub mod plan;

use change::{Case, Change};
use deskhand_filing::{
    date::horizon_now,
    name::{MAX_BYTES, byte_len, cut, join, last, parent, split},
    proposal, reading,
    survey::{Left, Reason, sift},
    words,
};
use deskhand_sdk::{files::Entry, prelude::*};
use glob::Glob;
use order::{Step, order};
use pattern::Pattern;
use plan::{Plan, Sort, Wish, plan};
use serde_json::json;
use std::collections::HashSet;

/// What is put in front of each name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "date": ["date taken", "creation date", "capture date", "their date", "datum", "aufnahmedatum"],
    "number": ["numbers", "sequence", "sequential numbers", "consecutive numbers", "counter", "nummer", "nummern"]
}))]
pub enum By {
    /// Its date: `2024-05-31 name`.
    Date,
    /// A number: `01 name`.
    Number,
}

/// What `/rename` takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
// without one of these no name would change
#[schemars(extend("anyOf" = [
    {"required": ["to"]}, {"required": ["by"]}, {"required": ["replace"]}, {"required": ["spaces"]},
    {"required": ["case"]}, {"required": ["extension"]}
]))]
pub struct Arguments {
    /// The new name, as a pattern such as `Holiday {n:3}` or `{date} {name}`. The extension is kept.
    pub to: Option<String>,
    /// Put the date or a number in front of each name.
    pub by: Option<By>,
    /// A text in the names that is to be replaced.
    pub replace: Option<String>,
    /// What stands in its place; nothing if left out.
    pub with: Option<String>,
    /// What stands in place of spaces.
    pub spaces: Option<String>,
    /// How the letters of the names are written.
    pub case: Option<Case>,
    /// How the letters of the extensions are written.
    pub extension: Option<Case>,
    /// Only these files, such as `*.jpg`.
    pub only: Option<String>,
    /// The order in which files are numbered; by name if left out.
    pub sort: Option<Sort>,
    /// The first number; 1 if left out.
    pub start: Option<u32>,
    /// Rename the files in subfolders as well, numbered in each folder from the first number.
    #[schemars(extend("x-synonyms" = [
        "with subfolders", "including subfolders", "include subfolders", "and subfolders", "in subfolders", "also in subfolders",
        "all subfolders", "recursively", "recursive", "subfolders too", "mit unterordnern", "auch in unterordnern", "in den unterordnern", "rekursiv"
    ]))]
    pub deep: bool,
}

/// Rename many files at once: by date, by number, to a pattern, or by replacing text.
#[command(
    forms = [
        "by {by}", "nach {by}", "to {to}", "replace {replace} with {with}", "replacing {replace} with {with}",
        "replace the word {replace} with {with}", "ersetze {replace} durch {with}", "remove {replace}", "without {replace}", "spaces to {spaces}",
        "spaces with {spaces}", "extensions in {extension}", "extensions to {extension}", "extensions {extension}",
        "{extension} extensions", "{case}", "in {case}", "to {case}", "{by} is at the front", "{by} at the front", "add {by}", "setze {by} vor",
        "{by} at the beginning", "{by} at the start", "{by} in front", "{by} to the front", "{by} comes first", "{by} vorne",
        "{by} am anfang", "only {only}", "nur {only}", "sorted by {sort}", "sort by {sort}", "ordered by {sort}",
        "in order of {sort}", "sortiert nach {sort}", "start at {start}", "starting at {start}", "starting with {start}",
        "from {start}", "ab {start}", "{deep}"
    ],
    triggers = [
        "rename the files by date",
        "rename all photos in this folder",
        "batch rename these files",
        "give the pictures better names",
        "number the files from 1",
        "add the date to the file names",
        "put the date taken in front of every photo's name",
        "rename the photos to Holiday 001, Holiday 002 and so on",
        "replace IMG_ with Photo in all file names",
        "fix a typo in all of the file names",
        "swap a word for another in the names of these files",
        "remove the prefix from the file names",
        "change the file names to lower case",
        "make all file names lowercase",
        "replace spaces with hyphens in the file names",
        "rename 200 scans with a sequence number",
        "change the names of these files to a pattern",
        "prefix every file with its date",
        "add numbers to the file names in order of date",
        "clean up the file names",
        "use consistent names for these pictures",
        "change the extensions to lower case",
        "rename everything to the date it was taken",
        "strip the underscores from the names",
        "give the episodes consecutive numbers",
        "call these files Invoice 1, Invoice 2, Invoice 3",
        "benenne die Fotos nach Datum um",
        "nummeriere die Dateien durch",
        "ersetze Leerzeichen in den Dateinamen",
        "setze das Datum vor die Dateinamen",
        "aus 2023 soll in den Dateinamen 2024 werden"
    ],
    not_for = [
        "organize the files by date",
        "sort my downloads into folders",
        "rename my account",
        "rename this branch",
        "find files with the same name",
        "delete the files with copy in their name",
        "change my user name",
        "replace the text in this document",
        "convert the photos to png",
        "translate these documents",
        "list the file names",
        "number the pages of this pdf",
        "find duplicates",
        "sortiere die Dateien in Ordner"
    ]
)]
pub fn rename(arguments: Arguments) -> Result<Reply> {
    let wish = wish(&arguments)?;
    let roots = reading::roots()?;
    let mut job = Job::default();
    for root in &roots.writable {
        job.add(&wish, root, arguments.deep)?;
    }
    job.finish(roots.writable.len(), &roots.read_only)
}

/// What the arguments come to, or what is wrong with them.
fn wish(arguments: &Arguments) -> Result<Wish> {
    let pattern = match (&arguments.to, arguments.by) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "A new name is given either with “to” or with “by”. Write for example `/rename to \"{date} {name}\"`.",
            ));
        }
        (Some(to), None) => Some(Pattern::read(to).map_err(|error| Error::invalid(error.to_string()))?),
        (None, Some(By::Date)) => Some(Pattern::prefix_date()),
        (None, Some(By::Number)) => Some(Pattern::prefix_number()),
        (None, None) => None,
    };
    let replace = match (&arguments.replace, &arguments.with) {
        (Some(old), _) if old.is_empty() => {
            return Err(Error::invalid(
                "There is no text to be replaced. Write for example `/rename replace \"IMG_\" with \"Photo \"`.",
            ));
        }
        (Some(old), new) => Some((old.clone(), new.clone().unwrap_or_default())),
        (None, Some(_)) => {
            return Err(Error::invalid(
                "Which text is to be replaced? Write for example `/rename replace \"IMG_\" with \"Photo \"`.",
            ));
        }
        (None, None) => None,
    };
    let change = Change {
        replace,
        pattern,
        prefix: arguments.by.is_some(),
        spaces: arguments.spaces.clone(),
        case: arguments.case,
        extension: arguments.extension,
    };
    // a number in front of the names says nothing about how they change if there is no change
    if (Change { prefix: false, ..change.clone() }).is_nothing() {
        return Err(Error::invalid(
            "What should the names become? For example: `/rename by date`, `/rename to \"Holiday {n:3}\"`, \
             `/rename replace \"IMG_\" with \"Photo \"`, `/rename in lowercase`.",
        ));
    }
    let glob = |only: &String| {
        Glob::read(only)
            .map_err(|why| Error::invalid(format!("“{}” does not say which files: {why}.", words::name(only))))
    };
    Ok(Wish {
        change,
        only: arguments.only.as_ref().map(glob).transpose()?,
        sort: arguments.sort.unwrap_or_default(),
        start: arguments.start.map_or(1, u64::from),
        even_digits: arguments.by == Some(By::Number),
    })
}

/// What is done over all folders of the task.
#[derive(Default)]
struct Job {
    moved: u64,
    stay: u64,
    taken: u64,
    numbered: bool,
    left: Left,
    repositories: Vec<String>,
}

impl Job {
    fn add(&mut self, wish: &Wish, root: &FilePath, deep: bool) -> Result<()> {
        let entries = reading::read(root, deep)?;
        let survey = match sift(root.as_str(), &reading::seen(&entries)) {
            Ok(survey) => survey,
            Err(_) => {
                self.repositories.push(words::name(root.name()));
                return Ok(());
            }
        };
        self.left.merge(survey.left);
        let horizon = horizon_now();
        let moments = reading::facts_as(&entries, &survey.files, |_, facts| match facts {
            Err(_) => Err(Reason::Unreadable),
            Ok(facts) if facts.placeholder => Err(Reason::Placeholder),
            Ok(facts) => Ok(facts.dates.best(horizon).moment),
        })?;
        let files: Vec<plan::File<'_>> = survey
            .files
            .iter()
            .zip(moments)
            .map(|(index, moment)| plan::File {
                path: entries[*index].path.as_str(),
                size: entries[*index].size,
                moment,
            })
            .collect();
        invocation::working("Planning");
        let plan = plan(root.as_str(), wish, &files, entries.iter().map(|entry| entry.path.as_str()));
        refuse(&plan, &files)?;
        self.propose(plan, &entries, &survey.files)
    }

    /// Adds a plan to what is pending.
    fn propose(&mut self, plan: Plan, entries: &[Entry], files: &[usize]) -> Result<()> {
        let entry = |index: usize| &entries[files[plan.moves[index].file]];
        let moves: Vec<(&str, &str)> = plan
            .moves
            .iter()
            .enumerate()
            .map(|(index, step)| (entry(index).path.as_str(), step.target.as_str()))
            .collect();
        let mut used: HashSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        used.extend(moves.iter().map(|(_, target)| *target));
        for (done, step) in order(&moves).into_iter().enumerate() {
            if done.is_multiple_of(reading::BATCH) {
                invocation::check()?;
            }
            let (index, change) = match step {
                Step::Park(index) => {
                    changes::move_file(entry(index), &between(moves[index].0, &used)?)?;
                    continue;
                }
                Step::Move(index) => (index, changes::move_file(entry(index), &FilePath::new(moves[index].1)?)?),
                Step::Unpark(index) => {
                    let parked = files::stat(&between(moves[index].0, &used)?)?;
                    (index, changes::move_file(&parked, &FilePath::new(moves[index].1)?)?)
                }
            };
            if let Some(taken_by) = &plan.moves[index].taken_by {
                change.explain(&format!("the name {} is taken", words::name(taken_by)))?;
                self.taken += 1;
            }
            self.moved += 1;
        }
        self.stay += plan.stay;
        self.numbered |= plan.numbered;
        self.left.merge(plan.left);
        Ok(())
    }

    /// Shows the plan, or says why there is none.
    fn finish(self, roots: usize, read_only: &[String]) -> Result<Reply> {
        if self.repositories.len() == roots {
            return Err(Error::unsupported(format!(
                "{} is a repository, and renaming its files would break it. Nothing was changed; choose another folder.",
                self.repositories.join(", ")
            )));
        }
        let mut lines = Vec::new();
        if self.moved == 0 {
            lines.push(match self.stay {
                0 => "There is nothing to rename.".to_owned(),
                1 => "There is nothing to do: the one file has its name already.".to_owned(),
                n => format!("There is nothing to do: all {} have their names already.", words::files(n)),
            });
        } else {
            if self.numbered {
                lines.push("Numbers were added, because all names would have been the same.".to_owned());
            }
            if self.taken > 0 {
                let files = words::count(self.taken, "file gets a number", "files get numbers");
                lines.push(format!("{files} behind the name, because it was taken."));
            }
            if self.stay > 0 {
                let files = words::count(self.stay, "file has its name", "files have their names");
                lines.push(format!("{files} already."));
            }
        }
        lines.extend(self.left_alone(read_only));
        if self.moved == 0 {
            return Ok(Reply::text(lines.join("\n")));
        }
        proposal::put("Rename files", json!({ "arrange": "table" }), &lines)
    }

    /// What the plan does not touch, a line each.
    fn left_alone(&self, read_only: &[String]) -> Vec<String> {
        let mut left = self.left.lines();
        left.extend(self.repositories.iter().map(|name| format!("{name}: it is a repository")));
        left.extend(read_only.iter().map(|name| format!("{}: it may only be read", words::name(name))));
        if !left.is_empty() {
            left = left.into_iter().map(|line| format!("  {line}")).collect();
            left.insert(0, "Left alone:".to_owned());
        }
        left
    }
}

/// Nothing is proposed if a name cannot be: the person says what else the names should be.
fn refuse(plan: &Plan, files: &[plan::File<'_>]) -> Result<()> {
    let Some((first, why)) = plan.refused.first() else { return Ok(()) };
    let more = match plan.refused.len() - 1 {
        0 => String::new(),
        n => format!(" (and {} more)", words::files(u64::try_from(n).unwrap_or(u64::MAX))),
    };
    Err(Error::invalid(format!(
        "The new name of {}{more} {}. Nothing was changed; choose other names.",
        words::name(last(files[*first].path)),
        why.words()
    )))
}

/// A name that is free while two files swap theirs.
fn between(path: &str, used: &HashSet<&str>) -> Result<FilePath> {
    let (stem, extension) = split(last(path));
    let mut n = 0_u32;
    loop {
        n += 1;
        let mark = if n == 1 { " (swapping)".to_owned() } else { format!(" (swapping {n})") };
        let stem = cut(stem, MAX_BYTES.saturating_sub(mark.len() + byte_len(extension)));
        let name = join(parent(path), &format!("{stem}{mark}{extension}"));
        if !used.contains(name.as_str()) {
            return FilePath::new(&name);
        }
    }
}

deskhand_sdk::plugin! { commands: [rename] }
