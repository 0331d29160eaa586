//! What a program in a sandbox cannot get at.

use crate::kit::{Desk, helper, run, script, shell, shell_over};
use deskhand_confine::{ConfineError, Confined, Ended, available, start};
use std::{fs, io::Write as _};

#[tokio::test]
async fn there_is_a_sandbox_here() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(available(&helper(), &dir.path().join("sandboxes")).await, Ok(()));
    let left = fs::read_dir(dir.path().join("sandboxes")).unwrap().count();
    assert_eq!(left, 0, "nothing is left of the attempt");
}

#[tokio::test]
async fn a_program_runs_with_its_arguments_its_input_and_its_status() {
    let said = run(script("echo \"$0 $1\"; echo beside >&2; exit 7")).await;
    assert_eq!((said.out.as_str(), said.err.as_str(), said.ended), ("/bin/sh", "beside", Ended::Exited(7)));
    let mut cat = Confined::new("cat");
    cat.arguments = vec!["-".into()];
    let mut running = start(&helper(), cat).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(running.stdin.as_mut().unwrap(), b"through").await.unwrap();
    assert_eq!(crate::kit::finish(running).await.out, "through");
    assert_eq!(shell("kill -9 $$").await.ended, Ended::Exited(137));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_by_name() {
    let error = start(&helper(), Confined::new("no-such-program")).await.unwrap_err();
    assert!(matches!(&error, ConfineError::Program { program, .. } if program == "no-such-program"), "{error:?}");
    assert_eq!(
        error.to_string(),
        "no-such-program was not started: there is no such program in the sandbox. Install it for all users, or name \
         the folder that it is in"
    );
}

#[tokio::test]
async fn nothing_of_ours_is_inherited() {
    // a handle that is not closed when another program starts
    let mut secret = tempfile::tempfile().unwrap();
    secret.write_all(b"secret").unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let mut confined = script("env | sort; ls /proc/self/fd | tr '\\n' ' '");
    confined.environment = vec![("GIVEN".into(), "1".into())];
    let said = run(confined).await;
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::CLOEXEC).unwrap();
    let expected = "GIVEN=1\nHOME=/sandbox\nLANG=C.UTF-8\n\
                    PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\nPWD=/sandbox\nTMPDIR=/tmp\nUSER=user\n\
                    0 1 2 3";
    // 3 is what lists them
    assert_eq!(said.out, expected);
}

