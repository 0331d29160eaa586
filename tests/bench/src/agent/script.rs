//! What the model says, and the folder that it works on.

use anyhow::Result;
use deskhand_model_server::{ModelServer, Reply};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// So many files are there to be read.
const FILES: usize = 20;

/// A folder with what the script reads, in `folder/in`.
pub(super) fn folder(at: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(at.join("in"))?;
    for number in 0..FILES {
        fs::write(
            at.join(format!("in/paper-{number}.txt")),
            format!("Paper {number}.\n{}", "It says this.\n".repeat(8)),
        )?;
    }
    Ok(at)
}

/// Take away what an earlier run has written.
pub(super) fn clear(folder: &Path) -> Result<()> {
    let out = folder.join("out");
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    Ok(())
}

/// A server that calls a tool so many times, a call in a reply (list, read, write a new file, over and over), and then says
/// that it is done.
pub(super) fn server(calls: usize) -> ModelServer {
    let server = ModelServer::start();
    for number in 0..calls {
        let (tool, input) = match number % 3 {
            0 => ("list", json!({"path": "in"})),
            1 => ("read", json!({"path": format!("in/paper-{}.txt", number % FILES)})),
            _ => {
                ("write", json!({"path": format!("out/note-{number}.txt"), "text": format!("Note {number}: read.\n")}))
            }
        };
        server.reply(Reply::new().call(&format!("call_{number}"), tool, &input.to_string()));
    }
    server.reply(Reply::new().text("The notes are taken."));
    server
}
