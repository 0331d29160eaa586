//! The first file system: the guest's program and the kernel's modules, in the form that the kernel unpacks (cpio
//! "newc", see `Documentation/driver-api/early-userspace/buffer-format.rst` of the kernel).

use crate::GUEST;

/// The folders that the guest's program mounts things on.
const FOLDERS: [&str; 5] = ["dev", "image", "modules", "proc", "sys"];

/// The archive.
pub(crate) fn make(modules: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = Archive::default();
    for folder in FOLDERS {
        archive.add(folder, 0o040_755, &[]);
    }
    archive.add("init", 0o100_755, GUEST);
    let order: String = modules.iter().map(|(name, _)| format!("{name}\n")).collect();
    archive.add("modules/order", 0o100_644, order.as_bytes());
    for (name, module) in modules {
        archive.add(&format!("modules/{name}"), 0o100_644, module);
    }
    archive.add("TRAILER!!!", 0, &[]);
    archive.bytes
}

#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Numbers are eight hexadecimal digits; header with name, and content, each end at a multiple of four.
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let (number, mode) = (u64::from(self.entries), u64::from(mode));
        let (size, named) = (content.len() as u64, name.len() as u64 + 1);
        self.bytes.extend(b"070701");
        // node, mode, user, group, links, time, size, two devices of two numbers, bytes of the name, checksum
        for field in [number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, named, 0] {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