/// What it is told to have in its environment is not what its helpers have in theirs: they run outside.
#[tokio::test]
async fn what_a_program_is_given_does_nothing_outside() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let mut confined = script("echo $GLIBC_TUNABLES");
    confined.environment =
        vec![("LD_DEBUG".into(), "files".into()), ("LD_DEBUG_OUTPUT".into(), trace.into_os_string())];
    assert_eq!(run(confined).await.ended, Ended::Exited(0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn no_file_of_this_machine_is_seen_but_the_system_and_what_was_granted() {
    let desk = Desk::new(&[("a.txt", "a")]);
    crate::kit::write(&desk.dir.path().join("other/secret.txt"), "secret");
    let overlay = desk.overlay();
    let script = format!(
        "ls /; echo; ls /mnt; echo; ls -A /tmp /run /run/deskhand; echo; cat {0}/other/secret.txt 2>&1; ls {0} 2>&1; \
         cat /etc/shadow 2>&1; ls /sys /root /var 2>&1",
        desk.dir.path().display()
    );
    let said = shell_over(&overlay, &script).await;
    let place = desk.dir.path().display();
    let lines: Vec<_> = said.out.split("\n\n").collect();
    for name in ["boot", "media", "root", "srv", "sys"] {
        assert!(!lines[0].lines().any(|line| line == name), "{}", lines[0]);
    }
    assert_eq!(lines[1], "photos");
    let rest = lines[2..].join("\n\n");
    let expected = format!(
        "/run:\ndeskhand\n\n/run/deskhand:\nhelper\n\n/tmp:\n\n\
         cat: {place}/other/secret.txt: No such file or directory\n\
         ls: cannot access '{place}': No such file or directory\n\
         cat: /etc/shadow: No such file or directory\n\
         ls: cannot access '/sys': No such file or directory\nls: cannot access '/root': No such file or directory\n/var:\ntmp"
    );
    assert_eq!(rest, expected);
}

/// The socket of a service beside a program, or a pipe, is a way out that no proxy looks at.
#[tokio::test]
async fn nobody_is_reached_through_what_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(top.join("service")).unwrap();
    let pipe = top.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let _reader = rustix::fs::open(&pipe, flags, rustix::fs::Mode::empty()).unwrap();
    let python = format!(
        "import errno, os, socket\n\
         def tried(what):\n    try: what(); print('reached')\n    except OSError as error: print(errno.errorcode[error.errno])\n\
         at = '{}'\n\
         tried(lambda: socket.socket(socket.AF_UNIX).connect(at + '/service'))\n\
         tried(lambda: os.open(at + '/pipe', os.O_WRONLY | os.O_NONBLOCK))\n",
        top.display()
    );
    let mut confined = Confined::new("python3");
    confined.arguments = vec!["-c".into(), python.into()];
    confined.readable.push(top.clone());
    let said = run(confined).await;
    assert_eq!(said.out, "ECONNREFUSED\nENXIO", "{}", said.err);
    // by its own name it is no file
    for path in ["service", "pipe"] {
        let mut confined = script("true");
        confined.readable.push(top.join(path));
        let refused = start(&crate::kit::helper(), confined).await.unwrap_err();
        assert!(matches!(refused, ConfineError::Asked { .. }), "{path}: {refused}");
    }
}

/// Bubblewrap, and what carries connections, have the same pipes as the program: whoever had those could speak for it.
#[tokio::test]
async fn the_pipes_and_the_memory_of_the_helpers_are_out_of_reach() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut confined = script(
        "ls -A /proc/1; for at in 2/fd/0 2/fd/1 2/mem; do (: < /proc/$at) 2>&1 | sed 's/.*: //'; done; ls -d /proc/2",
    );
    confined.network = Some(socket);
    let said = run(confined).await;
    let denied = "Permission denied\n".repeat(3);
    assert_eq!(said.out.replace("cannot open", "Permission denied"), format!("{denied}/proc/2"), "{}", said.err);
}

#[tokio::test]
async fn the_system_is_read_only_and_its_own_places_are_bounded() {
    let mut confined = script(
        "for at in / /usr /etc /dev /run /mnt /home /proc/sys/kernel/hostname /run/deskhand/helper; do \
           if ( : > $at/x ) 2>/dev/null || ( : > $at ) 2>/dev/null; then echo \"$at can be written\"; fi; done; \
         for at in /tmp /sandbox /dev/shm; do : > $at/x || echo \"$at cannot be written\"; \
           head -c 2000000000 /dev/zero 2>/dev/null > $at/x && echo \"$at has no bound\"; rm $at/x; done",
    );
    confined.limits.scratch = 16 << 20;
    let said = run(confined).await;
    assert_eq!((said.out.as_str(), said.ended), ("", Ended::Exited(0)), "{}", said.err);
}

