//! The bridge: a guest whenever one is needed, from the snapshot where there is one.

use crate::{
    Disks, Guest, Patience, Reach, Size, Snapshots, VmError, Vmm,
    guest::Fresh,
    import,
    vmm::{Share, Start},
};
use deskhand_vm_image::Store;
use deskhand_vm_protocol::files::Folder;
use deskhand_vocabulary::Sha256;
use std::thread;

/// Hands out guests of one image on one monitor.
pub struct Bridge {
    vmm: Box<dyn Vmm>,
    images: Store,
    image: Sha256,
    snapshots: Snapshots,
    size: Size,
    patience: Patience,
}

/// How far along a guest is when it is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmth {
    /// It has booted, and has the programs in memory that most jobs run.
    Booted,
    /// And has an interpreter of Python that has loaded its libraries. Where much has to be loaded, the first such guest
    /// takes a minute or more to make.
    Python,
}

/// What a person wants to know of the bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The monitor and its version.
    pub monitor: String,
    /// What guests run on, and why.
    pub accelerator: String,
    /// The image.
    pub image: Sha256,
    /// How large a guest is.
    pub size: Size,
}

impl Bridge {
    /// A bridge to guests of an image that is in the store.
    pub fn new(vmm: Box<dyn Vmm>, images: Store, image: Sha256, snapshots: Snapshots) -> Self {
        Self { vmm, images, image, snapshots, size: Size::default(), patience: Patience::default() }
    }

    /// With guests of another size.
    #[must_use]
    pub fn sized(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// With another patience.
    #[must_use]
    pub fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// What it is.
    pub fn facts(&self) -> Facts {
        let accelerator = self.vmm.accelerator().to_string();
        Facts { monitor: self.vmm.name(), accelerator, image: self.image, size: self.size }
    }

    /// A guest of its own that reaches this, restored from the snapshot; the first one makes that.
    pub fn guest(&self, reach: &Reach, warmth: Warmth) -> Result<Guest, VmError> {
        if let Some(guest) = self.restored(reach, warmth)? {
            return Ok(guest);
        }
        self.make_snapshot(warmth)?;
        match self.restored(reach, warmth)? {
            Some(guest) => Ok(guest),
            None => self.cold_guest(reach),
        }
    }

    /// Whether there is a snapshot of guests that are so far along. It may not hold once it is looked at.
    pub fn is_prepared(&self, warmth: Warmth) -> bool {
        self.snapshots.has(self.key(warmth))
    }

    /// Remove the snapshots of other guests than these. Says how many bytes that freed.
    pub fn tidy(&self) -> std::io::Result<u64> {
        self.snapshots.prune(&self.kept())
    }

    fn kept(&self) -> [Sha256; 2] {
        [Warmth::Booted, Warmth::Python].map(|warmth| self.key(warmth))
    }

    /// Make the snapshot of guests that are so far along, unless there is one.
    pub fn prepare(&self, warmth: Warmth) -> Result<(), VmError> {
        match self.snapshots.restore(self.key(warmth))? {
            Some(_) => Ok(()),
            None => self.make_snapshot(warmth),
        }
    }

    /// A guest that boots from its kernel, whatever snapshots there are.
    pub fn cold_guest(&self, reach: &Reach) -> Result<Guest, VmError> {
        let image = self.images.image(self.image)?;
        let (import, folders) = self.import(&reach.folders)?;
        let disks = Disks { scratch: self.snapshots.scratch(self.size)?, import };
        let machine = self.vmm.start(&image, self.size, disks, Start::Cold { memory: None }, &reach.folders)?;
        Fresh::greet(machine, (folders, reach.proxy.as_ref()), self.patience)?.wake(self.patience)
    }

    fn restored(&self, reach: &Reach, warmth: Warmth) -> Result<Option<Guest>, VmError> {
        // both take their time to be verified
        let (image, snapshot) = thread::scope(|scope| {
            let snapshot = scope.spawn(|| self.snapshots.restore(self.key(warmth)));
            let image = self.images.image(self.image);
            (image, snapshot.join())
        });
        let image = image?;
        let snapshot = snapshot.unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))?;
        let Some(mut snapshot) = snapshot else { return Ok(None) };
        let (import, folders) = self.import(&reach.folders)?;
        let disks = Disks { scratch: self.snapshots.scratch_of(&mut snapshot.scratch)?, import };
        let machine = self.vmm.start(&image, self.size, disks, snapshot.start, &reach.folders)?;
        Ok(Some(Fresh::restored(machine, (folders, reach.proxy.as_ref()))?.wake(self.patience)?))
    }

    fn key(&self, warmth: Warmth) -> Sha256 {
        Snapshots::key(&*self.vmm, self.image, self.size, warmth)
    }

    /// The disk of imports, and the folders as the guest is told of them.
    fn import(&self, shares: &[Share]) -> Result<(std::fs::File, Vec<Folder>), VmError> {
        let disk = self.snapshots.unnamed()?;
        let packed = import::pack(shares, &disk)?;
        let folder = |(share, imported): (&Share, bool)| Folder {
            name: share.name.clone(),
            writable: share.writable,
            seeded: share.pending.is_some(),
            imported,
        };
        Ok((disk, shares.iter().zip(packed).map(folder).collect()))
    }

    /// Boot a guest and keep it as it is before it has run anything.
    fn make_snapshot(&self, warmth: Warmth) -> Result<(), VmError> {
        let image = self.images.image(self.image)?;
        let making = self.snapshots.make(self.key(warmth), &self.kept())?;
        let memory = making.file("memory", u64::from(self.size.memory) << 20)?;
        let scratch = making.file("scratch", u64::from(self.size.scratch) << 30)?;
        let devices = making.file("devices", 0)?;
        let disks = Disks { scratch, import: self.import(&[])?.0 };
        let machine = self.vmm.start(&image, self.size, disks, Start::Cold { memory: Some(memory) }, &[])?;
        let mut fresh = Fresh::greet(machine, (Vec::new(), None), self.patience)?;
        fresh.warm(warmth)?;
        fresh.machine().save(devices)?;
        drop(fresh);
        making.keep(&self.snapshots)
    }
}
