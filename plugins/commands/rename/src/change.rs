//! How one name becomes another: text is replaced, a pattern is filled in, spaces and case are changed, in this order.

use crate::pattern::{Pattern, Values};
use deskhand_filing::name::{MAX_BYTES, byte_len};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How letters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "lowercase": ["lower case", "small letters", "lowercased", "kleinbuchstaben", "kleinschreibung", "klein schreiben"],
    "uppercase": ["upper case", "capital letters", "capitals", "uppercased", "großbuchstaben", "groß schreiben"],
    "titlecase": ["title case", "capitalized", "capitalised"]
}))]
pub enum Case {
    /// all small
    Lowercase,
    /// ALL CAPITAL
    Uppercase,
    /// The First Letter Of Each Word Capital
    Titlecase,
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Self::Lowercase => text.to_lowercase(),
            Self::Uppercase => text.to_uppercase(),
            Self::Titlecase => {
                let mut out = String::with_capacity(text.len());
                let mut inside = false;
                for c in text.chars() {
                    match inside {
                        true => out.extend(c.to_lowercase()),
                        false => out.extend(c.to_uppercase()),
                    }
                    inside = c.is_alphanumeric() || c == '\'' || c == '’';
                }
                out
            }
        }
    }
}

/// What names are changed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A text, and what stands in its place.
    pub replace: Option<(String, String)>,
    /// A new name.
    pub pattern: Option<Pattern>,
    /// A date or a number in front of the name, once: not where it stands already.
    pub prefix: bool,
    /// What stands in place of spaces.
    pub spaces: Option<String>,
    /// How the letters of the name are written.
    pub case: Option<Case>,
    /// How the letters of the extension are written.
    pub extension: Option<Case>,
}

/// Why a file cannot have the new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAName {
    /// The pattern takes a date, and the file has none.
    Undated,
    /// Nothing would be left of it.
    Empty,
    /// It would begin with a dot, and so be hidden or mean another folder.
    Hidden,
    /// It would have a `/` or a NUL in it.
    Forbidden,
    /// It would have over 255 bytes.
    TooLong,
}

impl NotAName {
    /// Completes `the new name of … `.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Undated => "needs a date, which the file does not have",
            Self::Empty => "would be empty",
            Self::Hidden => "would begin with a dot, which hides a file",
            Self::Forbidden => "would hold a character that no name can hold",
            Self::TooLong => "would be longer than 255 bytes",
        }
    }
}

impl Change {
    /// True if nothing is changed.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The new name of a file.
    pub fn of(&self, values: &Values<'_>) -> Result<String, NotAName> {
        let replaced = self.replace.as_ref().map(|(old, new)| values.name.replace(old.as_str(), new));
        let mut stem = replaced.unwrap_or_else(|| values.name.to_owned());
        let mut extension = values.extension.to_owned();
        if let Some(pattern) = &self.pattern {
            let name = if self.prefix { without_prefix(pattern, &stem, values)? } else { stem };
            stem = pattern.fill(&Values { name: &name, ..*values }).ok_or(NotAName::Undated)?;
            if pattern.has_extension() {
                let (front, back) = deskhand_filing::name::split(&stem);
                (stem, extension) = (front.to_owned(), back.to_owned());
            }
        }
        if let Some(instead) = &self.spaces {
            stem = stem.trim().replace(' ', instead);
        }
        if let Some(case) = self.case {
            stem = case.of(&stem);
        }
        if let Some(case) = self.extension {
            extension = case.of(&extension);
        }
        // an unchanged name is left as it is, with the spaces that it may begin or end with
        let name = if stem == values.name { stem } else { stem.trim().to_owned() };
        let whole = format!("{name}{extension}");
        check(&name, &whole, values)?;
        Ok(whole)
    }
}

