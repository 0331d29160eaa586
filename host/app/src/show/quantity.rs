//! Counts, sizes and times.

use std::time::Duration;

/// A size with at most three digits and a decimal unit (SI: 1 kB is 1,000 bytes).
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut scaled = bytes;
    // one digit behind the point, rounded half up, in whole numbers
    while scaled >= 999_950 && unit + 1 < UNITS.len() {
        scaled /= 1000;
        unit += 1;
    }
    let tenths = (scaled + 50) / 100;
    if tenths >= 100 {
        format!("{} {}", (scaled + 500) / 1000, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// A time, as exact as a person cares: `12 ms`, `0.2 s`, `45 s`, `3 min 5 s`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..100 => format!("{millis} ms"),
        // one digit behind the point, rounded half up, in whole numbers
        millis @ 100..9_950 => {
            let tenths = (millis + 50) / 100;
            if tenths.is_multiple_of(10) {
                format!("{} s", tenths / 10)
            } else {
                format!("{}.{} s", tenths / 10, tenths % 10)
            }
        }
        millis => {
            let seconds = (millis + 500) / 1000;
            if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
        }
    }
}

/// A number with a comma before each group of three digits.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `1,200 files`.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    format!("{} {singular}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_few_digits() {
        let shown = [0, 999, 1000, 1049, 9_949, 9_950, 99_999, 999_949, 999_950, 1_500_000, 2_000_000_000, u64::MAX];
        assert_eq!(
            shown.map(bytes),
            [
                "0 B", "999 B", "1.0 kB", "1.0 kB", "9.9 kB", "10 kB", "100 kB", "1000 kB", "1.0 MB", "1.5 MB",
                "2.0 GB", "18 EB"
            ]
        );
    }

    #[test]
    fn times_are_as_exact_as_a_person_cares() {
        let shown = [0, 99, 100, 149, 950, 2_960, 9_949, 9_950, 59_499, 59_500, 185_000];
        assert_eq!(
            shown.map(|millis| duration(Duration::from_millis(millis))),
            ["0 ms", "99 ms", "0.1 s", "0.1 s", "1 s", "3 s", "9.9 s", "10 s", "59 s", "1 min 0 s", "3 min 5 s"]
        );
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "file"), "1 file");
    }
}
