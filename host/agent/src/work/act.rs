//! Making the calls of a reply: those in a row that only read side by side, those that change something alone and in order.

use crate::{
    marks,
    tool::{Call, Effect, Outcome, Output, Tools},
};
use deskhand_vocabulary::Stop;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// So many calls run side by side.
pub(crate) const SIDE_BY_SIDE: usize = 8;

/// How many of the calls from here on run together: one that changes something alone, those that only read up to the next
/// that does not.
pub(crate) fn together(effects: &[Effect]) -> usize {
    match effects.first() {
        None => 0,
        Some(Effect::Propose | Effect::Change) => 1,
        Some(Effect::Read | Effect::Ask) => {
            let looks = |effect: &&Effect| matches!(effect, Effect::Read | Effect::Ask);
            effects.iter().take_while(looks).count().min(SIDE_BY_SIDE)
        }
    }
}

/// Make these calls side by side. What each came to and how long it took, in the order of the calls; `seen` is told of each
/// as it ends, with its place.
pub(crate) async fn make(
    tools: &Arc<dyn Tools>,
    calls: Vec<Call>,
    stop: &Stop,
    seen: impl Fn(usize, &Output, Duration),
) -> Vec<(Output, Duration)> {
    let mut running = JoinSet::new();
    let count = calls.len();
    for (at, call) in calls.into_iter().enumerate() {
        let (tools, stop) = (Arc::clone(tools), stop.clone());
        running.spawn_blocking(move || {
            let begun = Instant::now();
            let output = marks::data(tools.call(&call, &stop));
            (at, output, begun.elapsed())
        });
    }
    let mut made: Vec<Option<(Output, Duration)>> = vec![None; count];
    while let Some(ended) = running.join_next().await {
        // a tool that panics has no place any more; it is found by what is left over
        if let Ok((at, output, took)) = ended
            && let Some(place) = made.get_mut(at)
        {
            seen(at, &output, took);
            *place = Some((output, took));
        }
    }
    let broke = |at| {
        let output = Output::not_done(Outcome::Unknown, "the tool broke off; look whether it did anything");
        seen(at, &output, Duration::ZERO);
        (output, Duration::ZERO)
    };
    made.into_iter().enumerate().map(|(at, one)| one.unwrap_or_else(|| broke(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effect::{Change, Propose, Read};

    #[test]
    fn only_what_reads_runs_together() {
        assert_eq!(together(&[]), 0);
        assert_eq!(together(&[Change, Change]), 1);
        assert_eq!(together(&[Propose, Read]), 1);
        assert_eq!(together(&[Read, Read, Change, Read]), 2);
        assert_eq!(together(&[Read; 20]), SIDE_BY_SIDE);
    }
}
