//! Laying the folders of a task into its sandbox, which stands already: what is mounted below [`SEEN`] comes to be there as
//! well. Each folder is the person's own, read-only over 9p, and above it a layer on the scratch disk that takes what is
//! written.

use super::{Laid, collect::Known};
use crate::{
    boot::{IMPORT_DISK, SCRATCH},
    sandbox::{GROUP, USER},
};
use deskhand_vm_protocol::{FOLDERS, files::Folder};
use rustix::{
    fd::OwnedFd,
    fs::{CWD, Mode, OFlags},
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
};
use std::{
    ffi::{CString, OsStr},
    fs::{self, File},
    io::{self, Read as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, chown},
    },
    path::{Path, PathBuf},
};

/// Where the folders are that the sandbox has at `/mnt`.
pub(crate) const SEEN: &str = "/run/seen";
/// Where the host's folders are, and what lies over them.
const EXPORT: &str = "/run/folders";
/// Where those are that were packed for the guest.
const IMPORTED: &str = "/run/imported";
/// Where its image says of how many blocks it is (`blocks` of `struct erofs_super_block`), and of how many bytes each.
const BLOCKS_AT: u64 = 1024 + 36;
const BLOCK: u64 = 4096;
/// The most bytes of it that are brought into memory at once.
const BROUGHT_IN: u64 = 64 << 20;
/// How much is asked for at a time over 9p, in bytes: a small figure makes it slow, whatever is read.
const MESSAGE: u32 = 512_000;

/// Make the place for them, before the sandbox stands: what is mounted here later is then seen there too.
pub(crate) fn prepare() -> io::Result<()> {
    fs::create_dir(SEEN)?;
    mount("seen", SEEN, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=0755,size=1m")?;
    mount_change(SEEN, MountPropagationFlags::SHARED)?;
    fs::DirBuilder::new().mode(0o700).create(layers())?;
    Ok(())
}

fn layers() -> PathBuf {
    Path::new(SCRATCH).join("layers")
}

/// See the module.
pub(super) fn lay(folders: &[Folder]) -> io::Result<Vec<Laid>> {
    fs::create_dir(EXPORT)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    let options = CString::new(format!("trans=virtio,version=9p2000.L,cache=mmap,msize={MESSAGE}"))?;
    mount(FOLDERS, EXPORT, "9p", flags, options.as_c_str())?;
    if folders.iter().any(|folder| folder.imported) {
        fs::create_dir(IMPORTED)?;
        mount(IMPORT_DISK, IMPORTED, "erofs", flags, c"noacl,nouser_xattr")?;
        bring_in()?;
    }
    (0..).zip(folders).map(|(number, folder)| one(number, folder)).collect()
}

/// Have in memory what was packed, or as much of it as there is room for: one by one its blocks take a hundred times as long.
fn bring_in() -> io::Result<()> {
    let disk = File::open(IMPORT_DISK)?;
    let mut blocks = [0; 4];
    disk.read_exact_at(&mut blocks, BLOCKS_AT)?;
    let length = u64::from(u32::from_le_bytes(blocks)) * BLOCK;
    let mut buffer = vec![0; 1 << 20];
    let mut disk = disk.take(length.min(BROUGHT_IN));
    while disk.read(&mut buffer)? > 0 {}
    Ok(())
}

fn one(number: u16, folder: &Folder) -> io::Result<Laid> {
    let name = Path::new(OsStr::from_bytes(&folder.name));
    // one name, and none that leads elsewhere
    if name.file_name() != Some(name.as_os_str()) || folder.name.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let own = layers().join(number.to_string());
    let (upper, work) = (own.join("upper"), own.join("work"));
    let lower = match folder.imported {
        true => Path::new(IMPORTED).join(number.to_string()),
        false => Path::new(EXPORT).join("own").join(number.to_string()),
    };
    let seeds = Path::new(EXPORT).join("pending").join(number.to_string());
    fs::create_dir(&own)?;
    fs::create_dir(&work)?;
    // the layer's top is what the folder itself is to the sandbox
    fs::DirBuilder::new().mode(fs::metadata(&lower)?.mode() & 0o777 | 0o700).create(&upper)?;
    chown(&upper, Some(USER), Some(GROUP))?;
    let lower =
        if folder.seeded { format!("{}:{}", seeds.display(), lower.display()) } else { lower.display().to_string() };
    let options = format!(
        "lowerdir={lower},upperdir={},workdir={},userxattr,xino=off,index=off",
        upper.display(),
        work.display()
    );
    let seen = Path::new(SEEN).join(name);
    fs::create_dir(&seen)?;
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    if !folder.writable {
        flags |= MountFlags::RDONLY;
    }
    mount("folder", &seen, "overlay", flags, CString::new(options)?.as_c_str())?;
    Ok(Laid { layer: open(&upper)?, known: Known::default(), seen: open(&seen)? })
}

fn open(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, folder, flags, Mode::empty())?)
}
