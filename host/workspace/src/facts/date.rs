//! Dates as files write them. A date without a day is no date here: nobody is told the first of January for "2019".

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

/// A date as a file states it: what a clock showed, and how far that clock was from UTC if the file says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    shown: DateTime,
    offset: Option<Offset>,
}

impl Stated {
    /// What a clock in `zone` showed at that moment; without an offset, what the file states.
    pub(super) fn within(self, zone: &TimeZone) -> DateTime {
        let moment = self.offset.and_then(|offset| offset.to_timestamp(self.shown).ok());
        moment.map_or(self.shown, |moment| zone.to_datetime(moment))
    }
}

/// EXIF 2.32, 4.6.5: `YYYY:MM:DD HH:MM:SS`, digits of a fraction, and `±HH:MM`. Blanks stand for "not known". Cameras
/// also write other separators.
pub(super) fn exif(date: &[u8], fraction: Option<&[u8]>, offset: Option<&[u8]>) -> Option<Stated> {
    let mut text = Cursor(date.trim_ascii_start());
    let year = text.digits(4)?;
    text.any_of(b":-/.")?;
    let month = text.digits(2)?;
    text.any_of(b":-/.")?;
    let day = text.digits(2)?;
    text.any_of(b" T")?;
    let hour = text.digits(2)?;
    text.any_of(b":")?;
    let minute = text.digits(2)?;
    text.any_of(b":")?;
    let second = text.digits(2)?;
    let nanosecond = fraction.and_then(|digits| Cursor(digits.trim_ascii_start()).fraction()).unwrap_or(0);
    let offset = offset.and_then(|offset| Cursor(offset.trim_ascii()).offset());
    stated([year, month, day, hour, minute, second], nanosecond, offset)
}

/// ISO 32000-2, 7.9.4: `D:YYYYMMDDHHmmSSOHH'mm'`, everything after the day optional.
pub(super) fn pdf(text: &[u8]) -> Option<Stated> {
    let text = text.trim_ascii();
    let mut text = Cursor(text.strip_prefix(b"D:").unwrap_or(text));
    let [year, month, day] = [text.digits(4)?, text.digits(2)?, text.digits(2)?];
    let hour = text.digits(2).unwrap_or(0);
    let minute = text.digits(2).unwrap_or(0);
    let second = text.digits(2).unwrap_or(0);
    let offset = text.offset();
    stated([year, month, day, hour, minute, second], 0, offset)
}

/// W3C date and time formats, XML Schema `dateTime` and `date`: `YYYY-MM-DD[THH:MM[:SS[.F]]][Z|±HH:MM]`.
pub(super) fn iso(text: &[u8]) -> Option<Stated> {
    let mut text = Cursor(text.trim_ascii());
    let year = text.digits(4)?;
    text.any_of(b"-")?;
    let month = text.digits(2)?;
    text.any_of(b"-")?;
    let day = text.digits(2)?;
    let (mut hour, mut minute, mut second, mut nanosecond, mut offset) = (0, 0, 0, 0, None);
    if text.any_of(b"Tt ").is_some() {
        hour = text.digits(2)?;
        text.any_of(b":")?;
        minute = text.digits(2)?;
        if text.any_of(b":").is_some() {
            second = text.digits(2)?;
            if text.any_of(b".,").is_some() {
                nanosecond = text.fraction()?;
            }
        }
        offset = text.offset();
    }
    stated([year, month, day, hour, minute, second], nanosecond, offset)
}

/// A date of which the parts are numbers already; no offset.
pub(super) fn parts(parts: [u16; 6]) -> Option<Stated> {
    stated(parts, 0, None)
}

/// ISO/IEC 14496-12, 8.2.2: seconds since 1904 in UTC. Zero is "not known".
pub(super) fn since_1904(seconds: u64) -> Option<Stated> {
    const UNTIL_1970: i64 = 2_082_844_800;
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds != 0)?;
    let moment = Timestamp::from_second(seconds - UNTIL_1970).ok()?;
    Some(Stated { shown: Offset::UTC.to_datetime(moment), offset: Some(Offset::UTC) })
}

