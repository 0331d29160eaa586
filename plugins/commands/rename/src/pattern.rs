//! The patterns of new names: `Holiday {n:3}`, `{date} {name}`.
//!
//! | part | stands for |
//! |---|---|
//! | `{name}` | the old name without its extension |
//! | `{ext}` | the old extension without its dot; a pattern with it gives the whole name, else the extension is kept |
//! | `{n}`, `{n:3}` | a number, with zeros in front up to that many digits |
//! | `{date}`, `{time}` | `2024-05-31`, `18.02.11` |
//! | `{date:YYYYMMDD-hhmmss}` | the date as written so: `YYYY`, `YY`, `MM`, `DD`, `hh`, `mm`, `ss`, and other characters |
//! | `{year}`, `{month}`, `{day}` | `2024`, `05`, `31` |
//! | `{folder}` | the name of the folder that the file lies in |
//! | `{{`, `}}` | a brace |

use deskhand_sdk::time::DateTime;
use std::fmt;

/// A pattern, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Extension,
    Number(usize),
    Date(Vec<Field>),
    Folder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Year,
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Text(char),
}

/// What is wrong with a pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPattern {
    pattern: String,
    /// The place, in characters from 0.
    pub at: usize,
    why: String,
}

impl fmt::Display for NotAPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, at, why } = self;
        write!(f, "The pattern cannot be read at character {}: {why}.\n  {pattern}\n  {}^", at + 1, " ".repeat(*at))
    }
}

impl std::error::Error for NotAPattern {}

/// What a pattern is filled in with.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The old name without its extension.
    pub name: &'a str,
    /// The old extension, with its dot; or empty.
    pub extension: &'a str,
    /// The number.
    pub number: u64,
    /// The date.
    pub moment: Option<DateTime>,
    /// The name of the folder.
    pub folder: &'a str,
}

impl Pattern {
    /// Reads a pattern.
    pub fn read(pattern: &str) -> Result<Self, NotAPattern> {
        let chars: Vec<char> = pattern.chars().collect();
        let wrong = |at: usize, why: &str| NotAPattern { pattern: pattern.to_owned(), at, why: why.to_owned() };
        let mut parts: Vec<Part> = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        while let Some(c) = chars.get(at) {
            match (c, chars.get(at + 1)) {
                ('{', Some('{')) | ('}', Some('}')) => {
                    text.push(*c);
                    at += 2;
                }
                ('{', _) => {
                    let end = chars[at..].iter().position(|c| *c == '}').map(|length| at + length);
                    let end =
                        end.ok_or_else(|| wrong(at, "this brace is never closed; write `{{` for a brace in a name"))?;
                    let inner: String = chars[at + 1..end].iter().collect();
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(part(&inner).map_err(|(offset, why)| wrong(at + 1 + offset, &why))?);
                    at = end + 1;
                }
                ('}', _) => return Err(wrong(at, "this brace was never opened; write `}}` for a brace in a name")),
                ('/', _) => return Err(wrong(at, "a name cannot hold `/`; files stay in their folder")),
                (c, _) if c.is_control() => return Err(wrong(at, "a name should hold no control character")),
                (c, _) => {
                    text.push(*c);
                    at += 1;
                }
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if parts.is_empty() {
            return Err(wrong(0, "it is empty; write for example `Holiday {n:3}`"));
        }
        Ok(Self(parts))
    }

    /// `{date} {name}`.
    pub fn prefix_date() -> Self {
        let date = [Field::Year, Field::Text('-'), Field::Month, Field::Text('-'), Field::Day];
        Self(vec![Part::Date(date.to_vec()), Part::Text(" ".to_owned()), Part::Name])
    }

    /// `{n} {name}`.
    pub fn prefix_number() -> Self {
        Self(vec![Part::Number(1), Part::Text(" ".to_owned()), Part::Name])
    }

    /// True if it gives the extension as well.
    pub fn has_extension(&self) -> bool {
        self.0.contains(&Part::Extension)
    }

    /// True if it holds a number.
    pub fn has_number(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Number(_)))
    }

