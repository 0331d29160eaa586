//! Which folder a file belongs into.
//!
//! `by type and date` gives `Pictures/2024/2024-05`, `by date` alone `2024/2024-05`, `by year` `2024`. The month is
//! written with its year, so that a folder says what it holds wherever it lies, and in order of time.

use crate::{language::Language, types::Type};
use deskhand_filing::name::{key, split, without_number};
use deskhand_sdk::time::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization as _;

/// What files are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "type": [
        "kind", "file type", "file kind", "file types", "extension", "file extension", "format", "file format", "category",
        "media type", "typ", "art", "dateityp", "dateiart", "dateiendung", "endung", "sorte",
        "pictures with the pictures", "pictures with pictures", "photos with photos", "images with images", "docs with docs",
        "documents with documents", "music with music", "music with the music", "videos with videos", "text with text",
        "pdfs with pdfs", "pdfs with the pdfs", "bilder zu bildern", "pdfs zu pdfs", "videos zu videos", "musik zu musik",
        "categories", "kategorie", "kategorien", "formaten", "dateiformat", "arten", "typen", "dateitypen", "endungen"
    ],
    "date": [
        "time", "age", "year and month", "date taken", "capture date", "creation date", "modification date", "when",
        "datum", "aufnahmedatum", "erstelldatum", "alter", "jahr und monat"
    ],
    "year": ["years", "jahr", "jahren", "annual", "jahrweise", "jahrgang"],
    "month": ["months", "monat", "monaten", "january february", "januar februar"],
    "name": [
        "letter", "a b c", "first letter", "initial", "alphabet", "alphabetically", "namen", "anfangsbuchstabe", "anfangsbuchstaben",
        "alphabetisch"
    ],
    "size": ["file size", "how large", "how big", "large files", "big files", "small files", "small medium large", "größe", "dateigröße", "groesse"]
}))]
pub enum Key {
    /// Pictures, documents, music and so on.
    Type,
    /// The year, and within it the month.
    Date,
    /// The year.
    Year,
    /// The month, with its year.
    Month,
    /// The first letter of the name.
    Name,
    /// How large the file is.
    Size,
}

impl Key {
    /// In a title: `by type and date`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Date => "date",
            Self::Year => "year",
            Self::Month => "month",
            Self::Name => "name",
            Self::Size => "size",
        }
    }

    /// True if it needs the date of a file.
    pub const fn is_date(self) -> bool {
        matches!(self, Self::Date | Self::Year | Self::Month)
    }
}

/// What decides on the folder of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What kind it is.
    pub kind: Type,
    /// Its date, in the person's time zone; none if it has none that can be believed.
    pub moment: Option<DateTime>,
    /// In bytes.
    pub size: u64,
}

/// A folder as it is wanted: its name, and names that mean the same where such a folder is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The name for a new folder.
    pub name: String,
    /// What it may be called already.
    pub also: Vec<&'static str>,
}

impl Folder {
    /// A folder with one name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), also: Vec::new() }
    }

    fn in_languages(language: Language, name: impl Fn(Language) -> &'static str) -> Self {
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        Self { name: name(language).to_owned(), also: others.map(&name).collect() }
    }
}

/// The folders for a file, the outermost first.
pub fn folders(by: &[Key], language: Language, name: &str, traits: &Traits) -> Vec<Folder> {
    let mut folders = Vec::with_capacity(by.len() + 1);
    let mut undated = false;
    for by in by {
        let date = traits.moment.map(|moment| moment.date);
        match (by, date) {
            (Key::Type, _) => folders.push(Folder::in_languages(language, |language| traits.kind.folder(language))),
            (Key::Name, _) => folders.push(letter(language, name)),
            (Key::Size, _) => folders.push(Folder::in_languages(language, |language| size(language, traits.size))),
            (Key::Date | Key::Year | Key::Month, None) => {
                if !undated {
                    folders.push(Folder::in_languages(language, undated_folder));
                }
                undated = true;
            }
            (Key::Year, Some(date)) => folders.push(Folder::named(format!("{:04}", date.year))),
            (Key::Month, Some(date)) => folders.push(Folder::named(format!("{:04}-{:02}", date.year, date.month))),
            (Key::Date, Some(date)) => {
                folders.push(Folder::named(format!("{:04}", date.year)));
                folders.push(Folder::named(format!("{:04}-{:02}", date.year, date.month)));
            }
        }
    }
    folders
}

/// The names of the folders that sorting makes.
#[derive(Clone, Debug)]
pub struct FolderNames {
    keys: HashSet<String>,
    dates: bool,
    letters: bool,
}

impl FolderNames {
    /// Those that sorting by these keys into these folders can make.
    pub fn of(by: &[Key], into: &[String]) -> Self {
        let in_languages = |name: fn(Language) -> &'static str| Language::ALL.map(name);
        let mut keys: HashSet<String> = into.iter().map(|folder| key(folder)).collect();
        for by in by {
            match by {
                Key::Type => {
                    let names = |language: Language| Type::ALL.map(|kind| key(kind.folder(language)));
                    keys.extend(Language::ALL.into_iter().flat_map(names));
                }
                Key::Date | Key::Year | Key::Month => keys.extend(in_languages(undated_folder).map(key)),
                Key::Name => {
                    keys.insert("0-9".to_owned());
                    keys.extend(in_languages(|language| Type::Other.folder(language)).map(key));
                }
                Key::Size => keys.extend(SIZES.iter().flatten().map(|folder| key(folder))),
            }
        }
        Self { keys, dates: by.iter().any(|key| key.is_date()), letters: by.contains(&Key::Name) }
    }

