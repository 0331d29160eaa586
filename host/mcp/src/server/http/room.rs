//! Room for connections. Who has not shown the token yet keeps nobody out: of too many such strangers the one that came first
//! goes, and those who have shown it have places of their own.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The most of each kind at once.
const MOST: usize = 64;

/// See the module.
pub(super) struct Room {
    strangers: Mutex<VecDeque<(u64, CancellationToken)>>,
    places: Arc<Semaphore>,
    next: AtomicU64,
}

/// A connection, until it is dropped.
pub(super) struct Guest {
    room: Arc<Room>,
    number: u64,
    turned_out: CancellationToken,
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Room {
    pub(super) fn new() -> Arc<Self> {
        let places = Arc::new(Semaphore::new(MOST));
        Arc::new(Self { strangers: Mutex::default(), places, next: AtomicU64::default() })
    }

    /// A connection comes, as a stranger.
    pub(super) fn enter(self: &Arc<Self>) -> Guest {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turned_out = CancellationToken::new();
        let mut strangers = self.strangers();
        if strangers.len() >= MOST
            && let Some((_, first)) = strangers.pop_front()
        {
            first.cancel();
        }
        strangers.push_back((number, turned_out.clone()));
        drop(strangers);
        Guest { room: Arc::clone(self), number, turned_out, place: Mutex::default() }
    }

    fn strangers(&self) -> MutexGuard<'_, VecDeque<(u64, CancellationToken)>> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// It has shown the token: it is no stranger any more. False where there is no place left.
    pub(super) fn let_in(&self) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = Arc::clone(&self.room.places).try_acquire_owned().ok();
            if place.is_some() {
                self.leave_strangers();
            }
        }
        place.is_some()
    }

    /// Until it has to go for others.
    pub(super) async fn turned_out(&self) {
        self.turned_out.cancelled().await;
    }

    fn leave_strangers(&self) {
        self.room.strangers().retain(|(number, _)| *number != self.number);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.leave_strangers();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_keep_nobody_out() {
        let room = Room::new();
        let known = room.enter();
        assert!(known.let_in() && known.let_in());
        let strangers: Vec<Guest> = (0..MOST + 2).map(|_| room.enter()).collect();
        let out: Vec<bool> = strangers.iter().map(|guest| guest.turned_out.is_cancelled()).collect();
        assert_eq!((&out[..2], out[2..].contains(&true)), (&[true, true][..], false));
        assert!(!known.turned_out.is_cancelled());
        // the first of those that are left goes for the next, unless it was let in meanwhile
        assert!(strangers[2].let_in());
        let next = room.enter();
        assert_eq!([2, 3].map(|at: usize| strangers[at].turned_out.is_cancelled()), [false, false]);
        drop((next, strangers));
        assert!(room.strangers().is_empty());
    }

    #[test]
    fn there_are_so_many_places() {
        let room = Room::new();
        let guests: Vec<Guest> = (0..MOST).map(|_| room.enter()).filter(|guest| guest.let_in()).collect();
        let last = room.enter();
        assert_eq!((guests.len(), last.let_in()), (MOST, false));
        drop(guests);
        assert!(last.let_in());
    }
}
