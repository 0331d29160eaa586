//! Layers that lie in a machine of their own and not on this disk: what is in them is told by that machine, which is believed
//! nothing. What files hold is kept here, for as long as it may be needed; of all else it is enough to know what it is said to
//! be. Whether it is taken is decided as for a layer of this disk.

use super::{
    Layers, Overlay, Place,
    scan::{BYTES, DEEPEST, ENTRIES, Mark, Marks, SETUID, SPECIAL, TOO_DEEP, TOO_MANY, TOO_MUCH, What, too_long},
};
use deskhand_vocabulary::{RelativePath, path::NotAPath};
use deskhand_workspace::disk;
use rustix::{
    fd::{AsFd as _, AsRawFd as _, OwnedFd},
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

/// The most that a machine may tell of at a time. An honest one is told to stop long before.
const MOST: u64 = 2_000_000;

/// What a machine tells of, beside files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A folder; opaque, what lies below it in the person's folder is not seen.
    Folder {
        /// See there.
        opaque: bool,
    },
    /// A link.
    Link,
    /// Nothing: it hides what lies below.
    Nothing,
    /// A pipe, a socket or a device.
    Special,
}

/// A layer in a machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// What is pending lies here: the layer begins with nothing.
    pub(super) pending: Place,
    /// What the machine says that there is in it.
    pub(super) told: Marks,
    /// How often it has said something.
    tellings: u64,
    /// What it said under a name that nothing can have here.
    pub(super) unnamed: u64,
}

impl Machine {
    pub(super) const fn new(pending: Place) -> Self {
        Self { pending, told: Marks::new(), tellings: 0, unnamed: 0 }
    }
}

/// What is told at one time. An error says which rule the machine broke: nothing that it tells is worth anything then.
#[derive(Debug)]
pub struct Telling<'a> {
    layers: &'a mut [Overlay],
    file: Option<Receiving>,
    /// Bytes of files, holes included.
    bytes: u64,
    things: u64,
}

/// A file that is being told.
#[derive(Debug)]
struct Receiving {
    layer: usize,
    path: RelativePath,
    /// What it will be once all of it has come; none where it is already known what becomes of it.
    content: Option<File>,
    size: u64,
    modified: (i64, u32),
}

impl Layers {
    /// Take in what a machine tells of its layers. To be taken up by [`Self::take`] afterwards.
    pub fn told(&mut self) -> Telling<'_> {
        Telling { layers: &mut self.0, file: None, bytes: 0, things: 0 }
    }
}

impl Telling<'_> {
    /// A file, in the layer of the folder with this number. What it holds follows, by [`Self::content`], until [`Self::end`].
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn file(
        &mut self,
        layer: usize,
        path: &[u8],
        (size, mode): (u64, u16),
        modified: (i64, u32),
    ) -> Result<(), String> {
        let refused = if mode & 0o6000 != 0 {
            Some(SETUID.to_owned())
        } else if let Some(reason) = too_long(size) {
            Some(reason)
        } else {
            self.bytes = self.bytes.saturating_add(size);
            (self.bytes > BYTES).then(|| TOO_MUCH.to_owned())
        };
        let Some(path) = self.begin(layer, path, false)? else { return Ok(()) };
        let content = match refused {
            Some(reason) => Err(reason),
            None => self.layers[layer].create(&path, mode).map_err(unkept),
        };
        let content = match content {
            Ok(content) => Some(content),
            Err(reason) => {
                self.layers[layer].is_told(&path, What::Refused(reason));
                None
            }
        };
        self.file = Some(Receiving { layer, path, content, size, modified });
        Ok(())
    }

    /// The next bytes of the file that was told last.
    pub fn content(&mut self, bytes: &[u8]) {
        // what is nothing but zeros need not be paid for by this disk
        if bytes.iter().all(|byte| *byte == 0) {
            return self.hole(bytes.len() as u64);
        }
        self.receive(|file| file.write_all(bytes));
    }

    /// The next bytes of the file that was told last are so many zeros.
    pub fn hole(&mut self, bytes: u64) {
        self.receive(|file| file.seek(SeekFrom::Current(i64::try_from(bytes).unwrap_or(i64::MAX))).map(drop));
    }

    fn receive(&mut self, write: impl FnOnce(&mut File) -> io::Result<()>) {
        let Some(Receiving { layer, path, content, .. }) = &mut self.file else { return };
        let Some(file) = content else { return };
        if let Err(error) = write(file) {
            *content = None;
            let reason = unkept(Errno::from_io_error(&error).unwrap_or(Errno::IO));
            self.layers[*layer].is_told(path, What::Refused(reason));
        }
    }

    /// The file that was told last has all of its bytes, or no more will come.
    pub fn end(&mut self, whole: bool) {
        let Some(Receiving { layer, path, content: Some(content), size, modified }) = self.file.take() else { return };
        let what = match (whole, content.set_len(size)) {
            (true, Ok(())) => What::File { size, modified },
            (true, Err(error)) => What::Refused(unkept(Errno::from_io_error(&error).unwrap_or(Errno::IO))),
            (false, _) => What::Refused("it cannot be read to its end".to_owned()),
        };
        self.layers[layer].is_told(&path, what);
    }

    /// Something else.
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn thing(&mut self, layer: usize, path: &[u8], thing: Thing) -> Result<(), String> {
        let is_folder = matches!(thing, Thing::Folder { .. });
        let Some(path) = self.begin(layer, path, is_folder)? else { return Ok(()) };
        let overlay = &mut self.layers[layer];
        let what = match thing {
            Thing::Folder { opaque } => match overlay.make_folder(&path) {
                Ok(()) | Err(Errno::EXIST) => What::Folder { opaque },
                Err(error) => What::Refused(unkept(error)),
            },
            Thing::Link => What::Link,
            Thing::Nothing => What::Gone,
            Thing::Special => What::Refused(SPECIAL.to_owned()),
        };
        overlay.is_told(&path, what);
        Ok(())
    }

    /// What was told once is not there any more.
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn lost(&mut self, layer: usize, path: &[u8]) -> Result<(), String> {
        self.count()?;
        let overlay = self.layers.get_mut(layer).ok_or("it tells of a folder that it has not")?;
        let Some(path) = readable(path)? else { return Ok(()) };
        if let Some(machine) = &mut overlay.machine {
            machine.told.remove(&path);
        }
        // what could not be removed is of no use to anybody
        let _ = overlay.clear(&path);
        Ok(())
    }

    fn count(&mut self) -> Result<(), String> {
        self.things += 1;
        if self.things > MOST { Err("it tells of too many things".to_owned()) } else { Ok(()) }
    }

    /// Something is told under a path. None where it is not to be looked at further.
    fn begin(&mut self, layer: usize, path: &[u8], is_folder: bool) -> Result<Option<RelativePath>, String> {
        self.count()?;
        self.file = None;
        let overlay = self.layers.get_mut(layer).ok_or("it tells of a folder that it has not")?;
        let readable = readable(path)?;
        let unknown = "it tells of a folder that is not in it";
        let machine = overlay.machine.as_mut().ok_or(unknown)?;
        let Some(path) = readable else {
            machine.unnamed += 1;
            return Ok(None);
        };
        // whatever was there is something else now, but for a folder that is one still
        let there = machine.told.get(&path).map(|mark| &mark.what);
        if !(is_folder && matches!(there, Some(What::Folder { .. }))) {
            let _ = overlay.clear(&path); // what could not be removed is in the way, and that is told
        }
        overlay.machine.as_mut().ok_or(unknown)?.begin(path)
    }
}