#[tokio::test]
async fn what_a_program_needs_beside_the_system_can_be_read_and_nothing_of_deskhands_own() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    let home = deskhand_vocabulary::Home::within(&top.join("share/deskhand"));
    crate::kit::write(&home.data.join("grants"), "secret");
    crate::kit::write(&top.join("share/tool/data"), "data");
    crate::kit::write(&top.join("bin/tool"), "#!/bin/sh\ncat $(dirname $0)/../share/tool/data");
    fs::set_permissions(top.join("bin/tool"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let helper = crate::kit::helper_of(&home);
    let mut confined = Confined::new(top.join("bin/tool"));
    confined.readable.push(top.clone());
    let said = crate::kit::finish(start(&helper, confined.clone()).await.unwrap()).await;
    assert_eq!(said.out, "data", "{}", said.err);
    let look =
        format!("find {0} -name grants 2>/dev/null; echo x > {0}/bin/tool; ls {0}/share/deskhand", top.display());
    let mut looking = script(&look);
    looking.readable.push(top);
    let said = crate::kit::finish(start(&helper, looking).await.unwrap()).await;
    assert_eq!(
        (said.out.as_str(), said.err.contains("Read-only"), said.err.contains("Permission denied")),
        ("", true, true)
    );
    for not in [
        home.data,
        "/".into(),
        "/proc".into(),
        "relative".into(),
        "/usr/../usr".into(),
        "/var/tmp/x".into(),
        "/no/such".into(),
    ] {
        let mut confined = confined.clone();
        confined.readable.push(not.clone());
        let refused = start(&helper, confined).await.unwrap_err();
        assert!(matches!(refused, ConfineError::Asked { .. }), "{not:?}: {refused}");
    }
}

/// It lies at the top of a disk, or where on it we may write; the home knows where, and another one's is known by its name.
#[tokio::test]
async fn what_is_kept_for_undo_on_another_disk_is_not_seen() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    let name = deskhand_vocabulary::Home::store_elsewhere(rustix::process::geteuid().as_raw());
    let disk = top.join("disk");
    let [known, unknown] = [disk.join("mine"), disk.clone()].map(|folder| folder.join(&name).join("606301a6d463f838"));
    for store in [&known, &unknown] {
        crate::kit::write(&store.join("7/c1"), "secret");
    }
    crate::kit::write(&disk.join("mine/data"), "data");
    let home = deskhand_vocabulary::Home::within(&top.join("home"));
    let register = serde_json::json!({ "stores": [known.to_str().unwrap()] });
    crate::kit::write(&home.data.join("stores.json"), &register.to_string());
    let helper = crate::kit::helper_of(&home);
    let mut looking = script(&format!(
        "cat {0}/mine/data; find {0} -name c1 2>/dev/null; for at in mine/{name} {name}; do ls {0}/$at; done",
        disk.display()
    ));
    looking.readable.push(disk);
    let said = crate::kit::finish(start(&helper, looking).await.unwrap()).await;
    assert_eq!((said.out.as_str(), said.err.matches("Permission denied").count()), ("data", 2), "{}", said.err);
    for not in [known.clone(), unknown.parent().unwrap().to_owned(), unknown.join("7/c1")] {
        let mut confined = script("true");
        confined.readable.push(not.clone());
        let refused = start(&helper, confined).await.unwrap_err();
        let whole = format!(
            "{} cannot be part of the sandbox: it is Deskhand's own. Install the program elsewhere",
            not.display()
        );
        assert_eq!(refused.to_string(), whole);
    }
}

/// A home that cannot say where its stores are shows nothing of this machine.
#[tokio::test]
async fn where_stores_lie_must_be_known() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    crate::kit::write(&top.join("tool/data"), "data");
    let home = deskhand_vocabulary::Home::within(&top.join("home"));
    crate::kit::write(&home.data.join("stores.json"), "{");
    let mut looking = script("true");
    looking.readable.push(top.join("tool"));
    let refused = start(&crate::kit::helper_of(&home), looking).await.unwrap_err();
    assert!(matches!(refused, ConfineError::Sandbox { .. }), "{refused}");
}

/// Where Deskhand runs as root, so does the program, without root's rights: what root merely owns must not be writable.
#[tokio::test]
async fn the_kernel_takes_no_orders() {
    let said = shell(
        "find /proc -path '/proc/[0-9]*' -prune -o -type f -writable -print 2>/dev/null | grep -v '^/proc/[0-9]'; \
         cat /proc/keys /proc/slabinfo /proc/vmallocinfo 2>/dev/null",
    )
    .await;
    assert_eq!(said.out, "");
}