fn stated(parts: [u16; 6], nanosecond: i32, offset: Option<Offset>) -> Option<Stated> {
    let [year, month, day, hour, minute, second] = parts;
    if year == 0 {
        return None;
    }
    let small = |part: u16| i8::try_from(part).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    // A leap second is shown as the last one that every clock knows.
    let time = Time::new(small(hour)?, small(minute)?, small(second.min(60))?.min(59), nanosecond).ok()?;
    (second <= 60).then_some(Stated { shown: DateTime::from_parts(date, time), offset })
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn any_of(&mut self, set: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        set.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of exactly `count` digits, at most four.
    fn digits(&mut self, count: usize) -> Option<u16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
    }

    /// Digits after a decimal point, as nanoseconds.
    fn fraction(&mut self) -> Option<i32> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        (count > 0).then(|| padded.fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
    }

    /// `Z`, `±HH`, `±HHMM`, `±HH:MM` or PDF's `±HH'MM'`; no offset if there is none or it cannot be.
    fn offset(&mut self) -> Option<Offset> {
        let sign = match self.any_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(Offset::UTC),
        };
        let hours = i32::from(self.digits(2)?);
        let _ = self.any_of(b":'");
        let minutes = i32::from(self.digits(2).unwrap_or(0));
        if hours > 15 || minutes > 59 {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn berlin(date: Option<Stated>) -> Option<String> {
        date.map(|date| date.within(&TimeZone::get("Europe/Berlin").unwrap()).to_string())
    }

    #[test]
    fn pictures() {
        let seen = |date: &str, fraction: Option<&str>, offset: Option<&str>| {
            berlin(exif(date.as_bytes(), fraction.map(str::as_bytes), offset.map(str::as_bytes)))
        };
        for (date, fraction, offset, expected) in [
            ("2019:07:14 18:22:05\0", None, None, Some("2019-07-14T18:22:05")),
            ("2019-07-14T18:22:05", None, Some("+02:00\0"), Some("2019-07-14T18:22:05")),
            ("2019:07:14 18:22:05", Some("37 "), Some("-05:00"), Some("2019-07-15T01:22:05.37")),
            ("2019:07:14 18:22:05", Some("123456789999"), None, Some("2019-07-14T18:22:05.123456789")),
            ("2019:07:14 18:22:05", Some("  "), Some("   :  "), Some("2019-07-14T18:22:05")),
            ("2016:12:31 23:59:60", None, None, Some("2016-12-31T23:59:59")),
            ("2020:02:29 00:00:00", None, None, Some("2020-02-29T00:00:00")),
            ("2019:02:29 00:00:00", None, None, None),
            ("2019:07:14 24:00:00", None, None, None),
            ("2019:07:14 18:22:61", None, None, None),
            ("0000:00:00 00:00:00", None, None, None),
            ("0000:01:01 00:00:00", None, None, None),
            ("    :  :     :  :  ", None, None, None),
            ("2019:07:14", None, None, None),
            ("", None, None, None),
        ] {
            assert_eq!(seen(date, fraction, offset).as_deref(), expected, "{date:?} {fraction:?} {offset:?}");
        }
    }

    #[test]
    fn portable_documents() {
        for (text, expected) in [
            ("D:20201130233000Z", Some("2020-12-01T00:30:00")),
            ("D:20201130233000Z00'00'", Some("2020-12-01T00:30:00")),
            ("D:20131024173000+02'00'", Some("2013-10-24T17:30:00")),
            ("D:20131024173000+02'00", Some("2013-10-24T17:30:00")),
            ("D:20131024173000-0730", Some("2013-10-25T03:00:00")),
            ("20131024", Some("2013-10-24T00:00:00")),
            ("D:201310241730", Some("2013-10-24T17:30:00")),
            ("D:20131024173000+99'00'", Some("2013-10-24T17:30:00")),
            ("D:99991231235959-1200", Some("9999-12-31T23:59:59")),
            ("D:201310", None),
            ("D:2013", None),
            ("D:20131324", None),
            ("D:", None),
            ("Thu Oct 24 17:30:00 2013", None),
        ] {
            assert_eq!(berlin(pdf(text.as_bytes())).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn xml_documents() {
        for (text, expected) in [
            ("2018-09-10T07:30:00Z", Some("2018-09-10T09:30:00")),
            ("2018-09-10T07:30:00", Some("2018-09-10T07:30:00")),
            (" 2018-09-10T07:30:00.250+01:00\n", Some("2018-09-10T08:30:00.25")),
            ("2018-09-10T07:30Z", Some("2018-09-10T09:30:00")),
            ("2013-09-05", Some("2013-09-05T00:00:00")),
            ("2013-09", None),
            ("2013", None),
            ("2013-09-05T", None),
            ("2013-09-31T00:00:00Z", None),
            ("-0044-03-15", None),
        ] {
            assert_eq!(berlin(iso(text.as_bytes())).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn films() {
        assert_eq!(berlin(since_1904(0)), None);
        assert_eq!(berlin(since_1904(u64::MAX)), None);
        assert_eq!(berlin(since_1904(i64::MAX as u64)), None);
        assert_eq!(berlin(since_1904(3_629_143_800)).as_deref(), Some("2019-01-01T00:30:00"));
    }
}
