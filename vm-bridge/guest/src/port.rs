//! The virtio-serial ports by their names.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

/// Open a port for reading and writing. A port can be open once, and [`io::ErrorKind::NotFound`] means that it may come
/// yet.
pub(crate) fn open(name: &str) -> io::Result<File> {
    for entry in fs::read_dir("/sys/class/virtio-ports")? {
        let entry = entry?;
        // a port without a name is none of ours
        let found = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        if found.trim_end() == name {
            return OpenOptions::new().read(true).write(true).open(Path::new("/dev").join(entry.file_name()));
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
