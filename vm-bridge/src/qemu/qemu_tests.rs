use super::*;

fn digest(of: &[u8]) -> Blake3 {
    Blake3::of_reader(of).unwrap()
}

fn qemu() -> Qemu {
    Qemu {
        program: "/usr/bin/qemu".into(),
        version: "QEMU emulator version 7.2.22".to_owned(),
        digest: digest(b"program"),
        accelerator: Accelerator::Emulation("there is no /dev/kvm".to_owned()),
        ticks: Some(2_596_133),
    }
}

#[test]
fn a_saved_machine_depends_on_all_that_could_change_it_and_on_nothing_else() {
    let (qemu, size) = (qemu(), Size { memory: 512, scratch: 1 });
    let others = [
        (Qemu { digest: digest(b"another build of it"), ..qemu.clone() }, size),
        (Qemu { version: "QEMU emulator version 9.0.0".to_owned(), ..qemu.clone() }, size),
        (Qemu { accelerator: Accelerator::Kvm, ..qemu.clone() }, size),
        (qemu.clone(), Size { memory: 1024, ..size }),
    ];
    for (other, size_of_other) in &others {
        assert_ne!(other.identity(*size_of_other), qemu.identity(size), "{other:?} {size_of_other:?}");
    }
    // measured anew each time, and only told to a kernel that boots
    assert_eq!(Qemu { ticks: Some(2_596_134), ..qemu.clone() }.identity(size), qemu.identity(size));
    let why = Accelerator::Emulation("/dev/kvm may not be opened".to_owned());
    assert_eq!(Qemu { accelerator: why, ..qemu.clone() }.identity(size), qemu.identity(size));
}

#[test]
fn the_machine_has_no_device_but_those_it_needs() {
    let line = |layer| Line::new(&qemu(), Size { memory: 512, scratch: 1 }, &Start::Cold { memory: None }, layer);
    let devices = |line: &Line| -> Vec<String> {
        let pairs = line.words().windows(2).filter(|pair| pair[0] == "-device");
        pairs.map(|pair| pair[1].split(',').next().unwrap_or_default().to_owned()).collect()
    };
    let expected = [
        "virtio-serial-device",
        "virtserialport",
        "virtserialport",
        "virtserialport",
        "virtserialport",
        "virtio-blk-device",
        "virtio-blk-device",
        "virtio-blk-device",
        "virtio-9p-device",
    ];
    assert_eq!(devices(&line(false)), expected);
    let blocks = |line: &Line| devices(line).iter().filter(|device| *device == "virtio-blk-device").count();
    assert_eq!(blocks(&line(true)), 4);
    let line = line(false);
    for word in
        ["-nodefaults", "-no-user-config", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
    {
        assert!(line.words().iter().any(|found| found == word), "{word}");
    }
}
