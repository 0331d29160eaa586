//! Waiting for a server, for commands that do nothing else, until it answers or the person stops it.

use crate::{
    exit::Exit,
    failure::{Failure, Result},
};
use deskhand_vocabulary::Stop;
use std::{fmt::Display, future::Future, time::Duration};

/// How often it is looked whether the person has stopped it.
const LOOK: Duration = Duration::from_millis(50);

/// What comes of it; a failure keeps the server's own words.
pub(super) fn wait<T, E: Display>(stop: &Stop, answer: impl Future<Output = std::result::Result<T, E>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("nothing could be sent: {error}")))?;
    runtime.block_on(async {
        let stopped = async {
            while !stop.is_stopped() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            answer = answer => answer.map_err(Failure::failed),
            () = stopped => Err(Failure::new(Exit::Stopped, "stopped by you")),
        }
    })
}
