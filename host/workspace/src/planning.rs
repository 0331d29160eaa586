//! From the pending set to a plan that can be shown, decided and made real.

use crate::{
    conflict, disk,
    entry::{Kind, Stamp},
    error::{Code, FileError, WorkspaceError},
    folder::{Masks, Root},
    journal::Times,
    layer::{Away, Content, Key, Made, Node, Note, State, home},
    reliance, sensitive,
    view::{View, alike},
    workers,
};
use deskhand_vocabulary::{
    Change, ChangeKind, CommitId, FilePath, Plan, Principal, RelativePath, Returned, Sha256, plan::Beyond,
};
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags},
    io::Errno,
};
use serde::Serialize;
use sha2::Digest as _;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    os::unix::ffi::OsStrExt as _,
    sync::Arc,
};

/// A place on the disk, in a folder of the task.
pub(crate) type Place = (u16, RelativePath);

/// A plan and all that making it real needs.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) plan: Arc<Plan>,
    /// The state of the pending set that it was made from.
    pub(crate) revision: u64,
    /// In the order of the plan's changes; those that are not shown as changes come last.
    pub(crate) items: Vec<Item>,
    /// What its changes stand on.
    pub(crate) relies: reliance::All,
    pub(crate) undoes: Option<Undoes>,
}

/// What an undo takes back.
#[derive(Clone, Debug)]
pub(crate) struct Undoes {
    pub(crate) commit: CommitId,
    pub(crate) left: u64,
    /// Folders that are to have the times that they had before that commit.
    pub(crate) times: Vec<Past>,
}

/// A folder as it was before a commit.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) times: Times,
    /// Where the commit has brought it; none for the recoverable store.
    pub(crate) now: Option<Place>,
    /// When it was last changed, as the commit left it. If it was changed later, it keeps its times.
    pub(crate) after: Option<crate::entry::Moment>,
}

/// Where what was at `place` is, after the moves of `moved`.
pub(crate) fn follow(moved: &HashMap<Place, Option<Place>>, place: &Place) -> Option<Place> {
    let mut rest: Vec<&[u8]> = Vec::new();
    let mut at = place.clone();
    loop {
        if let Some(to) = moved.get(&at) {
            let (root, mut path) = to.clone()?;
            for name in rest.iter().rev() {
                path = path.join(name).ok()?;
            }
            return Some((root, path));
        }
        let (Some(parent), Some(name)) = (at.1.parent(), place.1.names().nth(at.1.names().count().checked_sub(1)?))
        else {
            return Some(place.clone());
        };
        rest.push(name);
        if parent.is_root() {
            return Some(place.clone());
        }
        at = (at.0, parent);
    }
}

/// One change, told by places on the disk.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) change: Arc<Change>,
    pub(crate) undoes: Option<u64>,
    pub(crate) what: What,
    /// Where the folder that it is to be in lies now; none if that is yet to come.
    pub(crate) into: Option<Place>,
    /// Where the file is now whose place it takes.
    pub(crate) over: Option<FilePath>,
    /// True for what follows from the plan and is no change of its own: empty folders that go with an undo.
    pub(crate) hidden: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    MakeFolder {
        to: Place,
    },
    /// Something new: written, copied or restored.
    Arrive {
        content: Content,
        to: Place,
        replaces: Option<Arc<Stamp>>,
    },
    Move {
        from: Place,
        seen: Arc<Stamp>,
        to: Place,
        /// Through the store, because its name or its way is not free when its turn comes.
        lifted: bool,
        /// To another file system.
        across: bool,
        replaces: Option<Arc<Stamp>>,
    },
    /// New content for a file; the place is where the file then is.
    Rewrite {
        content: Content,
        at: Place,
        /// Where it is now.
        from: Place,
        seen: Arc<Stamp>,
    },
    Remove {
        from: Place,
        seen: Arc<Stamp>,
        /// For an empty folder that a commit had made, as part of its undo.
        tidy: bool,
        /// For such a folder: its name is needed, so it goes before anything comes.
        early: bool,
        /// For a folder: what is in it.
        tree: Option<Tree>,
    },
}

