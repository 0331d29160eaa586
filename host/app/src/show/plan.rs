//! A plan, as the person sees it before deciding.

use super::{
    bytes, count, counted,
    difference::differences,
    line, lines, list, origin,
    tree::{Folder, Lot},
};
use deskhand_vocabulary::{
    Change, ChangeKind, FilePath, Plan, Principal, RelativePath, Returned, Tally, path, plan::Beyond, text,
};
use deskhand_workspace::HIDDEN;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A few files of each folder, and every rename.
    Short,
    /// Every file.
    Full,
}

impl Detail {
    fn limit(self) -> usize {
        match self {
            Self::Short => 4,
            Self::Full => usize::MAX,
        }
    }
}

/// How many changes in a hidden folder have a line each.
const FEW: usize = 4;

/// How many notes of a plugin are shown with its plan.
const NOTES: usize = 40;

/// The whole plan: title, arrangement, renames, removals, what can make something run, what its proposer notes, and the sum.
pub(crate) fn plan(plan: &Plan, detail: Detail) -> String {
    let edited = plan.view["edited"] == true;
    let mark = if edited { " (edited by you)" } else { "" };
    let mut out = format!("{}{}{mark}\n\n", origin(&plan.origin), line(&text::shortened(&plan.title, 200)));
    match plan.view["arrange"].as_str() {
        _ if plan.feasible().next().is_none() => {}
        Some("groups") => groups(plan, detail, &mut out),
        Some("table") => table(plan, detail, &mut out),
        _ => tree(plan, detail, &mut out),
    }
    out.push_str(&differences(plan, detail));
    if plan.removals().next().is_some() && plan.view["arrange"] != "groups" {
        out.push_str(match plan.beyond {
            None => "\nTo be removed (kept where you can get it back):\n",
            Some(_) => "\nTo be removed for good:\n",
        });
        out.push_str(&removals(plan, detail));
    }
    if let Some(beyond) = &plan.beyond {
        out.push_str(&format!("\n{}\n", too_much(beyond)));
    }
    if plan.sensitive().next().is_some() {
        out.push_str("\nTake a close look: these can make something run:\n");
        out.push_str(&sensitive(plan, detail));
    }
    if plan.conflicts().next().is_some() {
        out.push_str(if plan.feasible().next().is_some() { "\n" } else { "" });
        out.push_str("Cannot be made, and is left as it is:\n");
        let row = |(change, why): (&Change, &str)| format!("  {} ({})\n", name(change.subject()), line(why));
        out.push_str(&short(&plan.conflicts().map(row).collect::<Vec<_>>(), detail, 40));
    }
    if !edited {
        notes(plan, &mut out);
    }
    out.push('\n');
    out.push_str(&sum(plan));
    out.push('\n');
    out
}

/// What the proposer says of its plan, indented, so that it stays visibly its own.
fn notes(plan: &Plan, out: &mut String) {
    let notes: Vec<&str> =
        plan.view["notes"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    if notes.is_empty() {
        return;
    }
    out.push_str(&format!("\n{}says:\n", origin(&plan.origin)));
    for note in notes.iter().take(NOTES) {
        out.push_str(&format!("  {}\n", lines(&text::shortened(note, 300)).replace('\n', "\n  ")));
    }
    if notes.len() > NOTES {
        out.push_str(&format!("  … and {}\n", counted((notes.len() - NOTES) as u64, "more line")));
    }
}

/// That what a plan puts aside cannot be kept, why, and what would help.
pub(crate) fn too_much(beyond: &Beyond) -> String {
    format!(
        "What is removed or replaced here takes {} on the disk, and at most {} are kept for undo. So it cannot be \
         brought back, and takes a yes of its own. To keep it, do it in smaller parts, or keep more with undo.keep_gib \
         in the settings.",
        bytes(beyond.bytes),
        bytes(beyond.limit)
    )
}

/// The removals of a plan, a line each, with what is replaced and cannot be kept. Where all have one reason, it is said once.
pub(crate) fn removals(plan: &Plan, detail: Detail) -> String {
    let same = shared_reason(plan.losses());
    let row = |change: &Change| {
        let lost = if change.kind == ChangeKind::Remove { &change.source } else { &change.target };
        let because = if same.is_some() { String::new() } else { because(change) };
        format!("  {}  {}{because}\n", name(lost.as_ref()), bytes(change.bytes))
    };
    let rows: Vec<String> = plan.losses().map(row).collect();
    let heading = same.map(|reason| format!("Because of: {}\n", why(reason))).unwrap_or_default();
    format!("{heading}{}", short(&rows, detail, 20))
}

/// The reason that several changes have, if they have one and the same.
fn shared_reason<'a>(mut changes: impl Iterator<Item = &'a Change>) -> Option<&'a str> {
    let first = changes.next().filter(|first| !first.reason.is_empty())?;
    let mut others = changes.peekable();
    others.peek()?;
    others.all(|other| other.reason == first.reason).then_some(first.reason.as_str())
}

