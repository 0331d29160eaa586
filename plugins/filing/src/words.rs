//! Numbers, sizes and names in words for the person.

/// `1,234`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
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
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// `1 file`, `1,200 files`.
pub fn files(n: u64) -> String {
    count(n, "file", "files")
}

/// A size in decimal units (IEC 80000-13: 1 kB is 1,000 bytes), with one decimal below 10.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return count(bytes, "byte", "bytes");
    }
    let bytes = u128::from(bytes);
    let rounded = |divisor: u128| (bytes + divisor / 2) / divisor;
    let mut divisor = 1;
    let mut unit = 0;
    // by the rounded number, or 999.5 kB would be written as 1,000 kB
    while unit < 5 && rounded(divisor) >= 1000 {
        divisor *= 1000;
        unit += 1;
    }
    let tenths = (bytes * 10 + divisor / 2) / divisor;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", number(u64::try_from(rounded(divisor)).unwrap_or(u64::MAX)), UNITS[unit])
    }
}

/// A name, fit to stand in a line: escaped bytes as `\xff`, control characters as `\n` and the like, at most 60
/// characters.
pub fn name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.chars().enumerate() {
        if at == 59 && name.chars().nth(60).is_some() {
            out.push('…');
            break;
        }
        match u32::from(c) {
            code @ 0xF700..=0xF7FF => out.push_str(&format!("\\x{:02x}", code - 0xF700)),
            _ if c.is_control() => out.extend(c.escape_default()),
            _ => out.push(c),
        }
    }
    out
}

/// Up to three names and how many more there are: `a, b, c and 4 more`.
pub fn examples(names: &[String], all: u64) -> String {
    let shown = names.iter().take(3).map(|text| name(text)).collect::<Vec<_>>();
    let more = all.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    let list = shown.join(", ");
    if more == 0 { list } else { format!("{list} and {} more", number(more)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 999, 1000, 1500, 999_499, 999_500, 12_345_678, 4_000_000_000, u64::MAX].map(size),
            ["0 bytes", "1 byte", "999 bytes", "1 kB", "1.5 kB", "999 kB", "1 MB", "12 MB", "4 GB", "18,447 PB"]
        );
        assert_eq!(files(1), "1 file");
    }

    #[test]
    fn names_in_a_line() {
        assert_eq!(name("a\nb\u{f7ff}"), "a\\nb\\xff");
        assert_eq!(name(&"x".repeat(61)), format!("{}…", "x".repeat(59)));
        assert_eq!(name(&"x".repeat(60)), "x".repeat(60));
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(examples(&names, 7), "a, b, c and 4 more");
        assert_eq!(examples(&names[..1], 1), "a");
    }
}
