//! Memory: how long it takes to find notes among very many.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    place::Place,
};
use anyhow::{Context as _, Result, ensure};
use deskhand_records::{Draft, NoteOrigin, NoteScope, Records, Within};
use deskhand_vocabulary::{Labels, SystemClock};
use rusqlite::Connection;
use std::{sync::Arc, time::Instant};

const NOTES: usize = 100_000;
const SEARCHES: usize = 200;
/// The words that notes are made of, the first of them the most frequent, as in any language (Zipf).
const WORDS: u64 = 20_000;
/// The words of a note, and of a search.
const LONG: usize = 15;
const SHORT: usize = 3;
const LIMIT: u64 = 10;

/// Numbers that only look random, the same in every run (xorshift, Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A word: each the rarer the higher its number.
    fn word(&mut self) -> String {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a word"
        )]
        let rank = (WORDS as f64).powf((self.next() % 1_000_000) as f64 / 1e6) as u64;
        format!("word{rank}")
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let folder = place.at("memory");
    let records = Records::open(&folder.join("log.db"), Arc::new(SystemClock))?;
    let plain = Connection::open(folder.join("plain.db"))?;
    plain.execute_batch("CREATE VIRTUAL TABLE notes USING fts5(text); BEGIN;")?;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut drafts = Vec::with_capacity(NOTES);
    for _ in 0..NOTES {
        let text = numbers.words(LONG);
        plain.execute("INSERT INTO notes VALUES (?1)", [&text])?;
        let (scope, origin, labels) = (NoteScope::All, NoteOrigin::Person, Labels::default());
        drafts
            .push((Draft { text: text.parse()?, scope, origin, task: None, labels }, "2026-01-01T00:00:00Z".parse()?));
    }
    plain.execute_batch("COMMIT")?;
    records.memory().import(drafts).context("the notes")?;
    let within = Within::Folders(vec!["/home/ada/Bills".to_owned()]);
    let (mut ours, mut beside) = (Samples::default(), Samples::default());
    for _ in 0..SEARCHES {
        let words = numbers.words(SHORT);
        let start = Instant::now();
        let found = records.memory().search(&words, &within, LIMIT)?;
        ours.add(start.elapsed().as_secs_f64() * 1e3);
        ensure!(!found.is_empty(), "{words}: no note holds any of it");
        let start = Instant::now();
        // the same words, all or any of them
        let query = words.replace(' ', " OR ");
        let mut statement =
            plain.prepare_cached("SELECT text FROM notes WHERE notes MATCH ?1 ORDER BY rank LIMIT ?2")?;
        let texts = statement.query_map((&query, LIMIT.cast_signed()), |row| row.get::<_, String>(0))?;
        ensure!(texts.count() > 0, "{words}: the plain table has none");
        beside.add(start.elapsed().as_secs_f64() * 1e3);
    }
    let reference = "the same words in a plain FTS5 table";
    Ok(vec![
        Figure::new("recall over 100,000 notes", Unit::Milliseconds, ours.clone(), Bar::Most(10.0))
            .beside(reference, beside.clone()),
        Figure::new("recall over 100,000 notes, p99", Unit::Milliseconds, ours, Bar::None)
            .part(0.99)
            .beside(reference, beside),
    ])
}