/// What a plan removes, with what it replaces and cannot keep: so many files and folders, and what they take.
pub(crate) fn removed(plan: &Plan) -> String {
    let (mut files, mut folders, mut size) = (0, 0, 0);
    for change in plan.losses() {
        files += change.files;
        folders += u64::from(change.files == 0);
        size += change.bytes;
    }
    // an empty folder counts as a removal, as `--allow-removals` counts
    let removals = (folders > 0).then(|| counted(files + folders, "removal"));
    let told: Vec<String> = (files > 0).then(|| bytes(size)).into_iter().chain(removals).collect();
    format!("{} will be removed ({})", lost(files, folders), told.join(", "))
}

/// Files, and folders without any: `124 files and 1 empty folder`.
fn lost(files: u64, folders: u64) -> String {
    let parts = [(files, "file"), (folders, "empty folder")].into_iter().filter(|(number, _)| *number > 0);
    list(&parts.map(|(number, thing)| counted(number, thing)).collect::<Vec<_>>())
}

/// The sensitive changes of a plan, a line each. Of those that are so for nothing but a hidden folder that they come into, such as
/// one of `git`, there is one line for the folder where they are many.
pub(crate) fn sensitive(plan: &Plan, detail: Detail) -> String {
    let mut hidden: HashMap<FilePath, usize> = HashMap::new();
    if detail == Detail::Short {
        for folder in plan.sensitive().filter_map(in_hidden) {
            *hidden.entry(folder).or_default() += 1;
        }
        hidden.retain(|_, changes| *changes > FEW);
    }
    let mut row = |change: &Change| {
        if let Some(folder) = in_hidden(change).filter(|_| !hidden.is_empty())
            && let Some(changes) = hidden.get_mut(&folder)
        {
            // the first of them stands for all
            let all = std::mem::take(changes);
            let row = || format!("  {}/ ({}): {HIDDEN}\n", name(Some(&folder)), counted(all as u64, "change"));
            return if all > 0 { row() } else { String::new() };
        }
        let what = match (&change.source, &change.target) {
            (Some(source), Some(target)) => format!("{} → {}", name(Some(source)), name(Some(target))),
            (one, other) => name(one.as_ref().or(other.as_ref())),
        };
        format!("  {what}: {}\n", line(change.sensitive.as_deref().unwrap_or_default()))
    };
    plan.sensitive().map(&mut row).collect()
}

/// The hidden folder that a change is in, where that is all that is to be said of it.
fn in_hidden(change: &Change) -> Option<FilePath> {
    let target = change.target.as_ref().filter(|_| change.source.is_none())?;
    let names: Vec<&[u8]> = target.path.names().collect();
    let at = names.iter().position(|name| name.starts_with(b".")).filter(|at| at + 1 < names.len())?;
    change.sensitive.as_ref().filter(|why| why.ends_with(HIDDEN))?;
    let path = RelativePath::from_bytes(names[..=at].join(&b'/')).ok()?;
    Some(FilePath { folder: target.folder.clone(), path })
}

