//! What a task may use up. A budget is a hard stop: what would exceed it does not begin. At four fifths the person is told.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Tokens read and written by models.
    Tokens,
    /// Money for models, in millionths of the currency of the price table.
    Money,
    /// Time at work, in milliseconds; waiting for the person does not count.
    Time,
    /// Turns of a model.
    Steps,
    /// Bytes that left the machine.
    BytesOut,
    /// Files removed.
    Removals,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Tokens, Self::Money, Self::Time, Self::Steps, Self::BytesOut, Self::Removals];

    /// The name in the settings and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Money => "money",
            Self::Time => "time",
            Self::Steps => "steps",
            Self::BytesOut => "bytes-out",
            Self::Removals => "removals",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount of each measure. Sums saturate: what is beyond counting is beyond every budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts([u64; 6]);

impl Amounts {
    /// So much of one measure.
    pub const fn of(measure: Measure, amount: u64) -> Self {
        let mut amounts = [0; 6];
        amounts[measure as usize] = amount;
        Self(amounts)
    }

    /// How much of a measure.
    pub const fn get(&self, measure: Measure) -> u64 {
        self.0[measure as usize]
    }

    /// True if nothing is used.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut sum = self;
        for (sum, more) in sum.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
        sum
    }
}

/// The most of each measure; a measure without a limit is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits([Option<u64>; 6]);

impl Limits {
    /// With a limit for a measure in place of the one it had.
    #[must_use]
    pub const fn with(mut self, measure: Measure, most: u64) -> Self {
        self.0[measure as usize] = Some(most);
        self
    }

    /// The limit of a measure.
    pub const fn get(&self, measure: Measure) -> Option<u64> {
        self.0[measure as usize]
    }

    /// An equal share of it for each of so many.
    #[must_use]
    pub fn shared(mut self, among: u64) -> Self {
        for limit in self.0.iter_mut().flatten() {
            *limit /= among.max(1);
        }
        self
    }

    /// What a part of the work may use, out of what is left of this: the lesser of both.
    #[must_use]
    pub fn part(&self, spent: &Amounts, wanted: &Self) -> Self {
        let mut part = *wanted;
        for measure in Measure::ALL {
            let at = measure as usize;
            let left = self.0[at].map(|most| most.saturating_sub(spent.0[at]));
            part.0[at] = match (left, wanted.0[at]) {
                (Some(left), Some(wanted)) => Some(left.min(wanted)),
                (left, wanted) => left.or(wanted),
            };
        }
        part
    }
}

/// What is to be told or done about the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Four fifths of a measure are used up. Told once.
    Near(Measure),
    /// A measure is used up. Nothing more may begin.
    Over(Measure),
}

/// What was allowed and what was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    limits: Limits,
    spent: Amounts,
    told: Vec<Measure>,
}

impl Budget {
    /// Nothing is used yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What may be used.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is used.
    pub fn spent(&self) -> &Amounts {
        &self.spent
    }

    /// What may still be used.
    pub fn left(&self) -> Limits {
        self.limits.part(&self.spent, &Limits::default())
    }

    /// Something was used.
    pub fn spend(&mut self, amounts: Amounts) {
        self.spent = self.spent.and(amounts);
    }

    /// More is allowed, by the person. What was told of these measures can be told again.
    pub fn raise(&mut self, limits: Limits) {
        for measure in Measure::ALL {
            if let Some(most) = limits.get(measure) {
                self.limits = self.limits.with(measure, most);
                self.told.retain(|told| *told != measure);
            }
        }
    }

    /// The first measure that is used up.
    pub fn over(&self) -> Option<Measure> {
        Measure::ALL.into_iter().find(|measure| {
            self.limits
                .get(*measure)
                .is_some_and(|most| self.spent.get(*measure) >= most && *measure != Measure::Removals)
        })
    }

    /// True if so much more fits.
    pub fn allows(&self, measure: Measure, more: u64) -> bool {
        let sum = self.spent.get(measure).saturating_add(more);
        self.limits.get(measure).is_none_or(|most| sum <= most)
    }

    /// What is to be told now: each measure once when it is near its limit, and always what is over it.
    pub fn alerts(&mut self) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for measure in Measure::ALL {
            let Some(most) = self.limits.get(measure) else { continue };
            let spent = u128::from(self.spent.get(measure));
            if self.over() == Some(measure) {
                alerts.push(Alert::Over(measure));
            } else if most > 0 && spent * 5 >= u128::from(most) * 4 && !self.told.contains(&measure) {
                self.told.push(measure);
                alerts.push(Alert::Near(measure));
            }
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_fifths_are_told_once_and_the_end_always() {
        let mut budget = Budget::new(Limits::default().with(Measure::Steps, 10));
        budget.spend(Amounts::of(Measure::Steps, 7));
        assert_eq!(budget.alerts(), []);
        budget.spend(Amounts::of(Measure::Steps, 1));
        assert_eq!(budget.alerts(), [Alert::Near(Measure::Steps)]);
        assert_eq!(budget.alerts(), []);
        budget.spend(Amounts::of(Measure::Steps, 2));
        assert_eq!(budget.alerts(), [Alert::Over(Measure::Steps)]);
        assert_eq!(budget.over(), Some(Measure::Steps));
        budget.raise(Limits::default().with(Measure::Steps, 12));
        assert_eq!((budget.over(), budget.alerts()), (None, vec![Alert::Near(Measure::Steps)]));
    }

    #[test]
    fn a_budget_of_no_removals_lets_all_else_go_on() {
        let mut budget = Budget::new(Limits::default().with(Measure::Removals, 0));
        assert_eq!((budget.over(), budget.alerts()), (None, vec![]));
        assert!(!budget.allows(Measure::Removals, 1));
        assert!(budget.allows(Measure::Tokens, u64::MAX));
        budget.spend(Amounts::of(Measure::Tokens, u64::MAX));
        budget.spend(Amounts::of(Measure::Tokens, 1));
        assert_eq!(budget.spent().get(Measure::Tokens), u64::MAX);
    }

    #[test]
    fn a_part_is_out_of_what_is_left() {
        let limits = Limits::default().with(Measure::Tokens, 100).with(Measure::Steps, 5);
        let spent = Amounts::of(Measure::Tokens, 70).and(Amounts::of(Measure::Steps, 9));
        let part = limits.part(&spent, &Limits::default().with(Measure::Tokens, 50).with(Measure::Time, 9));
        let expected = Limits::default().with(Measure::Tokens, 30).with(Measure::Steps, 0).with(Measure::Time, 9);
        assert_eq!(part, expected);
    }
}