/// Each of these got out of a sandbox once, or is how it is begun.
#[tokio::test]
async fn the_ways_out_are_closed() {
    let python = r#"
import ctypes, errno, os, socket, fcntl
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    print(name, errno.errorcode.get(ctypes.get_errno(), result))
buffer = ctypes.create_string_buffer(256)
machine = os.uname().machine
numbers = dict(mount=165, umount2=166, pivot_root=155, chroot=161, unshare=272, setns=308, ptrace=101, keyctl=250,
    bpf=321, userfaultfd=323, io_uring_setup=425, perf_event_open=298, open_by_handle_at=304, process_vm_readv=310,
    kexec_load=246, init_module=175, clone3=435, memfd_create=319, open_tree=428, fsopen=430, pidfd_getfd=438, later=466)
if machine == 'aarch64':
    numbers = dict(mount=40, umount2=39, pivot_root=41, chroot=51, unshare=97, setns=268, ptrace=117, keyctl=219,
    bpf=280, userfaultfd=282, io_uring_setup=425, perf_event_open=241, open_by_handle_at=265, process_vm_readv=270,
    kexec_load=104, init_module=105, clone3=435, memfd_create=279, open_tree=428, fsopen=430, pidfd_getfd=438, later=466)
for name, number in numbers.items():
    call(name, number, buffer, buffer, 0, 0, 0)
clone = 56 if machine == 'x86_64' else 220
for name, flag in dict(newuser=0x10000000, newnet=0x40000000, newns=0x20000).items():
    call('clone ' + name, clone, flag | 17, 0, 0, 0, 0)
for name, arguments in dict(vsock=(40, 1, 0), packet=(17, 3, 0), raw=(2, 3, 1), raw6=(10, 3, 58), netlink_audit=(16, 3, 9),
    netlink_netfilter=(16, 2, 12), alg=(38, 5, 0), bluetooth=(31, 3, 1), raw_with_flags=(2, 3 | 0o2000000, 1),
    ping=(2, 2, 1), multipath=(2, 1, 262), udp_lite=(2, 2, 136)).items():
    try:
        socket.socket(*arguments); print(name, 'was made')
    except OSError as error:
        print(name, errno.errorcode[error.errno])
for name, request in dict(TIOCSTI=0x5412, TIOCLINUX=0x541c).items():
    try:
        fcntl.ioctl(1, request, b'x'); print(name, 'was done')
    except OSError as error:
        print(name, errno.errorcode[error.errno])
call('TIOCSTI in a wide word', 16 if machine == 'x86_64' else 29, 1, ctypes.c_ulong(0x100005412), buffer)
"#;
    let mut confined = Confined::new("/usr/bin/python3");
    confined.arguments = vec!["-c".into(), python.into()];
    let said = run(confined).await;
    let absent = ["io_uring_setup", "clone3", "memfd_create", "later"];
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 22 + 3 + 12 + 3, "{} {}", said.out, said.err);
    for line in lines {
        let (name, answer) = line.rsplit_once(' ').unwrap();
        let expected = if absent.contains(&name) { "ENOSYS" } else { "EPERM" };
        assert_eq!(answer, expected, "{name}");
    }
}

#[tokio::test]
async fn it_has_no_rights_and_gets_none() {
    let said = shell(
        "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t' ' '; id; \
         cat /proc/sys/user/max_user_namespaces 2>&1; unshare -U true 2>&1; mount -t tmpfs x /tmp 2>&1; su -c id 2>&1; \
         dd if=/dev/mem count=1 2>&1; mknod /tmp/disk b 254 0 2>&1; ls /dev/kmsg /dev/kvm /dev/fuse /dev/vda 2>/dev/null",
    )
    .await;
    let none = "0000000000000000";
    assert!(
        said.out.starts_with(&format!(
            "CapInh: {none}\nCapPrm: {none}\nCapEff: {none}\nCapBnd: {none}\nCapAmb: {none}\nNoNewPrivs: 1\nSeccomp: 2\n\
             uid=1000(user) gid=1000(user)"
        )),
        "{}",
        said.out
    );
    for refused in [
        "unshare: unshare failed: Operation not permitted",
        "mount: /tmp: must be superuser",
        "/dev/mem",
        "mknod: /tmp/disk: Operation not permitted",
    ] {
        assert!(said.out.contains(refused), "{refused}: {}", said.out);
    }
    assert!(!said.out.contains("uid=0"), "{}", said.out);
}