fn tree(plan: &Plan, detail: Detail, out: &mut String) {
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    let mut lots: HashMap<(&str, &[u8]), Lot> = HashMap::new();
    let shown = |name: &[u8]| line(&path::encode(name));
    for change in plan.feasible().filter(|change| change.kind != ChangeKind::Remove) {
        let Some(target) = &change.target else { continue };
        let folder = target.folder.as_str();
        if change.kind == ChangeKind::MakeFolder || change.returned == Some(Returned::Folder) {
            let names: Vec<String> = target.path.names().map(shown).collect();
            folders.entry(line(folder)).or_default().open(names.iter().map(String::as_str));
            continue;
        }
        let Some(last) = target.path.name() else { continue };
        let whole = target.path.as_bytes();
        let above = &whole[..whole.len() - last.len()];
        let mark = match change.kind {
            _ if change.returned.is_some() => " (comes back)",
            ChangeKind::Write if change.replaces => " (new content)",
            ChangeKind::Write => " (new)",
            ChangeKind::Copy => " (copy)",
            _ if change.replaces => " (replaces the one there)",
            _ => "",
        };
        let lot = lots.entry((folder, above)).or_default();
        lot.put(detail.limit(), || format!("{}{mark}", shown(last)), change.files, change.bytes);
    }
    for ((folder, above), lot) in lots {
        let names: Vec<String> = above.split(|b| *b == b'/').filter(|name| !name.is_empty()).map(shown).collect();
        folders.entry(line(folder)).or_default().add(names.iter().map(String::as_str), lot);
    }
    for (name, folder) in &folders {
        out.push_str(&format!("{name}/\n"));
        for row in folder.lines(detail.limit()) {
            out.push_str(&row);
            out.push('\n');
        }
    }
    let (avoiding, others): (Vec<&Change>, Vec<&Change>) =
        plan.feasible().filter(|change| is_renamed(change)).partition(|change| !change.reason.is_empty());
    for (heading, changes) in
        [("Other names, so that nothing is overwritten", avoiding), ("Other names than they have now", others)]
    {
        if !changes.is_empty() {
            let rows: Vec<String> = changes.into_iter().map(renamed).collect();
            out.push_str(&format!("\n{heading}:\n{}", short(&rows, detail, 40)));
        }
    }
    let tidied: Vec<String> = tidied(plan).map(|path| format!("  {}/\n", line(path))).collect();
    if !tidied.is_empty() {
        out.push_str("\nFolders that go with it, because nothing is left in them:\n");
        out.push_str(&short(&tidied, detail, 8));
    }
}

/// Empty folders that go with an undo. Only what Deskhand itself arranged says so.
fn tidied(plan: &Plan) -> impl Iterator<Item = &str> {
    let own = plan.origin == Principal::Person;
    plan.view["tidies"].as_array().into_iter().flatten().filter(move |_| own).filter_map(|path| path.as_str())
}

/// True for a move that gives another name.
fn is_renamed(change: &Change) -> bool {
    let name = |path: &Option<FilePath>| path.as_ref().and_then(|path| path.path.name().map(<[u8]>::to_vec));
    change.kind == ChangeKind::Move && name(&change.source) != name(&change.target)
}

fn renamed(change: &Change) -> String {
    format!("  {} → {}{}\n", name(change.source.as_ref()), name(change.target.as_ref()), because(change))
}

