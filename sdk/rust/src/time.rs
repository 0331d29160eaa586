//! Moments and dates. A [`Moment`] is a point in time; a [`DateTime`] is what a calendar and a clock on the wall show,
//! as the person reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A point in time: seconds since 1970-01-01T00:00:00Z without leap seconds (POSIX), and nanoseconds after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Moment {
    /// At whole seconds.
    pub const fn at(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }

    /// What a clock shows that is `offset` seconds ahead of UTC (0: in UTC).
    pub fn with_offset(self, offset: i32) -> DateTime {
        let local = self.seconds.saturating_add(i64::from(offset));
        let (days, seconds) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let date = Date::from_days(days);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        DateTime { date, hour: part(seconds / 3600), minute: part(seconds / 60 % 60), second: part(seconds % 60) }
    }
}

/// A day of the Gregorian calendar (ISO 8601). Written `2024-03-09`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    /// -9999 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// The day, if there is one.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let fits =
            (-9999..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        fits.then_some(Self { year, month, day })
    }

    /// The day that is so many days after 1970-01-01, kept within the years that a date can have.
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn from_days(days: i64) -> Self {
        let shifted = days.clamp(-4_371_587, 2_932_896) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: i16::try_from(year).unwrap_or(i16::MAX),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }
}

/// Days of a month.
fn days_in(year: i16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A day and a time of day, without a zone. Written `2024-03-09T14:05:00`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl DateTime {
    /// The day and time, if there is one.
    pub fn new(date: Date, hour: u8, minute: u8, second: u8) -> Option<Self> {
        (hour < 24 && minute < 60 && second < 60).then_some(Self { date, hour, minute, second })
    }
}

/// A text that is not a date, or not a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date is written like 2024-03-09, a date and time like 2024-03-09T14:05:00")
    }
}

impl std::error::Error for NotADate {}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit())).ok_or(NotADate);
        let (year, month, day) = (part()?, part()?, part()?);
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return Err(NotADate);
        }
        let number = |text: &str| text.parse::<u8>().map_err(|_| NotADate);
        Self::new(year.parse().map_err(|_| NotADate)?, number(month)?, number(day)?).ok_or(NotADate)
    }
}

impl FromStr for DateTime {
    type Err = NotADate;

    /// RFC 3339 and the ISO 8601 form without a zone; a fraction of a second and a zone are read over: the fields are
    /// what the clock on the wall showed.
    fn from_str(text: &str) -> Result<Self, NotADate> {
        let (date, time) = text.split_once(['T', 't', ' ']).ok_or(NotADate)?;
        let clock = time.get(..8).ok_or(NotADate)?;
        let rest = &time[8..];
        let zoned = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        if !(zoned.is_empty() || zoned == "Z" || zoned == "z" || zoned.starts_with(['+', '-'])) {
            return Err(NotADate);
        }
        let mut parts = clock.split(':');
        let mut part = || {
            let part = parts.next().filter(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u8>().ok()).ok_or(NotADate)
        };
        // a leap second is the last of its minute
        Self::new(date.parse()?, part()?, part()?, part()?.min(59)).ok_or(NotADate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}:{:02}:{:02}", self.date, self.hour, self.minute, self.second)
    }
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotADate;

            fn try_from(text: String) -> Result<Self, NotADate> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}
text!(Date);
text!(DateTime);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn moments_become_dates() {
        // checked with `date -u -d @N`
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_827_696, "2000-02-29T12:34:56"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (-1, "1969-12-31T23:59:59"),
            (-62_135_596_800, "0001-01-01T00:00:00"),
            (253_402_300_799, "9999-12-31T23:59:59"),
        ] {
            assert_eq!(Moment::at(seconds).with_offset(0).to_string(), text);
        }
        assert_eq!(Moment::at(1_709_251_199).with_offset(3600).to_string(), "2024-03-01T00:59:59");
        assert_eq!(Moment::at(i64::MAX).with_offset(0).date.year, 9999);
        assert_eq!(Moment::at(i64::MIN).with_offset(0).date.year, -9999);
    }

    #[test]
    fn dates_are_read_as_the_wall_showed_them() {
        let read = |text: &str| text.parse::<DateTime>().unwrap().to_string();
        assert_eq!(read("2024-03-09T14:05:00"), "2024-03-09T14:05:00");
        assert_eq!(read("2024-03-09T14:05:00.123+02:00"), "2024-03-09T14:05:00");
        assert_eq!(read("2024-03-09 14:05:00Z"), "2024-03-09T14:05:00");
        assert_eq!(read("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59");
        for text in [
            "",
            "2024-03-09",
            "2023-02-29T00:00:00",
            "2024-03-09T24:00:00",
            "2024-03-09T1:2:3",
            "24-03-09T00:00:00",
            "2024-03-09T00:00:00é",
        ] {
            assert_eq!(text.parse::<DateTime>(), Err(NotADate), "{text}");
        }
    }
}
