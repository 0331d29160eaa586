//! What of a plan cannot be made as things are: told with the plan, before anyone is asked. The same is looked at once more
//! when it is made.

use crate::{
    engine::without,
    entry::{Kind, Stamp},
    error::FileError,
    layer::{Away, Content, Key, Slot},
    planning::{Place, What},
    reliance::Relied,
    view::{View, alike},
};
use deskhand_vocabulary::{Change, FilePath};
use rustix::io::Errno;

/// Why a change cannot be made; none where it can.
pub(crate) fn of(view: &View<'_>, key: &Key, what: &What, change: &Change, relies: &[Relied]) -> Option<String> {
    let own =
        changed(view, what, change).or_else(|| replaced(view, key, change)).or_else(|| taken(view, key, what, change));
    own.or_else(|| relies.iter().find_map(|relied| lost(view, relied)))
}

/// What it stands on is not as it was.
fn lost(view: &View<'_>, relied: &Relied) -> Option<String> {
    let now = view.stamp(relied.from.0, &relied.from.1).ok();
    if now.is_some_and(|now| relied.seen.unchanged(&now)) { None } else { Some(without(relied, now.as_ref())) }
}

/// What it takes from its place, writes over or copies is not as it was.
fn changed(view: &View<'_>, what: &What, change: &Change) -> Option<String> {
    let content = match what {
        What::Arrive { content, .. } | What::Rewrite { content, .. } => Some(content),
        What::MakeFolder { .. } | What::Move { .. } | What::Remove { .. } => None,
    };
    let copied = content.and_then(|content| match content {
        Content::Copy { root, path, seen } => Some(((*root, path.clone()), seen.as_ref())),
        Content::Staged(_) | Content::Stored(_) => None,
    });
    let own = match what {
        What::Move { from, seen, .. } | What::Rewrite { from, seen, .. } | What::Remove { from, seen, .. } => {
            Some((from.clone(), seen.as_ref()))
        }
        What::MakeFolder { .. } | What::Arrive { .. } => None,
    };
    copied.into_iter().chain(own).find_map(|(place, seen)| differs(view, &place, seen, change.subject()))
}

/// What it takes the place of is not as it was.
fn replaced(view: &View<'_>, key: &Key, change: &Change) -> Option<String> {
    let old = view.state.nodes.get(key)?.replaces.as_ref()?;
    let Key::Base(root, path) = old else { return None };
    let seen = view.state.nodes.get(old)?.seen.as_deref()?;
    differs(view, &(*root, path.clone()), seen, change.target.as_ref())
}

fn differs(view: &View<'_>, place: &Place, seen: &Stamp, about: Option<&FilePath>) -> Option<String> {
    let about = about.map_or_else(String::new, ToString::to_string);
    match view.stamp(place.0, &place.1) {
        Ok(now) if seen.unchanged(&now) => None,
        Ok(_) => Some(format!("`{about}` has changed since it was read")),
        Err(error) => Some(FileError::system(error, about).message),
    }
}

/// Something is where it is to come to be, which is neither replaced nor leaves.
fn taken(view: &View<'_>, key: &Key, what: &What, change: &Change) -> Option<String> {
    let to = match what {
        What::MakeFolder { to } | What::Arrive { to, replaces: None, .. } | What::Move { to, replaces: None, .. } => to,
        What::Arrive { .. } | What::Move { .. } | What::Rewrite { .. } | What::Remove { .. } => return None,
    };
    let state = view.state;
    let spot = state.spot(key)?;
    let there = spot.parent.below(&spot.name).unwrap_or_else(|| Key::Base(to.0, to.1.clone()));
    let Key::Base(root, path) = &there else { return None };
    let mut above = Some(path.clone());
    while let Some(at) = above {
        // it leaves, or lies in what leaves
        if state.nodes.get(&Key::Base(*root, at.clone())).is_some_and(|node| node.away != Away::No) {
            return None;
        }
        // in a folder that is there it is found wherever that goes
        above = matches!(spot.parent, Key::New(_)).then(|| at.parent()).flatten();
    }
    if there == *key {
        return None;
    }
    let found = view.stamp(*root, path).ok()?;
    // a folder that was made meanwhile is what was wanted
    if matches!(what, What::MakeFolder { .. }) && found.kind == Kind::Folder {
        return None;
    }
    // some disks show what leaves under another spelling of its name
    let mut names = state.names(&spot.parent).into_iter().flatten();
    if names.any(|(name, slot)| *slot == Slot::Nothing && alike(name, &spot.name)) {
        return None;
    }
    let target = change.target.as_ref().map_or_else(String::new, ToString::to_string);
    Some(FileError::system(Errno::EXIST, target).message)
}