/// `stem` without what the pattern (`{date} {name}`, `{n:2} {name}`) is going to put in front of it.
fn without_prefix(pattern: &Pattern, stem: &str, values: &Values<'_>) -> Result<String, NotAName> {
    let prefix = pattern.fill(&Values { name: "", ..*values }).ok_or(NotAName::Undated)?;
    let prefix = prefix.trim_end();
    let rest = stem.strip_prefix(prefix).or_else(|| {
        // a date may be written without its hyphens
        let compact: String = prefix.chars().filter(|c| *c != '-').collect();
        stem.strip_prefix(&compact).filter(|_| pattern.has_date())
    });
    Ok(match rest {
        Some(rest) if !rest.starts_with(|c: char| c.is_alphanumeric()) => {
            rest.trim_start_matches([' ', '_', '-']).to_owned()
        }
        _ => stem.to_owned(),
    })
}

fn check(name: &str, whole: &str, values: &Values<'_>) -> Result<(), NotAName> {
    if name.is_empty() {
        return Err(NotAName::Empty);
    }
    if name.starts_with('.') && !values.name.starts_with('.') {
        return Err(NotAName::Hidden);
    }
    if whole.contains(['/', '\0', '\u{f72f}', '\u{f700}']) {
        return Err(NotAName::Forbidden);
    }
    if byte_len(whole) > MAX_BYTES {
        return Err(NotAName::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: &Change, name: &str) -> Result<String, NotAName> {
        let (stem, extension) = deskhand_filing::name::split(name);
        let moment = "2024-05-31T18:02:11".parse().ok();
        change.of(&Values { name: stem, extension, number: 7, moment, folder: "Trip" })
    }

    fn pattern(pattern: &str, prefix: bool) -> Change {
        Change { pattern: Some(Pattern::read(pattern).unwrap()), prefix, ..Change::default() }
    }

    #[test]
    fn names_change() {
        let replace = |old: &str, new: &str| Change { replace: Some((old.into(), new.into())), ..Change::default() };
        let case = |case| Change { case: Some(case), ..Change::default() };
        for (change, name, expected) in [
            (replace("IMG_", "Photo "), "IMG_1.jpg", "Photo 1.jpg"),
            (replace("jpg", "x"), "jpg.jpg", "x.jpg"),
            (pattern("{date} {name}", false), "a.tar.gz", "2024-05-31 a.tar.gz"),
            (pattern("{n:3}.{ext}", false), "a.JPG", "007.JPG"),
            (pattern("{date} {name}", true), "2024-05-31 a.jpg", "2024-05-31 a.jpg"),
            (pattern("{date} {name}", true), "20240531_a.jpg", "2024-05-31 a.jpg"),
            (pattern("{date} {name}", true), "2024-05-31.jpg", "2024-05-31.jpg"),
            (pattern("{n:2} {name}", true), "07 a.jpg", "07 a.jpg"),
            (pattern("{n:2} {name}", true), "07a.jpg", "07 07a.jpg"),
            (Change { spaces: Some("-".into()), ..Change::default() }, " a b  c.jpg", "a-b--c.jpg"),
            (case(Case::Lowercase), "ÄB C.JPG", "äb c.JPG"),
            (case(Case::Uppercase), "straße.jpg", "STRASSE.jpg"),
            (case(Case::Titlecase), "don't PANIC über-all.jpg", "Don't Panic Über-All.jpg"),
            (Change { extension: Some(Case::Lowercase), ..Change::default() }, "A.JPG", "A.jpg"),
            (replace("x", "y"), "  kept .jpg", "  kept .jpg"),
        ] {
            assert_eq!(of(&change, name).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn names_that_cannot_be() {
        let replace = |old: &str, new: &str| Change { replace: Some((old.into(), new.into())), ..Change::default() };
        for (change, name, expected) in [
            (replace("a", ""), "a.jpg", NotAName::Empty),
            (replace("a", "."), "a.jpg", NotAName::Hidden),
            (replace("a", ".."), "a", NotAName::Hidden),
            (replace("a", "x/y"), "a.jpg", NotAName::Forbidden),
            (replace("a", "\u{f72f}"), "a.jpg", NotAName::Forbidden),
            (replace("a", &"ü".repeat(126)), "a.jpg", NotAName::TooLong),
        ] {
            assert_eq!(of(&change, name), Err(expected), "{name}");
        }
        assert_eq!(of(&replace("a", &"\u{f7ff}".repeat(251)), "a.jpg").map(|name| byte_len(&name)), Ok(255));
    }
}
