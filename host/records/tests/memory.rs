//! Notes: what holds for what, found by their words, and gone for good once they are forgotten.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, all, at, holds};
use deskhand_records::{
    Draft, MemoryError, Note, NoteOrigin, NoteScope, Records, RecordsError, Verification, Within,
    memory::{MAX_NOTES, MAX_OF_TASK},
};
use deskhand_vocabulary::{Event, Labels};
use rusqlite::Connection;
use serde_json::json;

fn folder(path: &str) -> NoteScope {
    NoteScope::Folder { folder: path.to_owned() }
}

fn draft(text: &str, scope: NoteScope) -> Draft {
    Draft { text: text.parse().unwrap(), scope, origin: NoteOrigin::Person, task: None, labels: Labels::default() }
}

fn keep(records: &Records, text: &str, scope: NoteScope) -> Note {
    records.memory().remember(draft(text, scope)).unwrap().note
}

fn ids(notes: &[Note]) -> Vec<u64> {
    notes.iter().map(|note| note.id).collect()
}

#[test]
fn a_note_is_kept_edited_and_forgotten_and_each_is_on_record() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({})).unwrap();
    let origin = NoteOrigin::Model { model: "good".into() };
    let labels = Labels::of_what_was_read();
    let kept = records
        .memory()
        .remember(Draft {
            origin: origin.clone(),
            task: Some(task),
            labels: labels.clone(),
            ..draft("Ada pays.", NoteScope::All)
        })
        .unwrap();
    assert!(kept.new);
    let expected = Note {
        id: 1,
        text: "Ada pays.".parse().unwrap(),
        scope: NoteScope::All,
        origin,
        task: Some(task),
        labels,
        made: at(2),
        changed: at(2),
    };
    assert_eq!((&kept.note, &records.memory().get(1).unwrap()), (&expected, &expected));
    // the same again is the same note
    let again = records.memory().remember(draft("Ada pays.", NoteScope::All)).unwrap();
    assert_eq!((again.new, again.note.id), (false, 1));
    assert_eq!(ids(&records.memory().of_task(task).unwrap()), [1]);

    // edited by the person, it is theirs
    let edited = records.memory().edit(&expected, "Bo pays.".parse().unwrap()).unwrap();
    assert_eq!(
        (edited.text.as_ref(), &edited.origin, edited.labels.is_empty()),
        ("Bo pays.", &NoteOrigin::Person, true)
    );
    assert_eq!(records.memory().edit(&expected, "Cy pays.".parse().unwrap()), Err(MemoryError::Changed { id: 1 }));
    assert_eq!(ids(&records.memory().search("ada", &Within::Everything, 9).unwrap()), [] as [u64; 0]);
    assert_eq!(ids(&records.memory().search("BO", &Within::Everything, 9).unwrap()), [1]);

    assert_eq!(records.memory().forget(&[1]).unwrap(), std::slice::from_ref(&edited));
    assert_eq!(records.memory().forget(&[1]), Err(MemoryError::Unknown { id: 1 }));
    assert_eq!(keep(&records, "Ada pays.", NoteScope::All).id, 2, "a number is not used again");
    let changes: Vec<(Option<u64>, String)> = all(&records)
        .into_iter()
        .filter_map(|event| match event.event {
            Event::Memory { note, change, scope } => {
                Some((event.task.map(|task| task.0), format!("{change} {note} {scope}")))
            }
            _ => None,
        })
        .collect();
    let expected =
        [(Some(1), "remembered 1 all"), (None, "edited 1 all"), (None, "forgotten 1 all"), (None, "remembered 2 all")];
    assert_eq!(changes, expected.map(|(task, change)| (task, change.to_owned())));
    assert!(matches!(records.verify().unwrap(), Verification::Whole { .. }));
}

