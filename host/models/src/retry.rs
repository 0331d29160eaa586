//! When a request is made again, and how long is waited before. This is the only layer of retries.

use crate::error::ModelError;
use deskhand_vocabulary::Clock;
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use std::time::Duration;

/// Chance, so that many clients do not come back in the same moment.
pub trait Jitter: Send + Sync {
    /// A time between nothing and `most`.
    fn up_to(&self, most: Duration) -> Duration;
}

/// The machine's own chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chance;

impl Jitter for Chance {
    fn up_to(&self, most: Duration) -> Duration {
        // without chance all of it is waited
        let share = getrandom::u32().unwrap_or(u32::MAX);
        most.mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

/// The most tries where nothing listens: a server that starts anew is soon back, and one that is not running does not come
/// by waiting.
const NOT_LISTENING: u32 = 3;

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The most tries, the first included.
    pub tries: u32,
    /// The longest time between the first failure and the last try.
    pub within: Duration,
    /// The wait after the first failure, where the server says none; doubled each time.
    pub first: Duration,
    /// The longest such wait.
    pub most: Duration,
}

impl Default for Patience {
    /// Eight tries within three minutes.
    fn default() -> Self {
        Self {
            tries: 8,
            within: Duration::from_secs(180),
            first: Duration::from_millis(500),
            most: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// How long to wait after this try (from 1) failed, where it is worth another; `since` is the time since the first
    /// failure. Half of a wait is left to chance; what the server asks for is kept, and a little more left to chance.
    pub(crate) fn wait(
        &self,
        attempt: u32,
        error: &ModelError,
        since: Duration,
        jitter: &dyn Jitter,
    ) -> Option<Duration> {
        let tries = if error.is_not_listening() { self.tries.min(NOT_LISTENING) } else { self.tries };
        if !error.is_retryable() || attempt >= tries {
            return None;
        }
        let wait = match error.retry_after() {
            Some(asked) => asked + jitter.up_to((asked / 10).min(Duration::from_secs(1))),
            None => {
                let doubled = self.first.saturating_mul(1 << (attempt - 1).min(16)).min(self.most);
                doubled / 2 + jitter.up_to(doubled / 2)
            }
        };
        (since + wait <= self.within).then_some(wait)
    }
}

/// How long a server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(header: impl Fn(&str) -> Option<String>, clock: &dyn Clock) -> Option<Duration> {
    let number = |text: String| text.trim().parse::<f64>().ok().filter(|number| (0.0..1e9).contains(number));
    if let Some(millis) = header("retry-after-ms").and_then(number) {
        return Some(Duration::from_secs_f64(millis / 1000.0));
    }
    let asked = header("retry-after")?;
    if let Some(seconds) = number(asked.clone()) {
        return Some(Duration::from_secs_f64(seconds));
    }
    let at: Timestamp = DateTimeParser::new().parse_timestamp(asked.trim()).ok()?;
    // a date that is past asks for no wait
    Some(Duration::try_from(at.duration_since(clock.now())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Jitter, Patience, retry_after};
    use crate::error::ModelError;
    use deskhand_egress::EgressError;
    use deskhand_vocabulary::Clock;
    use jiff::{Timestamp, tz::TimeZone};
    use std::time::Duration;

    struct At(&'static str);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0.parse().unwrap()
        }

        fn zone(&self) -> TimeZone {
            TimeZone::UTC
        }
    }

    struct All;

    impl Jitter for All {
        fn up_to(&self, most: Duration) -> Duration {
            most
        }
    }

    struct None_;

    impl Jitter for None_ {
        fn up_to(&self, _: Duration) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn servers_say_how_long_in_three_ways() {
        let at = At("1994-11-06T08:49:30Z");
        let asked = |name: &'static str, value: &'static str| {
            retry_after(move |header| (header == name).then(|| value.to_owned()), &at)
        };
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after", " 0.5 "), Some(Duration::from_millis(500)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["-1", "soon", "nan", "inf", "1e300", ""] {
            assert_eq!(asked("retry-after", nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn waits_double_to_a_limit_and_end() {
        let patience = Patience::default();
        let fault = ModelError::ServerFault { status: Some(500), said: String::new(), retry_after: None };
        let waits = |jitter: &dyn Jitter| {
            (1..=8).map(|attempt| patience.wait(attempt, &fault, Duration::ZERO, jitter)).collect::<Vec<_>>()
        };
        let millis = |all: [u64; 7]| {
            all.into_iter().map(|millis| Some(Duration::from_millis(millis))).chain([None]).collect::<Vec<_>>()
        };
        assert_eq!(waits(&All), millis([500, 1000, 2000, 4000, 8000, 16_000, 30_000]));
        assert_eq!(waits(&None_), millis([250, 500, 1000, 2000, 4000, 8000, 15_000]));
        assert_eq!(patience.wait(1, &fault, Duration::from_secs(180), &None_), None, "the time is over");
        let nobody = ModelError::Egress(EgressError::NotListening { host: "localhost".to_owned() });
        let waits = (1..=3).map(|attempt| patience.wait(attempt, &nobody, Duration::ZERO, &All)).collect::<Vec<_>>();
        assert_eq!(waits, [Some(Duration::from_millis(500)), Some(Duration::from_millis(1000)), None]);
    }

    #[test]
    fn what_a_server_asks_for_is_kept_or_given_up() {
        let patience = Patience::default();
        let asks =
            |seconds| ModelError::RateLimited { said: String::new(), retry_after: Some(Duration::from_secs(seconds)) };
        let wait = |seconds| patience.wait(1, &asks(seconds), Duration::ZERO, &All);
        assert_eq!(wait(3), Some(Duration::from_millis(3300)));
        assert_eq!(wait(100), Some(Duration::from_secs(101)));
        assert_eq!(wait(3600), None, "nobody waits an hour for it");
    }
}
