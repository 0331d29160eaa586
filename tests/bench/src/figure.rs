//! Figures, the bars that they are held to, and how they are shown.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// Samples of one measure, in one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn one(value: f64) -> Self {
        Self(vec![value])
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value that `part` of the samples are not above; 0.5 is the median.
    pub(crate) fn part(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
        let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Microseconds,
    /// Millions of bytes.
    Megabytes,
    /// Thousands of bytes.
    Kilobytes,
    Percent,
    /// So many of what the line names.
    Count,
}

impl Unit {
    const fn sign(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Megabytes => "MB",
            Self::Kilobytes => "kB",
            Self::Percent => "%",
            Self::Count => "",
        }
    }

    fn text(self, value: f64) -> String {
        let digits = if value >= 100.0 || self == Self::Count { 0 } else { usize::from(value < 10.0) + 1 };
        format!("{value:.digits$} {}", self.sign()).trim_end().to_owned()
    }
}

/// What a figure is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// At most this, in the unit of the figure; where that is a time or memory, on a quiet machine.
    Most(f64),
    /// At most so many times its reference, on any machine.
    Times(f64),
    /// Shown for what it explains.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Samples,
    /// Which part of the samples counts: 0.5 is the median.
    pub(crate) part: f64,
    /// What stands beside it, and its samples.
    pub(crate) reference: Option<(String, Samples)>,
    pub(crate) bar: Bar,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: Unit, ours: Samples, bar: Bar) -> Self {
        Self { name: name.into(), unit, ours, part: 0.5, reference: None, bar }
    }

    pub(crate) fn beside(mut self, what: impl Into<String>, samples: Samples) -> Self {
        self.reference = Some((what.into(), samples));
        self
    }

    pub(crate) fn part(mut self, part: f64) -> Self {
        self.part = part;
        self
    }

    fn measured(&self) -> f64 {
        self.ours.part(self.part)
    }

    /// How many times its reference it is.
    fn ratio(&self) -> Option<f64> {
        self.reference.as_ref().map(|(_, samples)| self.measured() / samples.part(self.part))
    }

    /// Whether it keeps to its bar; none where it has none.
    pub(crate) fn met(&self) -> Option<bool> {
        match self.bar {
            Bar::Most(most) => Some(self.measured() <= most),
            Bar::Times(times) => Some(self.ratio().is_some_and(|ratio| ratio <= times)),
            Bar::None => None,
        }
    }

    /// True for a bar that holds on any machine and is not met.
    pub(crate) fn fails(&self) -> bool {
        let anywhere =
            matches!(self.bar, Bar::Times(_)) || matches!(self.unit, Unit::Kilobytes | Unit::Percent | Unit::Count);
        anywhere && self.met() == Some(false)
    }

    pub(crate) fn json(&self) -> Value {
        let bar = match self.bar {
            Bar::Most(most) => json!({"most": most}),
            Bar::Times(times) => json!({"times": times}),
            Bar::None => Value::Null,
        };
        let reference = self.reference.as_ref().map(|(what, samples)| {
            json!({"what": what, "measured": samples.part(self.part), "least": samples.least(), "samples": samples.count()})
        });
        json!({
            "name": self.name, "unit": self.unit.sign(), "part": self.part, "measured": self.measured(),
            "least": self.ours.least(), "samples": self.ours.count(), "reference": reference, "ratio": self.ratio(),
            "bar": bar, "met": self.met(),
        })
    }

    fn row(&self) -> [String; 7] {
        let text = |value: f64| self.unit.text(value);
        [
            self.name.clone(),
            text(self.measured()),
            text(self.ours.least()),
            self.reference
                .as_ref()
                .map_or_else(String::new, |(what, samples)| format!("{} ({what})", text(samples.part(self.part)))),
            self.ratio().map_or_else(String::new, |ratio| format!("× {ratio:.2}")),
            match self.bar {
                Bar::Most(most) => format!("≤ {} {}", most, self.unit.sign()).trim_end().to_owned(),
                Bar::Times(times) => format!("≤ × {times}"),
                Bar::None => String::new(),
            },
            self.met().map_or("", |met| if met { "met" } else { "NOT MET" }).to_owned(),
        ]
    }
}

/// All figures, a line each, in columns.
pub(crate) fn table(figures: &[Figure]) -> String {
    let head = ["", "measured", "least", "reference", "ratio", "bar", ""].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(figures.iter().map(Figure::row)).collect();
    let widths: [usize; 7] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
