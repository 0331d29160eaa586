//! A tunnel to a host: judged, connected to an address that was checked, and counted both ways.

use super::{IDLE, Shared, answer::Answer, upstream, while_there, write};
use crate::{
    egress::Hop,
    error::EgressError,
    judge::{Ask, Judgement},
    record::{Ended, Traffic},
    request,
};
use reqwest::Url;
use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

/// How much is carried at a time, in bytes: all that is held for a reader that is slow.
const PIECE: usize = 16 << 10;

pub(super) async fn serve(stream: &mut UnixStream, shared: &Shared, url: &Url, first: &[u8]) -> Result<(), Answer> {
    let port = url.port_or_known_default().unwrap_or_default();
    if !shared.ports.contains(&port) {
        let host = request::host(url);
        return Err(Answer::forbidden(format!("nothing was sent to {host}: a tunnel to port {port} was not allowed")));
    }
    let mut hop = Hop::new(
        Traffic {
            method: "CONNECT".to_owned(),
            scheme: "https".to_owned(),
            host: request::host(url),
            port,
            path: String::new(),
            status: None,
            sent: 0,
            received: 0,
            ended: Ended::Dropped,
        },
        shared.outlet.recorder(),
    );
    let judged = judge(shared, url);
    let judged = while_there(stream, judged).await.inspect_err(|_| hop.forget())?;
    let mut far = match connect(shared, url, judged).await {
        Ok(far) => far,
        Err(error) => {
            match error {
                EgressError::Refused { .. } | EgressError::Waits { .. } => hop.forget(),
                _ => hop.end(Ended::Unanswered),
            }
            return Err(Answer::why(&error));
        }
    };
    hop.answered(200);
    write(stream, b"HTTP/1.1 200 Connection established\r\n\r\n", shared).await.map_err(|_| Answer::none())?;
    carry(stream, &mut far, first, shared, hop).await;
    Ok(())
}

async fn judge(shared: &Shared, url: &Url) -> Judgement {
    let ask = Ask {
        method: "CONNECT".to_owned(),
        scheme: "https".to_owned(),
        host: request::host(url),
        port: url.port_or_known_default().unwrap_or_default(),
        bytes: 0,
        credential: false,
        redirected_from: None,
        proxy: shared.outlet.proxy(url).map(crate::proxy::Proxy::host),
    };
    shared.outlet.judge(&ask).await
}

async fn connect(shared: &Shared, url: &Url, judged: Judgement) -> Result<TcpStream, EgressError> {
    let (outlet, host) = (&shared.outlet, request::host(url));
    match judged {
        Judgement::Allowed(reach) => upstream::connect(outlet, url, outlet.proxy(url), reach).await,
        Judgement::Refused { reason } => Err(EgressError::Refused { host, reason }),
        Judgement::Waits { reason } => Err(EgressError::Waits { host, reason }),
    }
}

/// What both ways of a tunnel share.
struct Carrying<'a> {
    shared: &'a Shared,
    hop: Mutex<Hop>,
    /// When something moved last, in milliseconds of the timer.
    moved: AtomicU64,
}

impl Carrying<'_> {
    fn now(&self) -> u64 {
        u64::try_from(self.shared.outlet.timer().elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn moves(&self) {
        self.moved.store(self.now(), Ordering::Relaxed);
    }

    fn hop(&self, tell: impl FnOnce(&mut Hop) -> bool) -> io::Result<()> {
        match tell(&mut self.hop.lock().unwrap_or_else(PoisonError::into_inner)) {
            true => Ok(()),
            false => Err(io::Error::other("no more may be sent")),
        }
    }

    /// Ends when nothing has moved for too long.
    async fn idle(&self) {
        loop {
            let quiet = self.now().saturating_sub(self.moved.load(Ordering::Relaxed));
            let left = IDLE.saturating_sub(Duration::from_millis(quiet));
            if left.is_zero() {
                return;
            }
            self.shared.outlet.timer().sleep(left).await;
        }
    }

    async fn way(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        count: impl Fn(&mut Hop, u64) -> bool,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = from.read(&mut piece).await?;
            if length == 0 {
                return to.shutdown().await;
            }
            self.hop(|hop| count(hop, length as u64))?;
            self.moves();
            to.write_all(&piece[..length]).await?;
            self.moves();
        }
    }
}

async fn carry(near: &mut UnixStream, far: &mut TcpStream, first: &[u8], shared: &Shared, hop: Hop) {
    let carrying = Carrying { shared, hop: Mutex::new(hop), moved: AtomicU64::new(0) };
    carrying.moves();
    let (mut near_in, mut near_out) = near.split();
    let (mut far_in, mut far_out) = far.split();
    let out = async {
        // what came along with the request
        let mut early = first;
        let mut all = AsyncReadExt::chain(&mut early, &mut near_in);
        carrying.way(&mut all, &mut far_out, Hop::send).await
    };
    let back = carrying.way(&mut far_in, &mut near_out, |hop, count| {
        hop.received(count);
        true
    });
    let carried = tokio::select! {
        carried = async { tokio::try_join!(out, back) } => carried.is_ok(),
        () = carrying.idle() => false,
    };
    let ended = if carried { Ended::Whole } else { Ended::Broken };
    carrying.hop.into_inner().unwrap_or_else(PoisonError::into_inner).end(ended);
}
