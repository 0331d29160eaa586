//! `deskhand vm info`: where commands of the agent run, and what this computer has for them.

use super::{
    built::{BEHIND, built},
    shelter::{self, is_allowed},
};
use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output, sandbox,
    show::{bytes, columns, line, list},
};
use deskhand_permissions::{Context, Standing};
use deskhand_vm_bridge::{Qemu, Vmm as _};
use deskhand_vocabulary::TaskId;
use serde::Serialize;

/// What there is, each with why or with what to do.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    /// Where commands of the agent run; none where they do not.
    pub(super) backend: Option<&'static str>,
    pub(super) commands: String,
    pub(super) sandbox: String,
    /// What guests run on, or why there are none.
    pub(super) guest: String,
    pub(super) image: String,
}

/// What runs commands: where an image is built, and where there is none and the person allows it.
const QEMU: &str = "qemu";
const BUBBLEWRAP: &str = "bubblewrap";

pub(super) fn run(options: &Json) -> Result {
    let desk = Desk::open_whatever(options.json)?;
    let facts = Facts::of(&desk)?;
    if options.json {
        output::text(&format!("{}\n", serde_json::to_string(&facts).unwrap_or_default()));
        return Ok(Exit::Done);
    }
    let Facts { commands, sandbox, guest, image, .. } = &facts;
    let rows = [("commands", commands), ("sandbox", sandbox), ("guest", guest), ("image", image)];
    output::text(&columns(&rows.map(|(name, fact)| vec![name.to_owned(), line(fact)])));
    Ok(Exit::Done)
}

impl Facts {
    pub(super) fn of(desk: &Desk) -> Result<Self> {
        let tried = sandbox::available(desk);
        // the first task of all is as good as any: what is asked is the same for each
        let allowed = is_allowed(desk.gate()?, &Context::agent(TaskId(0), Standing::default()))?;
        let in_guest = shelter::image(&desk.home, &desk.settings.vm)?.is_some() && Qemu::find().is_ok();
        let commands = match (&tried, allowed) {
            _ if in_guest => "of your agent run in a guest, a virtual machine of the task".to_owned(),
            (Ok(()), true) => "of your agent run in the sandbox, a weaker boundary than a virtual machine".to_owned(),
            (Ok(()), false) => {
                "of your agent do not run: you have not allowed the sandbox (deskhand vm allow)".to_owned()
            }
            (Err(_), _) => "of your agent do not run: there is no sandbox".to_owned(),
        };
        Ok(Self {
            backend: if in_guest { Some(QEMU) } else { (tried.is_ok() && allowed).then_some(BUBBLEWRAP) },
            commands,
            sandbox: tried.map_or_else(|missing| missing.to_string(), |()| "works, with bubblewrap".to_owned()),
            guest: guest(),
            image: image(desk)?,
        })
    }
}

fn guest() -> String {
    match Qemu::find() {
        Ok(qemu) => format!("{} on {}", qemu.name(), qemu.accelerator()),
        Err(missing) => missing.to_string(),
    }
}

fn image(desk: &Desk) -> Result<String> {
    let Some(built) = built(&desk.home, &desk.settings.vm)? else {
        return Ok("none is built (deskhand vm build)".to_owned());
    };
    let image = format!("{:.12}, {}", built.digest.to_string(), bytes(built.bytes));
    let left_out = match built.left_out.as_slice() {
        [] => None,
        left_out => Some(format!("without {} (deskhand vm build --index URL)", list(left_out))),
    };
    let behind = built.is_behind.then(|| BEHIND.to_owned());
    Ok([Some(image), left_out, behind].into_iter().flatten().collect::<Vec<_>>().join(", "))
}