/// What a folder holds, all below.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// The same on the disk, folders included. Changes without any change of content: a file system takes its time.
    pub(crate) on_disk: u64,
    /// Over names, kinds, sizes and times.
    pub(crate) digest: [u8; 32],
}

/// What a plan's digest is made of.
#[derive(Serialize)]
struct Decided<'a> {
    title: &'a str,
    origin: &'a Principal,
    view: &'a serde_json::Value,
    roots: Vec<(String, &'a Stamp)>,
    /// Of each change with what it relies on, in their order.
    items: Vec<Sha256>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relies: Vec<(u64, String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<Beyond>,
}

pub(crate) fn prepare(
    view: &View<'_>,
    title: &str,
    origin: Principal,
    mut shape: serde_json::Value,
    undoes: Option<Undoes>,
    limit: impl Fn(&Root) -> Result<u64, WorkspaceError>,
) -> Result<Prepared, WorkspaceError> {
    let state = view.state;
    let relies = reliance::all(view).map_err(FileError::from)?;
    let mut items = items(view, &relies)?;
    if items.is_empty() {
        return Err(WorkspaceError::Nothing);
    }
    avoid_aliases(view, &mut items)?;
    // removals first, the deepest first; then what comes, the highest first: so every folder is there when it is needed
    items.sort_by_cached_key(|item| {
        let place = match &item.what {
            What::Remove { from, tidy, .. } => {
                return (if *tidy { 2_u8 } else { 0 }, usize::MAX - depth(from), 0, item.change.id);
            }
            What::MakeFolder { to } | What::Arrive { to, .. } | What::Move { to, .. } => to,
            What::Rewrite { at, .. } => at,
        };
        (1, depth(place), u8::from(matches!(item.what, What::Rewrite { .. })), item.change.id)
    });
    if items.iter().any(|item| !item.is_tidy()) {
        let tidied: Vec<String> = items
            .iter_mut()
            .filter(|item| item.is_tidy())
            .map(|item| {
                item.hidden = true;
                item.change.source.as_ref().map_or_else(String::new, ToString::to_string)
            })
            .collect();
        if let Some(shape) = shape.as_object_mut().filter(|_| !tidied.is_empty()) {
            shape.insert("tidies".to_owned(), tidied.into());
        }
    }
    if let Some(shape) = shape.as_object_mut().filter(|_| state.edited) {
        shape.insert("edited".to_owned(), true.into());
    }
    let beyond = beyond(view, &items, limit)?;
    let digest = digest(view.roots, title, &origin, &shape, &items, &relies, beyond)?;
    let changes = items.iter().filter(|item| !item.hidden).map(|item| Arc::clone(&item.change)).collect();
    let plan = Plan { title: title.to_owned(), origin, changes, view: shape, beyond, digest };
    Ok(Prepared { plan: Arc::new(plan), revision: state.revision, items, relies, undoes })
}

impl Prepared {
    /// What a change is about.
    pub(crate) fn about(&self, change: u32) -> Option<FilePath> {
        let change = &self.items.get(usize::try_from(change).ok()?)?.change;
        change.source.clone().or_else(|| change.target.clone())
    }
}

impl Item {
    pub(crate) fn is_tidy(&self) -> bool {
        matches!(self.what, What::Remove { tidy: true, .. })
    }
}

fn depth(place: &Place) -> usize {
    place.1.names().count()
}

fn digest(
    roots: &[Arc<Root>],
    title: &str,
    origin: &Principal,
    view: &serde_json::Value,
    items: &[Item],
    relies: &reliance::All,
    beyond: Option<Beyond>,
) -> Result<Sha256, WorkspaceError> {
    let one = |item: &Item| Sha256::of_json(&(&item.change, item.what.precondition()));
    let items: Result<Vec<Sha256>, serde_json::Error> = workers::each(items, || one).into_iter().collect();
    let items = items.map_err(|error| FileError::new(Code::Failed, error.to_string()));
    let decided = Decided {
        title,
        origin,
        view,
        roots: roots.iter().map(|root| (root.shown(), &root.stamp)).collect(),
        items: items?,
        relies: relies
            .iter()
            .flat_map(|(change, relied)| relied.iter().map(|one| (*change, one.path.to_string(), one.seen.version())))
            .collect(),
        beyond,
    };
    Sha256::of_json(&decided).map_err(|error| FileError::new(Code::Failed, error.to_string()).into())
}

/// Whether more is put aside than is kept, on some file system: there the first of them.
fn beyond(
    view: &View<'_>,
    items: &[Item],
    limit: impl Fn(&Root) -> Result<u64, WorkspaceError>,
) -> Result<Option<Beyond>, WorkspaceError> {
    let mut disks: BTreeMap<(u64, u64), (&Root, u64)> = BTreeMap::new();
    for item in items {
        let aside = item.what.put_aside();
        let Some(root) = view.roots.get(usize::from(item.what.place().0)).filter(|_| aside > 0) else { continue };
        let (_, sum) = disks.entry((root.stamp.dev, root.stamp.mount)).or_insert((root, 0));
        *sum = sum.saturating_add(aside);
    }
    for (root, bytes) in disks.into_values() {
        let limit = limit(root)?;
        if bytes > limit {
            return Ok(Some(Beyond { bytes, limit }));
        }
    }
    Ok(None)
}

impl What {
    /// Where it happens.
    const fn place(&self) -> &Place {
        match self {
            Self::Remove { from, .. } => from,
            Self::Rewrite { at, .. } => at,
            Self::MakeFolder { to } | Self::Arrive { to, .. } | Self::Move { to, .. } => to,
        }
    }

    /// What is put aside for undo, in bytes on the disk.
    fn put_aside(&self) -> u64 {
        let on_disk = |stamp: &Stamp| stamp.blocks.saturating_mul(512);
        match self {
            Self::Remove { tree: Some(tree), .. } => tree.on_disk,
            Self::Remove { tidy: true, .. } => 0,
            // a file with other names is kept with a copy of its content
            Self::Rewrite { seen, .. } if seen.links > 1 => on_disk(seen).saturating_mul(2),
            Self::Rewrite { seen, .. } | Self::Remove { seen, .. } => on_disk(seen),
            Self::Move { replaces: Some(old), .. } | Self::Arrive { replaces: Some(old), .. } => on_disk(old),
            Self::MakeFolder { .. } | Self::Move { .. } | Self::Arrive { .. } => 0,
        }
    }

    fn precondition(&self) -> String {
        let stamp = |stamp: &Stamp| stamp.version();
        let over = |stamp: &Option<Arc<Stamp>>| stamp.as_ref().map_or_else(String::new, |stamp| stamp.version());
        let content = |content: &Content| match content {
            Content::Staged(staged) => format!("staged {}", staged.digest),
            Content::Copy { seen, .. } => format!("copy {}", seen.version()),
            Content::Stored(kept) => format!("kept {} {}", kept.name, kept.stamp.version()),
        };
        match self {
            Self::MakeFolder { .. } => "folder".to_owned(),
            Self::Arrive { content: c, replaces, .. } => format!("arrive {} over {}", content(c), over(replaces)),
            Self::Move { seen, replaces, .. } => format!("move {} over {}", stamp(seen), over(replaces)),
            Self::Rewrite { content: c, seen, .. } => format!("rewrite {} {}", content(c), stamp(seen)),
            Self::Remove { seen, tree, tidy, .. } => {
                let tree = tree.map_or_else(String::new, |tree| hex::encode(tree.digest));
                format!("remove {} {tree} {tidy}", stamp(seen))
            }
        }
    }
}

fn gone(path: &impl std::fmt::Display) -> FileError {
    FileError::conflict(format!("`{path}` is not where it was. Ask for it again"))
}

fn items(view: &View<'_>, relies: &reliance::All) -> Result<Vec<Item>, WorkspaceError> {
    let state = view.state;
    let lifted = lifted(state);
    let notes: Vec<(u64, &Note)> = state.notes.iter().map(|(id, note)| (*id, note)).collect();
    let (roots, masks) = (view.roots, view.masks);
    let parts = workers::parts(&notes, || {
        let view = View::new(roots, masks, state);
        let (mut folders, lifted) = (HashMap::new(), &lifted);
        move |part: &[(u64, &Note)]| {
            let found = part.iter().map(|(id, note)| item(&view, relies, *id, note, lifted, &mut folders));
            found.filter_map(Result::transpose).collect::<Result<Vec<Item>, WorkspaceError>>()
        }
    });
    let mut items = Vec::with_capacity(notes.len());
    for part in parts {
        items.extend(part?);
    }
    Ok(items)
}

fn item(
    view: &View<'_>,
    relies: &reliance::All,
    id: u64,
    note: &Note,
    lifted: &HashSet<Key>,
    folders: &mut HashMap<Key, Option<Place>>,
) -> Result<Option<Item>, WorkspaceError> {
    let state = view.state;
    let Some(node) = state.nodes.get(&note.key) else { return Ok(None) };
    let what = what(view, id, &note.key, node, lifted, folders)?;
    let (bytes, files) = extent(view, &what)?;
    let (source, target) = what.ends();
    let path = |place: &Place| view.path(place.0, place.1.clone());
    let source = match (&what, &note.kind) {
        // what a copy is made of is worth showing, though it is left alone
        (What::Arrive { content: Content::Copy { root, path, .. }, .. }, ChangeKind::Copy) => {
            view.path(*root, path.clone())
        }
        _ => source.and_then(path),
    };
    let target = target.and_then(path);
    let replaces = matches!(&what, What::Rewrite { .. })
        || matches!(&what, What::Move { replaces: Some(_), .. } | What::Arrive { replaces: Some(_), .. });
    let returned = match &what {
        What::Arrive { content: Content::Stored(kept), .. } | What::Rewrite { content: Content::Stored(kept), .. } => {
            Some(if kept.stamp.kind == Kind::Folder { Returned::Folder } else { Returned::File })
        }
        _ => None,
    };
    let sensitive = sensitive::why(view, &what, source.as_ref(), target.as_ref());
    let change = Change {
        id,
        kind: note.kind,
        source,
        target,
        bytes,
        files,
        replaces,
        returned,
        reason: note.reason.clone(),
        sensitive,
        relies_on: relies.get(&id).into_iter().flatten().map(|relied| relied.path.clone()).collect(),
        conflict: None,
    };
    let conflict = conflict::of(view, &note.key, &what, &change, relies.get(&id).map_or(&[], Vec::as_slice));
    let change = Change { conflict, ..change };
    let into = match state.spot(&note.key).map(|spot| spot.parent) {
        Some(Key::Base(root, path)) => Some((root, path)),
        Some(Key::New(_)) | None => None,
    };
    let over = match &node.replaces {
        Some(Key::Base(root, path)) => view.path(*root, path.clone()),
        Some(Key::New(_)) | None => None,
    };
    Ok(Some(Item { change: Arc::new(change), undoes: note.undoes, what, into, over, hidden: false }))
}

impl What {
    /// Where it comes from and where it goes.
    pub(crate) fn ends(&self) -> (Option<&Place>, Option<&Place>) {
        match self {
            Self::MakeFolder { to } | Self::Arrive { to, .. } => (None, Some(to)),
            Self::Move { from, to, .. } => (Some(from), Some(to)),
            Self::Rewrite { at, .. } => (None, Some(at)),
            Self::Remove { from, .. } => (Some(from), None),
        }
    }
}

/// What cannot be done in one step, or only before all else: moves that go through the store, and folders that are tidied
/// away to make room.
fn lifted(state: &State) -> HashSet<Key> {
    let mut lifted = HashSet::new();
    let mut arrivals = Vec::new();
    for (key, node) in &state.nodes {
        // its name is free only once the one that has it is away
        if (node.made.is_some() || matches!(node.away, Away::Moved(_)))
            && let Some(spot) = state.spot(key)
            && let Some(under) = spot.parent.below(&spot.name)
            && under != *key
            && let Some(there) = state.nodes.get(&under)
            && (matches!(there.away, Away::Moved(_)) || there.tidy)
        {
            arrivals.push(under);
        }
    }
    lifted.extend(arrivals);
    let mut more = Vec::new();
    for (key, node) in &state.nodes {
        let moved = matches!(node.away, Away::Moved(_));
        if (moved || node.tidy) && (node.replaces.is_some() || is_below_leaving(state, key, &lifted)) {
            more.push(key.clone());
        }
    }
    lifted.extend(more);
    lifted
}

/// True if a folder that it lies in on the disk goes elsewhere. A folder that is tidied away waits until it is empty,
/// unless its name is needed.
fn is_below_leaving(state: &State, key: &Key, lifted: &HashSet<Key>) -> bool {
    let mut at = home(key).map(|spot| spot.parent);
    while let Some(folder) = at {
        if state
            .nodes
            .get(&folder)
            .is_some_and(|node| node.away != Away::No && (!node.tidy || lifted.contains(&folder)))
        {
            return true;
        }
        at = home(&folder).map(|spot| spot.parent);
    }
    false
}

fn what(
    view: &View<'_>,
    id: u64,
    key: &Key,
    node: &Node,
    lifted: &HashSet<Key>,
    folders: &mut HashMap<Key, Option<Place>>,
) -> Result<What, WorkspaceError> {
    let state = view.state;
    let replaces = match &node.replaces {
        Some(old) => state.nodes.get(old).and_then(|node| node.seen.clone()),
        None => None,
    };
    let mut to = || state.place_through(key, folders).ok_or_else(|| gone(&format!("change {id}")));
    if let Some((made_by, made)) = node.made.as_deref()
        && *made_by == id
    {
        return Ok(match made {
            Made::Folder => What::MakeFolder { to: to()? },
            Made::File(content) => What::Arrive { content: content.clone(), to: to()?, replaces },
        });
    }
    let Key::Base(root, path) = key else { return Err(gone(&format!("change {id}")).into()) };
    let from = (*root, path.clone());
    let seen = node.seen.clone().ok_or_else(|| gone(path))?;
    if let Some((written, content)) = node.content.as_deref()
        && *written == id
    {
        return Ok(What::Rewrite { content: content.clone(), at: to()?, from, seen });
    }
    match node.away {
        Away::Removed(removed) if removed == id => {
            let tree = if seen.kind == Kind::Folder && !node.tidy { Some(survey_place(view, &from)?) } else { None };
            Ok(What::Remove { from, seen, tidy: node.tidy, early: lifted.contains(key), tree })
        }
        Away::Moved(moved) if moved == id => {
            let to = to()?;
            let (a, b) = (view.root_of(from.0), view.root_of(to.0));
            let across = match (a, b) {
                (Ok(a), Ok(b)) => (a.stamp.dev, a.stamp.mount) != (b.stamp.dev, b.stamp.mount),
                _ => return Err(gone(path).into()),
            };
            Ok(What::Move { from, seen, to, lifted: lifted.contains(key), across, replaces })
        }
        _ => Err(gone(&format!("change {id}")).into()),
    }
}

/// Bytes and files that a change takes along.
fn extent(view: &View<'_>, what: &What) -> Result<(u64, u64), WorkspaceError> {
    let of = |content: &Content| match content {
        Content::Staged(staged) => (staged.size, 1),
        Content::Copy { seen, .. } => (seen.size, 1),
        Content::Stored(kept) => (kept.stamp.size, 1),
    };
    Ok(match what {
        What::MakeFolder { .. } => (0, 0),
        What::Arrive { content, .. } | What::Rewrite { content, .. } => of(content),
        What::Remove { tree: Some(tree), .. } => (tree.bytes, tree.files),
        What::Move { from, seen, .. } if seen.kind == Kind::Folder => {
            // a folder that cannot be looked into can still be moved; then its files are not counted
            survey_place(view, from).map_or((0, 0), |tree| (tree.bytes, tree.files))
        }
        What::Remove { seen, .. } if seen.kind == Kind::Folder => (0, 0),
        What::Move { seen, .. } | What::Remove { seen, .. } => (seen.size, 1),
    })
}

pub(crate) fn survey_place(view: &View<'_>, place: &Place) -> Result<Tree, FileError> {
    let root = view.root_of(place.0).map_err(|_| gone(&place.1))?;
    let leaving = |path: &RelativePath| {
        view.state.nodes.get(&Key::Base(place.0, path.clone())).is_some_and(|node| node.away != Away::No)
    };
    survey(root, &place.1, view.masks, &leaving)
        .map_err(|error| FileError::system(error, format!("{}/{}", root.name, place.1)))
}

/// What is below a folder on the disk, told by paths within it, but for what `leaving` says is not to be counted.
pub(crate) fn survey(
    root: &Root,
    path: &RelativePath,
    masks: &Masks,
    leaving: &dyn Fn(&RelativePath) -> bool,
) -> Result<Tree, Errno> {
    let mut hash = sha2::Sha256::new();
    let mut tree = Tree::default();
    let mut open = vec![path.clone()];
    while let Some(folder) = open.pop() {
        let way = root.way(&folder, masks)?;
        let mut names = disk::names(way.as_fd())?;
        names.sort_unstable();
        for name in names {
            let inside = folder.join(&name).map_err(|_| Errno::NAMETOOLONG)?;
            if leaving(&inside) {
                continue;
            }
            let stamp = root.stat_in(way.as_fd(), &name, masks)?;
            hash.update(inside.as_bytes().get(path.as_bytes().len()..).unwrap_or_default());
            hash.update([0, stamp.kind as u8]);
            tree.on_disk = tree.on_disk.saturating_add(stamp.blocks.saturating_mul(512));
            if stamp.kind == Kind::Folder {
                open.push(inside);
            } else {
                tree.files += 1;
                tree.bytes = tree.bytes.saturating_add(stamp.size);
                hash.update(format!("{:x} {:x} {:?}", stamp.ino, stamp.size, stamp.modified));
            }
        }
    }
    tree.digest = hash.finalize().into();
    Ok(tree)
}

/// An item by its index, and the name that it is to have.
type Arriving = (usize, Vec<u8>);

/// On file systems that take two spellings for one name: what keeps its place but for the spelling goes through the store,
/// and two things that would get one name are refused.
fn avoid_aliases(view: &View<'_>, items: &mut [Item]) -> Result<(), WorkspaceError> {
    let mut folding: HashMap<Place, bool> = HashMap::new();
    let mut names: HashMap<(Place, String), Vec<Arriving>> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let to = match &item.what {
            What::MakeFolder { to } | What::Arrive { to, .. } | What::Move { to, .. } => to,
            What::Rewrite { .. } | What::Remove { .. } => continue,
        };
        let (Some(parent), Some(name)) = (to.1.parent(), to.1.name()) else { continue };
        let parent = (to.0, parent);
        let folds = match folding.get(&parent) {
            Some(folds) => *folds,
            None => {
                let folds = folds(view, &parent);
                folding.insert(parent.clone(), folds);
                folds
            }
        };
        if folds {
            let key = String::from_utf8_lossy(name).to_lowercase();
            names.entry((parent, key)).or_default().push((index, name.to_vec()));
        }
    }
    let mut lift = Vec::new();
    // its own name in another spelling: the disk may show it under made-up inodes
    let mut respelled = Vec::new();
    for ((parent, _), group) in &names {
        for (at, (index, name)) in group.iter().enumerate() {
            if let Some((_, other)) = group[..at].iter().find(|(_, other)| alike(other, name)) {
                let folder = view.path(parent.0, parent.1.clone());
                let folder = folder.map_or_else(String::new, |folder| folder.to_string());
                return Err(FileError::conflict(format!(
                    "`{}` and `{}` would be one name on the disk of `{folder}`. Choose another name for one of them",
                    crate::error::shown(other),
                    crate::error::shown(name)
                ))
                .into());
            }
            if let What::Move { from, .. } = &items[*index].what
                && from.0 == parent.0
                && from.1.parent().as_ref() == Some(&parent.1)
                && from.1.name().is_some_and(|from| alike(from, name))
            {
                respelled.push(*index);
            }
            let Ok(root) = view.root_of(parent.0) else { continue };
            let Ok(way) = root.way(&parent.1, view.masks) else { continue };
            if let Ok(stamp) = Stamp::at(way.as_fd(), name) {
                lift.push((*index, stamp.id()));
            }
        }
    }
    for index in respelled {
        if let What::Move { lifted, .. } = &mut items[index].what {
            *lifted = true;
        }
    }
    for (_, id) in lift {
        for item in items.iter_mut() {
            if let What::Move { seen, lifted, .. } = &mut item.what
                && seen.id() == id
            {
                *lifted = true;
            }
        }
    }
    Ok(())
}

