//! A plan as lines of text that a person edits, and what comes back, validated as a whole.
//!
//! One line is one change: its number, what it does, and its paths. What is right of the arrow may be changed, and a line
//! may be deleted. Folders that are needed are made, and those that nothing goes into any more are not.

use crate::{
    disk,
    entry::Kind,
    folder::{Masks, Root},
    layer::{Kept, Key, Made, Note, Spot, State},
    planning::{Item, What},
    reliance,
    store::Store,
    view::View,
    workspace::Workspace,
};
use deskhand_vocabulary::{Change, ChangeKind, FilePath, Plan, RelativePath, text};
use rustix::{fd::AsFd as _, io::Errno};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

/// Something that cannot be as it was edited. Nothing of the edit is taken then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditProblem {
    /// The line, from 1; 0 for the whole.
    pub line: usize,
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for EditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{}: {}. {}", self.what, self.why, self.advice)
    }
}

/// How many levels below its granted folder a person may put a file: more than any tree has that somebody made by hand.
/// Each level costs a look at all above it.
const DEEPEST: usize = 128;

const ARROW: &str = " -> ";

/// Folders that something else of the plan goes into are not lines: they follow from the others.
fn has_line(change: &Change, used: &HashSet<FilePath>) -> bool {
    change.kind != ChangeKind::MakeFolder || change.target.as_ref().is_none_or(|target| !used.contains(target))
}

/// All folders that something of the plan goes into.
fn used<'a>(changes: impl Iterator<Item = &'a Change>) -> HashSet<FilePath> {
    let mut used = HashSet::new();
    for target in changes.filter_map(|change| change.target.as_ref()) {
        let mut path = target.path.parent();
        while let Some(folder) = path {
            path = folder.parent();
            if !used.insert(FilePath { folder: target.folder.clone(), path: folder }) {
                break;
            }
        }
    }
    used
}

/// The items that have a line.
fn lined(items: &[Item]) -> impl Iterator<Item = &Item> {
    let shown = || items.iter().filter(|item| !item.hidden);
    let used = used(shown().map(|item| item.change.as_ref()));
    shown().filter(move |item| has_line(&item.change, &used))
}

