//! `deskhand vm build`: the packages come through the way out, like everything that is fetched.

use super::{command::Build, fetch::Sources, index, mirror};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::Outgoing,
    output,
    show::{bytes, line, list},
};
use deskhand_egress::Url;
use deskhand_permissions::{Context, Standing};
use deskhand_vm_image::{ImageError, Recipe, Step, Store, build};
use serde_json::json;

/// In the place of an index: leave out what comes from one.
const NONE: &str = "none";

pub(super) fn run(options: &Build) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let mirror = options.mirror.clone().or_else(mirror::find).ok_or_else(|| {
        Failure::usage("this computer names no Debian archive. Name one: deskhand vm build --mirror URL")
    })?;
    let mirror = folder(&mirror, "an archive")?;
    // one that was named is the only one that is asked
    let security = match options.mirror {
        Some(_) => None,
        None => mirror::find_security().map(|address| folder(&address, "an archive")).transpose()?,
    };
    let security = security.or_else(|| mirror::security_beside(&mirror));
    let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
    let recipe = Recipe::standard().map_err(Failure::failed)?.with(&desk.settings.vm.packages);
    let (recipe, index) = match options.index.as_deref() {
        Some(NONE) => (recipe.without_wheels(), None),
        named => {
            let index = index(named, &recipe, &store)?;
            (recipe, index)
        }
    };
    let context = Context::person(None, Standing::default());
    let fetch = Sources {
        mirror,
        security,
        index,
        outlet: Outgoing::of(&desk, context)?.pages(),
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?,
        stop: desk.stop.clone(),
    };
    let built = build(&recipe, &fetch, &store, |step| {
        let said = match step {
            Step::List => "Reading what packages there are".to_owned(),
            Step::Package { package, at, of } => format!("{at} of {of}: {}", package.name),
            Step::Layer => "Writing the packages of the settings".to_owned(),
            Step::Root => "Writing the root image, which takes a while".to_owned(),
        };
        if output::is_painted_anew() {
            output::progress(Some(said));
        }
    });
    output::progress(None);
    let image = built.map_err(|error| match error {
        ImageError::Fetch { .. } | ImageError::List(_) if desk.stop.is_stopped() => {
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

/// An address that others are below.
fn folder(address: &str, what: &str) -> Result<Url> {
    Url::parse(&format!("{}/", address.trim_end_matches('/')))
        .map_err(|error| Failure::usage(format!("`{}` is no address of {what}: {error}", line(address))))
}

/// The package index; none where none is known and nothing has to come from one.
fn index(named: Option<&str>, recipe: &Recipe, store: &Store) -> Result<Option<Url>> {
    let known = named.map(str::to_owned).or_else(index::find);
    if let Some(known) = known {
        return folder(&known, "a package index").map(Some);
    }
    if store.built(&recipe.without_layer()).map_err(Failure::failed)?.is_some() {
        return Ok(None);
    }
    let wheels: Vec<String> = recipe.wheels().iter().map(|wheel| wheel.name.clone()).collect();
    Err(Failure::usage(format!(
        "pip names no package index on this computer, from which {} would come. Name one: deskhand vm build --index URL; or do \
         without: deskhand vm build --index {NONE}",
        list(&wheels)
    )))
}
