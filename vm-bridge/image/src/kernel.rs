//! The kernel and the modules that a guest needs before it has its root image.

use crate::{ImageError, package, tree::Tree};
use lzma_rust2::XzReader;
use std::{collections::BTreeSet, io::Read as _};

/// What the guest needs; what these need comes with them. A file system that reads checksums needs the first.
const MODULES: [&str; 10] = [
    "crc32c_generic",
    "virtio_mmio",
    "virtio_console",
    "virtio_blk",
    "squashfs",
    "erofs",
    "ext4",
    "overlay",
    "9p",
    "9pnet_virtio",
];

/// The most bytes of a kernel.
const LARGEST: u64 = 128 << 20;

/// Whether the kernel's package has something at a path that is needed here.
pub(crate) fn wanted(path: &str) -> bool {
    path.starts_with("boot/vmlinuz-") || path.ends_with(".ko")
}

/// The kernel as an ELF file, which starts sooner than the packed one.
pub(crate) fn extract(tree: &Tree) -> Result<Vec<u8>, ImageError> {
    let path = tree.nodes().map(|(path, _)| path).find(|path| path.starts_with("boot/vmlinuz-"));
    let content = path.and_then(|path| package::content(tree, path)).ok_or(ImageError::Kernel("it has no kernel"))?;
    unpack(&tree.bytes(content)?).ok_or(ImageError::Kernel("the kernel is not packed as expected"))
}

/// The payload of a bzImage, by the header that `Documentation/arch/x86/boot.rst` of the kernel describes.
fn unpack(image: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let setup = (usize::from(*image.get(0x1f1)?) + 1) * 512;
    let start = setup.checked_add(word(0x248)?)?;
    let payload = image.get(start..start.checked_add(word(0x24c)?)?)?;
    let mut kernel = Vec::new();
    XzReader::new(payload, false).take(LARGEST).read_to_end(&mut kernel).ok()?;
    kernel.starts_with(b"\x7fELF").then_some(kernel)
}

/// The modules in the order in which they are loaded, each with its content.
pub(crate) fn modules(tree: &Tree) -> Result<Vec<(String, Vec<u8>)>, ImageError> {
    let mut loaded = Vec::new();
    let mut seen = BTreeSet::new();
    for name in MODULES {
        load(tree, name, &mut seen, &mut loaded)?;
    }
    Ok(loaded)
}

fn load(
    tree: &Tree,
    name: &str,
    seen: &mut BTreeSet<String>,
    loaded: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), ImageError> {
    if !seen.insert(name.to_owned()) {
        return Ok(());
    }
    let file = |path: &str| {
        path.rsplit('/').next().and_then(|file| file.strip_suffix(".ko")).map(|name| name.replace('-', "_"))
    };
    let path = tree.nodes().map(|(path, _)| path).find(|path| file(path).as_deref() == Some(name));
    // what is built in has no file
    let Some(content) = path.and_then(|path| package::content(tree, path)) else { return Ok(()) };
    let bytes = tree.bytes(content)?;
    for needed in needs(&bytes) {
        load(tree, &needed, seen, loaded)?;
    }
    loaded.push((format!("{name}.ko"), bytes));
    Ok(())
}

/// The modules that a module names in its own information.
fn needs(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let at = module.windows(KEY.len()).position(|window| window == KEY).map(|at| at + KEY.len());
    let text = at.and_then(|at| module[at..].split(|byte| *byte == 0).next()).unwrap_or_default();
    let names = String::from_utf8_lossy(text).replace('-', "_");
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
