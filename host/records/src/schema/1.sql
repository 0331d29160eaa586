-- Tasks, numbered from 1.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL, -- microseconds since 1970-01-01T00:00:00Z, as all times here
    ended INTEGER,
    outcome TEXT
) STRICT;

-- A key per task. A row is never deleted and never grows: forgetting overwrites the key in place with zeros, so that
-- SQLite has no reason to move it and to leave a copy behind.
CREATE TABLE keys (
    task INTEGER PRIMARY KEY REFERENCES tasks (id),
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

-- The log. `hash` is over the hash of the row before and all columns of this one.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    task INTEGER REFERENCES tasks (id),
    event TEXT NOT NULL,
    sealed BLOB, -- SHA-256 of the content as it lies in `contents`
    hash BLOB NOT NULL,
    kind TEXT GENERATED ALWAYS AS (json_extract(event, '$.event')) VIRTUAL
) STRICT;
CREATE INDEX events_of_task ON events (task) WHERE task IS NOT NULL;

-- Names and contents, sealed with the key of the task: 24 bytes of nonce, then XChaCha20-Poly1305.
CREATE TABLE contents (
    event INTEGER PRIMARY KEY REFERENCES events (id),
    task INTEGER NOT NULL REFERENCES tasks (id),
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX contents_of_task ON contents (task);

-- The last row of the log, so that a log cut short is noticed.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    event INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, zeroblob(32));

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the log is only ever added to'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the log is only ever added to'); END;
CREATE TRIGGER contents_are_not_changed BEFORE UPDATE ON contents
BEGIN SELECT RAISE(ABORT, 'contents are only ever forgotten'); END;
CREATE TRIGGER contents_go_with_their_key BEFORE DELETE ON contents
WHEN (SELECT key FROM keys WHERE task = OLD.task) <> zeroblob(32)
BEGIN SELECT RAISE(ABORT, 'contents are only ever forgotten with their key'); END;

-- Numbers that rise and never repeat, and counts of changes.
CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the person has granted and that still holds.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL, -- JSON
    duration TEXT NOT NULL CHECK (duration IN ('once', 'task', 'always')),
    task INTEGER REFERENCES tasks (id),
    since INTEGER NOT NULL,
    CHECK ((duration = 'task') = (task IS NOT NULL))
) STRICT;

-- What plugins keep from one call to the next.
CREATE TABLE state (
    id INTEGER PRIMARY KEY,
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (plugin, key)
) STRICT;
-- Of each plugin: the last version given to any of its keys, and the bytes that its keys and values take.
CREATE TABLE state_of_plugin (
    plugin TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
