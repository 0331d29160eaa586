-- Notes that later tasks are told, numbered from 1.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('all', 'folder', 'plugin')),
    place TEXT NOT NULL, -- the folder or the plugin; empty for all work
    text TEXT NOT NULL,
    digest BLOB NOT NULL, -- of scope, place and text
    origin TEXT NOT NULL, -- JSON
    task INTEGER REFERENCES tasks (id),
    labels TEXT NOT NULL, -- JSON
    made INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    CHECK ((scope = 'all') = (place = ''))
) STRICT;
CREATE INDEX notes_by_digest ON notes (digest);
CREATE INDEX notes_by_place ON notes (scope, place);
CREATE INDEX notes_of_task ON notes (task) WHERE task IS NOT NULL;

-- The words of the notes. What is taken out of the index is overwritten at once, not at the next merge.
CREATE VIRTUAL TABLE notes_words USING fts5 (
    text, content = 'notes', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO notes_words (notes_words, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER notes_are_indexed AFTER INSERT ON notes
BEGIN INSERT INTO notes_words (rowid, text) VALUES (NEW.id, NEW.text); END;
CREATE TRIGGER notes_leave_the_index AFTER DELETE ON notes
BEGIN INSERT INTO notes_words (notes_words, rowid, text) VALUES ('delete', OLD.id, OLD.text); END;
CREATE TRIGGER notes_are_indexed_anew AFTER UPDATE OF text ON notes
BEGIN
    INSERT INTO notes_words (notes_words, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO notes_words (rowid, text) VALUES (NEW.id, NEW.text);
END;

-- Tasks of other computers, to be looked at, numbered from 1.
CREATE TABLE imported (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    document TEXT NOT NULL -- JSON
) STRICT;
