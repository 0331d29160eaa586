//! The languages of folder names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language for the names of folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "english": ["englisch", "englischen", "englische"],
    "german": ["deutsch", "deutschen", "deutsche"]
}))]
pub enum Language {
    /// `Pictures`, `Documents` …
    #[default]
    English,
    /// `Bilder`, `Dokumente` …
    German,
}

impl Language {
    /// All of them; the first is the one for people whose own is missing.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language of a locale, as BCP 47 (`de-AT`) or POSIX (`de_AT.UTF-8`) write it.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("de") { Self::German } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales() {
        let german = ["de", "de-AT", "de_DE.UTF-8", "DE"].map(Language::of_locale);
        assert_eq!(german, [Language::German; 4]);
        assert_eq!(["", "C", "en-GB", "den", "fr"].map(Language::of_locale), [Language::English; 5]);
    }
}
