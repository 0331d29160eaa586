//! Counts and sizes.

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
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "file"), "1 file");
    }
}
