//! An egress whose parts the test holds.

use deskhand_egress::{
    Ask, Egress, Found, Judge, Judged, Judgement, Lookup, Outlet, Parts, Proxies, Reach, Recorder, SystemTimer, Timer,
    Traffic, Waiting,
};
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

/// Names with one address each, that may change between look-ups.
#[derive(Default)]
pub(crate) struct Names(pub(crate) Mutex<HashMap<String, Vec<IpAddr>>>);

impl Lookup for Names {
    fn lookup(&self, name: &str) -> Found {
        let found = self.0.lock().unwrap().get(name).cloned();
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// Allows what the test says, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Gate {
    pub(crate) hosts: Mutex<HashMap<String, Reach>>,
    pub(crate) asked: Mutex<Vec<Ask>>,
}

impl Judge for Gate {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        self.asked.lock().unwrap().push(ask.clone());
        let judgement = match self.hosts.lock().unwrap().get(&ask.host) {
            Some(reach) => Judgement::Allowed(*reach),
            None => Judgement::Refused { reason: format!("{} is not allowed", ask.host) },
        };
        Box::pin(async move { judgement })
    }
}

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) hops: Mutex<Vec<Traffic>>,
    /// How many bytes may still be sent, where there is a limit.
    pub(crate) left: Mutex<Option<u64>>,
}

impl Recorder for Kept {
    fn record(&self, traffic: &Traffic) {
        self.hops.lock().unwrap().push(traffic.clone());
    }

    fn reserve(&self, bytes: u64) -> Result<(), u64> {
        let mut left = self.left.lock().unwrap();
        match *left {
            Some(most) if most < bytes => Err(most),
            _ => {
                *left = left.map(|left| left - bytes);
                Ok(())
            }
        }
    }

    fn release(&self, bytes: u64) {
        let mut left = self.left.lock().unwrap();
        *left = left.map(|left| left + bytes);
    }
}

/// Time that stands still until the test moves it.
pub(crate) struct Still(watch::Sender<Duration>);

impl Still {
    pub(crate) fn new() -> Self {
        Self(watch::channel(Duration::ZERO).0)
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.send_modify(|now| *now += time);
    }
}

impl Timer for Still {
    fn elapsed(&self) -> Duration {
        *self.0.borrow()
    }

    fn sleep(&self, time: Duration) -> Waiting {
        let mut now = self.0.subscribe();
        let until = *now.borrow() + time;
        Box::pin(async move {
            now.wait_for(|now| *now >= until).await.expect("the timer lives as long as its waits");
        })
    }
}

pub(crate) struct Kit {
    pub(crate) names: Arc<Names>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) outlet: Outlet,
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(Proxies::none(), Arc::new(SystemTimer::default()))
    }

    pub(crate) fn with(proxies: Proxies, timer: Arc<dyn Timer>) -> Self {
        let (names, gate, kept) = (Arc::<Names>::default(), Arc::<Gate>::default(), Arc::<Kept>::default());
        let lookup: Arc<dyn Lookup> = Arc::clone(&names) as _;
        let egress = Egress::new(Parts { proxies, lookup, timer, user_agent: "deskhand/test".to_owned() });
        let outlet = egress.outlet(Arc::clone(&gate) as _, Arc::clone(&kept) as _);
        Self { names, gate, kept, outlet }
    }

    pub(crate) fn allow(self, host: &str, reach: Reach) -> Self {
        self.gate.hosts.lock().unwrap().insert(host.to_owned(), reach);
        self
    }

    pub(crate) fn name(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.names.0.lock().unwrap().insert(name.to_owned(), addresses);
        self
    }

    pub(crate) fn traffic(&self) -> Vec<Traffic> {
        self.kept.hops.lock().unwrap().clone()
    }
}
