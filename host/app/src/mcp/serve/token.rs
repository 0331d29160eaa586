//! The token of a client that is served over HTTP: 256 bits in a file that only the person can read, made at the first use.

use crate::failure::{Failure, Result};
use deskhand_egress::Secret;
use deskhand_mcp::server::http::Token;
use deskhand_vocabulary::{ClientName, Home};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// More than a token takes, in bytes.
const MOST: u64 = 256;

/// Where the token of a client is kept, made where there is none. With `anew`, the one before holds no more.
pub(super) fn kept_in(home: &Home, client: &ClientName, anew: bool) -> Result<PathBuf> {
    let folder = home.data.join("clients");
    let path = folder.join(format!("{client}.token"));
    let failed = |error: io::Error| {
        let path = path.display();
        Failure::failed(format!("the token of {client} could not be kept in {path}: {error}. Make its folder writable"))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    if !anew && let Some(text) = read(&path).map_err(failed)? {
        if Token::of(text.trim()).is_none() {
            let path = path.display();
            return Err(Failure::failed(format!(
                "what is in {path} is no token. Make another: deskhand mcp serve --client {client} --http --new-token"
            )));
        }
        return Ok(path);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::failed(format!("there is no randomness to be had: {error}")))?;
    let text = hex::encode(bytes);
    write(&folder, &path, &text).map_err(failed)?;
    Ok(path)
}

/// The token that is kept there now. None where there is none that holds: whatever the reason, nobody is let in then.
pub(super) fn held(path: &Path) -> Option<Token> {
    Token::of(read(path).ok()??.trim())
}

/// The tokens of all clients.
pub(in crate::mcp) fn tokens(home: &Home) -> Vec<Secret> {
    let kept = fs::read_dir(home.data.join("clients")).into_iter().flatten().flatten();
    let texts = kept.filter_map(|entry| read(&entry.path()).ok()?);
    texts.map(|text| Secret::new(text.trim())).collect()
}

/// What is in the file; none where there is none. One that others can read is no secret.
fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other("others could read it; delete it, and the next start makes another"));
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Whole or not at all.
fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}
