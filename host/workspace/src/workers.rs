//! Looking at many things at once, on a few threads, with the results in the order of what was asked for.

use std::{
    panic::resume_unwind,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The most threads that work for one call: a disk gains little by more.
const MOST: usize = 4;
/// How many things a thread takes at a time. A thread costs as much as some of them.
const PART: usize = 32;

/// As many as the machine has processors, within the limit.
fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(MOST))
}

/// What is made of each of `items`, in their order. `worker` makes the function for one thread, with all that it keeps.
pub(crate) fn each<T, R, W>(items: &[T], worker: impl Fn() -> W + Sync) -> Vec<R>
where
    T: Sync,
    R: Send,
    W: FnMut(&T) -> R,
{
    let parts = parts(items, || {
        let mut one = worker();
        move |part: &[T]| part.iter().map(&mut one).collect::<Vec<R>>()
    });
    let mut all = Vec::with_capacity(items.len());
    all.extend(parts.into_iter().flatten());
    all
}

/// As [`each`], for a few of them at a time: what is made of each part, in their order.
pub(crate) fn parts<T, P, W>(items: &[T], worker: impl Fn() -> W + Sync) -> Vec<P>
where
    T: Sync,
    P: Send,
    W: FnMut(&[T]) -> P,
{
    let threads = threads().min(items.len() / PART);
    if threads < 2 {
        return items.chunks(PART).map(worker()).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut some = worker();
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(PART, Ordering::Relaxed);
            let Some(rest) = items.get(at..).filter(|rest| !rest.is_empty()) else { return done };
            done.push((at, some(&rest[..rest.len().min(PART)])));
        }
    };
    let mut done = thread::scope(|scope| {
        // a thread that cannot be had is not missed: this one does all of it
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_come_in_their_order() {
        for count in [0, 1, PART - 1, 2 * PART, 2 * PART + 1, 5000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = each(&items, || |item: &usize| item * 2);
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