    /// True if `name`, or what it is without a number at its end, is one of them.
    pub fn contains(&self, name: &str) -> bool {
        let name = key(without_number(name));
        let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        let month = || name.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2));
        self.keys.contains(&name)
            || (self.dates && (digits(&name, 4) || month()))
            || (self.letters && name.chars().count() == 1)
    }
}

/// What a list of keys comes to: nothing twice, and no year or month that the date has already.
pub fn without_repeats(by: &[Key]) -> Vec<Key> {
    let mut kept: Vec<Key> = Vec::with_capacity(by.len());
    for key in by {
        let covered = matches!(key, Key::Year | Key::Month) && by.contains(&Key::Date);
        if !kept.contains(key) && !covered {
            kept.push(*key);
        }
    }
    kept
}

const fn undated_folder(language: Language) -> &'static str {
    match language {
        Language::English => "No date",
        Language::German => "Ohne Datum",
    }
}

/// The folder of a first letter: without its accent, or `0-9`, or one for the rest.
fn letter(language: Language, name: &str) -> Folder {
    let first = without_number(split(name).0).nfd().find(|c| c.is_alphanumeric());
    match first {
        Some(c) if c.is_numeric() => Folder::named("0-9"),
        Some(c) if c.is_lowercase() || c.is_uppercase() => Folder::named(c.to_uppercase().take(1).collect::<String>()),
        _ => Folder::in_languages(language, |language| Type::Other.folder(language)),
    }
}

/// In English and German.
const SIZES: [[&str; 2]; 5] = [
    ["Under 1 MB", "Unter 1 MB"],
    ["1 to 10 MB", "1 bis 10 MB"],
    ["10 to 100 MB", "10 bis 100 MB"],
    ["100 MB to 1 GB", "100 MB bis 1 GB"],
    ["1 GB and more", "1 GB und mehr"],
];

const fn size(language: Language, bytes: u64) -> &'static str {
    let [english, german] = match bytes {
        0..1_000_000 => SIZES[0],
        1_000_000..10_000_000 => SIZES[1],
        10_000_000..100_000_000 => SIZES[2],
        100_000_000..1_000_000_000 => SIZES[3],
        1_000_000_000.. => SIZES[4],
    };
    match language {
        Language::English => english,
        Language::German => german,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(by: &[Key], name: &str, moment: Option<&str>) -> String {
        let moment = moment.map(|text| text.parse().unwrap());
        let traits = Traits { kind: Type::Pictures, moment, size: 2_500_000 };
        let folders = folders(by, Language::English, name, &traits);
        folders.into_iter().map(|folder| folder.name).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn layouts() {
        let moment = Some("2024-05-31T18:02:11");
        for (by, expected) in [
            (&[Key::Type, Key::Date][..], "Pictures/2024/2024-05"),
            (&[Key::Date, Key::Type], "2024/2024-05/Pictures"),
            (&[Key::Type], "Pictures"),
            (&[Key::Year, Key::Month], "2024/2024-05"),
            (&[Key::Month], "2024-05"),
            (&[Key::Name, Key::Size], "U/1 to 10 MB"),
        ] {
            assert_eq!(path(by, "Übersicht.jpg", moment), expected);
        }
        assert_eq!(path(&[Key::Type, Key::Year, Key::Month], "a", None), "Pictures/No date");
        assert_eq!(
            ["2 a", "_x.jpg", "日本", "ßa", "_ (2).jpg", "Ωx"].map(|name| path(&[Key::Name], name, None)),
            ["0-9", "X", "Other", "S", "Other", "Ω"]
        );
    }

    #[test]
    fn names_of_folders() {
        let is = |by: &[Key], name: &str| FolderNames::of(by, &["Sorted".to_owned()]).contains(name);
        let by = [Key::Type, Key::Date];
        for name in ["pictures", "Bilder (2)", "2024", "2024-05", "No date", "sorted"] {
            assert!(is(&by, name), "{name}");
        }
        for name in ["pictures.jpg", "2024.pdf", "20245", "2024-5", "A", "Under 1 MB"] {
            assert!(!is(&by, name), "{name}");
        }
        assert!(is(&[Key::Name], "a") && is(&[Key::Size], "under 1 mb") && !is(&[Key::Size], "2024"));
    }

    #[test]
    fn repeats() {
        use Key::*;
        assert_eq!(without_repeats(&[Type, Year, Date, Type, Month]), [Type, Date]);
        assert_eq!(without_repeats(&[Year, Month, Year]), [Year, Month]);
    }

    #[test]
    fn a_folder_in_the_other_language_will_do() {
        let traits = Traits { kind: Type::Documents, moment: None, size: 0 };
        assert_eq!(
            folders(&[Key::Type, Key::Date], Language::German, "a", &traits),
            [
                Folder { name: "Dokumente".into(), also: vec!["Documents"] },
                Folder { name: "Ohne Datum".into(), also: vec!["No date"] },
            ]
        );
    }
}
