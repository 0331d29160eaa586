//! `/duplicates`: finds files with the same content, and proposes to keep one of each.
//!
//! Files are told apart by size first, then by the host's digest, then byte by byte; only what is the same in all three is
//! proposed for removal, and the person is asked about each removal by the host.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod compare;
pub mod group;
pub mod keep;

use compare::{Compared, compare};
use deskhand_filing::{
    proposal, reading,
    survey::{Left, Reason, sift},
    words,
};
use deskhand_sdk::{
    files::{Entry, Fact},
    prelude::*,
};
use group::{File, by_size, split};
use keep::{Candidate, Keep};
use serde_json::json;
use std::collections::BTreeMap;

/// What `/duplicates` takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Arguments {
    /// Look into subfolders as well.
    #[schemars(extend("x-synonyms" = [
        "in subfolders", "with subfolders", "including subfolders", "include subfolders", "and subfolders", "and its subfolders",
        "also in subfolders", "all subfolders", "recursively", "recursive", "everywhere", "subfolders too", "in unterordnern", "in den unterordnern",
        "mit unterordnern", "auch in unterordnern", "rekursiv"
    ]))]
    pub deep: bool,
    /// Which of the same files is kept; the oldest if left out.
    pub keep: Keep,
}

/// Find files with the same content, and propose to keep one of each.
#[command(
    forms = [
        "{deep}", "keep {keep}", "keep the {keep}", "keeping {keep}", "keeping the {keep}", "behalte {keep}",
        "behalte das {keep}", "{keep} behalten", "{keep} datei behalten"
    ],
    triggers = [
        "find duplicate files",
        "remove the duplicates in this folder",
        "are there any duplicates in my downloads",
        "get rid of duplicate photos",
        "which files do I have twice",
        "delete files that exist more than once",
        "dedupe this folder",
        "deduplicate my pictures",
        "find identical files",
        "clean up duplicate downloads",
        "show me all copies of the same file",
        "keep only one copy of each file",
        "look for files with the same content",
        "find double pictures and remove them",
        "free space by removing duplicate files",
        "remove redundant copies",
        "list the duplicates and how much space they take",
        "I downloaded the same file several times, remove the extra copies",
        "find repeated files in all subfolders",
        "eliminate duplicates and keep the newest",
        "delete the duplicates and keep the newest",
        "throw away the copies of files that I already have",
        "check this folder for duplicates",
        "finde doppelte Dateien",
        "lösche doppelte Fotos",
        "lösche Duplikate und behalte die neueste Datei",
        "doppelte Dateien löschen",
        "welche Dateien habe ich doppelt",
        "entferne Duplikate in diesem Ordner"
    ],
    not_for = [
        "duplicate this file",
        "make a copy of this folder",
        "delete old files",
        "delete this file",
        "remove duplicate rows from the spreadsheet",
        "compare two documents",
        "organize my downloads",
        "rename the copies",
        "find large files",
        "copy the photos to the backup",
        "merge duplicate contacts",
        "find a file by its name",
        "sort the files by type",
        "empty the trash"
    ]
)]
pub fn duplicates(arguments: Arguments) -> Result<Reply> {
    let roots = reading::roots()?;
    let mut files = Vec::new();
    let mut left = Left::default();
    let mut folders = 0;
    let mut repositories = Vec::new();
    for root in &roots.writable {
        let entries = reading::read(root, arguments.deep)?;
        match sift(root.as_str(), &reading::seen(&entries)) {
            Ok(survey) => {
                left.merge(survey.left);
                folders += survey.folders;
                let mut kept = survey.files.into_iter().peekable();
                let chosen = entries.into_iter().enumerate().filter(|(index, _)| kept.next_if_eq(index).is_some());
                files.extend(chosen.map(|(_, entry)| entry));
            }
            Err(_) => repositories.push(words::name(root.name())),
        }
    }
    if repositories.len() == roots.writable.len() {
        return Err(Error::unsupported(format!(
            "{} is a repository, and removing its files would break it. Nothing was changed; choose another folder.",
            repositories.join(", ")
        )));
    }
    let mut search = Search { files: &files, left, empty: 0, links: 0 };
    let groups = search.groups()?;
    let mut found = Found::default();
    for group in groups {
        search.propose(&group, arguments.keep, &mut found)?;
    }
    let mut lines = vec![found.sentence()];
    if search.empty > 0 {
        let files = words::count(search.empty, "empty file is", "empty files are");
        lines.push(format!("{files} not counted: nothing in them can be the same."));
    }
    if search.links > 0 {
        let names = words::count(search.links, "name belongs", "names belong");
        lines.push(format!("{names} to a file that has another name too, and takes no space of its own."));
    }
    let mut left = search.left.lines();
    if folders > 0 && !arguments.deep {
        let subfolders = words::count(folders, "subfolder", "subfolders");
        left.insert(0, format!("{subfolders} (`/duplicates deep` looks there as well)"));
    }
    left.extend(repositories.iter().map(|name| format!("{name}: it is a repository")));
    left.extend(roots.read_only.iter().map(|name| format!("{}: it may only be read", words::name(name))));
    if !left.is_empty() {
        lines.push("Not looked at:".to_owned());
        lines.extend(left.into_iter().map(|line| format!("  {line}")));
    }
    if found.removals == 0 {
        return Ok(Reply::text(lines.join("\n")));
    }
    // which belong together the host sees by what each stands on, however many there are
    let title = format!("Remove copies, keeping {} of each", arguments.keep.words());
    proposal::put(&title, json!({ "arrange": "groups" }), &lines)
}