#[test]
fn forgotten_words_are_in_no_file_and_not_in_the_index() {
    let home = Home::new();
    let records = home.open();
    // many others, so that the index has pages of its own and has been merged
    let import = |texts: &mut dyn Iterator<Item = String>| {
        let drafts = texts.map(|text| (draft(&text, NoteScope::All), at(0))).collect();
        records.memory().import(drafts).unwrap();
    };
    for hundred in 0..30 {
        import(&mut (hundred * 100..).take(100).map(|n| format!("note {n} about zebra{n} and quagga")));
    }
    let secret = keep(&records, "the okapi sleeps in Wuppertal", folder("/home/ada/okapis"));
    let edited = keep(&records, "the tapir sleeps in Remscheid", NoteScope::All);
    for fifty in 0..10 {
        import(&mut (fifty * 50..).take(50).map(|n| format!("later {n}")));
    }
    for word in ["okapi", "wuppertal", "tapir"] {
        assert!(holds(&home.bytes().to_ascii_lowercase(), word.as_bytes()), "{word} is in a file before");
    }
    records.memory().forget(&[secret.id]).unwrap();
    records.memory().edit(&edited, "nothing of the kind".parse().unwrap()).unwrap();
    let bytes = home.bytes().to_ascii_lowercase();
    // the index may store a word without what it shares with the one before it
    for word in ["okapi", "kapi", "wuppertal", "ppertal", "tapir", "apir", "remscheid", "mscheid"] {
        assert!(!holds(&bytes, word.as_bytes()), "{word} is left");
    }
    let found = records.memory().search("zebra77 about", &Within::Everything, 9).unwrap();
    assert_eq!(found[0].text.as_ref(), "note 77 about zebra77 and quagga");
    let integrity = Connection::open(home.file()).unwrap();
    integrity.execute("INSERT INTO notes_words (notes_words, rank) VALUES ('integrity-check', 1)", []).unwrap();
}

#[test]
fn whatever_stands_in_a_search_is_words() {
    let home = Home::new();
    let records = home.open();
    let note = keep(&records, "Invoice (2026) AND \"order\": NEAR Grüße 写真を整理", NoteScope::All);
    let other = keep(&records, "Another thing", NoteScope::All);
    let found = |words: &str| ids(&records.memory().search(words, &Within::Everything, 9).unwrap());
    for words in [
        "invoice",
        "INVOICE 2026",
        "\"order\"",
        "gru\u{308}ße",
        "gruße",
        "NEAR(order invoice)",
        "inv*",
        "-order",
        "text:order",
        "写真を整理",
        "整理",
        "^invoice {x}",
        "order OR 'a'); DROP TABLE notes; --",
    ] {
        assert_eq!(found(words), [note.id], "{words}");
    }
    // what is no word at all: the newest
    for words in ["", "\"", "*", "((((", "AND\0", "\u{1b}[2J", "'; --"] {
        let all = found(words);
        assert!(all == [other.id, note.id] || all == [note.id] || all.is_empty(), "{words:?}: {all:?}");
    }
    assert_eq!(found(&"(".repeat(100_000)), [other.id, note.id]);
    assert_eq!(found(&"x ".repeat(5_000_000)), [] as [u64; 0]);
    // all of the words before any of them
    let both = keep(&records, "thing of an invoice", NoteScope::All);
    assert_eq!(found("invoice thing")[0], both.id);
    assert_eq!(found("invoice thing").len(), 3);
}

#[test]
fn of_very_many_that_fit_the_newest_come_first() {
    let home = Home::new();
    let records = home.open();
    let drafts = (1..=3000).map(|number| (draft(&format!("the note {number}"), NoteScope::All), at(0)));
    records.memory().import(drafts.collect()).unwrap();
    let found = |words: &str| ids(&records.memory().search(words, &Within::Everything, 3).unwrap());
    assert_eq!(found("note the"), [3000, 2999, 2998]);
    // a word that nearly all have does not hide the one that few have
    assert_eq!(found("the note about 1234 and nothing"), [1234]);
    assert_eq!(found("unknown words of the"), [3000, 2999, 2998]);
}

