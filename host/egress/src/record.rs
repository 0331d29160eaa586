//! What is told of each hop once it is over. Never credentials, queries or contents.

/// How a hop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The answer was read to its end.
    Whole,
    /// The answer broke off, was late, or was larger than allowed.
    Broken,
    /// There was no answer.
    Unanswered,
    /// The caller lost interest.
    Dropped,
}

/// One hop. Bytes are those of HTTP/1.1 heads and bodies; what TLS and TCP add is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The method.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Bytes out. All of the request as soon as a connection stood, even where it broke while sending.
    pub sent: u64,
    /// Bytes in.
    pub received: u64,
    /// How it ended.
    pub ended: Ended,
}

/// Who keeps the record. Called once for each hop, also when the caller drops a request on its way.
pub trait Recorder: Send + Sync {
    /// Keep it.
    fn record(&self, traffic: &Traffic);

    /// So many bytes are about to be sent.
    ///
    /// # Errors
    /// How many may still be sent, where that is fewer: then nothing is.
    fn reserve(&self, _bytes: u64) -> Result<(), u64> {
        Ok(())
    }

    /// So many that were about to be sent were not.
    fn release(&self, _bytes: u64) {}
}