impl Machine {
    /// Something is told under a path. None where it is not to be looked at further.
    fn begin(&mut self, path: RelativePath) -> Result<Option<RelativePath>, String> {
        let refused = match path.names().count() {
            _ if self.told.len() > ENTRIES => {
                self.unnamed += 1;
                return Ok(None);
            }
            _ if self.told.len() == ENTRIES => Some(TOO_MANY),
            DEEPEST.. => Some(TOO_DEEP),
            _ => None,
        };
        if let Some(reason) = refused {
            self.is_told(&path, What::Refused(reason.to_owned()));
            return Ok(None);
        }
        let parent = path.parent().unwrap_or_else(RelativePath::root);
        match (parent.is_root(), self.told.get(&parent).map(|mark| &mark.what)) {
            (true, _) | (false, Some(What::Folder { .. })) => Ok(Some(path)),
            // what cannot be kept is told once, and not what is in it
            (false, Some(What::Refused(_))) => {
                self.unnamed += 1;
                Ok(None)
            }
            (false, _) => Err("it tells of what lies in no folder".to_owned()),
        }
    }

    fn is_told(&mut self, path: &RelativePath, what: What) {
        self.tellings += 1;
        self.told.insert(path.clone(), Mark::told(what, self.tellings));
    }
}

/// A path; none where it is one for the machine alone.
fn readable(path: &[u8]) -> Result<Option<RelativePath>, String> {
    match RelativePath::from_bytes(path) {
        Ok(path) if path.is_root() => Err("it tells of a path that is none".to_owned()),
        Ok(path) => Ok(Some(path)),
        Err(NotAPath::TooLong) => Ok(None),
        Err(_) => Err("it tells of a path that is none".to_owned()),
    }
}

fn unkept(error: Errno) -> String {
    format!("it cannot be kept on the disk of this computer: {error}")
}

impl Overlay {
    fn is_told(&mut self, path: &RelativePath, what: What) {
        if let Some(machine) = &mut self.machine {
            machine.is_told(path, what);
        }
    }

    /// The folder that something lies in, and its name there.
    fn above<'p>(&self, path: &'p RelativePath) -> Result<(OwnedFd, &'p OsStr), Errno> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Err(Errno::INVAL) };
        Ok((disk::open_folder(self.place.upper(), parent.as_bytes())?, OsStr::from_bytes(name)))
    }

    fn create(&self, path: &RelativePath, mode: u16) -> Result<File, Errno> {
        let (above, name) = self.above(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(u32::from(mode & 0o777) | 0o600);
        rustix::fs::openat(&above, name, flags, mode).map(File::from)
    }

    fn make_folder(&self, path: &RelativePath) -> Result<(), Errno> {
        let (above, name) = self.above(path)?;
        rustix::fs::mkdirat(&above, name, Mode::RWXU)
    }

    /// Remove what is kept of a thing, and of what lay in it. A folder that is told once more keeps what it has.
    fn clear(&self, path: &RelativePath) -> Result<(), Errno> {
        let (above, name) = self.above(path)?;
        match rustix::fs::unlinkat(&above, name, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {
                let place = Path::new("/proc/self/fd").join(above.as_fd().as_raw_fd().to_string());
                let removed = std::fs::remove_dir_all(place.join(name));
                removed.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
            }
            removed => removed,
        }
    }
}
