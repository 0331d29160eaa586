//! Machines by QEMU, each a process of its own that has no privileges, sees none of the person's files but
//! those that its guest reads, and dies with us.

mod confine;
mod line;
mod monitor;
mod process;

use crate::{
    Accelerator, Disks, Machine, Ports, Share, Size, Start, VmError, Vmm, hardware,
    qemu::{line::Line, monitor::Monitor, process::Process},
};
use deskhand_vm_image::Image;
use deskhand_vocabulary::{Blake3, Sha256};
use std::{
    fs::{self, File},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::Command,
    time::Duration,
};

const PROGRAM: &str = "qemu-system-x86_64";

/// How long QEMU may take to say a word on a loaded computer.
const PATIENCE: Duration = Duration::from_secs(30);

/// QEMU as it is installed.
#[derive(Clone, Debug)]
pub struct Qemu {
    program: PathBuf,
    version: String,
    /// Of the program's file.
    digest: Blake3,
    accelerator: Accelerator,
    ticks: Option<u64>,
}

impl Qemu {
    /// Find QEMU, and what it can run guests on.
    pub fn find() -> Result<Self, VmError> {
        Self::at(program().ok_or(VmError::NoMonitor)?, Accelerator::probe())
    }

    /// Whether there is a QEMU. Whether it can be used is only known once it is tried.
    pub fn is_there() -> bool {
        program().is_some()
    }

    /// This QEMU on that accelerator.
    pub fn at(program: PathBuf, accelerator: Accelerator) -> Result<Self, VmError> {
        let program = fs::canonicalize(program).map_err(|_| VmError::NoMonitor)?;
        let said = Command::new(&program).arg("--version").output()?;
        let version = String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned();
        confine::check(&program)?;
        let digest = Blake3::of_reader(File::open(&program)?)?;
        Ok(Self { program, version, digest, accelerator, ticks: hardware::ticks_per_millisecond() })
    }
}

fn program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(PROGRAM)).find(|path| path.is_file())
}

/// What the computer says of its processor: a machine that was saved on another one is not restored.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wanted = |line: &&str| ["model name", "flags", "microcode"].iter().any(|name| line.starts_with(name));
    // all processors of a computer say the same
    text.lines().take_while(|line| !line.is_empty()).filter(wanted).collect()
}

impl Vmm for Qemu {
    fn accelerator(&self) -> &Accelerator {
        &self.accelerator
    }

    fn name(&self) -> String {
        self.version.clone()
    }

    fn identity(&self, size: Size) -> Sha256 {
        // the counter's speed is measured, and never twice the same
        let timeless = Self { ticks: None, ..self.clone() };
        // whether there is a layer is the image's
        let line = Line::new(&timeless, size, &Start::Cold { memory: None }, false);
        Sha256::of(
            [&line.words().join("\n"), &self.version, &self.digest.0.to_string(), &processor()]
                .map(|part| format!("{part}\0"))
                .concat(),
        )
    }

    fn start(
        &self,
        image: &Image,
        size: Size,
        disks: Disks,
        start: Start,
        shares: &[Share],
    ) -> Result<Box<dyn Machine>, VmError> {
        let mut line = Line::new(self, size, &start, image.parts.layer.is_some());
        let (control, theirs) = UnixStream::pair()?;
        line.pass(line::CONTROL, theirs.into());
        let (files, theirs) = UnixStream::pair()?;
        line.pass(line::FILES, theirs.into());
        let (net, theirs) = UnixStream::pair()?;
        line.pass(line::NET, theirs.into());
        let (log, theirs) = UnixStream::pair()?;
        line.pass(line::LOG, theirs.into());
        let (console, theirs) = UnixStream::pair()?;
        line.pass(line::CONSOLE, theirs.into());
        let (monitor, theirs) = UnixStream::pair()?;
        line.pass(line::MONITOR, theirs.into());
        line.pass(line::KERNEL, image.parts.kernel.try_clone()?.into());
        line.pass(line::INITRAMFS, image.parts.initramfs.try_clone()?.into());
        line.pass(line::ROOT, image.parts.root.try_clone()?.into());
        line.pass(line::SCRATCH, disks.scratch.into());
        line.pass(line::IMPORT, disks.import.into());
        if let Some(layer) = &image.parts.layer {
            line.pass(line::LAYER, layer.try_clone()?.into());
        }
        let devices = match start {
            Start::Cold { memory } => {
                memory.into_iter().for_each(|memory| line.pass(line::MEMORY, memory.into()));
                None
            }
            Start::Restored { memory, devices } => {
                line.pass(line::MEMORY, memory.into());
                Some(devices)
            }
        };
        let process = Process::start(confine::command(&self.program, &self.accelerator, line, shares)?)?;
        monitor.set_read_timeout(Some(PATIENCE))?;
        let mut monitor = Monitor::new(monitor).map_err(|error| process.explain(error))?;
        // before any guest can ask for anything in them
        for (number, share) in shares.iter().enumerate() {
            if process.sees(&confine::places(number).0) != Some(share.id) {
                return Err(VmError::NotThere(share.path.clone()));
            }
        }
        if let Some(devices) = devices {
            monitor.restore(devices).map_err(|error| process.explain(error))?;
        }
        Ok(Box::new(Running { process, monitor, ports: Some(Ports { control, files, net, log, console }) }))
    }
}

struct Running {
    process: Process,
    monitor: Monitor,
    ports: Option<Ports>,
}

impl Machine for Running {
    fn ports(&mut self) -> Option<Ports> {
        self.ports.take()
    }

    fn save(&mut self, devices: File) -> Result<(), VmError> {
        self.monitor.save(devices).map_err(|error| self.process.explain(error))
    }

    fn kill(&self) {
        self.process.kill();
    }

    fn resident(&self) -> Option<u64> {
        self.process.resident()
    }
}

#[cfg(test)]
#[path = "qemu_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
