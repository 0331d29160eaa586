//! Fetching what an image is made of, through the one way out.

use super::index;
use deskhand_egress::{Outlet, Request, Response, Url, request::Limits};
use deskhand_vm_image::{Fetch, Package, Place};
use deskhand_vocabulary::Stop;
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
    /// The archive of security updates that goes with it, where one is known.
    pub(super) security: Option<Url>,
    /// A package index of Python; none where nothing has to come from one.
    pub(super) index: Option<Url>,
    pub(super) outlet: Outlet,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) stop: Stop,
}

impl Fetch for Sources {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        let (bytes, _) = self.runtime.block_on(async {
            let (first, then) = match &package.place {
                Place::Index(file) => (self.find(&package.name, file).await?, None),
                Place::Archive(path) => of_package(&self.mirror, self.security.as_ref(), path)?,
                Place::List(path) => {
                    let at = self.mirror.join(path).map_err(io::Error::other)?;
                    (at.join(&format!("by-hash/SHA256/{}", package.sha256)).map_err(io::Error::other)?, Some(at))
                }
            };
            match (self.get(&first, package.size).await, then) {
                (Err(_), Some(then)) if !self.stop.is_stopped() => self.get(&then, package.size).await,
                (got, _) => got,
            }
        })?;
        to.write_all(&bytes)
    }
}

/// Where the packages of security updates are, in their own archive or in one that has both.
const UPDATES: &str = "pool/updates/";

/// Where a Debian package is, and where else it may be.
fn of_package(mirror: &Url, security: Option<&Url>, path: &str) -> io::Result<(Url, Option<Url>)> {
    let at = |archive: &Url| archive.join(path).map_err(io::Error::other);
    match security.filter(|_| path.starts_with(UPDATES)) {
        Some(security) => Ok((at(security)?, Some(at(mirror)?))),
        None => Ok((at(mirror)?, None)),
    }
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
                // what is not there does not come by asking again
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
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
            let kind = if response.status() == 404 { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
            return Err(io::Error::new(kind, format!("{url} answers with status {}", response.status())));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Url, of_package};

    #[test]
    fn security_updates_come_from_their_archive() {
        let [mirror, security] =
            ["http://a.example/debian/", "http://b.example/debian-security/"].map(|at| Url::parse(at).unwrap());
        let places = |security, path| {
            let (first, then) = of_package(&mirror, security, path).unwrap();
            (String::from(first), then.map(String::from))
        };
        let at = |archive: &Url, path| format!("{archive}{path}");
        let (own, update) = ("pool/main/a/a_1_all.deb", "pool/updates/main/a/a_1_all.deb");
        assert_eq!(places(Some(&security), own), (at(&mirror, own), None));
        assert_eq!(places(Some(&security), update), (at(&security, update), Some(at(&mirror, update))));
        assert_eq!(places(None, update), (at(&mirror, update), None));
    }
}
