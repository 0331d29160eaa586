//! The way out of the sandbox: what connects to the proxy's port on its loopback is carried to the host, which has the proxy.
//! There is no other.

use deskhand_vm_protocol::{Receiver, Sender, streams::Streams};
use std::{
    fs::File,
    io::{self, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// Carry connections for as long as the host listens.
pub(crate) fn serve(listener: TcpListener, port: File, mut log: File) -> io::Result<()> {
    let streams = Streams::new(Sender::new(port.try_clone()?));
    let listening = Arc::clone(&streams);
    thread::spawn(move || {
        // the host opens nothing
        if let Err(error) = listening.listen(&mut Receiver::new(port), || None::<TcpStream>) {
            let _ = writeln!(log, "the host is not understood on the network port: {error}");
        }
    });
    thread::spawn(move || {
        for number in 0.. {
            match listener.accept() {
                // what cannot be carried is closed
                Ok((connection, _)) => drop(streams.dial(number, connection)),
                // out of handles, or the like: it passes
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    });
    Ok(())
}