fn table(plan: &Plan, detail: Detail, out: &mut String) {
    let same_place = |change: &Change| match (&change.source, &change.target) {
        (Some(source), Some(target)) => source.folder == target.folder && source.path.parent() == target.path.parent(),
        _ => false,
    };
    let row = |change: &Change| {
        let target = match &change.target {
            Some(target) if same_place(change) => line(&path::encode(target.path.name().unwrap_or_default())),
            target => name(target.as_ref()),
        };
        let row = match (&change.source, change.kind) {
            _ if change.returned.is_some() => format!("  {target} (comes back)"),
            (Some(source), ChangeKind::Move) => format!("  {} → {target}", name(Some(source))),
            (Some(source), ChangeKind::Copy) => format!("  {} ⇒ {target} (copy)", name(Some(source))),
            (_, ChangeKind::MakeFolder) => format!("  {target}/ (new folder)"),
            _ => format!("  {target} (new content)"),
        };
        format!("{row}{}\n", because(change))
    };
    let rows: Vec<String> = plan.feasible().filter(|change| change.kind != ChangeKind::Remove).map(row).collect();
    out.push_str(&short(&rows, detail, 24));
}

/// Changes that belong together. `view.groups` says which: `[{"title": …, "keep": path, "changes": [ids]}]`. What it leaves
/// out goes by the files that it stands on, which a plan names whatever its size, and then by its reason.
fn groups(plan: &Plan, detail: Detail, out: &mut String) {
    let by_id: BTreeMap<u64, &Change> = plan.feasible().map(|change| (change.id, change)).collect();
    let mut shown = BTreeSet::new();
    let mut rows = Vec::new();
    for group in plan.view["groups"].as_array().into_iter().flatten() {
        let ids = group["changes"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64);
        let changes: Vec<&Change> = ids.filter_map(|id| by_id.get(&id).copied().filter(|_| shown.insert(id))).collect();
        let keep: Option<FilePath> = group["keep"].as_str().and_then(|keep| keep.parse().ok());
        rows.push(group_rows(group["title"].as_str().unwrap_or_default(), keep.as_slice(), &changes, detail));
    }
    // nothing is applied that was not shown
    let mut together: HashMap<(&[FilePath], &str), usize> = HashMap::new();
    let mut derived: Vec<Vec<&Change>> = Vec::new();
    for change in by_id.into_values().filter(|change| !shown.contains(&change.id)) {
        let key = match (change.relies_on.as_slice(), change.reason.as_str()) {
            ([], "") => {
                derived.push(vec![change]);
                continue;
            }
            ([], reason) => (Default::default(), reason),
            (relies, _) => (relies, ""),
        };
        let index = *together.entry(key).or_insert(derived.len());
        match derived.get_mut(index) {
            Some(group) => group.push(change),
            None => derived.push(vec![change]),
        }
    }
    rows.extend(derived.iter().map(|changes| derived_rows(changes, detail)));
    out.push_str(&short(&rows, detail, 12));
}

fn group_rows(title: &str, keep: &[FilePath], changes: &[&Change], detail: Detail) -> String {
    let mut out = format!("  {}\n", line(&text::shortened(title, 120)));
    for keep in keep {
        out.push_str(&format!("    keep    {}\n", name(Some(keep))));
    }
    let limit = detail.limit();
    let fits = if changes.len() <= limit { changes.len() } else { limit - 1 };
    out.extend(changes.iter().take(fits).map(|change| change_line("    ", change)));
    if fits < changes.len() {
        out.push_str(&format!("    … and {} more\n", count((changes.len() - fits) as u64)));
    }
    out
}

/// A group that the plan itself tells: copies of one file that stays, or changes with one reason.
fn derived_rows(changes: &[&Change], detail: Detail) -> String {
    let Some(first) = changes.first() else { return String::new() };
    if first.relies_on.is_empty() && first.reason.is_empty() {
        return change_line("  ", first);
    }
    let copies = changes.iter().all(|change| change.kind == ChangeKind::Remove && change.bytes == first.bytes);
    let title = match first.relies_on.as_slice() {
        [kept] if copies => {
            let kept = path::encode(kept.path.name().unwrap_or_default());
            format!("{} × {kept}, {} each", count(changes.len() as u64 + 1), bytes(first.bytes))
        }
        _ => first.reason.clone(),
    };
    group_rows(&title, &first.relies_on, changes, detail)
}