/// File systems that never tell case apart, by the numbers of statfs(2): msdos and vfat, exfat, ntfs (old and new), cifs,
/// smb2, hfs+.
const FOLDING: [u64; 7] = [0x4d44, 0x2011_bab0, 0x5346_544e, 0x7366_746e, 0xff53_4d42, 0xfe53_4d42, 0x482b];
/// File systems outside the kernel, any of which may do so.
const FUSE: u64 = 0x6573_5546;
/// `FS_CASEFOLD_FL` of linux/fs.h: a folder of ext4 or f2fs that does not tell case apart.
const CASEFOLD: u32 = 0x4000_0000;

fn folds(view: &View<'_>, parent: &Place) -> bool {
    let Ok(root) = view.root_of(parent.0) else { return false };
    // a folder that is yet to come inherits from the nearest one that is there
    let mut path = parent.1.clone();
    let way = loop {
        match (root.way(&path, view.masks), path.parent()) {
            (Ok(way), _) => break way,
            (Err(_), Some(above)) => path = above,
            (Err(_), None) => return false,
        }
    };
    let Ok(folder) = disk::open_folder(way.as_fd(), b".") else { return false };
    FOLDING.contains(&disk::magic(folder.as_fd()))
        || rustix::fs::ioctl_getflags(&folder).is_ok_and(|flags| flags.bits() & CASEFOLD != 0)
        || disk::magic(folder.as_fd()) == FUSE && folds_there(folder.as_fd(), root, &path)
}

