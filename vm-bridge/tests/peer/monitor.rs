//! A monitor whose machine is a thread of the test.

use deskhand_vm_bridge::{
    Accelerator, Bridge, Disks, Guest, Machine, Patience, Ports, Reach, Share, Size, Snapshots, Start, VmError, Vmm,
};
use deskhand_vm_image::{Image, Manifest, Part, Store};
use deskhand_vocabulary::{Blake3, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    thread,
};

/// The guest's end of a port.
#[derive(Clone)]
pub(crate) struct Control(Arc<UnixStream>);

impl Control {
    /// Nothing more comes.
    pub(crate) fn hang_up(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Read for Control {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Control {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &Control {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the guest does with its control port and its files port.
type Act = Box<dyn FnOnce(Control, Control) + Send>;

struct Scripted(Mutex<Option<Act>>);

struct Acting {
    ports: Option<Ports>,
    end: UnixStream,
}

impl Vmm for Scripted {
    fn accelerator(&self) -> &Accelerator {
        &Accelerator::Kvm
    }

    fn name(&self) -> String {
        "a thread".to_owned()
    }

    fn identity(&self, _size: Size) -> Sha256 {
        Sha256::of("a thread")
    }

    fn start(&self, _: &Image, _: Size, _: Disks, _: Start, _: &[Share]) -> Result<Box<dyn Machine>, VmError> {
        let (control, theirs) = UnixStream::pair()?;
        let end = theirs.try_clone()?;
        let act = self.0.lock().unwrap().take().unwrap();
        let over = theirs.try_clone()?;
        let (files, their_files) = UnixStream::pair()?;
        thread::spawn(move || {
            act(Control(Arc::new(theirs)), Control(Arc::new(their_files)));
            // what was said can still be heard
            let _ = over.shutdown(Shutdown::Both);
        });
        // none of these is said anything on
        let (log, console, net) = (UnixStream::pair()?.0, UnixStream::pair()?.0, UnixStream::pair()?.0);
        Ok(Box::new(Acting { ports: Some(Ports { control, files, net, log, console }), end }))
    }
}

impl Machine for Acting {
    fn ports(&mut self) -> Option<Ports> {
        self.ports.take()
    }

    fn save(&mut self, _: File) -> Result<(), VmError> {
        unreachable!("these guests only boot")
    }

    fn kill(&self) {
        let _ = self.end.shutdown(Shutdown::Both);
    }

    fn resident(&self) -> Option<u64> {
        None
    }
}

/// A guest whose inside is `act`, which is asked nothing of files.
pub(crate) fn guest_of(patience: Patience, act: impl FnOnce(Control) + Send + 'static) -> Result<Guest, VmError> {
    guest_with(patience, &[], |control, _| act(control))
}

/// The same with folders.
pub(crate) fn guest_with(
    patience: Patience,
    folders: &[Share],
    act: impl FnOnce(Control, Control) + Send + 'static,
) -> Result<Guest, VmError> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store")).unwrap();
    let empty = Part { digest: Blake3::of_reader(&b""[..]).unwrap(), size: 0 };
    let manifest = Manifest { recipe: Sha256::of(b""), kernel: empty, initramfs: empty, root: empty, layer: None };
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let image = folder.path().join("store/images").join(Sha256::of(&bytes).to_string());
    fs::create_dir_all(&image).unwrap();
    fs::write(image.join("manifest.json"), &bytes).unwrap();
    ["kernel", "initramfs", "root"].iter().for_each(|part| fs::write(image.join(part), []).unwrap());
    let snapshots = Snapshots::open(folder.path().join("snapshots")).unwrap();
    let monitor = Scripted(Mutex::new(Some(Box::new(act))));
    Bridge::new(Box::new(monitor), store, Sha256::of(&bytes), snapshots)
        .patient(patience)
        .cold_guest(&Reach { folders: folders.to_vec(), proxy: None })
}
