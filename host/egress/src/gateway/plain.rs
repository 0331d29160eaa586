//! A request whose content this proxy sees: it is made again and sent as every other of ours is.

use super::{IDLE, Shared, answer::Answer, body::Reader, head::Head, while_there, write};
use crate::{
    request::{Limits, Redirects, Request, TRANSPORT},
    response::Response,
};
use reqwest::Url;
use tokio::{io::AsyncWriteExt as _, net::UnixStream};

pub(super) async fn serve(
    stream: &mut UnixStream,
    shared: &Shared,
    url: Url,
    head: &Head,
    rest: Vec<u8>,
) -> Result<(), Answer> {
    if head.expects {
        write(stream, b"HTTP/1.1 100 Continue\r\n\r\n", shared).await.map_err(|_| Answer::none())?;
    }
    let body = Reader { stream, shared, read: rest }.body(head.length).await?;
    let mut request = Request::of(&head.method, url.as_str(), body).map_err(|error| Answer::why(&error))?;
    for (name, value) in &head.headers {
        request = request.header(name, value).map_err(|error| Answer::why(&error))?;
    }
    let limits = Limits { silence: IDLE, total: None, body: u64::MAX };
    let request = request.limits(limits).redirects(Redirects::Return);
    let answer = while_there(stream, shared.outlet.send(request)).await?.map_err(|error| Answer::why(&error))?;
    // the answer has begun: what goes wrong from here on is seen by its being cut off
    let _ = pass_on(stream, shared, head, answer).await;
    Ok(())
}

async fn pass_on(stream: &mut UnixStream, shared: &Shared, head: &Head, mut answer: Response) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {} \r\n", answer.status());
    for (name, value) in answer.headers().filter(|(name, _)| *name == "content-length" || !TRANSPORT.contains(name)) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let bare = head.method == "HEAD" || matches!(answer.status(), 204 | 304);
    let chunked = head.current && !bare && answer.header("content-length").is_none();
    if chunked {
        text.push_str("transfer-encoding: chunked\r\n");
    }
    text.push_str("connection: close\r\n\r\n");
    write(stream, text.as_bytes(), shared).await?;
    while let Some(piece) = answer.chunk().await.map_err(std::io::Error::other)? {
        if chunked {
            write(stream, format!("{:x}\r\n", piece.len()).as_bytes(), shared).await?;
        }
        write(stream, &piece, shared).await?;
        if chunked {
            write(stream, b"\r\n", shared).await?;
        }
    }
    if chunked {
        write(stream, b"0\r\n\r\n", shared).await?;
    }
    stream.shutdown().await
}