    /// True if it takes the date of a file.
    pub fn has_date(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Date(_)))
    }

    /// True if it gives all files of a folder the same name.
    pub fn is_constant(&self) -> bool {
        !self.0.contains(&Part::Name) && !self.has_number() && !self.has_date()
    }

    /// This with numbers of at least so many digits.
    #[must_use]
    pub fn with_digits(mut self, digits: usize) -> Self {
        for part in &mut self.0 {
            if let Part::Number(given) = part {
                *given = digits.max(*given);
            }
        }
        self
    }

    /// This with a number at its end, or before the dot of the extension if it gives one.
    #[must_use]
    pub fn with_number(mut self, digits: usize) -> Self {
        let mut number = vec![Part::Text(" ".to_owned()), Part::Number(digits)];
        match self.0.iter().position(|part| *part == Part::Extension) {
            Some(at) if at > 0 => {
                if let Some(Part::Text(text)) = self.0.get_mut(at - 1)
                    && text.ends_with('.')
                {
                    text.pop();
                    number.push(Part::Text(".".to_owned()));
                }
                self.0.splice(at..at, number);
            }
            _ => self.0.extend(number),
        }
        self
    }

    /// The name, without its extension unless the pattern gives it. None if a date is needed and there is none.
    pub fn fill(&self, values: &Values<'_>) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name => out.push_str(values.name),
                Part::Extension => out.push_str(values.extension.trim_start_matches('.')),
                Part::Number(digits) => out.push_str(&format!("{:0digits$}", values.number)),
                Part::Folder => out.push_str(values.folder),
                Part::Date(fields) => {
                    let moment = values.moment?;
                    for field in fields {
                        match field {
                            Field::Year => out.push_str(&format!("{:04}", moment.date.year)),
                            Field::ShortYear => out.push_str(&format!("{:02}", moment.date.year.rem_euclid(100))),
                            Field::Month => out.push_str(&format!("{:02}", moment.date.month)),
                            Field::Day => out.push_str(&format!("{:02}", moment.date.day)),
                            Field::Hour => out.push_str(&format!("{:02}", moment.hour)),
                            Field::Minute => out.push_str(&format!("{:02}", moment.minute)),
                            Field::Second => out.push_str(&format!("{:02}", moment.second)),
                            Field::Text(c) => out.push(*c),
                        }
                    }
                }
            }
        }
        Some(out)
    }
}

/// What stands between two braces; or what is wrong, and how far in.
fn part(inner: &str) -> Result<Part, (usize, String)> {
    let (word, format) = inner.split_once(':').map_or((inner, None), |(word, format)| (word, Some(format)));
    let after = word.chars().count() + 1;
    let plain = |part: Part| match format {
        None => Ok(part),
        Some(_) => Err((after - 1, format!("`{{{word}}}` takes nothing after it"))),
    };
    match word {
        "name" => plain(Part::Name),
        "ext" => plain(Part::Extension),
        "folder" => plain(Part::Folder),
        "year" => plain(Part::Date(vec![Field::Year])),
        "month" => plain(Part::Date(vec![Field::Month])),
        "day" => plain(Part::Date(vec![Field::Day])),
        "time" => plain(Part::Date(fields("hh.mm.ss").map_err(|(at, why)| (after + at, why))?)),
        "date" => Ok(Part::Date(fields(format.unwrap_or("YYYY-MM-DD")).map_err(|(at, why)| (after + at, why))?)),
        "n" => match format.map(str::parse::<usize>) {
            None => Ok(Part::Number(1)),
            Some(Ok(digits @ 1..=12)) => Ok(Part::Number(digits)),
            Some(_) => Err((after, "the number of digits is 1 to 12, such as `{n:3}`".to_owned())),
        },
        _ => Err((
            0,
            format!(
                "`{{{word}}}` is not known; there are {{name}}, {{ext}}, {{n}}, {{date}}, {{time}}, {{year}}, {{month}}, {{day}}, {{folder}}"
            ),
        )),
    }
}

