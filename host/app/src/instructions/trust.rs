//! What the person trusts: a folder, and in it the texts that they have read. Both are grants. Of a folder one text is
//! agreed to at a time, so that an older one does not hold again when somebody puts it back.

use super::places::{Placed, around};
use crate::{desk::Desk, failure::Result};
use deskhand_permissions::{Context, Duration, Grant, Scope, Standing, Verdict};
use deskhand_vocabulary::{Action, Principal, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// How the gate judges a text in a folder now; nobody is asked.
pub(super) fn judged(desk: &Desk, folder: &str, text: &str) -> Result<Verdict> {
    let action = Action::FollowInstructions { folder: folder.to_owned(), text: Sha256::of(text) };
    let context =
        Context { task: None, principal: Principal::Agent, rights: Arc::new([]), standing: Standing::default() };
    Ok(desk.gate()?.judge(&context, &action)?.verdict)
}

/// The grants of texts that lie in this folder.
fn agreed(desk: &Desk, folder: &str) -> Result<Vec<(Grant, Sha256)>> {
    let grants = desk.gate()?.grants()?;
    let of = |grant: Grant| match &grant.scope {
        Scope::InstructionText { folder: read_in, text } if read_in == folder => {
            let text = *text;
            Some((grant, text))
        }
        _ => None,
    };
    Ok(grants.into_iter().filter_map(of).collect())
}

/// Whether the person has agreed to a text of this folder, whichever.
pub(super) fn has_agreed(desk: &Desk, folder: &str) -> Result<bool> {
    Ok(!agreed(desk, folder)?.is_empty())
}

/// The person agrees to this text of a folder, and to no other that they agreed to before.
pub(super) fn agree(desk: &Desk, folder: &str, text: &str) -> Result<()> {
    let text = Sha256::of(text);
    desk.gate()?.grant(None, Scope::InstructionText { folder: folder.to_owned(), text }, Duration::Always)?;
    for (grant, read) in agreed(desk, folder)? {
        if read != text || grant.duration != Duration::Always {
            desk.gate()?.revoke(grant.id)?;
        }
    }
    Ok(())
}

/// Trust a folder, with the texts that are in it and below it now. These are returned.
pub(super) fn trust(desk: &Desk, folder: &Path) -> Result<Vec<Placed>> {
    let written = super::places::written(folder);
    desk.gate()?.grant(None, Scope::Instructions { folder: written.clone() }, Duration::Always)?;
    let mut found = around(desk, &[folder.to_owned()])?;
    found.retain(|one| Path::new(&one.folder).starts_with(&written));
    for one in &found {
        if let Ok(text) = &one.content
            && !text.text.is_empty()
        {
            agree(desk, &one.folder, &text.text)?;
        }
    }
    Ok(found)
}

/// Trust a folder no more, nor the texts in it and below it. False if it was not trusted itself.
pub(super) fn distrust(desk: &Desk, folder: &Path) -> Result<bool> {
    let gate = desk.gate()?;
    let root = super::places::written(folder);
    let mut trusted = false;
    for grant in gate.grants()? {
        let taken = match &grant.scope {
            Scope::Instructions { folder } => *folder == root,
            Scope::InstructionText { folder, .. } => Path::new(folder).starts_with(&root),
            _ => false,
        };
        trusted |= matches!(&grant.scope, Scope::Instructions { folder } if *folder == root);
        if taken {
            gate.revoke(grant.id)?;
        }
    }
    Ok(trusted)
}

/// The folder by whose trust this one is trusted too, if it is: the nearest.
pub(super) fn through(desk: &Desk, folder: &Path) -> Result<Option<PathBuf>> {
    let trusted = super::places::trusted(desk)?.into_iter().filter(|root| folder.starts_with(root));
    Ok(trusted.max_by_key(|root| root.components().count()))
}
