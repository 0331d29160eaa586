//! What cargo says of a plugin's crate, and what it is told to build.

use crate::{BuildError, TARGET, Toolchain, toolchain};
use deskhand_vocabulary::Sha256;
use serde::Deserialize;
use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What matters of a plugin's crate.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) manifest: PathBuf,
    /// The library's name as a file, if it is a `cdylib`.
    pub(crate) library: Option<String>,
    pub(crate) target: PathBuf,
    pub(crate) workspace: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    license: Option<String>,
    homepage: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Ask cargo about the crate in a folder. `CARGO_TARGET_DIR` is honoured by cargo itself.
pub(crate) fn describe(folder: &Path, mut cargo: Command) -> Result<Crate, BuildError> {
    let manifest = folder.join("Cargo.toml");
    let output = cargo
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(&manifest)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(toolchain::not_started)?;
    if !output.status.success() {
        return Err(BuildError::Metadata("it reports an error, shown above".to_owned()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Metadata(error.to_string()))?;
    let package = metadata
        .packages
        .into_iter()
        .find(|package| package.manifest_path == manifest)
        .ok_or_else(|| BuildError::Metadata(format!("{} is not among its packages", manifest.display())))?;
    let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
    Ok(Crate {
        library: library.map(|target| target.name.replace('-', "_")),
        name: package.name,
        version: package.version,
        description: package.description,
        license: package.license,
        homepage: package.homepage,
        manifest: package.manifest_path,
        target: metadata.target_directory,
        workspace: metadata.workspace_root,
    })
}

/// Have the crate's native build write what it says of itself to `path`.
pub(crate) fn extract(found: &Crate, mut cargo: Command, path: &Path) -> Result<(), BuildError> {
    let status = cargo
        .args(["test", "--quiet", "--lib", "--manifest-path"])
        .arg(&found.manifest)
        .args(["--", "--exact", "deskhand_description"])
        .env("DESKHAND_DESCRIPTION", path)
        .stdin(Stdio::null())
        // what the test runner says is of no use here; what the compiler says comes on standard error
        .stdout(Stdio::null())
        .status()
        .map_err(toolchain::not_started)?;
    if status.success() { Ok(()) } else { Err(BuildError::Compile { what: "this computer" }) }
}

/// The profile of components: fast (linked as a whole, they come out no larger than those that are made to be small), in one
/// piece, with the names of functions for backtraces, and nothing in it that depends on the machine. Given on the command line, it
/// holds whatever the crate's workspace says.
const PROFILE: [&str; 7] = [
    "profile.release.opt-level=3",
    "profile.release.lto=true",
    "profile.release.codegen-units=1",
    "profile.release.strip='debuginfo'",
    "profile.release.debug=0",
    "profile.release.panic='abort'",
    "profile.release.incremental=false",
];

/// Compile the crate to a component; where it is.
pub(crate) fn compile(found: &Crate, toolchain: &Toolchain) -> Result<PathBuf, BuildError> {
    let library = found.library.as_ref().ok_or_else(|| BuildError::NotACdylib(found.name.clone()))?;
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--release", "--target", TARGET, "--lib", "--manifest-path"]).arg(&found.manifest);
    for setting in PROFILE {
        cargo.args(["--config", setting]);
    }
    let status = cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags(found))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CARGO_BUILD_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &found.target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(toolchain::not_started)?;
    if !status.success() {
        return Err(BuildError::Compile { what: "components" });
    }
    Ok(found.target.join(TARGET).join("release").join(format!("{library}.wasm")))
}

/// Flags that keep this machine's folders out of the component, so that the same source gives the same bytes anywhere.
fn flags(found: &Crate) -> OsString {
    let home = env::var_os("HOME").map(PathBuf::from);
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home?.join(".cargo")));
    let places = [cargo.map(|path| (path, "/cargo")), Some((found.workspace.clone(), "/plugin"))];
    let mut flags: Vec<OsString> = Vec::new();
    for (path, name) in places.into_iter().flatten() {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(&path);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    // cargo's own separator, for paths with spaces in them
    flags.join(OsStr::new("\u{1f}"))
}

/// A name for a build that is not confused with that of another plugin's in the same target folder.
pub(crate) fn description_path(found: &Crate) -> PathBuf {
    let digest = Sha256::of(found.manifest.as_os_str().as_encoded_bytes()).to_string();
    found.target.join("plugin").join(format!(".{}-{}.json", found.name, &digest[..8]))
}
