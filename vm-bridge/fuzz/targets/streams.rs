//! The port of connections, from the guest as from the host: whoever listens comes to an end, and holds no more than it may.
#![no_main]

use deskhand_vm_fuzz::Script;
use deskhand_vm_protocol::{
    Receiver, Sender,
    streams::{MOST, Streams},
};
use libfuzzer_sys::fuzz_target;
use std::{
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    thread,
};

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let kind = script.byte();
    let said = script.framed(0);
    let streams = Streams::new(Sender::new(io::sink()));
    let mut opened = 0;
    let heard = streams.listen(&mut Receiver::new(&said[..]), || {
        opened += 1;
        let (ours, theirs) = UnixStream::pair().ok()?;
        match (kind.wrapping_add(opened)) % 4 {
            // nobody is there
            0 => return None,
            // it is over at once
            1 => drop(theirs),
            // it reads, and says a little
            2 => drop(thread::spawn(move || echo(theirs))),
            // it says something, and reads nothing
            _ => drop(thread::spawn(move || {
                let _ = (&theirs).write_all(&[7; 100]);
                let _ = theirs.shutdown(Shutdown::Write);
            })),
        }
        Some(ours)
    });
    drop(heard);
    assert!(usize::from(opened) <= MOST * 8);
});

fn echo(mut stream: UnixStream) {
    let mut buffer = [0; 512];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