/// Where the kernel does not know: whether a name that is there is found under its other spelling.
fn folds_there(folder: BorrowedFd<'_>, root: &Root, path: &RelativePath) -> bool {
    let swapped = |name: &[u8]| -> Vec<u8> {
        let swap = |b: &u8| if b.is_ascii_lowercase() { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() };
        name.iter().map(swap).collect()
    };
    let own = if path.is_root() {
        root.path.file_name().map(|name| name.as_bytes().to_vec())
    } else {
        path.name().map(<[u8]>::to_vec)
    };
    let above = rustix::fs::openat(folder, "..", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let inside = disk::names(folder).unwrap_or_default();
    let below = inside.iter().find(|name| swapped(name) != **name).map(|name| (folder, name.clone()));
    let own = own.filter(|name| swapped(name) != *name);
    let same_disk = |above: &&OwnedFd| {
        let dev = |folder: BorrowedFd<'_>| Stamp::of(folder).ok().map(|stamp| stamp.dev);
        dev(above.as_fd()) == dev(folder)
    };
    let above = above.as_ref().ok().filter(same_disk).and_then(|above| Some((above.as_fd(), own?)));
    let Some((at, name)) = below.or(above) else { return true };
    // such a disk may give each spelling an inode number of its own
    let same =
        |other: Vec<u8>| Some(Stamp::at(at, &name).ok()?.without_inode().same_thing(&Stamp::at(at, &other).ok()?));
    same(swapped(&name)).unwrap_or(false)
}

/// The plan's changes as paths of the task, for whoever listens.
pub(crate) fn lines(plan: &Plan) -> impl Iterator<Item = String> {
    plan.changes().map(|change| {
        let path = |path: &Option<FilePath>| path.as_ref().map_or_else(String::new, |path| format!(" {path}"));
        let arrow = if change.source.is_some() && change.target.is_some() { " ->" } else { "" };
        format!("{} {}{}{arrow}{}", change.id, change.kind.name(), path(&change.source), path(&change.target))
    })
}