/// The search for files that are the same.
struct Search<'a> {
    files: &'a [Entry],
    left: Left,
    empty: u64,
    links: u64,
}

/// What is proposed.
#[derive(Default)]
struct Found {
    groups: u64,
    removals: u64,
    bytes: u64,
}

impl Search<'_> {
    /// Groups of files of one size and one digest.
    fn groups(&mut self) -> Result<Vec<Vec<usize>>> {
        let files: Vec<File<'_>> =
            self.files.iter().map(|entry| File { size: entry.size, id: &entry.file_id }).collect();
        let sizes = by_size(&files);
        (self.empty, self.links) = (sizes.empty, sizes.links);
        let placeholders = self.placeholders(&sizes.groups)?;
        let groups = split(sizes.groups, |index| (!placeholders.contains_key(&index)).then_some(()));
        let digests = self.digests(&groups)?;
        Ok(split(groups, |index| digests.get(&index)))
    }

    /// The files whose content is in a cloud, or of which nothing is known: comparing them would fetch them.
    fn placeholders(&mut self, groups: &[Vec<usize>]) -> Result<BTreeMap<usize, ()>> {
        let candidates: Vec<usize> = groups.iter().flatten().copied().collect();
        let mut found = BTreeMap::new();
        for batch in candidates.chunks(reading::BATCH) {
            invocation::check()?;
            let paths: Vec<FilePath> = batch.iter().map(|index| self.files[*index].path.clone()).collect();
            for (index, answer) in batch.iter().zip(files::attributes_all(&paths, &[Fact::Placeholder])) {
                let reason = match answer {
                    Ok(attributes) if attributes.is_placeholder() => Reason::Placeholder,
                    Ok(_) => continue,
                    Err(_) => Reason::Unreadable,
                };
                self.left.add(reason, self.files[*index].path.relative());
                found.insert(*index, ());
            }
        }
        Ok(found)
    }

    /// The digests of all files in groups, in batches that the host reads in a few seconds each.
    fn digests(&mut self, groups: &[Vec<usize>]) -> Result<BTreeMap<usize, String>> {
        const BYTES: u64 = 256 << 20;
        const FILES: usize = 100;
        let candidates: Vec<usize> = groups.iter().flatten().copied().collect();
        let total: u64 = candidates.iter().map(|index| self.files[*index].size).sum();
        let mut digests = BTreeMap::new();
        let mut done = 0;
        let mut rest = candidates.as_slice();
        while !rest.is_empty() {
            invocation::check()?;
            invocation::progress(&format!("Reading {} of {}", words::size(done), words::size(total)), done, total);
            let mut bytes = 0;
            let fits = |index: &&usize| {
                bytes += self.files[**index].size;
                bytes <= BYTES
            };
            let length = rest.iter().take(FILES).take_while(fits).count().max(1);
            let (batch, later) = rest.split_at(length);
            let paths: Vec<FilePath> = batch.iter().map(|index| self.files[*index].path.clone()).collect();
            for (index, answer) in batch.iter().zip(files::digests(&paths)) {
                match answer {
                    Ok(digest) => {
                        digests.insert(*index, digest);
                    }
                    Err(error) if error.code == Code::Cancelled => return Err(error),
                    Err(_) => self.left.add(Reason::Unreadable, self.files[*index].path.relative()),
                }
                done += self.files[*index].size;
            }
            rest = later;
        }
        Ok(digests)
    }

    /// Compares a group byte by byte and adds the removal of all but one to what is pending.
    fn propose(&mut self, group: &[usize], keep: Keep, found: &mut Found) -> Result<()> {
        let candidates: Vec<Candidate<'_>> = group
            .iter()
            .map(|index| &self.files[*index])
            .map(|entry| Candidate { path: entry.path.as_str(), modified: entry.modified, linked: entry.links > 1 })
            .collect();
        let Some(kept) = keep.choose(&candidates).map(|at| &self.files[group[at]]) else { return Ok(()) };
        // what has several names takes no less space when one of them is gone
        let others: Vec<&Entry> = group
            .iter()
            .map(|index| &self.files[*index])
            .filter(|entry| entry.path != kept.path && entry.links <= 1)
            .collect();
        let total = kept.size.saturating_mul(others.len() as u64 + 1);
        let mut done = 0;
        let message = format!("Comparing {}", words::name(kept.path.name()));
        let compared = compare(kept, &others, |bytes| {
            done += bytes;
            invocation::progress(&message, done, total);
        })?;
        let Some(compared) = compared else {
            self.left.add(Reason::Changed, kept.path.relative());
            return Ok(());
        };
        let before = found.removals;
        for (entry, compared) in others.into_iter().zip(compared) {
            match compared {
                Compared::Same => match changes::remove(entry) {
                    Ok(change) => {
                        change.explain(&format!("same content as {}", words::name(kept.path.relative())))?;
                        if let Err(error) = change.while_unchanged(kept) {
                            change.withdraw()?;
                            if matches!(error.code, Code::Conflict | Code::NotFound) {
                                self.left.add(Reason::Changed, kept.path.relative());
                                break;
                            }
                            return Err(error);
                        }
                        found.removals += 1;
                        found.bytes += entry.size;
                    }
                    Err(error) if matches!(error.code, Code::Conflict | Code::NotFound) => {
                        self.left.add(Reason::Changed, entry.path.relative());
                    }
                    Err(error) => return Err(error),
                },
                Compared::Different => self.left.add(Reason::Changed, entry.path.relative()),
                Compared::Unreadable => self.left.add(Reason::Unreadable, entry.path.relative()),
            }
        }
        if found.removals > before {
            found.groups += 1;
        }
        Ok(())
    }
}

impl Found {
    fn sentence(&self) -> String {
        if self.removals == 0 {
            return "No two files have the same content.".to_owned();
        }
        let groups = words::count(self.groups, "file is there more than once", "files are there more than once");
        let copies = if self.removals == 1 { "its copy takes" } else { "the copies take" };
        format!("{groups}; {copies} {}. The space is free once what was removed is purged.", words::size(self.bytes))
    }
}

deskhand_sdk::plugin! { commands: [duplicates] }