fn fields(format: &str) -> Result<Vec<Field>, (usize, String)> {
    let mut fields = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let known = [
            ("YYYY", Field::Year),
            ("YY", Field::ShortYear),
            ("MM", Field::Month),
            ("DD", Field::Day),
            ("hh", Field::Hour),
            ("mm", Field::Minute),
            ("ss", Field::Second),
        ];
        let at = format.chars().count() - rest.chars().count();
        match known.into_iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, field)) => {
                fields.push(field);
                rest = &rest[word.len()..];
            }
            None if c.is_ascii_alphabetic() || c == '{' || c == '/' || c.is_control() => {
                return Err((
                    at,
                    format!("a date is written with YYYY, YY, MM, DD, hh, mm and ss, and `{c}` is none of these"),
                ));
            }
            None => {
                fields.push(Field::Text(c));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    if fields.is_empty() {
        Err((0, "say how the date is written, such as `{date:YYYY-MM}`".to_owned()))
    } else {
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(pattern: &str) -> String {
        let moment = "2024-05-31T18:02:11".parse().ok();
        let values = Values { name: "IMG_1", extension: ".jpg", number: 7, moment, folder: "Trip" };
        Pattern::read(pattern).unwrap().fill(&values).unwrap()
    }

    #[test]
    fn patterns() {
        for (pattern, expected) in [
            ("Holiday {n:3}", "Holiday 007"),
            ("{date} {name}", "2024-05-31 IMG_1"),
            ("{date:YYYYMMDD-hhmmss}_{n}", "20240531-180211_7"),
            ("{date:DD.MM.YY}", "31.05.24"),
            ("{year}/".trim_end_matches('/'), "2024"),
            ("{month}{day} {time}", "0531 18.02.11"),
            ("{folder}-{name}.{ext}", "Trip-IMG_1.jpg"),
            ("{{x}} ü", "{x} ü"),
        ] {
            assert_eq!(fill(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn prefixes_are_the_patterns_that_they_say() {
        assert_eq!(Pattern::read("{date} {name}"), Ok(Pattern::prefix_date()));
        assert_eq!(Pattern::read("{n} {name}"), Ok(Pattern::prefix_number()));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let error = |pattern: &str| Pattern::read(pattern).unwrap_err().to_string();
        assert_eq!(
            error("Höhe {datum}"),
            "The pattern cannot be read at character 7: `{datum}` is not known; there are {name}, {ext}, {n}, {date}, {time}, \
             {year}, {month}, {day}, {folder}.\n  Höhe {datum}\n        ^"
        );
        for (pattern, at) in [
            ("", 0),
            ("a{n", 1),
            ("a}b", 1),
            ("a/b", 1),
            ("{n:0}", 3),
            ("{n:x}", 3),
            ("{n:13}", 3),
            ("{name:3}", 5),
            ("{date:YYYY/MM}", 10),
            ("{date:}", 6),
            ("{date:YYYY-WW}", 11),
            ("a\nb", 1),
            ("{}", 1),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap_err().at, at, "{pattern}");
        }
    }

    #[test]
    fn numbers_are_added_where_all_names_would_be_one() {
        let filled = |pattern: &str| {
            let values = Values { name: "x", extension: ".jpg", number: 7, moment: None, folder: "Trip" };
            let pattern = Pattern::read(pattern).unwrap();
            assert!(pattern.is_constant());
            pattern.with_number(2).fill(&values).unwrap()
        };
        assert_eq!(
            ["Holiday", "{folder}", "a.{ext}", "{ext}"].map(filled),
            ["Holiday 07", "Trip 07", "a 07.jpg", "jpg 07"]
        );
    }

    #[test]
    fn a_date_that_is_missing_is_not_made_up() {
        let values = Values { name: "x", extension: "", number: 1, moment: None, folder: "Trip" };
        assert_eq!(Pattern::read("{name} {year}").unwrap().fill(&values), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(pattern in "[{}:nameYdt/ ü]{0,12}") {
            let _ = Pattern::read(&pattern);
        }
    }
}