/// A path, in quotes where it would not be read back as it is.
fn quoted(path: &FilePath) -> String {
    let plain = path.to_string();
    let odd = plain.contains(ARROW)
        || plain.starts_with(['"', ' ', '#'])
        || plain.ends_with(' ')
        || plain.contains('\\')
        || text::safe(&plain, false) != plain;
    if !odd {
        return plain;
    }
    let mut out = String::from("\"");
    for c in plain.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if text::safe(c.encode_utf8(&mut [0; 4]), false) != c.to_string() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn unquoted(text: &str) -> Result<FilePath, String> {
    let text = text.trim();
    let plain: String = if text.starts_with('"') {
        serde_json::from_str(text).map_err(|_| "the quotes or a `\\` in it are not right".to_owned())?
    } else {
        text.to_owned()
    };
    plain.parse().map_err(|error| format!("{error}"))
}

/// A path at the head of a line, and what follows it.
fn split_path(text: &str) -> (&str, &str) {
    if text.starts_with('"') {
        let mut escaped = false;
        for (at, c) in text.char_indices().skip(1) {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => return text.split_at(at + 1),
                _ => escaped = false,
            }
        }
        return (text, "");
    }
    match text.find(ARROW) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

struct Line {
    number: usize,
    target: Option<FilePath>,
}

/// A plan as text that a person edits: a line a change. [`Workspace::edit`] takes it back.
pub fn edit_text(plan: &Plan) -> String {
    edit_text_without(plan, |_| false)
}

/// The same with some changes left out already.
pub fn edit_text_without(plan: &Plan, left_out: impl Fn(&Change) -> bool) -> String {
    let mut out = format!("# {}\n", text::safe(&plan.title, false));
    out.push_str(
        "#\n# One line is one change. Change what is right of the arrow to put it elsewhere, or delete a line to leave\n\
         # that file as it is. Folders that are needed are made. Lines that begin with # do not count.\n\
         # Save and close to see the plan again before anything is done; without any line, nothing is done.\n\n",
    );
    let used = used(plan.changes());
    for change in plan.changes().filter(|change| has_line(change, &used) && !left_out(change)) {
        out.push_str(&format!("{} {}", change.id, change.kind.name()));
        if let Some(source) = &change.source {
            out.push(' ');
            out.push_str(&quoted(source));
        }
        if let Some(target) = &change.target {
            out.push_str(ARROW);
            out.push_str(&quoted(target));
        }
        out.push('\n');
    }
    out
}

impl Workspace {
    /// Take an edited text into the pending set: all of it, or nothing and the list of what is wrong.
    pub fn edit(&self, plan: &Plan, text: &str) -> Result<(), Vec<EditProblem>> {
        let stale = || {
            vec![EditProblem {
                line: 0,
                what: "the plan".to_owned(),
                why: "it has changed since it was shown".to_owned(),
                advice: "Look at the new one".to_owned(),
            }]
        };
        let prepared = self.prepared(plan).ok_or_else(stale)?;
        let lines = read(&prepared.items, text)?;
        let masks = Arc::clone(&self.shared.masks);
        self.transform(|roots, state| {
            if state.revision != prepared.revision {
                return Err(stale());
            }
            let mut edit = Edit { roots, masks: &masks, state, problems: Vec::new() };
            edit.apply(&prepared.items, &lines);
            if !edit.problems.is_empty() {
                return Err(edit.problems);
            }
            state.edited = true;
            Ok(())
        })
    }
}

fn read(items: &[Item], text: &str) -> Result<HashMap<u64, Line>, Vec<EditProblem>> {
    let mut lines: HashMap<u64, Line> = HashMap::new();
    let mut problems = Vec::new();
    let known: HashMap<u64, &Item> = lined(items).map(|item| (item.change.id, item)).collect();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let mut problem = |what: &str, why: String, advice: &str| {
            problems.push(EditProblem { line: number, what: what.to_owned(), why, advice: advice.to_owned() });
        };
        let mut parts = line.trim_start().splitn(3, ' ');
        let (id, kind, rest) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let Some(item) = id.parse().ok().and_then(|id: u64| known.get(&id)) else {
            problem(
                &format!("`{}`", text::shortened(id, 40)),
                "no change of the plan has this number".to_owned(),
                "Leave the number at the head of the line as it was; new changes cannot be added",
            );
            continue;
        };
        let change = &item.change;
        if kind != change.kind.name() {
            problem(
                &format!("change {id}"),
                format!("it is `{}`, and the text says `{}`", change.kind.name(), text::shortened(kind, 40)),
                "Put the word back, or delete the line",
            );
            continue;
        }
        let rest = rest.trim_start();
        let (source, rest) = if change.source.is_some() { split_path(rest) } else { ("", rest) };
        let target = rest.trim_start().strip_prefix("->").map(str::trim);
        if let Some(expected) = &change.source
            && unquoted(source).ok().as_ref() != Some(expected)
        {
            problem(
                &format!("change {id}"),
                format!("what is left of the arrow is not `{expected}` any more"),
                "Put it back: only what is right of the arrow can be changed",
            );
            continue;
        }
        let target = match (&change.target, target) {
            (None, None) => None,
            (Some(_), Some(text)) => match unquoted(text) {
                Ok(path) => Some(path),
                Err(why) => {
                    problem(
                        &format!("`{}`", text::shortened(text, 200)),
                        why,
                        "Write a folder of the task and the path in it",
                    );
                    continue;
                }
            },
            (Some(_), None) => {
                problem(&format!("change {id}"), "it has no target".to_owned(), "Write ` -> ` and where it is to be");
                continue;
            }
            (None, Some(_)) => {
                problem(
                    &format!("change {id}"),
                    "a removal has no target".to_owned(),
                    "Delete the arrow and what follows it",
                );
                continue;
            }
        };
        if lines.insert(change.id, Line { number, target }).is_some() {
            problem(&format!("change {id}"), "it is there twice".to_owned(), "Delete one of the two lines");
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

struct Edit<'a> {
    roots: &'a [Arc<Root>],
    masks: &'a Masks,
    state: &'a mut State,
    problems: Vec<EditProblem>,
}

impl Edit<'_> {
    fn problem(&mut self, line: usize, what: impl fmt::Display, why: impl Into<String>, advice: &str) {
        let what = format!("`{what}`");
        self.problems.push(EditProblem { line, what, why: why.into(), advice: advice.to_owned() });
    }

    fn view(&self) -> View<'_> {
        View::new(self.roots, self.masks, self.state)
    }

    fn apply(&mut self, items: &[Item], lines: &HashMap<u64, Line>) {
        let mut gone: Vec<&Item> = Vec::new();
        let mut changed: Vec<(&Item, &Line, FilePath)> = Vec::new();
        for item in lined(items) {
            match lines.get(&item.change.id) {
                None => gone.push(item),
                Some(line) if line.target != item.change.target => {
                    let Some(target) = line.target.clone() else { continue };
                    if matches!(item.what, What::Rewrite { .. }) {
                        self.problem(
                            line.number,
                            &target,
                            "what is written over a file stays with that file",
                            "Put the target back, or delete the line",
                        );
                    }
                    changed.push((item, line, target));
                }
                Some(_) => {}
            }
        }
        if !self.problems.is_empty() {
            return;
        }
        // all of them leave their names first, so that names can be swapped
        let notes: HashMap<u64, Note> = self.state.notes.iter().map(|(id, note)| (*id, note.clone())).collect();
        for item in gone.iter().copied().chain(changed.iter().map(|(item, ..)| *item)) {
            let Some(note) = notes.get(&item.change.id) else { continue };
            let rewrite = matches!(item.what, What::Rewrite { .. });
            if !rewrite {
                self.state.spare_replaced(&note.key);
                self.state.lift(&note.key);
            }
        }
        // what stays must have its folder back before what lies in it
        gone.sort_by_key(|item| (item.change.kind != ChangeKind::Remove, depth(item)));
        for item in gone {
            if let Err(error) = self.state.withdraw(item.change.id) {
                let path = item.change.source.as_ref().or(item.change.target.as_ref());
                let path = path.map_or_else(String::new, ToString::to_string);
                self.problem(
                    0,
                    path,
                    format!("its line was deleted, and {error}"),
                    "Delete that line too, or change where it goes",
                );
            }
        }
        changed.sort_by_key(|(_, _, target)| target.path.names().count());
        for (item, line, target) in changed {
            let Some(note) = notes.get(&item.change.id) else { continue };
            if let Err(why) = self.put(&note.key, &target) {
                self.problem(line.number, &target, why, "Choose another name or folder");
            }
            // what the proposer said of its own target is not said of the person's
            if let Some(note) = self.state.notes.get_mut(&item.change.id) {
                note.reason.clear();
            }
        }
        self.drop_unused(items);
        if self.problems.is_empty()
            && let Err(found) = reliance::all(&self.view())
        {
            let line = lines.get(&found.change).map_or(0, |line| line.number);
            self.problem(line, &found.about, found.why(), "Delete this line, or leave the other file as it is");
        }
    }

    fn put(&mut self, key: &Key, target: &FilePath) -> Result<(), String> {
        if target.path.is_root() {
            return Err("it is a granted folder itself".to_owned());
        }
        let depth = target.path.names().count();
        if depth > DEEPEST {
            return Err(format!("it would lie {depth} levels deep, and {DEEPEST} are the most"));
        }
        ensure_above(self.roots, self.masks, self.state, target)?;
        let goal = self.view().target(target).map_err(|error| error.message)?;
        if goal.trail.contains(key) {
            return Err("it would lie in itself".to_owned());
        }
        if goal.taken.is_some_and(|taken| taken.key != *key) {
            return Err("something is there already".to_owned());
        }
        let seen = self.state.nodes.get(key).and_then(|node| node.seen.as_deref().copied());
        self.state.relocate(key, seen, &goal.spot, None, None);
        Ok(())
    }

    /// Folders that were made for what goes elsewhere now.
    fn drop_unused(&mut self, items: &[Item]) {
        let used = used(items.iter().filter(|item| !item.hidden).map(|item| item.change.as_ref()));
        let mut made: Vec<(u64, usize)> = items
            .iter()
            .filter(|item| matches!(item.what, What::MakeFolder { .. }) && !has_line(&item.change, &used))
            .map(|item| (item.change.id, depth(item)))
            .collect();
        made.sort_by_key(|(_, depth)| std::cmp::Reverse(*depth));
        for (id, _) in made {
            // refused where something still goes into it
            let _ = self.state.withdraw(id);
        }
    }
}

