//! `/organize`: sorts the loose files of a folder into subfolders, by type, date, name or size.
//!
//! The work goes one way: read what lies in the folder, sift out what is to be left alone, ask the host for the facts of the
//! rest, plan, propose. The planning is pure (`plan`), and all tables are in files of their own (`types`, `layout`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod language;
pub mod layout;
pub mod plan;
pub mod target;
pub mod types;

use deskhand_filing::{
    date::horizon_now,
    name::{last, parent},
    proposal, reading,
    survey::{Left, Reason, sift},
    words,
};
use deskhand_sdk::{files::Entry, prelude::*};
use language::Language;
use layout::{Key, Traits, without_repeats};
use plan::{Plan, Wish, plan};
use serde_json::json;
use target::{Lister, Listing};
use types::Type;

/// What `/organize` takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Arguments {
    /// What to sort by, the outermost folder first; by type and date if left out.
    pub by: Vec<Key>,
    /// Sort the files in subfolders as well; else a subfolder stays as it is.
    #[schemars(extend("x-synonyms" = [
        "with subfolders", "including subfolders", "include subfolders", "and subfolders", "and its subfolders",
        "in subfolders", "also in subfolders", "all subfolders", "recursively", "recursive", "subfolders too",
        "subfolders as well", "mit unterordnern", "auch in unterordnern", "in den unterordnern", "samt unterordnern", "inklusive unterordner",
        "in allen unterordnern", "rekursiv"
    ]))]
    pub deep: bool,
    /// A subfolder to put everything into, such as `Sorted`; the folder itself if left out.
    pub into: Option<String>,
    /// The language of new folders; yours if left out.
    pub language: Option<Language>,
}

/// Sort the files of a folder into subfolders by type, date, name or size.
#[command(
    forms = [
        "by {by}", "sorted by {by}", "grouped by {by}", "first by {by}", "nach {by}", "{deep}", "into {into}",
        "into a folder called {into}", "into the folder {into}", "in den ordner {into}", "with {language} folder names",
        "with {language} names", "mit {language} ordnernamen"
    ],
    triggers = [
        "organize the files in this folder by type and date",
        "organize my downloads",
        "sort my downloads folder by file type",
        "tidy up this folder",
        "clean up the mess in my downloads",
        "put the files into folders by year and month",
        "arrange these files by date",
        "group my files by kind",
        "sort everything on my desktop into folders",
        "move pictures, videos and documents into separate folders",
        "put each file where it belongs",
        "bring some order into this folder",
        "sort the photos by the date they were taken",
        "file these documents away by year",
        "separate the images from the documents",
        "make a folder structure for these files",
        "declutter my desktop",
        "categorize the files in here",
        "structure this folder by type",
        "sort the files by size into subfolders",
        "split the files into folders by first letter",
        "my downloads folder is chaos, please sort it",
        "create subfolders for each file type and move the files there",
        "organize the files and show me the structure before moving anything",
        "distribute the files over folders by month",
        "collect all the pictures in one folder and the music in another",
        "räume meinen Downloads-Ordner auf",
        "sortiere die Dateien nach Typ und Datum",
        "ordne die Bilder nach Jahr und Monat in Ordner",
        "bring Ordnung in diesen Ordner"
    ],
    not_for = [
        "delete old files",
        "organize my calendar",
        "rename the files by date",
        "number these photos",
        "summarize this document",
        "find duplicate files",
        "sort the rows of this table",
        "free up disk space",
        "list the largest files",
        "organize a meeting for tomorrow",
        "sort my inbox",
        "compress this folder into a zip",
        "back up my documents",
        "which files did I change last week",
        "lösche doppelte Dateien",
        "benenne die Fotos um"
    ]
)]
pub fn organize(arguments: Arguments) -> Result<Reply> {
    let by = without_repeats(if arguments.by.is_empty() { &[Key::Type, Key::Date] } else { &arguments.by });
    let into = subfolders(arguments.into.as_deref())?;
    let language = match arguments.language {
        Some(language) => language,
        None => Language::of_locale(&invocation::context()?.locale),
    };
    let roots = reading::roots()?;
    let mut job = Job::default();
    for root in &roots.writable {
        let wish = Wish { root: root.as_str().to_owned(), by: by.clone(), into: into.clone(), language };
        job.add(&wish, root, arguments.deep)?;
    }
    let by = by.iter().map(|key| key.words()).collect::<Vec<_>>().join(" and ");
    job.finish(&by, roots.writable.len(), &roots.read_only)
}

