//! The system calls that no job has a use for. What they would reach is closed by other walls too: this one is there so
//! that a fault in the kernel behind them is out of reach.

use rustix::fs::{MemfdFlags, memfd_create};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpArgLen::Qword, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _, Write as _},
};

/// Denied with EPERM whatever their arguments are.
const DENIED: [libc::c_long; 53] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_modify_ldt,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// The flags of `clone(2)` that make namespaces.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The families of sockets that a job may have. All others, among them those that reach the host, are denied.
const FAMILIES: [libc::c_int; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// The protocols of the families of the internet that a job may have; 0 is that of the type.
const PROTOCOLS: [libc::c_int; 3] = [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP];

/// The filters, each as a file that bubblewrap reads.
pub(crate) fn filters() -> io::Result<[File; 2]> {
    let build = || Ok::<_, seccompiler::BackendError>([denied()?, unknown()?]);
    let [denied, unknown] = build().map_err(io::Error::other)?;
    Ok([file(&denied)?, file(&unknown)?])
}

fn file(program: &BpfProgram) -> io::Result<File> {
    let mut file = File::from(memfd_create("filter", MemfdFlags::CLOEXEC)?);
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        bytes.extend(instruction.code.to_ne_bytes());
        bytes.extend([instruction.jt, instruction.jf]);
        bytes.extend(instruction.k.to_ne_bytes());
    }
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(file)
}

fn denied() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let mut namespaces = Vec::new();
    for flag in NAMESPACES {
        let flag = flag as u64;
        let set = SeccompCondition::new(0, Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
        namespaces.push(SeccompRule::new(vec![set])?);
    }
    rules.insert(libc::SYS_clone, namespaces);
    let mut other = Vec::new();
    for family in FAMILIES {
        other.push(SeccompCondition::new(0, Dword, SeccompCmpOp::Ne, family as u64)?);
    }
    // the low four bits are the type, the rest are flags
    let raw = SeccompCondition::new(1, Dword, SeccompCmpOp::MaskedEq(0xf), libc::SOCK_RAW as u64)?;
    let mut unusual = vec![SeccompCondition::new(0, Dword, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?];
    for protocol in PROTOCOLS {
        unusual.push(SeccompCondition::new(2, Dword, SeccompCmpOp::Ne, protocol as u64)?);
    }
    let sockets = vec![SeccompRule::new(other)?, SeccompRule::new(vec![raw])?, SeccompRule::new(unusual)?];
    rules.insert(libc::SYS_socket, sockets.clone());
    rules.insert(libc::SYS_socketpair, sockets);
    // putting characters into the input of a terminal
    let insert = SeccompCondition::new(1, Dword, SeccompCmpOp::Eq, libc::TIOCSTI)?;
    rules.insert(libc::SYS_ioctl, vec![SeccompRule::new(vec![insert])?]);
    compile(rules, libc::EPERM)
}

/// `clone3` has its flags in memory, where no filter can see them. The C library takes the older call where there is
/// none.
fn unknown() -> Result<BpfProgram, seccompiler::BackendError> {
    compile(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> Result<BpfProgram, seccompiler::BackendError> {
    let action = SeccompAction::Errno(error as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, action, TargetArch::x86_64)?.try_into()
}