#[test]
fn a_note_is_told_where_it_holds() {
    let home = Home::new();
    let records = home.open();
    let plugin: deskhand_vocabulary::PluginId = "m:p".parse().unwrap();
    let scopes = [
        NoteScope::All,
        folder("/home/ada"),
        folder("/home/ada/Bills"),
        folder("/home/ada/Bills/2026"),
        folder("/home/ada/Bills2"),
        folder("/home/ada/Bills-old"),
        NoteScope::Plugin { plugin: plugin.clone() },
        NoteScope::Plugin { plugin: "m:q".parse().unwrap() },
    ];
    for (at, scope) in scopes.iter().enumerate() {
        keep(&records, &format!("note {at}"), scope.clone());
    }
    let told = |within: &Within| {
        let (mut listed, mut found) =
            (records.memory().list(within, 99).unwrap(), records.memory().search("note", within, 99).unwrap());
        listed.sort_by_key(|note| note.id);
        found.sort_by_key(|note| note.id);
        assert_eq!(listed, found);
        ids(&listed)
    };
    let folders = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    assert_eq!(told(&Within::Everything), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(told(&Within::Folders(vec![])), [1]);
    assert_eq!(told(&Within::Folders(folders(&["/home/ada/Bills"]))), [1, 2, 3, 4]);
    assert_eq!(told(&Within::Folders(folders(&["/home/ada/Bills/2026/May", "/home/bo"]))), [1, 2, 3, 4]);
    assert_eq!(told(&Within::Folders(folders(&["/home"]))), [1, 2, 3, 4, 5, 6]);
    assert_eq!(told(&Within::Folders(folders(&["/"]))), [1, 2, 3, 4, 5, 6]);
    assert_eq!(told(&Within::PluginAndFolders(plugin, folders(&["/srv"]))), [1, 7]);
    assert_eq!(told(&Within::Scope(folder("/home/ada"))), [2]);
}

#[test]
fn an_import_is_whole_or_nothing() {
    let home = Home::new();
    let records = home.open();
    keep(&records, "here already", NoteScope::All);
    let many = (0..MAX_NOTES).map(|number| (draft(&format!("{number}"), NoteScope::All), at(0))).collect();
    assert_eq!(records.memory().import(many), Err(MemoryError::Full));
    assert_eq!(records.memory().count().unwrap(), 1);
    let few = ["here already", "new", "new"].map(|text| (draft(text, NoteScope::All), at(-9))).into();
    assert_eq!(records.memory().import(few).unwrap(), 1);
    let note = records.memory().get(2).unwrap();
    assert_eq!((note.text.as_ref(), note.made), ("new", at(-9)));
}

#[test]
fn a_task_does_not_remember_without_end() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({})).unwrap();
    let of_task = |number: u64| Draft { task: Some(task), ..draft(&format!("{number}"), NoteScope::All) };
    for number in 0..MAX_OF_TASK {
        records.memory().remember(of_task(number)).unwrap();
    }
    assert_eq!(records.memory().remember(of_task(MAX_OF_TASK)), Err(MemoryError::TooMany));
    keep(&records, "the person may", NoteScope::All);
}

#[test]
fn two_processes_keep_their_notes_apart() {
    let home = Home::new();
    let openings = [home.open(), home.open()];
    std::thread::scope(|scope| {
        for (nth, records) in openings.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..50 {
                    keep(records, &format!("of {nth}: {number}"), NoteScope::All);
                }
            });
        }
    });
    assert_eq!(openings[0].memory().count().unwrap(), 100);
    let note = keep(&openings[0], "once", NoteScope::All);
    assert_eq!(openings[1].memory().edit(&note, "twice".parse().unwrap()).unwrap().id, note.id);
    assert_eq!(openings[0].memory().edit(&note, "thrice".parse().unwrap()), Err(MemoryError::Changed { id: note.id }));
    openings[0].memory().forget(&[note.id]).unwrap();
    assert_eq!(openings[1].memory().forget(&[note.id]), Err(MemoryError::Unknown { id: note.id }));
}

#[test]
fn a_file_of_the_format_before_gets_a_memory() {
    let home = Home::new();
    std::fs::create_dir(home.file().parent().unwrap()).unwrap();
    let old = Connection::open(home.file()).unwrap();
    old.execute_batch(include_str!("../src/schema/1.sql")).unwrap();
    old.execute_batch("PRAGMA user_version = 1; PRAGMA application_id = 0x44736b68;").unwrap();
    drop(old);
    let records = home.open();
    let task = records.start_task(json!({"request": "x"})).unwrap();
    assert_eq!(task.0, 1);
    assert_eq!(keep(&records, "kept", NoteScope::All).id, 1);
    assert_eq!(records.imported_tasks().unwrap(), []);
}

#[test]
fn a_row_that_somebody_has_changed_is_no_note() {
    let home = Home::new();
    let records = home.open();
    keep(&records, "mine", NoteScope::All);
    let other = Connection::open(home.file()).unwrap();
    other.execute(r#"UPDATE notes SET labels = '["harmless"]'"#, []).unwrap();
    let error = records.memory().list(&Within::Everything, 9).unwrap_err();
    assert!(matches!(error, MemoryError::Records(RecordsError::Failed { .. })), "{error:?}");
}
