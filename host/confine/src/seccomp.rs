//! The filter of system calls: what programs that work on files and speak to a proxy never need, and with which others got
//! out of such sandboxes. Namespaces and rights are the boundary; this takes away most of what could be wrong in it.

use crate::error::ConfineError;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};
use std::collections::BTreeMap;

/// The last call that was known when this was written (Linux 6.10). A later one, and those of the x32 variant, whose numbers
/// are larger, do not exist in the sandbox.
const LAST: i64 = libc::SYS_mseal;

/// What is refused as not permitted.
const REFUSED: &[i64] = &[
    // mounts and roots
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    // namespaces
    libc::SYS_unshare,
    libc::SYS_setns,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // keys, programs for the kernel, and other parts of it that few need and many broke
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_set_mempolicy,
    // the machine
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
];

/// What is said not to exist, so that programs take the way that they have for older systems.
const ABSENT: &[i64] = &[
    // its flags lie in memory, where a filter cannot look; glibc then takes `clone`
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // memory that belongs to no process and no folder, so that nobody would count it
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
];

/// Flags of `clone` that make namespaces (clone(2)).
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// `SOCK_PACKET` of old (packet(7)).
const PACKET: i32 = 10;

/// A socket's type without its flags (socket(2)).
const TYPE: u64 = 0xf;

/// The filters, each as the bytes that the kernel takes (seccomp(2)).
pub(crate) fn filters() -> Result<Vec<Vec<u8>>, ConfineError> {
    let mut refused: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let built = || -> Result<[BpfProgram; 2], seccompiler::BackendError> {
        refused.insert(libc::SYS_clone, namespaces()?);
        refused.insert(libc::SYS_socket, sockets()?);
        refused.insert(libc::SYS_ioctl, terminals()?);
        refused.insert(libc::SYS_personality, personalities()?);
        let absent = ABSENT.iter().map(|call| (*call, Vec::new())).collect();
        Ok([program(refused, libc::EPERM)?, program(absent, libc::ENOSYS)?])
    };
    let [refused, absent] = built().map_err(ConfineError::sandbox)?;
    let absent = newer().into_iter().chain(absent).collect();
    Ok([refused, absent].iter().map(bytes).collect())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

fn program(rules: Rules, answer: i32) -> Built<BpfProgram> {
    let answer = SeccompAction::Errno(answer.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, answer, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// Refuses where all of these hold.
fn where_all(conditions: &[(u8, SeccompCmpOp, u64)]) -> Built<SeccompRule> {
    let condition = |(argument, comparison, value): &(u8, SeccompCmpOp, u64)| {
        SeccompCondition::new(*argument, Dword, comparison.clone(), *value)
    };
    SeccompRule::new(conditions.iter().map(condition).collect::<Built<_>>()?)
}

fn number(value: i32) -> u64 {
    value.cast_unsigned().into()
}

fn namespaces() -> Built<Vec<SeccompRule>> {
    NAMESPACES.iter().map(|flag| where_all(&[(0, SeccompCmpOp::MaskedEq(number(*flag)), number(*flag))])).collect()
}

/// Sockets of this machine and of the internet, streams and datagrams; and of netlink the routes alone, which resolvers
/// ask for.
fn sockets() -> Built<Vec<SeccompRule>> {
    let not = |family: i32| (0, SeccompCmpOp::Ne, number(family));
    let protocol = |protocol: i32| (2, SeccompCmpOp::Ne, number(protocol));
    let kind = |kind: i32| (1, SeccompCmpOp::MaskedEq(TYPE), number(kind));
    Ok(vec![
        where_all(&[not(libc::AF_UNIX), not(libc::AF_INET), not(libc::AF_INET6), not(libc::AF_NETLINK)])?,
        where_all(&[
            (0, SeccompCmpOp::Eq, number(libc::AF_NETLINK)),
            (2, SeccompCmpOp::Ne, number(libc::NETLINK_ROUTE)),
        ])?,
        where_all(&[not(libc::AF_NETLINK), kind(libc::SOCK_RAW)])?,
        // what else there is of protocols few need, and 0 is that of the type
        where_all(&[
            not(libc::AF_UNIX),
            not(libc::AF_NETLINK),
            protocol(0),
            protocol(libc::IPPROTO_TCP),
            protocol(libc::IPPROTO_UDP),
        ])?,
        where_all(&[kind(PACKET)])?,
    ])
}

/// Typing into a terminal, and the console's own commands.
fn terminals() -> Built<Vec<SeccompRule>> {
    [libc::TIOCSTI, libc::TIOCLINUX].iter().map(|request| where_all(&[(1, SeccompCmpOp::Eq, *request)])).collect()
}

/// Any but the usual one, and the question which it is (personality(2)).
fn personalities() -> Built<Vec<SeccompRule>> {
    Ok(vec![where_all(&[(0, SeccompCmpOp::Ne, 0), (0, SeccompCmpOp::Ne, 0xffff_ffff)])?])
}

/// Says of all calls after the last known one that they do not exist.
fn newer() -> [sock_filter; 3] {
    let step = |code: u32, jf: u8, k: u32| sock_filter { code: code as u16, jt: 0, jf, k };
    [
        // the number of the call is the first word of what a filter looks at
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 1, LAST as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
    ]
}

fn bytes(program: &BpfProgram) -> Vec<u8> {
    let step = |step: &sock_filter| {
        let ([a, b], [c, d, e, f]) = (step.code.to_ne_bytes(), step.k.to_ne_bytes());
        [a, b, step.jt, step.jf, c, d, e, f]
    };
    program.iter().flat_map(step).collect()
}