fn depth(item: &Item) -> usize {
    let path = item.change.source.as_ref().or(item.change.target.as_ref());
    path.map_or(0, |path| path.path.names().count())
}

/// Let the folder that `target` is to be in come to be, with those above it.
pub(crate) fn ensure_above(
    roots: &[Arc<Root>],
    masks: &Masks,
    state: &mut State,
    target: &FilePath,
) -> Result<(), String> {
    let root = View::new(roots, masks, state).root(target).map_err(|error| error.message)?;
    let names: Vec<Vec<u8>> = target.path.names().map(<[u8]>::to_vec).collect();
    let mut parent = Key::Base(root, RelativePath::root());
    for name in names.iter().take(names.len().saturating_sub(1)) {
        let spot = Spot { parent: parent.clone(), name: name.as_slice().into() };
        let taken = View::new(roots, masks, state).taken(&spot);
        parent = match taken {
            Ok(Some(seen)) if seen.kind == Kind::Folder => seen.key,
            Ok(Some(_)) | Err(Errno::NOTDIR) => {
                return Err(format!("`{}`, which it is to lie in, is no folder", crate::commit::name(name)));
            }
            Ok(None) if let Some((kept, path)) = within(state, &parent, name) => state.come_within(&spot, kept, path),
            Ok(None) => Key::New(state.make(&spot, ChangeKind::MakeFolder, Made::Folder, None, None)),
            Err(error) => return Err(error.to_string()),
        };
    }
    Ok(())
}

/// A folder that comes back from a store with the one that it lies in.
fn within(state: &State, parent: &Key, name: &[u8]) -> Option<(Arc<Kept>, RelativePath)> {
    let (kept, path) = state.comes_from(parent)?;
    let path = path.join(name).ok()?;
    let folder = Store::open(&kept.store).ok()?.existing(&kept.folder).ok()?;
    let whole = RelativePath::root().join(kept.name.as_bytes()).ok()?;
    let whole = path.names().try_fold(whole, |whole, name| whole.join(name)).ok()?;
    disk::open_way(folder.as_fd(), whole.as_bytes()).ok()?;
    Some((kept, path))
}
