//! `log`: lines for the record.

use crate::{bindings::wit::log, call::Call};

impl log::Host for Call {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.log.line(level, &message, &fields);
    }
}
