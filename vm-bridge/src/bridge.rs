//! The bridge: a guest whenever one is needed, from the snapshot where there is one.

use crate::{Guest, Patience, Reach, Size, Snapshots, VmError, Vmm, guest::Fresh, vmm::Start};
use deskhand_vm_image::{Image, Store};
use deskhand_vocabulary::Sha256;

/// Hands out guests of one image on one monitor.
pub struct Bridge {
    vmm: Box<dyn Vmm>,
    images: Store,
    image: Sha256,
    snapshots: Snapshots,
    size: Size,
    patience: Patience,
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
    pub fn guest(&self, reach: &Reach) -> Result<Guest, VmError> {
        let image = self.images.image(self.image)?;
        let key = Snapshots::key(&*self.vmm, &image, self.size);
        if let Some(guest) = self.restored(&image, key, reach)? {
            return Ok(guest);
        }
        self.make_snapshot(&image, key)?;
        match self.restored(&image, key, reach)? {
            Some(guest) => Ok(guest),
            None => self.boot(&image, reach),
        }
    }

    /// A guest that boots from its kernel, whatever snapshots there are.
    pub fn cold_guest(&self, reach: &Reach) -> Result<Guest, VmError> {
        self.boot(&self.images.image(self.image)?, reach)
    }

    fn boot(&self, image: &Image, reach: &Reach) -> Result<Guest, VmError> {
        let scratch = self.snapshots.scratch(self.size)?;
        let machine = self.vmm.start(image, self.size, scratch, Start::Cold { memory: None }, &reach.folders)?;
        Fresh::greet(machine, reach, self.patience)?.wake(self.patience)
    }

    fn restored(&self, image: &Image, key: Sha256, reach: &Reach) -> Result<Option<Guest>, VmError> {
        let Some(mut snapshot) = self.snapshots.restore(key)? else { return Ok(None) };
        let scratch = self.snapshots.scratch_of(&mut snapshot.scratch)?;
        let machine = self.vmm.start(image, self.size, scratch, snapshot.start, &reach.folders)?;
        Ok(Some(Fresh::restored(machine, reach)?.wake(self.patience)?))
    }

    /// Boot a guest and keep it as it is before it has run anything.
    fn make_snapshot(&self, image: &Image, key: Sha256) -> Result<(), VmError> {
        let making = self.snapshots.make(key)?;
        let memory = making.file("memory", u64::from(self.size.memory) << 20)?;
        let scratch = making.file("scratch", u64::from(self.size.scratch) << 30)?;
        let devices = making.file("devices", 0)?;
        let machine = self.vmm.start(image, self.size, scratch, Start::Cold { memory: Some(memory) }, &[])?;
        let mut fresh = Fresh::greet(machine, &Reach::default(), self.patience)?;
        fresh.machine().save(devices)?;
        drop(fresh);
        making.keep(&self.snapshots)
    }
}
