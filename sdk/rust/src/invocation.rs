//! The call under way: where it runs, how it is configured, whether it is to stop, and how far it is.

use crate::{Error, Result, content::Content, door};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Where a call runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Context {
    /// The task, as the log names it.
    pub task: Value,
    /// True if a person is there to be asked.
    #[serde(alias = "person")]
    pub present: bool,
    /// BCP 47 language of the person, such as `de-DE`; empty if unknown.
    pub locale: String,
    /// IANA time zone of the person, such as `Europe/Berlin`; empty if unknown.
    #[serde(alias = "timezone", alias = "zone")]
    pub time_zone: String,
    /// Everything else that the host says.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Where this call runs.
pub fn context() -> Result<Context> {
    serde_json::from_str(&door::context())
        .map_err(|error| Error::failed(format!("the host's context cannot be read: {error}")))
}

/// The configuration of this installation, which the host has checked against the plugin's schema.
pub fn config<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_str(&door::config())
        .map_err(|error| Error::invalid(format!("the plugin's configuration does not fit: {error}")))
}

/// True once the person or the host has stopped the call.
pub fn is_cancelled() -> bool {
    door::cancelled()
}

/// Go on, or give up with [`Error::cancelled`] if the call was stopped. Call it in long loops.
pub fn check() -> Result<()> {
    if is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
}

/// Say what is being done, with no measure of how far it is.
pub fn working(message: &str) {
    door::progress(message, None);
}

/// Say what is being done and how much of it is done. Cheap; the host shows what a person can read.
pub fn progress(message: &str, done: u64, total: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    let share = if total == 0 { 1.0 } else { (done.min(total) as f32) / (total as f32) };
    door::progress(message, Some(share));
}

/// Show a part of the result before the call returns.
pub fn emit(part: Content) {
    door::emit(part);
}