/// The names of `into`, or what is wrong with it.
fn subfolders(into: Option<&str>) -> Result<Vec<String>> {
    let Some(into) = into else { return Ok(Vec::new()) };
    let names: Vec<String> = into.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let wrong = |why: &str| {
        let into = words::name(into);
        Error::invalid(format!("“{into}” cannot be the folder to sort into: {why}. Name a folder such as `Sorted`."))
    };
    if into.starts_with('/') || into.starts_with('~') {
        return Err(wrong("it has to lie in the folder that is sorted"));
    }
    if names.is_empty() {
        return Err(wrong("it has no name"));
    }
    for name in &names {
        if name.starts_with('.') {
            return Err(wrong("a name with a dot at its beginning is hidden or leads elsewhere"));
        }
        if deskhand_filing::name::byte_len(name) > deskhand_filing::name::MAX_BYTES
            || name.chars().any(char::is_control)
        {
            return Err(wrong("a name has at most 255 bytes and no control characters"));
        }
    }
    Ok(names)
}

/// Folders are listed through the host, except for the one that is organized, which was read already.
struct FromHost<'a> {
    root: &'a FilePath,
    entries: &'a [Entry],
}

impl Lister for FromHost<'_> {
    type Error = Error;

    fn list(&mut self, path: &str) -> Result<Listing> {
        let named = |entry: &Entry| (last(entry.path.as_str()).to_owned(), reading::kind(&entry.kind));
        if path == self.root.as_str() {
            let here = self.entries.iter().filter(|entry| parent(entry.path.as_str()) == path);
            return Ok(here.map(named).collect());
        }
        Ok(reading::read(&FilePath::new(path)?, false)?.iter().map(named).collect())
    }
}

/// What is done over all folders of the task.
#[derive(Default)]
struct Job {
    moved: u64,
    stay: u64,
    renamed: u64,
    doubtful: u64,
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
        let traits = reading::facts_as(&entries, &survey.files, |entry, facts| match facts {
            Err(_) => (Err(Reason::Unreadable), None),
            Ok(facts) if facts.placeholder => (Err(Reason::Placeholder), None),
            Ok(facts) => {
                let dated = facts.dates.best(horizon);
                let kind = Type::of(&facts.media_type, entry.path.name());
                (Ok(Traits { kind, moment: dated.moment, size: entry.size }), dated.passed_over)
            }
        })?;
        let files: Vec<plan::File<'_>> = survey
            .files
            .iter()
            .zip(traits)
            .map(|(index, (traits, passed_over))| plan::File {
                path: entries[*index].path.as_str(),
                traits,
                passed_over,
            })
            .collect();
        invocation::working("Planning");
        let plan = plan(wish, &files, &mut FromHost { root, entries: &entries })?;
        self.propose(&plan, &entries, &survey.files)
    }

    /// Adds a plan to what is pending.
    fn propose(&mut self, plan: &Plan, entries: &[Entry], files: &[usize]) -> Result<()> {
        for folder in &plan.make {
            changes::make_folder(&FilePath::new(folder)?)?;
        }
        for batch in plan.moves.chunks(reading::BATCH) {
            invocation::check()?;
            let mut moves = Vec::with_capacity(batch.len());
            for planned in batch {
                let file = &entries[files[planned.file]];
                moves.push(changes::Move { file, target: FilePath::new(&planned.target)?, reason: &planned.reason });
            }
            for (made, moved) in changes::move_all(&moves).into_iter().zip(&moves) {
                match made {
                    Ok(_) => self.moved += 1,
                    Err(error) if matches!(error.code, Code::Conflict | Code::NotFound) => {
                        self.left.add(Reason::Changed, moved.file.path.relative());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        self.stay += plan.stay;
        self.renamed += plan.renamed;
        self.doubtful += plan.doubtful;
        self.left.merge(plan.left.clone());
        Ok(())
    }

    /// Shows the plan, or says why there is none.
    fn finish(self, by: &str, roots: usize, read_only: &[String]) -> Result<Reply> {
        if self.repositories.len() == roots {
            return Err(Error::unsupported(format!(
                "{} is a repository, and sorting its files would break it. Nothing was changed; choose another folder.",
                self.repositories.join(", ")
            )));
        }
        let mut lines = Vec::new();
        if self.moved == 0 {
            lines.push(match self.stay {
                0 => "There is nothing to sort.".to_owned(),
                1 => "There is nothing to do: the one file lies where it belongs.".to_owned(),
                n => format!("There is nothing to do: all {} lie where they belong.", words::files(n)),
            });
        } else {
            if self.renamed > 0 {
                let files = words::count(
                    self.renamed,
                    "file gets another name, because its own was",
                    "files get other names, because theirs were",
                );
                lines.push(format!("{files} taken."));
            }
            if self.doubtful > 0 {
                let files = words::count(self.doubtful, "file has a date", "files have dates");
                lines.push(format!("{files} that cannot be right; the next best was used."));
            }
            if self.stay > 0 {
                let files = words::count(self.stay, "file lies where it belongs", "files lie where they belong");
                lines.push(format!("{files} already."));
            }
        }
        lines.extend(self.left_alone(read_only));
        if self.moved == 0 {
            return Ok(Reply::text(lines.join("\n")));
        }
        proposal::put(&format!("Organize by {by}"), json!({ "arrange": "tree" }), &lines)
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

deskhand_sdk::plugin! { commands: [organize] }
