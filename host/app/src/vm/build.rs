//! `deskhand vm build`: the packages come through the way out, like everything that is fetched.

use super::{command::Build, fetch::Sources, index, mirror, shelter::bridge};
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
use deskhand_vm_bridge::Warmth;
use deskhand_vm_image::{ImageError, Recipe, Step, Store, build};
use deskhand_vocabulary::Sha256;
use serde_json::json;
use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

/// How often it is looked whether the person wants it to stop.
const LOOK: Duration = Duration::from_millis(100);

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
    let (size, digest) = (image.manifest.size(), image.digest);
    if !options.json.json {
        output::text(&format!("The image of the guest is built: {:.12}, {}.\n", digest.to_string(), bytes(size)));
    }
    let ready = make_ready(&desk, digest);
    output::progress(None);
    if options.json.json {
        output::text(&format!("{}\n", json!({"image": digest, "bytes": size, "ready": ready.is_ok()})));
    }
    match ready {
        Ok(()) => Ok(Exit::Done),
        Err(_) if desk.stop.is_stopped() => {
            Err(Failure::new(Exit::Stopped, "Stopped. The image is there, and the first guest takes longer to start."))
        }
        Err(why) => {
            output::aside(&format!("No guest was started with it: {}", line(&why)));
            Ok(Exit::Done)
        }
    }
}

/// Start a guest of each kind once, so that no task waits for it. What this leaves is found again where nothing has changed.
fn make_ready(desk: &Desk, image: Sha256) -> std::result::Result<(), String> {
    let (home, vm) = (desk.home.clone(), desk.settings.vm.clone());
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let made = bridge(&home, &vm, image).and_then(|bridge| {
            bridge.prepare(Warmth::Booted)?;
            let _ = say.send(None); // nobody may listen any more
            bridge.prepare(Warmth::Python)
        });
        let _ = say.send(Some(made.map_err(|error| error.to_string())));
    });
    let mut at = "Starting the first guest";
    loop {
        if output::is_painted_anew() {
            output::progress(Some(at.to_owned()));
        }
        match said.recv_timeout(LOOK) {
            Ok(Some(made)) => return made,
            Ok(None) => at = "Loading the libraries of Python in a guest, which can take a minute",
            Err(RecvTimeoutError::Timeout) if desk.stop.is_stopped() => return Err("it was stopped".to_owned()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("it ended early".to_owned()),
        }
    }
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
