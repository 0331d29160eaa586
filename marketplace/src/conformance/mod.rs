//! The verifier behind the command line of the `tuf-conformance` suite, so that it can be judged from outside as it is
//! shipped. It differs from what `deskhand` does with marketplaces in two things alone: it reads over HTTP from this
//! computer instead of from a folder, and it keeps trusted metadata where the suite looks for them.

mod http;

use crate::{
    MarketError,
    disk::{Disk, PUBLIC},
    error::Trouble,
    verify::{Chain, store::Store},
};
use deskhand_files::{MOST, Origin};
use deskhand_vocabulary::{Clock, Sha256, SystemClock};
use http::Loopback;
use std::{
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// How the command is used.
pub const USAGE: &str = "usage: --metadata-dir DIR init ROOT
       --metadata-dir DIR --metadata-url URL refresh
       --metadata-dir DIR --metadata-url URL --target-name NAME... --target-base-url URL --target-dir DIR download";

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// Arguments that are not those of the suite.
    #[error("{0}\n{USAGE}")]
    Usage(String),
    /// A file of the suite that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the repository holds was refused.
    #[error(transparent)]
    Refused(#[from] MarketError),
}

#[derive(Debug, Default)]
struct Arguments {
    metadata_dir: Option<PathBuf>,
    metadata_url: Option<String>,
    target_names: Vec<String>,
    target_base_url: Option<String>,
    target_dir: Option<PathBuf>,
    words: Vec<OsString>,
}

impl Arguments {
    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConformanceError> {
        let mut read = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            if !name.starts_with("--") {
                read.words.push(argument);
                continue;
            }
            let value = arguments.next().ok_or_else(|| ConformanceError::Usage(format!("{name} needs a value")))?;
            let text = || {
                let value = value.clone().into_string();
                value.map_err(|_| ConformanceError::Usage(format!("the value of {name} is not text")))
            };
            match name.as_str() {
                "--metadata-dir" => read.metadata_dir = Some(PathBuf::from(&value)),
                "--metadata-url" => read.metadata_url = Some(text()?),
                "--target-name" => read.target_names.push(text()?),
                "--target-base-url" => read.target_base_url = Some(text()?),
                "--target-dir" => read.target_dir = Some(PathBuf::from(&value)),
                _ => return Err(ConformanceError::Usage(format!("{name} is not known"))),
            }
        }
        Ok(read)
    }
}

fn given<T>(value: Option<T>, name: &str) -> Result<T, ConformanceError> {
    value.ok_or_else(|| ConformanceError::Usage(format!("{name} is missing")))
}

/// Run the command with the arguments that follow its name. The time is the system's, which the suite shifts.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), ConformanceError> {
    let arguments = Arguments::read(arguments)?;
    let kept = given(arguments.metadata_dir, "--metadata-dir")?;
    let root = kept.join("root.json");
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| ConformanceError::File { path, source }
    };
    let words: Vec<&str> = arguments.words.iter().filter_map(|word| word.to_str()).collect();
    let command = match words[..] {
        ["init", given] => {
            let bytes = deskhand_files::read(Path::new(given), Origin::Person, MOST).map_err(file(Path::new(given)))?;
            return Ok(Disk::real().write(&root, &bytes, PUBLIC)?);
        }
        ["refresh" | "download"] => words[0],
        _ => return Err(ConformanceError::Usage("say init, refresh or download".to_owned())),
    };

    let url = given(arguments.metadata_url, "--metadata-url")?;
    let targets = arguments.target_base_url.as_deref();
    let now = SystemClock.now();
    let trusted = deskhand_files::read(&root, Origin::Own, MOST).map_err(file(&root))?;
    let repository = Loopback::new(&url, targets).map_err(ConformanceError::Usage)?;
    let last = repository.last.clone();
    let mut chain = Chain::start(repository, last, &trusted, Some(Store::without_history(&kept)))?;
    chain.refresh(now)?;
    if command == "refresh" {
        return Ok(());
    }

    let folder = given(arguments.target_dir, "--target-dir")?;
    if arguments.target_names.is_empty() {
        return Err(ConformanceError::Usage("--target-name is missing".to_owned()));
    }
    for name in &arguments.target_names {
        let place = folder.join(file_name(name));
        let info = chain.info(name, now)?;
        let (length, sha256) = info.ok_or_else(|| MarketError::verify(name, Trouble::NotOffered))?;
        let same = |bytes: Vec<u8>| bytes.len() as u64 == length && sha256 == Some(Sha256::of(&bytes));
        if deskhand_files::read(&place, Origin::Own, MOST).is_ok_and(same) {
            continue;
        }
        let bytes = chain.download(name, now)?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(file(parent))?;
        }
        Disk::real().write(&place, &bytes, PUBLIC)?;
    }
    Ok(())
}

/// Where a target goes: its path, if that stays within the folder, else the digest of its name.
fn file_name(target: &str) -> PathBuf {
    let path = Path::new(target);
    let plain = !target.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain { path.to_owned() } else { PathBuf::from(Sha256::of(target).to_string()) }
}
