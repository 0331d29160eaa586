//! A marketplace of a test's own, and components for it.

use crate::{Place, target};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A component that `tests/prepare` has built.
pub fn built(plugin: &str) -> PathBuf {
    let profile = target();
    let path = profile.parent().expect("a profile has a folder").join(format!("plugin/{plugin}.wasm"));
    assert!(path.is_file(), "{} is not there: tests/prepare", path.display());
    path
}

/// A component that does nothing, with a manifest.
pub fn idle(manifest: &Value) -> Vec<u8> {
    let section = "deskhand:manifest";
    let mut content = leb(section.len());
    content.extend(section.as_bytes());
    content.extend(manifest.to_string().as_bytes());
    // the header of a component (Component Model, binary format), then a custom section
    let mut component = b"\0asm\x0d\0\x01\0\0".to_vec();
    component.extend(leb(content.len()));
    component.extend(content);
    component
}

/// A component with a manifest that differs so.
pub fn with_manifest(component: &Path, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let bytes = fs::read(component).expect("a component that is built");
    let name = b"deskhand:manifest";
    // the header, then sections: an id, a length, and so many bytes (Component Model, binary format)
    let mut at = 8;
    while at < bytes.len() {
        let (length, begins) = unleb(&bytes, at + 1);
        let end = begins + length;
        let (name_length, name_begins) = unleb(&bytes, begins);
        if bytes[at] == 0 && bytes[name_begins..name_begins + name_length] == *name {
            let mut manifest = serde_json::from_slice(&bytes[name_begins + name_length..end]).expect("a manifest");
            change(&mut manifest);
            let mut content = leb(name.len());
            content.extend(name);
            content.extend(manifest.to_string().as_bytes());
            return [&bytes[..=at], &leb(content.len()), &content, &bytes[end..]].concat();
        }
        at = end;
    }
    unreachable!("a component without a manifest is not built")
}

/// A number in LEB128, and where it ends.
fn unleb(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut number, mut shift) = (0, 0);
    loop {
        number |= usize::from(bytes[at] & 0x7f) << shift;
        at += 1;
        if bytes[at - 1] & 0x80 == 0 {
            return (number, at);
        }
        shift += 7;
    }
}

/// LEB128 (WebAssembly core specification, section 5.2.2).
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// See the module.
pub struct Market<'a> {
    place: &'a Place,
    name: &'a str,
}

impl<'a> Market<'a> {
    /// Make it and add it, under this name for both.
    pub fn open(place: &'a Place, name: &'a str) -> Self {
        let key = |holder: &str| {
            let folder = place.path(&format!("{name}-{holder}"));
            fs::create_dir(&folder).expect("a new folder");
            folder.join("root.pem").display().to_string()
        };
        let (folder, one, other) = (place.path(&format!("{name}-market")), key("a"), key("b"));
        let folder = folder.display().to_string();
        let made = place.deskhand([
            "market",
            "init",
            name,
            &folder,
            "--root-key-out",
            &one,
            "--root-key-out",
            &other,
            "--json",
        ]);
        let made: Value = serde_json::from_str(&made.ok()).expect("it says what it made");
        let fingerprint = made["made"]["fingerprint"].as_str().expect("a fingerprint");
        let added = place.deskhand(["market", "add", name, &folder, "--fingerprint", fingerprint]);
        assert_eq!(added.code, 0, "{}", added.stderr);
        Self { place, name }
    }

    /// Publish a component.
    pub fn publish(&self, component: &Path) -> &Self {
        let published = self.place.deskhand(["market", "publish", self.name, &component.display().to_string()]);
        assert_eq!(published.code, 0, "{}", published.stderr);
        self
    }

    /// Publish a component that does nothing, with a manifest.
    pub fn publish_idle(&self, manifest: &Value) -> &Self {
        let about = &manifest["plugin"];
        let file = self.place.path(&format!("{}-{}.wasm", about["name"], about["version"]).replace('"', ""));
        fs::write(&file, idle(manifest)).expect("there is room for a component");
        self.publish(&file)
    }

    /// Install a plugin from it.
    pub fn install(&self, plugin: &str) -> &Self {
        let installed = self.place.deskhand(["plugin", "install", "--yes", &format!("{}:{plugin}", self.name)]);
        assert_eq!(installed.code, 0, "{}", installed.stderr);
        self
    }
}
