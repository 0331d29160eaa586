//! Whether KVM is there and at work. A device that opens says little: under some hypervisors it takes machines, and
//! then interprets them one instruction after another, far slower than QEMU's own emulation. So a few instructions are
//! run.

use std::{sync::mpsc, thread, time::Duration};

/// Where there is help by the processor, the loop takes well under a tenth of it.
const DEADLINE: Duration = Duration::from_millis(50);

/// Whether KVM runs a guest; if not, why not, for people.
pub(crate) fn probe() -> Result<(), String> {
    if !std::path::Path::new("/dev/kvm").exists() {
        return Err("there is no /dev/kvm".to_owned());
    }
    let (say, said) = mpsc::channel();
    // one that does not come back in time ends by itself, within a second: its loop is a short one
    thread::spawn(move || drop(say.send(run())));
    match said.recv_timeout(DEADLINE) {
        Ok(outcome) => outcome,
        Err(_) => Err("/dev/kvm is there, but interprets guests instead of running them".to_owned()),
    }
}

#[cfg(target_arch = "x86_64")]
fn run() -> Result<(), String> {
    run_loop().map_err(|error| match error.errno() {
        13 => "/dev/kvm may not be opened; add yourself to the group `kvm`".to_owned(),
        _ => format!("/dev/kvm does not run a guest: {error}"),
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn run() -> Result<(), String> {
    Err("only 64-bit PCs are asked for it yet".to_owned())
}

/// Count to zero in the processor's first mode, and halt.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn run_loop() -> Result<(), kvm_ioctls::Error> {
    use kvm_bindings::{KVM_API_VERSION, kvm_userspace_memory_region};
    use kvm_ioctls::{Error, Kvm, VcpuExit};

    const PAGE: usize = 4096;
    const START: u64 = 0x1000;
    /// `mov ecx, 200000; again: dec ecx; jnz again; hlt`
    const CODE: [u8; 11] = [0x66, 0xb9, 0x40, 0x0d, 0x03, 0x00, 0x66, 0x49, 0x75, 0xfc, 0xf4];

    let kvm = Kvm::new()?;
    if u32::try_from(kvm.get_api_version()) != Ok(KVM_API_VERSION) {
        return Err(Error::new(95));
    }
    let machine = kvm.create_vm()?;
    let mut memory = vec![0_u8; 2 * PAGE];
    let page = memory.as_ptr().align_offset(PAGE);
    memory[page..page + CODE.len()].copy_from_slice(&CODE);
    let region = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: START,
        memory_size: PAGE as u64,
        userspace_addr: memory[page..].as_mut_ptr() as u64,
    };
    // SAFETY: the page lies in `memory`, which outlives the machine: it is dropped after it, at the end of this
    // function
    unsafe { machine.set_user_memory_region(region)? };
    let mut processor = machine.create_vcpu(0)?;
    let mut special = processor.get_sregs()?;
    special.cs.base = 0;
    special.cs.selector = 0;
    processor.set_sregs(&special)?;
    let mut registers = processor.get_regs()?;
    (registers.rip, registers.rflags) = (START, 2);
    processor.set_regs(&registers)?;
    let ended = matches!(processor.run()?, VcpuExit::Hlt);
    drop((processor, machine, memory));
    if ended { Ok(()) } else { Err(Error::new(5)) }
}
