//! What instructs the model of a task: as far as the person trusts, asked about where a text is new, and told.

use super::{
    places::{Place, Placed, around},
    trust::{agree, has_agreed, judged},
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    show::{self, line},
};
use deskhand_agent::Instruction;
use deskhand_permissions::{Context, Refused, Standing, Verdict, effect::FollowInstructions};
use deskhand_vocabulary::{Notice, Principal, TaskId, Unanswered};
use std::path::PathBuf;

/// The most of all texts together, in bytes. The nearest come first.
const MOST: usize = 64 << 10;

/// The texts that instruct in a task on these folders, the nearest last. `first` where the task begins: only then is told
/// that a file could instruct whose folder is not trusted.
pub(crate) fn of_task(desk: &Desk, task: TaskId, folders: &[PathBuf], first: bool) -> Result<Vec<Instruction>> {
    let mut followed = Vec::new();
    for placed in around(desk, folders)? {
        followed.extend(one(desk, task, placed, first)?);
    }
    within_bounds(desk, &mut followed);
    if first && !followed.is_empty() {
        let files: Vec<String> = followed.iter().map(|one| one.from.clone()).collect();
        tell(desk, format!("the model follows {}", show::list(&files)));
    }
    Ok(followed)
}

fn tell(desk: &Desk, text: String) {
    desk.person.tell(&Notice { origin: Principal::Person, text });
}

/// A file, if it is followed.
fn one(desk: &Desk, task: TaskId, placed: Placed, first: bool) -> Result<Option<Instruction>> {
    let Placed { place, folder, path, content } = placed;
    let from = line(&path);
    let trusted = place == Place::Settings || judged(desk, &folder, "")? != Verdict::Deny;
    let text = match content {
        Ok(text) if text.text.is_empty() => return Ok(None),
        _ if !trusted => {
            if first {
                let folder = line(&folder);
                tell(
                    desk,
                    format!(
                        "{from} is data to the model, since you have not marked its folder as trusted. Have the model follow it: deskhand instructions trust '{folder}'"
                    ),
                );
            }
            return Ok(None);
        }
        Err(reason) => {
            tell(desk, format!("{from} is not followed: {reason}. Put a file of plain text in its place"));
            return Ok(None);
        }
        Ok(text) => text,
    };
    if text.cut {
        let most = show::bytes(super::file::MOST as u64);
        tell(desk, format!("{from} is longer than {most}, and what comes after that is not followed. Make it shorter"));
    }
    if place == Place::Settings {
        return Ok(Some(Instruction { from, text: text.text }));
    }
    let agreed = judged(desk, &folder, &text.text)? == Verdict::Allow;
    let changed = !agreed && has_agreed(desk, &folder)?;
    let follow = FollowInstructions::of(&folder, &from, &text.text, changed);
    match desk.gate()?.permit(&Context::agent(task, Standing::default()), follow) {
        Ok(permit) => {
            let (from, text) = permit.redeem().into_text();
            if !agreed {
                agree(desk, &folder, &text)?;
            }
            Ok(Some(Instruction { from, text }))
        }
        Err(Refused::Declined | Refused::Edited(_)) => Ok(None),
        Err(Refused::Unanswered(Unanswered::Stopped)) => Err(Failure::new(Exit::Stopped, Unanswered::Stopped)),
        Err(Refused::Unanswered(Unanswered::Absent)) => {
            let why = if changed { "has changed since you agreed to it" } else { "is new" };
            let folder = line(&folder);
            tell(
                desk,
                format!(
                    "{from} {why}, so it is not followed. See it and agree: deskhand instructions trust '{folder}'"
                ),
            );
            Ok(None)
        }
        Err(refused @ (Refused::Denied { .. } | Refused::Log(_) | Refused::Records(_))) => Err(refused.into()),
    }
}

/// Leave out what is too much, from the farthest on; the person's own comes before all.
fn within_bounds(desk: &Desk, followed: &mut Vec<Instruction>) {
    let mut left = MOST;
    let own = line(&super::places::written(&super::places::own(desk)));
    let mut kept = Vec::new();
    let (first, others): (Vec<_>, Vec<_>) = followed.drain(..).partition(|one| one.from == own);
    for one in first.into_iter().chain(others.into_iter().rev()) {
        match left.checked_sub(one.text.len()) {
            Some(less) => {
                left = less;
                kept.push(one);
            }
            None => tell(
                desk,
                format!(
                    "{} is not followed: all instructions together would be more than {}. Make them shorter",
                    one.from,
                    show::bytes(MOST as u64)
                ),
            ),
        }
    }
    let own_count = usize::from(kept.first().is_some_and(|one| one.from == own));
    kept[own_count..].reverse();
    *followed = kept;
}
