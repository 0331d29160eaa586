//! Programs, in a place that is shut off from all else. Takes `programs.run`, and the person is asked.
//!
//! A program sees the folders of the task at `/mnt/` and their names, as far as this plugin's other rights go: none without
//! `files.read`, and it changes and removes there what `files.change` and `files.remove` let the plugin itself. It reaches the
//! hosts of `hosts.connect` through a proxy, and no other.
//!
//! ```
//! use deskhand_sdk::prelude::*;
//!
//! fn lines(file: &FilePath) -> Result<u64> {
//!     let output = vm::program("wc").args(["-l", &vm::place(file)]).output()?.success()?;
//!     let counted = output.text();
//!     counted.split(' ').next().unwrap_or_default().parse().map_err(|_| Error::failed("wc counts otherwise"))
//! }
//!
//! // in a #[test]:
//! let host = testing::Host::new().program("wc", |arguments, _| {
//!     assert_eq!(arguments, ["-l", "/mnt/Notes/a.txt"]);
//!     Ok(vm::Output::of(0, "3 /mnt/Notes/a.txt\n"))
//! });
//! assert_eq!(host.run(|| lines(&FilePath::new("Notes/a.txt")?)), Ok(3));
//! ```

use crate::{Error, Result, door, path::FilePath};
use serde::{Deserialize, Serialize};

/// The most bytes that are read at once.
const PIECE: u32 = 1 << 20;

/// Where a program finds a file or folder of the task.
pub fn place(path: &FilePath) -> String {
    format!("/mnt/{path}")
}

/// A program, by its name.
pub fn program(name: &str) -> Program {
    Program { words: vec![name.to_owned()], folder: String::new(), seconds: None }
}

/// A program to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing runs before `start` or `output`"]
pub struct Program {
    words: Vec<String>,
    folder: String,
    seconds: Option<u64>,
}

impl Program {
    /// With one more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.words.push(argument.into());
        self
    }

    /// With more arguments.
    pub fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.words.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// In a folder of the task; without, in a home folder that is gone when the call ends.
    pub fn folder(mut self, folder: &FilePath) -> Self {
        folder.as_str().clone_into(&mut self.folder);
        self
    }

    /// With so many seconds; 120 if not said, 3600 at most.
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Start it. One runs at a time.
    ///
    /// # Errors
    /// It may not be run, there is no place for it, or another one still runs.
    pub fn start(self) -> Result<Running> {
        let options = self.seconds.map_or_else(|| "{}".to_owned(), |seconds| format!(r#"{{"seconds":{seconds}}}"#));
        door::Process::start(&self.words, &self.folder, &options).map(Running)
    }

    /// Run it to its end, with nothing to read.
    ///
    /// # Errors
    /// As [`Self::start`], or it could not be run. One that fails by itself is no error: see [`Output::success`].
    pub fn output(self) -> Result<Output> {
        self.output_of(&[])
    }

    /// The same, with this to read.
    ///
    /// # Errors
    /// As [`Self::output`].
    pub fn output_of(self, input: &[u8]) -> Result<Output> {
        let mut running = self.start()?;
        if !input.is_empty() {
            running.write(input)?;
        }
        running.close_stdin()?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(piece) = running.read()? {
            stdout.extend(piece.stdout);
            stderr.extend(piece.stderr);
        }
        Ok(Output { stdout, stderr, end: running.wait()? })
    }
}

/// A program that runs. Dropped, it is ended with all that it started.
pub struct Running(door::Process);

impl Running {
    /// What it said since the last time, which can be nothing after a short while; none once it has ended and all was read.
    ///
    /// # Errors
    /// It could not be run.
    pub fn read(&mut self) -> Result<Option<Piece>> {
        let (piece, ended) = self.0.read(PIECE)?;
        let is_over = ended && piece.stdout.is_empty() && piece.stderr.is_empty();
        Ok(Some(piece).filter(|_| !is_over))
    }

    /// Give it something to read.
    ///
    /// # Errors
    /// It reads nothing any more, or was given too much.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write(bytes)
    }

    /// Give it nothing more.
    ///
    /// # Errors
    /// There is no such program.
    pub fn close_stdin(&mut self) -> Result<()> {
        self.0.close_stdin()
    }

    /// Wait for its end. What it wrote to the folders is pending then.
    ///
    /// # Errors
    /// It could not be run.
    pub fn wait(&mut self) -> Result<End> {
        Ok(serde_json::from_str(&self.0.wait()?)?)
    }

    /// End it. [`Self::wait`] says when that is so.
    pub fn kill(&mut self) {
        self.0.kill();
    }
}

