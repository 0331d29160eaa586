//! Builds the guest's program, which the image carries: static, so that it needs nothing in the guest, and as part of
//! this crate, so that a person's machine needs no compiler to make an image.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The only machine for which there is a guest yet.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() -> Result<(), Box<dyn Error>> {
    let room = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    for watched in ["guest", "protocol", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", room.join(watched).display());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let program = out.join("guest");
    if env::var("TARGET")? == TARGET {
        let target = out.join("target");
        build(&room, &target)?;
        fs::copy(target.join(TARGET).join("release/deskhand-guest"), program)?;
    } else {
        fs::write(program, [])?;
    }
    Ok(())
}

fn build(room: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.args(["build", "--release", "--locked", "--package", "deskhand-guest", "--target", TARGET, "--target-dir"]);
    cargo.arg(target).current_dir(room);
    // what was set for the outer build is not meant for this one
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = text.starts_with("CARGO_") && !["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&&*text);
        if outer || ["RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS"].contains(&&*text) {
            cargo.env_remove(&name);
        }
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static\u{1f}-Cpanic=abort");
    if cargo.status()?.success() { Ok(()) } else { Err("the guest's program does not build".into()) }
}