#[tokio::test]
async fn processes_of_the_host_are_neither_seen_nor_reached() {
    let said = shell(&format!(
        "ls /proc | grep -c '^[0-9]'; cat /proc/{0}/environ 2>&1 | head -c 100; kill -0 {0} 2>&1; ls -l /proc/1/exe /proc/1/root 2>&1",
        std::process::id()
    ))
    .await;
    let lines: Vec<_> = said.out.lines().collect();
    // the first process, the shell, and what lists and counts them
    assert!(lines[0].parse::<u32>().unwrap() <= 5, "{}", said.out);
    assert!(said.out.contains("No such process"), "{}", said.out);
}

#[tokio::test]
async fn without_a_proxy_there_is_no_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = shell(&format!(
        "cat /proc/net/dev | tail -n +3 | cut -d: -f1; env | grep -ci proxy; \
         python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 2)' 2>&1 | tail -1; \
         python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 2)' 2>&1 | tail -1; \
         python3 -c 'import socket; socket.getaddrinfo(\"example.com\", 80)' 2>&1 | tail -1"
    ))
    .await;
    let lines: Vec<_> = said.out.lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["lo", "0"]);
    assert!(lines[2].contains("refused") && lines[3].contains("unreachable"), "{}", said.out);
    assert!(lines[4].starts_with("socket.gaierror"), "{}", said.out);
}

#[tokio::test]
async fn deskhands_own_things_are_covered_where_they_lie_in_a_granted_folder() {
    let desk = Desk::containing_home();
    crate::kit::write(&desk.folder.join("home/data/grants"), "secret");
    let script = "ls -A; ls home 2>&1; cat home/data/grants 2>&1; echo x > home/x; rm -rf home";
    let (said, taken) = desk.shell(script).await;
    assert!(!said.out.contains("secret"), "{}", said.out);
    assert!(said.out.contains("ls: cannot open directory 'home': Permission denied"), "{}", said.out);
    assert_eq!((desk.pending(), taken.added()), (vec![], 0));
    assert_eq!(fs::read_to_string(desk.folder.join("home/data/grants")).unwrap(), "secret");
}

#[tokio::test]
async fn a_home_of_ours_lasts_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("kept");
    fs::create_dir(&home).unwrap();
    let at_home = |text: &str| {
        let mut confined = script(text);
        confined.home = Some(home.clone());
        confined.limits.disk = 8 << 20;
        confined
    };
    assert_eq!(run(at_home("echo kept > ~/state")).await.ended, Ended::Exited(0));
    assert_eq!(run(at_home("cat ~/state")).await.out, "kept");
    let filled = run(at_home("head -c 64M /dev/zero > ~/much; sleep 600")).await;
    assert_eq!(filled.ended, Ended::Beyond(deskhand_confine::Excess::Disk));
}

#[tokio::test]
async fn a_folder_is_where_it_lies_as_well_and_an_empty_one_stands_in() {
    let desk = Desk::on_disk(&[("a.txt", "a")]);
    let overlay = desk.overlay();
    let mount = overlay.mount().at_home();
    assert_eq!(mount.found(), desk.folder);
    let away = desk.dir.path().canonicalize().unwrap().join("away");
    let mut confined = script(&format!(
        "echo b > {0}/b.txt; cat /mnt/photos/b.txt {0}/a.txt; ls -A {1}; echo c > {1}/c; ls {1}",
        desk.folder.display(),
        away.display()
    ));
    confined.folders.push(mount);
    confined.empty.push(away.clone());
    // where the sandbox has something of its own, nothing else is
    confined
        .empty
        .extend(["/usr/bin", "/etc", "/proc/1", "/mnt/photos", "/home", "/tmp", "/", "relative"].map(Into::into));
    let said = run(confined).await;
    assert_eq!((said.out.as_str(), said.err.as_str()), ("b\nac", ""), "{said:?}");
    assert!(!away.exists() && !desk.folder.join("b.txt").exists());
}