fn change_line(indent: &str, change: &Change) -> String {
    match (change.kind, &change.source, &change.target) {
        _ if change.returned.is_some() => format!("{indent}bring back  {}\n", name(change.target.as_ref())),
        (ChangeKind::Remove, source, _) => {
            format!("{indent}remove  {}  {}\n", name(source.as_ref()), bytes(change.bytes))
        }
        (_, Some(source), target) => {
            format!("{indent}{}  {} → {}\n", change.kind.name(), name(Some(source)), name(target.as_ref()))
        }
        (_, None, target) => format!("{indent}{}  {}\n", change.kind.name(), name(target.as_ref())),
    }
}

fn sum(plan: &Plan) -> String {
    if plan.feasible().next().is_none() {
        return "Nothing of it can be made.".to_owned();
    }
    let tally = Tally::of(plan.feasible());
    let mut parts = tallied(&tally);
    let tidied = tidied(plan).count() as u64;
    if tidied > 0 {
        parts.push(format!("{} to go with it", counted(tidied, "empty folder")));
    }
    if (tally.removed, tally.removed_folders) == (0, 0) {
        parts.push("nothing to be removed".to_owned());
    }
    format!("{}.", parts.join(", "))
}

/// What is to be done, a part for each kind.
fn tallied(tally: &Tally) -> Vec<String> {
    let some = |number: u64, thing: &str| if number > 0 { counted(number, thing) } else { String::new() };
    let moved = (tally.moved > 0).then_some(tally.moved_bytes);
    let removed = (tally.removed > 0).then_some(tally.removed_bytes);
    [
        (some(tally.moved, "file"), "to be moved", moved),
        (some(tally.renamed, "file"), "to be renamed", None),
        (some(tally.folders, "folder"), "to be made", None),
        (some(tally.written, "file"), "to be written", None),
        (some(tally.copied, "file"), "to be copied", None),
        (some(tally.returned, "file"), "to be brought back", None),
        (some(tally.returned_folders, "folder"), "to be brought back", None),
        (lost(tally.removed, tally.removed_folders), "to be removed", removed),
    ]
    .into_iter()
    .filter(|(things, ..)| !things.is_empty())
    .map(|(things, what, size)| {
        let size = size.map(|size| format!(" ({})", bytes(size))).unwrap_or_default();
        format!("{things} {what}{size}")
    })
    .collect()
}

/// What was done, in a sentence without its point.
pub(crate) fn made(tally: &Tally) -> String {
    let lost = lost(tally.removed, tally.removed_folders);
    let removed = (!lost.is_empty()).then(|| format!("removed {lost}"));
    let parts: Vec<String> = [
        ("moved", tally.moved, "file"),
        ("renamed", tally.renamed, "file"),
        ("made", tally.folders, "folder"),
        ("wrote", tally.written, "file"),
        ("copied", tally.copied, "file"),
        ("brought back", tally.returned, "file"),
        ("brought back", tally.returned_folders, "folder"),
    ]
    .into_iter()
    .filter(|(_, number, _)| *number > 0)
    .map(|(verb, number, thing)| format!("{verb} {}", counted(number, thing)))
    .chain(removed)
    .collect();
    list(&parts)
}

fn name(path: Option<&FilePath>) -> String {
    path.map(|path| line(&path.to_string())).unwrap_or_default()
}

fn because(change: &Change) -> String {
    if change.reason.is_empty() { String::new() } else { format!("  ({})", why(&change.reason)) }
}

fn why(reason: &str) -> String {
    line(&text::shortened(reason, 120))
}

fn short(rows: &[String], detail: Detail, limit: usize) -> String {
    if detail == Detail::Full || rows.len() <= limit {
        return rows.concat();
    }
    format!("{}  … and {} more\n", rows[..limit - 1].concat(), count((rows.len() - limit + 1) as u64))
}

#[cfg(test)]
mod tests;
