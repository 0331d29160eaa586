//! Money and prices, in whole millionths of a currency's unit: sums of them do not drift.

use crate::usage::Usage;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// An amount, in millionths of a unit of the price table's currency (of a dollar, say).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(pub u64);

const UNIT: u64 = 1_000_000;

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount of money. Write it like \"3\" or \"0.25\", with at most six digits after the point")]
pub struct NotMoney(String);

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let bad = || NotMoney(text.chars().take(40).collect());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(bad());
        }
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| bad())?;
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        whole.checked_mul(UNIT).and_then(|whole| whole.checked_add(part)).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / UNIT, format!("{:06}", self.0 % UNIT));
        // cents at least
        let kept = part.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &part[..kept])
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What a model costs: money for a million tokens of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that is not cached.
    pub input: Money,
    /// Output, thinking included.
    pub output: Money,
    /// Input that is read from the prompt cache. Where not given: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Money>,
    /// Input that is written to the prompt cache. Where not given: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Money>,
}

impl Price {
    /// What this usage costs, rounded up to a whole millionth.
    pub fn of(&self, usage: &Usage) -> Money {
        let part = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.0);
        let sum = part(usage.input, self.input)
            + part(usage.output, self.output)
            + part(usage.cache_read, self.cache_read.unwrap_or(self.input))
            + part(usage.cache_write, self.cache_write.unwrap_or(self.input));
        Money(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Money, Price};
    use crate::usage::Usage;

    #[test]
    fn amounts_are_exact() {
        for (text, micros) in
            [("3", 3_000_000), ("0.25", 250_000), ("0.000001", 1), ("18446744073709", 18_446_744_073_709_000_000)]
        {
            assert_eq!(text.parse(), Ok(Money(micros)), "{text}");
        }
        for bad in
            ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000001", "18446744073710", "99999999999999999999", "1 "]
        {
            assert!(bad.parse::<Money>().is_err(), "{bad}");
        }
        for (micros, text) in
            [(0, "0.00"), (1, "0.000001"), (250_000, "0.25"), (3_000_000, "3.00"), (1_234_500, "1.2345")]
        {
            assert_eq!(Money(micros).to_string(), text);
        }
    }

    #[test]
    fn a_price_counts_each_kind_of_token() {
        let price: Price =
            toml::from_str("input = '3'\noutput = '15'\ncache_read = '0.30'\ncache_write = '3.75'").unwrap();
        let usage = Usage { input: 1000, cache_read: 100_000, cache_write: 2000, output: 500, thinking: 100 };
        assert_eq!(price.of(&usage), Money(3000 + 30_000 + 7500 + 7500));
        assert_eq!(price.of(&Usage { cache_read: 1, ..Usage::default() }), Money(1), "rounded up");
        let plain: Price = toml::from_str("input = '1'\noutput = '2'").unwrap();
        assert_eq!(plain.of(&usage), Money(1000 + 100_000 + 2000 + 1000));
        assert!(
            toml::from_str::<Price>("input = 3\noutput = '15'").is_err(),
            "a number is not an amount: its unit is unclear"
        );
    }
}
