//! The messages of the files port. The host asks one thing at a time, and waits for all of the answer.
//!
//! A folder is named by its place in [`Ask::Lay`], and what lies in it by its path there: bytes without NUL, names with a
//! slash between them, as the guest has them. What they are worth is for the host to judge.

use serde::{Deserialize, Serialize};

/// The most bytes of a file whose content is told.
pub const LARGEST: u64 = 4 << 30;
/// The most bytes of all content that is told at a time.
pub const MOST: u64 = 16 << 30;
/// The most bytes of content in one message.
pub const PIECE: usize = 128 << 10;

/// What the host asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Lay the folders of the task into its sandbox. Once, and before any job that is to see them. Answered by
    /// [`Tell::Done`].
    Lay {
        /// Each by the name that it has in the sandbox.
        folders: Vec<Folder>,
    },
    /// Tell what is not in the layers as it was when this was last asked. Nothing in the sandbox runs meanwhile. Answered by
    /// [`Tell::Found`] with its [`Tell::Content`] and [`Tell::Lost`], in any number, and [`Tell::Done`].
    Collect,
    /// Make a change in the sandbox that was made in the task. Answered by [`Tell::Done`].
    Make {
        /// The folder.
        folder: u16,
        /// Where in it.
        path: Vec<u8>,
        /// What.
        step: Step,
    },
}

/// A folder of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// The name in the sandbox: no slash in it, and neither `.` nor `..`.
    pub name: Vec<u8>,
    /// Whether it can be written to there.
    pub writable: bool,
    /// Whether something lies over the person's own folder.
    pub seeded: bool,
    /// Whether it lies on the disk of imports, in a folder that is named by its number; else it is read from the host.
    pub imported: bool,
}

/// A change that the sandbox is to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Nothing is there any more.
    Remove,
    /// A folder is there.
    Folder,
    /// A file is there with this content, or with this content beyond what it has.
    Write {
        /// Whether it goes on.
        more: bool,
        /// At most [`PIECE`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
}

/// What the guest tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// What was asked is done.
    Done,
    /// It could not be done, with the code of the error.
    Failed {
        /// As of `errno(3)`.
        code: i32,
    },
    /// This lies in the layer of a folder, what it lies in having been told before.
    Found {
        /// The folder.
        folder: u16,
        /// Where in it.
        path: Vec<u8>,
        /// What.
        what: What,
    },
    /// The next bytes of the file that was told last. They follow, as [`Tell::Hole`] does, until there are as many as its size
    /// says, or [`Tell::CutShort`] comes.
    Content {
        /// At least one, and at most [`PIECE`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// The rest of the content of the file that was told last cannot be read, or is too much.
    CutShort,
    /// What was told once does not lie in the layer any more.
    Lost {
        /// The folder.
        folder: u16,
        /// Where in it.
        path: Vec<u8>,
    },
    /// The next bytes of the file that was told last are so many zeros, which take no room there.
    Hole {
        /// At least one.
        bytes: u64,
    },
}

/// What lies in a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A file.
    File {
        /// Bytes, holes included.
        size: u64,
        /// Its permission bits, with those for setuid and setgid.
        mode: u16,
        /// When its content changed: seconds since 1970-01-01 UTC.
        seconds: i64,
        /// And nanoseconds.
        nanoseconds: u32,
    },
    /// A folder.
    Folder {
        /// Whether nothing of the folder below shines through it.
        opaque: bool,
    },
    /// A link.
    Link,
    /// Nothing, which hides what lies below.
    Whiteout,
    /// A pipe, a socket or a device.
    Other,
}
