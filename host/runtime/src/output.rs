//! What a plugin writes to its log, its standard output and its standard error: kept, up to a bound.

use bytes::Bytes;
use deskhand_vocabulary::{Entry, Event, Log, PluginId, TaskId, text::shortened};
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// The most of one line that is kept, in characters.
const LINE: usize = 4096;
/// The most lines of one call that are kept.
const LINES: u32 = 2000;
/// The most fields of one line that are kept, and the most characters of a key or a value.
const FIELDS: usize = 16;
const FIELD: usize = 512;

/// The log of one call.
pub(crate) struct PluginLog {
    log: Arc<dyn Log>,
    task: TaskId,
    plugin: PluginId,
    room: Mutex<Room>,
}

struct Room {
    bytes: usize,
    lines: u32,
    dropped: u64,
}

impl PluginLog {
    pub(crate) fn new(log: Arc<dyn Log>, task: TaskId, plugin: PluginId, bytes: usize) -> Arc<Self> {
        Arc::new(Self { log, task, plugin, room: Mutex::new(Room { bytes, lines: LINES, dropped: 0 }) })
    }

    /// Put a line on the record, if there is room for it.
    pub(crate) fn line(&self, level: &str, message: &str, fields: &[(String, String)]) {
        let message = shortened(message, LINE);
        let fields: Vec<_> =
            fields.iter().take(FIELDS).map(|(key, value)| (shortened(key, FIELD), shortened(value, FIELD))).collect();
        let size = message.len() + fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        {
            let mut room = lock(&self.room);
            if room.lines == 0 || size > room.bytes {
                room.dropped += 1;
                return;
            }
            room.lines -= 1;
            room.bytes -= size;
        }
        let fields: serde_json::Map<_, _> = fields.into_iter().map(|(key, value)| (key, value.into())).collect();
        self.put(level, json!({ "message": message, "fields": fields }));
    }

    /// Say how much was dropped, if anything was.
    pub(crate) fn end(&self) {
        let dropped = lock(&self.room).dropped;
        if dropped > 0 {
            self.put("warn", json!({ "message": format!("{dropped} lines more were dropped"), "fields": {} }));
        }
    }

    fn put(&self, level: &str, content: serde_json::Value) {
        let event = Event::PluginLogged { plugin: self.plugin.clone(), level: level.to_owned() };
        self.log.queue(Entry { task: Some(self.task), event, content: Some(content) });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard output or standard error of one call: whole lines go to its log.
#[derive(Clone)]
pub(crate) struct Console {
    log: Arc<PluginLog>,
    level: &'static str,
    line: Arc<Mutex<Vec<u8>>>,
}

impl Console {
    pub(crate) fn new(log: Arc<PluginLog>, level: &'static str) -> Self {
        Self { log, level, line: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        let mut line = lock(&self.line);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = (LINE * 4).saturating_sub(line.len());
            line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.send(&mut line);
            }
        }
    }

    fn send(&self, line: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() {
            self.log.line(self.level, text, &[]);
        }
        line.clear();
    }

    /// Put a last line without an end on the record.
    pub(crate) fn end(&self) {
        let mut line = lock(&self.line);
        self.send(&mut line);
    }
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // only WASI 0.3 asks for this one, and it is not offered
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Console {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Console {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
