//! The date of a file: from the picture, the document or the recording itself, else from the file
//! system; and which of these are not
//! to be believed. All date-times are civil ones in the person's time zone.

use deskhand_sdk::time::{Date, DateTime, Moment};
use std::time::{SystemTime, UNIX_EPOCH};

/// The end of the days that a date may lie in: the day after tomorrow, counted in UTC, so that no time zone is ahead of
/// it. `now` is in seconds since 1970. A clock that shows a time before this was written is not believed: then there is no end.
pub fn horizon(now: i64) -> Date {
    const WRITTEN: i64 = 1_763_769_600; // 2025-11-22
    let end = if now < WRITTEN { i64::MAX } else { now.saturating_add(2 * 86_400) };
    Moment::at(end).with_offset(0).date
}

/// [`horizon`], by the clock of this computer.
pub fn horizon_now() -> Date {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    horizon(i64::try_from(now).unwrap_or(i64::MAX))
}

/// True for a date that a file can have had: after 1970-01-01 (what a clock that was never set says), before `horizon`,
/// and not the first moment of a clock that was reset (1980 for FAT and many cameras, 2000 and 2001 for others).
pub fn is_plausible(moment: DateTime, horizon: Date) -> bool {
    const fn new_year(year: i16) -> Date {
        Date { year, month: 1, day: 1 }
    }
    const fn midnight(date: Date) -> DateTime {
        DateTime { date, hour: 0, minute: 0, second: 0 }
    }
    const RESET: [DateTime; 2] = [midnight(new_year(2000)), midnight(new_year(2001))];
    let day = moment.date;
    day > new_year(1970) && day < horizon && day != new_year(1980) && !RESET.contains(&moment)
}

/// The dates that the host gave for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// When the picture was taken (`image.taken`).
    pub taken: Option<DateTime>,
    /// When the document was created (`document.created`).
    pub created: Option<DateTime>,
    /// When sound or film was recorded (`media.created`).
    pub recorded: Option<DateTime>,
    /// When the content was last changed (`file.modified`).
    pub modified: Option<DateTime>,
}

/// The date that a file is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// None if the file has no date that can be believed.
    pub moment: Option<DateTime>,
    /// A date of the file that was passed over.
    pub passed_over: Option<DateTime>,
}

impl Dates {
    /// The first of taken, created, recorded and modified that is plausible.
    pub fn best(&self, horizon: Date) -> Dated {
        let known = || [self.taken, self.created, self.recorded, self.modified].into_iter().flatten();
        let moment = known().find(|moment| is_plausible(*moment, horizon));
        let passed_over = known().next().filter(|first| !is_plausible(*first, horizon));
        Dated { moment, passed_over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    fn horizon() -> Date {
        super::horizon(1_795_340_000) // 2026-11-22 in UTC
    }

    #[test]
    fn clocks_that_were_never_set_are_not_believed() {
        let at = |text: &str| at(&format!("{text}{}", if text.contains('T') { "" } else { "T00:00:00" }));
        for wrong in
            ["1969-12-31", "1970-01-01T01:00:00", "1980-01-01T00:00:07", "2000-01-01", "2001-01-01", "2026-11-24"]
        {
            assert!(!is_plausible(at(wrong), horizon()), "{wrong}");
        }
        for right in ["1970-01-02", "1980-01-02", "2000-01-01T00:00:01", "2026-11-23T23:59:59"] {
            assert!(is_plausible(at(right), horizon()), "{right}");
        }
    }

    #[test]
    fn a_clock_that_was_never_set_rules_out_no_date() {
        assert_eq!([super::horizon(0), super::horizon(-1)].map(|date| date.year), [9999, 9999]);
        assert!(is_plausible(at("2026-05-05T00:00:00"), super::horizon(0)));
    }

    #[test]
    fn the_first_believable_date_is_taken() {
        let (reset, changed) = (at("1980-01-01T00:00:00"), at("2023-07-01T12:00:00"));
        let dates = Dates { taken: Some(reset), modified: Some(changed), ..Dates::default() };
        assert_eq!(dates.best(horizon()), Dated { moment: Some(changed), passed_over: Some(reset) });
        let dates = Dates { taken: Some(at("2021-01-01T09:00:00")), ..dates };
        assert_eq!(dates.best(horizon()), Dated { moment: dates.taken, passed_over: None });
        assert_eq!(Dates::default().best(horizon()), Dated { moment: None, passed_over: None });
    }
}
