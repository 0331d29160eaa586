//! Budgets as a person writes and reads them: `steps=50`, `time=10m`, `money=2.50`.

use crate::{desk::Desk, failure::Result, model, show};
use deskhand_agent::budget::{Limits, Measure};
use deskhand_models::Money;

/// Why a budget was not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotABudget {
    #[error("a budget is a measure and an amount, such as steps=50; got `{0}`")]
    NoAmount(String),
    #[error("there is no measure `{0}`. There are: tokens, money, time, steps, bytes-out, removals")]
    Measure(String),
    #[error("`{1}` is no amount of {0}. {2}")]
    Amount(Measure, String, &'static str),
}

/// One limit of `--budget`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Measure, pub(crate) u64);

impl std::str::FromStr for Limit {
    type Err = NotABudget;

    fn from_str(text: &str) -> std::result::Result<Self, NotABudget> {
        let (name, amount) = text.split_once('=').ok_or_else(|| NotABudget::NoAmount(text.to_owned()))?;
        let (name, amount) = (name.trim(), amount.trim());
        let measure = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        let measure = measure.ok_or_else(|| NotABudget::Measure(name.to_owned()))?;
        let (found, such) = match measure {
            Measure::Money => (amount.parse::<Money>().ok().map(|money| money.0), "Write it such as 2.50"),
            Measure::Time => (
                scaled(amount, &[("h", 3_600_000), ("m", 60_000), ("s", 1000), ("", 1000)]),
                "Write it such as 90s, 10m or 2h",
            ),
            Measure::BytesOut => (
                scaled(amount, &[("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("", 1)]),
                "Write it such as 500kB or 20MB",
            ),
            Measure::Tokens | Measure::Steps | Measure::Removals => (amount.parse().ok(), "Write a whole number"),
        };
        found.map(|amount| Self(measure, amount)).ok_or_else(|| NotABudget::Amount(measure, amount.to_owned(), such))
    }
}

fn scaled(amount: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, scale) = units.iter().find(|(unit, _)| amount.ends_with(unit))?;
    amount.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*scale)
}

/// These limits, and in place of some of them others.
pub(crate) fn with(limits: Limits, others: &[Limit]) -> Limits {
    others.iter().fold(limits, |limits, Limit(measure, most)| limits.with(*measure, *most))
}

/// Whether the limits that a person asks for can be held with this model, or the one of the settings.
///
/// # Errors
/// Where they could not.
pub(crate) fn hold(desk: &Desk, model: Option<&str>, asked: &[Limit]) -> Result<()> {
    if asked.iter().any(|Limit(measure, _)| *measure == Measure::Money) {
        model::choose(&desk.settings, model)?.require_price(desk)?;
    }
    Ok(())
}

/// As [`Limit`] reads it.
pub(crate) fn written(measure: Measure, amount: u64) -> String {
    let amount = match measure {
        Measure::Money => Money(amount).to_string(),
        Measure::Time => format!("{}s", amount.div_ceil(1000)),
        _ => amount.to_string(),
    };
    format!("{measure}={amount}")
}

/// An amount in words.
pub(crate) fn words(measure: Measure, amount: u64) -> String {
    match measure {
        Measure::Tokens => show::counted(amount, "token"),
        Measure::Money => Money(amount).to_string(),
        Measure::Time => show::counted(amount.div_ceil(1000), "second"),
        Measure::Steps => show::counted(amount, "step"),
        Measure::BytesOut => format!("{} sent", show::bytes(amount)),
        Measure::Removals => show::counted(amount, "removal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let read = |text: &str| text.parse::<Limit>().map(|Limit(measure, amount)| (measure, amount));
        assert_eq!(read("steps=50"), Ok((Measure::Steps, 50)));
        assert_eq!(read("time = 10m"), Ok((Measure::Time, 600_000)));
        assert_eq!(read("time=90"), Ok((Measure::Time, 90_000)));
        assert_eq!(read("money=2.50"), Ok((Measure::Money, 2_500_000)));
        assert_eq!(read("bytes-out=20MB"), Ok((Measure::BytesOut, 20_000_000)));
        assert_eq!(read("steps"), Err(NotABudget::NoAmount("steps".to_owned())));
        assert_eq!(read("stops=5"), Err(NotABudget::Measure("stops".to_owned())));
        assert_eq!(read("steps=-5"), Err(NotABudget::Amount(Measure::Steps, "-5".to_owned(), "Write a whole number")));
        assert!(read("time=99999999999999999999h").is_err());
        for (measure, amount) in [(Measure::Time, 5000), (Measure::Money, 1_250_000), (Measure::Removals, 3)] {
            assert_eq!(read(&written(measure, amount)), Ok((measure, amount)));
        }
    }
}
