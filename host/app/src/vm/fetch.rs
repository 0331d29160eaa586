//! Fetching what an image is made of, through the one way out.

use super::index;
use deskhand_egress::{Outlet, Request, Response, Url, request::Limits};
use deskhand_vm_image::{Fetch, Package, Place};
use deskhand_vocabulary::{Sha256, Stop};
use std::{
    io::{self, Write},
    time::Duration,
};

/// The longest silence of a server.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is tried to get a file.
const TRIES: usize = 3;
/// The most bytes of a page of a package index.
const PAGE: u64 = 16 << 20;

/// Where files come from, each address with a `/` at its end.
pub(super) struct Sources {
    /// A Debian archive.
    pub(super) mirror: Url,
    /// A package index of Python; none where nothing has to come from one.
    pub(super) index: Option<Url>,
    pub(super) outlet: Outlet,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) stop: Stop,
}

impl Fetch for Sources {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        let bytes = self.runtime.block_on(async {
            let at = |path: &str| self.mirror.join(path).map_err(io::Error::other);
            let got = match &package.place {
                Place::Archive(path) => self.get(&at(path)?, package.size).await?,
                Place::List(path) => match self.get(&at(&by_hash(path, package.sha256))?, package.size).await {
                    Err(_) if !self.stop.is_stopped() => self.get(&at(path)?, package.size).await?,
                    got => got?,
                },
                Place::Index(file) => self.get(&self.find(&package.name, file).await?, package.size).await?,
            };
            Ok::<_, io::Error>(got.0)
        })?;
        to.write_all(&bytes)
    }
}

/// Where an archive has a list under its digest.
fn by_hash(path: &str, digest: Sha256) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/by-hash/SHA256/{digest}")
}

impl Sources {
    /// The address that the index gives a file of a package (PEP 503).
    async fn find(&self, name: &str, file: &str) -> io::Result<Url> {
        let index = self.index.as_ref().ok_or_else(|| io::Error::other("no package index is known"))?;
        let page = index.join(&format!("{name}/")).map_err(io::Error::other)?;
        let (text, at) = self.get(&page, PAGE).await?;
        index::file(&String::from_utf8_lossy(&text), &at, file).ok_or_else(|| {
            io::Error::other(format!(
                "{page} has no file {file}; name another index (--index URL), or none (--index none)"
            ))
        })
    }

    /// What is at an address, at most so many bytes, and where it was in the end.
    async fn get(&self, url: &Url, most: u64) -> io::Result<(Vec<u8>, Url)> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.try_to_get(url, most).await {
                Err(error) if tried >= TRIES || self.stop.is_stopped() => return Err(error),
                Err(_) => {}
                got => return got,
            }
        }
    }

    async fn try_to_get(&self, url: &Url, most: u64) -> io::Result<(Vec<u8>, Url)> {
        let limits = Limits { silence: SILENCE, total: None, body: most };
        // where an index has more than one form, the one that all have
        let request = Request::get(url.as_str()).and_then(|request| request.header("accept", "text/html, */*;q=0.1"));
        let request = request.map_err(io::Error::other)?.limits(limits);
        let mut response: Response = self.outlet.send(request).await.map_err(io::Error::other)?;
        if !response.is_success() {
            return Err(io::Error::other(format!("{url} answers with status {}", response.status())));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(io::Error::other)? {
            if self.stop.is_stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes, response.url().clone()))
    }
}
