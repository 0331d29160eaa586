//! Plain programs to measure Deskhand beside: they do the same to the file system, and nothing to keep it safe.
//!
//!     deskhand-bench-plain open FILE         read a file whole, nothing else
//!     deskhand-bench-plain read FOLDER       kind and date of each file, and the folder that it would go into
//!     deskhand-bench-plain move FOLDER LIST  make the folders and renames of LIST, and sync once
//!     deskhand-bench-plain back FOLDER LIST  the renames of LIST backwards, remove the folders, and sync once
//!     deskhand-bench-plain agent URL FOLDER  do what the model at URL says with the files of FOLDER, until it calls nothing
//!
//! LIST holds pairs of names, `from` and `to`, each ended by a zero byte. Each prints `seconds` (wall time of the work,
//! without the start of the process), `processor` (its processor time with the start, in seconds) and `resident` (the most
//! memory it had, in KiB).
#![expect(clippy::print_stdout, reason = "what it found is read from its output")]

mod agent;
mod metadata;

use anyhow::{Context as _, Result, bail};
use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

fn main() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let path = |at: usize| arguments.get(at).map(PathBuf::from).context("an argument is missing");
    let start = Instant::now();
    let said = match arguments.first().and_then(|verb| verb.to_str()) {
        Some("open") => format!("bytes {}", fs::read(path(1)?)?.len()),
        Some("read") => read(&path(1)?)?,
        Some("move") => moves(&path(1)?, &pairs(&fs::read(path(2)?)?))?,
        Some("back") => back(&path(1)?, &pairs(&fs::read(path(2)?)?))?,
        Some("agent") => agent::work(path(1)?.to_str().context("the address is not text")?, &path(2)?)?,
        _ => bail!("usage: deskhand-bench-plain open|read|move|back|agent …"),
    };
    let seconds = start.elapsed().as_secs_f64();
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').context("no name")?.1.split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let resident = resident.trim().trim_end_matches(" kB");
    println!("{said}\nseconds {seconds}\nprocessor {}\nresident {resident}", ticks / 100.0);
    Ok(())
}

/// Every regular file of a folder, with its size, times, kind and date; where each would go is worked out and counted.
fn read(folder: &Path) -> Result<String> {
    let mut planned: BTreeMap<String, Vec<OsString>> = BTreeMap::new();
    let mut dated = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let facts = entry.path().symlink_metadata()?;
        if !facts.is_file() {
            continue;
        }
        let found = metadata::read(&entry.path(), &facts)?;
        dated += usize::from(found.own_date);
        planned
            .entry(format!("{}/{:04}/{:04}-{:02}", found.kind, found.year, found.year, found.month))
            .or_default()
            .push(entry.file_name());
    }
    let files: usize = planned.values().map(Vec::len).sum();
    Ok(format!("files {files}\nfolders {}\ndated {dated}", planned.len()))
}

fn pairs(list: &[u8]) -> Vec<(&Path, &Path)> {
    let names: Vec<&Path> = list.split(|byte| *byte == 0).map(|name| Path::new(OsStr::from_bytes(name))).collect();
    names.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// The folders that the targets lie in, outermost first.
fn folders<'a>(pairs: &[(&Path, &'a Path)]) -> Vec<&'a Path> {
    let mut seen = HashSet::new();
    let mut folders = Vec::new();
    for (_, to) in pairs {
        let mut missing: Vec<&Path> = to
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|it| seen.insert(*it))
            .collect();
        missing.reverse();
        folders.extend(missing);
    }
    folders
}

fn moves(folder: &Path, pairs: &[(&Path, &Path)]) -> Result<String> {
    let folders = folders(pairs);
    for made in &folders {
        fs::create_dir(folder.join(made)).with_context(|| made.display().to_string())?;
    }
    for (from, to) in pairs {
        fs::rename(folder.join(from), folder.join(to)).with_context(|| from.display().to_string())?;
    }
    rustix::fs::syncfs(File::open(folder)?)?;
    Ok(format!("files {}\nfolders {}", pairs.len(), folders.len()))
}

fn back(folder: &Path, pairs: &[(&Path, &Path)]) -> Result<String> {
    for (from, to) in pairs.iter().rev() {
        fs::rename(folder.join(to), folder.join(from)).with_context(|| to.display().to_string())?;
    }
    let folders = folders(pairs);
    for made in folders.iter().rev() {
        fs::remove_dir(folder.join(made)).with_context(|| made.display().to_string())?;
    }
    rustix::fs::syncfs(File::open(folder)?)?;
    Ok(format!("files {}\nfolders {}", pairs.len(), folders.len()))
}
