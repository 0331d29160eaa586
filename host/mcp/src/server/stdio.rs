//! Over the standard streams: a message a line, nothing else on standard output. Ends when standard input does.

use super::{
    Open,
    asking::{Asking, Bounds},
    handler::Session,
};
use crate::pace::Paced;
use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::async_rw::AsyncRwTransport};
use std::io;
use tokio::{runtime::Handle, sync::Notify};

/// The longest message that is read, in bytes. Longer ones are passed over.
const LONGEST: usize = 8 << 20;

/// Serve the client at the other end of the standard streams until it is gone, or until `stopped` is told.
///
/// # Errors
/// The client does not begin as the protocol says.
pub async fn serve(open: &Open, stopped: &Notify) -> io::Result<()> {
    let asking = Asking::new(Handle::current(), Bounds::default());
    let session = Session::new(open(asking.clone()).map_err(io::Error::other)?, asking);
    let (read, write) = rmcp::transport::io::stdio_pipes();
    let transport = Paced::new(AsyncRwTransport::new_server(read, write).with_max_line_length(LONGEST));
    tokio::select! {
        served = session.serve(transport) => match served {
            Ok(running) => tokio::select! {
                ended = running.waiting() => ended.map(drop).map_err(io::Error::other),
                () = stopped.notified() => Ok(()),
            },
            // it came, and went again without a word
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        },
        () = stopped.notified() => Ok(()),
    }
}
