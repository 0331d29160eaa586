//! QEMU's command line. Everything that it opens is handed to it as an open file: it needs no path of ours.

use crate::{Accelerator, Qemu, Size, Start};
use deskhand_vm_protocol::{FOLDERS, disk, port};
use std::os::fd::OwnedFd;

/// The numbers under which QEMU finds what it was handed.
pub(super) const CONTROL: i32 = 10;
pub(super) const LOG: i32 = 11;
pub(super) const CONSOLE: i32 = 12;
pub(super) const MONITOR: i32 = 13;
pub(super) const KERNEL: i32 = 14;
pub(super) const INITRAMFS: i32 = 15;
pub(super) const ROOT: i32 = 16;
pub(super) const SCRATCH: i32 = 17;
pub(super) const MEMORY: i32 = 18;
pub(super) const FILES: i32 = 19;
pub(super) const NET: i32 = 20;
pub(super) const IMPORT: i32 = 21;
pub(super) const LAYER: i32 = 22;

/// Where QEMU sees the folders that a guest can reach.
pub(super) const EXPORT: &str = "/folders";

/// What a guest's kernel is told. Without hardware, what guards against other guests on the same processor only costs
/// time.
const KERNEL_LINE: &str = "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t audit=0 selinux=0 apparmor=0 \
    cryptomgr.notests rcupdate.rcu_expedited=1";
const KERNEL_LINE_EMULATED: &str = "mitigations=off no_timer_check";

/// A command line in the making.
pub(super) struct Line {
    words: Vec<String>,
    passed: Vec<(i32, OwnedFd)>,
}

impl Line {
    /// A machine without firmware settings, network, graphics, USB or PCI: memory, a console, three disks, and one more where the image
    /// has a layer, four ports, and a folder that is read.
    pub(super) fn new(qemu: &Qemu, size: Size, start: &Start, layer: bool) -> Self {
        let mut line = Self { words: Vec::new(), passed: Vec::new() };
        line.add("-nodefaults -no-user-config -display none -no-reboot -smp 1 -global virtio-mmio.force-legacy=false");
        line.add("-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
        match qemu.accelerator {
            Accelerator::Kvm => line.add("-accel kvm -cpu host"),
            Accelerator::Emulation(_) => line.add("-accel tcg,thread=multi -cpu max,-avx,-avx2,-fma"),
        }
        let Size { memory, .. } = size;
        line.add(&format!("-m {memory}M -machine microvm,memory-backend=memory"));
        line.add(&match start {
            Start::Cold { memory: None } => format!("-object memory-backend-ram,id=memory,size={memory}M"),
            // what is written goes to the file that is saved, or to this process alone
            Start::Cold { memory: Some(_) } => file_memory(memory, "on"),
            Start::Restored { .. } => file_memory(memory, "off"),
        });
        if matches!(start, Start::Restored { .. }) {
            line.add("-incoming defer");
        }
        let streams = [
            ("control", CONTROL),
            ("files", FILES),
            ("net", NET),
            ("log", LOG),
            ("console", CONSOLE),
            ("monitor", MONITOR),
        ];
        for (name, number) in streams {
            line.add(&format!("-chardev socket,id={name},fd={number}"));
        }
        line.add("-mon chardev=monitor,mode=control -serial chardev:console -device virtio-serial-device");
        for (name, port) in [("control", port::CONTROL), ("files", port::FILES), ("net", port::NET), ("log", port::LOG)]
        {
            line.add(&format!("-device virtserialport,chardev={name},name={port}"));
        }
        line.add(&format!("-drive file=/proc/self/fd/{ROOT},format=raw,if=none,id=root,read-only=on"));
        // the disk ends with the guest, so that nothing of it need ever be safe on the host's
        line.add(&format!("-drive file=/proc/self/fd/{SCRATCH},format=raw,if=none,id=scratch,cache=unsafe"));
        // the guest counts its disks in this order
        line.add("-device virtio-blk-device,drive=root -device virtio-blk-device,drive=scratch");
        line.add(&format!("-drive file=/proc/self/fd/{IMPORT},format=raw,if=none,id=import,read-only=on"));
        line.add("-device virtio-blk-device,drive=import");
        if layer {
            // the last of the disks, which the guest finds by its name
            line.add(&format!("-drive file=/proc/self/fd/{LAYER},format=raw,if=none,id=layer,read-only=on"));
            line.add(&format!("-device virtio-blk-device,drive=layer,serial={}", disk::LAYER));
        }
        // several disks of the host are seen as one, on which no two files have one number
        line.add(&format!("-fsdev local,id=folders,path={EXPORT},security_model=none,readonly=on,multidevs=remap"));
        line.add(&format!("-device virtio-9p-device,fsdev=folders,mount_tag={FOLDERS}"));
        line.add(&format!("-kernel /proc/self/fd/{KERNEL} -initrd /proc/self/fd/{INITRAMFS} -append"));
        let told = if layer { format!(" {}", disk::TOLD) } else { String::new() };
        line.words.push(kernel_line(qemu) + &told);
        line
    }

    /// Words without spaces in them.
    fn add(&mut self, words: &str) {
        self.words.extend(words.split(' ').map(str::to_owned));
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// Hand an open file to QEMU.
    pub(super) fn pass(&mut self, number: i32, file: OwnedFd) {
        self.passed.push((number, file));
    }

    pub(super) fn into_parts(self) -> (Vec<String>, Vec<(i32, OwnedFd)>) {
        (self.words, self.passed)
    }
}

fn file_memory(memory: u32, share: &str) -> String {
    format!("-object memory-backend-file,id=memory,size={memory}M,mem-path=/proc/self/fd/{MEMORY},share={share}")
}

fn kernel_line(qemu: &Qemu) -> String {
    match (&qemu.accelerator, qemu.ticks) {
        (Accelerator::Kvm, _) => KERNEL_LINE.to_owned(),
        (Accelerator::Emulation(_), None) => format!("{KERNEL_LINE} {KERNEL_LINE_EMULATED}"),
        // the emulated machine has no clock by which its kernel could find that out
        (Accelerator::Emulation(_), Some(ticks)) => {
            format!("{KERNEL_LINE} {KERNEL_LINE_EMULATED} tsc_early_khz={ticks}")
        }
    }
}