/// What a program said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// On its standard output.
    pub stdout: Vec<u8>,
    /// On its standard error.
    pub stderr: Vec<u8>,
}

/// How a program ended, and what it used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct End {
    /// `exited`, `time`, `stopped`, `memory`, `processes`, `processor`, `disk`, `broken` or `not-started`; others may follow.
    pub ended: String,
    /// Its status where it exited, as shells say it.
    #[serde(default)]
    pub status: Option<u8>,
    /// Why it was not started.
    #[serde(default)]
    pub reason: Option<String>,
    /// How long it ran.
    #[serde(default)]
    pub milliseconds: u64,
    /// How many bytes it wrote to its standard output.
    #[serde(default)]
    pub stdout: u64,
    /// How many bytes it wrote to its standard error.
    #[serde(default)]
    pub stderr: u64,
    /// Whether some of those were thrown away.
    #[serde(default)]
    pub cut: bool,
    /// How many changes of the task's folders are pending of it.
    #[serde(default)]
    pub changes: u64,
    /// How much of what it wrote there was not taken.
    #[serde(default)]
    pub refused: u64,
    /// Some of that.
    #[serde(default)]
    pub not_taken: Vec<NotTaken>,
}

/// Something that a program wrote and that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTaken {
    /// Where, as the text of a path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// All that a program said, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// On its standard output.
    pub stdout: Vec<u8>,
    /// On its standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub end: End,
}

impl Output {
    /// Of a program that exited with a status, for tests.
    pub fn of(status: u8, stdout: impl Into<Vec<u8>>) -> Self {
        let stdout = stdout.into();
        let end = End { ended: "exited".into(), status: Some(status), stdout: stdout.len() as u64, ..End::default() };
        Self { stdout, stderr: Vec::new(), end }
    }

    /// The same, if the program exited with status 0; else an error that says how it ended, with the end of what it complained.
    ///
    /// # Errors
    /// See above.
    pub fn success(self) -> Result<Self> {
        if self.end.ended == "exited" && self.end.status == Some(0) {
            return Ok(self);
        }
        let how = match (&self.end.status, &self.end.reason) {
            (Some(status), _) => format!("status {status}"),
            (None, Some(reason)) => format!("{}: {reason}", self.end.ended),
            (None, None) => self.end.ended.clone(),
        };
        let complaints = String::from_utf8_lossy(&self.stderr);
        let last = complaints.trim_end().lines().next_back().unwrap_or_default();
        let last = if last.is_empty() { String::new() } else { format!(", and said: {last}") };
        Err(Error::failed(format!("the program ended with {how}{last}")))
    }

    /// Its standard output as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_the_host_writes_it_and_as_a_later_one_may() {
        let text = r#"{"ended":"exited","status":3,"reason":null,"milliseconds":12,"stdout":4,"stderr":0,"cut":false,"changes":1,
            "refused":1,"not-taken":[{"path":"Files/a","reason":"it is a link"}],"later":true}"#;
        let end: End = serde_json::from_str(text).unwrap_or_default();
        let not_taken = vec![NotTaken { path: "Files/a".into(), reason: "it is a link".into() }];
        let expected = End {
            ended: "exited".into(),
            status: Some(3),
            milliseconds: 12,
            stdout: 4,
            changes: 1,
            refused: 1,
            not_taken,
            ..End::default()
        };
        assert_eq!(end, expected);
    }

    #[test]
    fn what_failed_says_how() {
        let said = |output: Output| output.success().map_err(|error| error.message);
        assert_eq!(said(Output::of(0, "x")), Ok(Output::of(0, "x")));
        let complained = Output { stderr: b"one\nno such file\n".to_vec(), ..Output::of(2, "") };
        assert_eq!(said(complained), Err("the program ended with status 2, and said: no such file".to_owned()));
        let end = End { ended: "time".into(), ..End::default() };
        assert_eq!(said(Output { end, ..Output::default() }), Err("the program ended with time".to_owned()));
    }
}
