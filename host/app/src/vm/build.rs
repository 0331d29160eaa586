//! `deskhand vm build`: the packages come through the way out, like everything that is fetched.

use super::{command::Build, mirror};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::Outgoing,
    output,
    show::{bytes, line},
};
use deskhand_egress::{Outlet, Request, Url, request::Limits};
use deskhand_permissions::{Context, Standing};
use deskhand_vm_image::{Fetch, ImageError, Package, Recipe, Step, Store, build};
use deskhand_vocabulary::Stop;
use serde_json::json;
use std::{
    io::{self, Write},
    time::Duration,
};

/// The longest silence of an archive.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is tried to get a package.
const TRIES: usize = 3;

pub(super) fn run(options: &Build) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let mirror = options.mirror.clone().or_else(mirror::find).ok_or_else(|| {
        Failure::usage("this computer names no Debian archive. Name one: deskhand vm build --mirror URL")
    })?;
    let mirror = Url::parse(&format!("{}/", mirror.trim_end_matches('/')))
        .map_err(|error| Failure::usage(format!("`{}` is no address of an archive: {error}", line(&mirror))))?;
    let context = Context::person(None, Standing::default());
    let fetch = FromMirror {
        mirror,
        outlet: Outgoing::of(&desk, context)?.pages(),
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?,
        stop: desk.stop.clone(),
    };
    let recipe = Recipe::standard().map_err(Failure::failed)?;
    let count = recipe.packages().count();
    let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
    let mut at = 0;
    let built = build(&recipe, &fetch, &store, |step| {
        let said = match step {
            Step::Package(package) => {
                at += 1;
                format!("{at} of {count}: {}", package.name)
            }
            Step::Root => "Writing the root image, which takes a while".to_owned(),
        };
        if output::is_painted_anew() {
            output::progress(Some(said));
        }
    });
    output::progress(None);
    let image = built.map_err(|error| match error {
        ImageError::Fetch { .. } if desk.stop.is_stopped() => {
            Failure::new(Exit::Stopped, "Stopped. What came is kept for the next time.")
        }
        error => Failure::failed(error),
    })?;
    let size = image.manifest.size();
    output::text(&match options.json.json {
        true => format!("{}\n", json!({"image": image.digest, "bytes": size})),
        false => format!("The image of the guest is built: {:.12}, {}.\n", image.digest.to_string(), bytes(size)),
    });
    Ok(Exit::Done)
}

/// Packages from a Debian archive.
struct FromMirror {
    mirror: Url,
    outlet: Outlet,
    runtime: tokio::runtime::Runtime,
    stop: Stop,
}

impl Fetch for FromMirror {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        let url = self.mirror.join(&package.place).map_err(io::Error::other)?;
        let bytes = self.runtime.block_on(async {
            let mut tried = 0;
            loop {
                tried += 1;
                match self.get(&url, package.size).await {
                    Err(error) if tried >= TRIES || self.stop.is_stopped() => return Err(error),
                    Err(_) => {}
                    bytes => return bytes,
                }
            }
        })?;
        to.write_all(&bytes)
    }
}

impl FromMirror {
    async fn get(&self, url: &Url, size: u64) -> io::Result<Vec<u8>> {
        let limits = Limits { silence: SILENCE, total: None, body: size };
        let request = Request::get(url.as_str()).map_err(io::Error::other)?.limits(limits);
        let mut response = self.outlet.send(request).await.map_err(io::Error::other)?;
        if !response.is_success() {
            return Err(io::Error::other(format!("{url} answers with status {}", response.status())));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(io::Error::other)? {
            if self.stop.is_stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
