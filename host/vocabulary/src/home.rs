//! Where Deskhand keeps its own things. Outside every view that a task gets.

use crate::TaskId;
use std::path::{Path, PathBuf};

/// The folders that are Deskhand's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Settings that a person edits.
    pub config: PathBuf,
    /// What must not be lost: the log, grants, journals, before-images, plugins, marketplaces, keys.
    pub data: PathBuf,
    /// What can be made again: compiled code.
    pub cache: PathBuf,
}

impl Home {
    /// All in one folder, as `DESKHAND_HOME` says.
    pub fn within(root: &Path) -> Self {
        Self { config: root.join("config"), data: root.join("data"), cache: root.join("cache") }
    }

    /// From the environment: `DESKHAND_HOME`, else the XDG base directories (specification 0.8). `var` reads a variable.
    /// None where there is no home folder, and where `DESKHAND_HOME` is set to anything but a whole path: whoever sets it
    /// means to keep away from the usual folders.
    pub fn find(var: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let absolute = |name| var(name).filter(|path: &PathBuf| path.is_absolute());
        if let Some(root) = var("DESKHAND_HOME") {
            return root.is_absolute().then(|| Self::within(&root));
        }
        let home = absolute("HOME");
        let base = |name, below: &str| {
            absolute(name).or_else(|| home.as_ref().map(|home| home.join(below))).map(|path| path.join("deskhand"))
        };
        Some(Self {
            config: base("XDG_CONFIG_HOME", ".config")?,
            data: base("XDG_DATA_HOME", ".local/share")?,
            cache: base("XDG_CACHE_HOME", ".cache")?,
        })
    }

    /// The three folders.
    pub fn folders(&self) -> [&Path; 3] {
        [&self.config, &self.data, &self.cache]
    }

    /// The one folder that all three lie in, where `DESKHAND_HOME` says so. It is Deskhand's own as a whole.
    pub fn top(&self) -> Option<&Path> {
        let top = self.config.parent()?;
        (Self::within(top) == *self).then_some(top)
    }

    /// `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The log.
    pub fn log_file(&self) -> PathBuf {
        self.data.join("log.db")
    }

    /// Journals of commits, a folder each.
    pub fn commits(&self) -> PathBuf {
        self.data.join("commits")
    }

    /// Before-images and removed files of the file system that the home is on.
    pub fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// What the folder is called that holds the same on another file system, for the user of this number.
    pub fn store_elsewhere(user: u32) -> String {
        format!(".deskhand-{user}")
    }

    /// True if a path is such a folder of that user, or lies in one: whatever home it is of, it is Deskhand's own. Some file
    /// systems take another spelling for the same name.
    pub fn is_elsewhere(path: &Path, user: u32) -> bool {
        let name = Self::store_elsewhere(user);
        path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(&name))
    }

    /// Installed components, by digest, and their index.
    pub fn plugins(&self) -> PathBuf {
        self.data.join("plugins")
    }

    /// The trusted state of each marketplace that was added.
    pub fn marketplaces(&self) -> PathBuf {
        self.data.join("marketplaces")
    }

    /// Signing keys of the marketplaces that are published from here, a folder each.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// What programs of MCP servers keep, a folder each.
    pub fn servers(&self) -> PathBuf {
        self.data.join("servers")
    }

    /// What is written in sandboxes, until it is taken into a task.
    pub fn sandboxes(&self) -> PathBuf {
        self.cache.join("sandboxes")
    }

    /// What was written in sandboxes in a task and is pending.
    pub fn written(&self, task: TaskId) -> PathBuf {
        self.data.join("written").join(task.to_string())
    }

    /// Images of the guest, and guests as they were saved.
    pub fn guests(&self) -> PathBuf {
        self.cache.join("guests")
    }

    /// Compiled code of components.
    pub fn compiled(&self) -> PathBuf {
        self.cache.join("compiled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_on_another_disk_is_known_by_its_name() {
        for (path, own) in [
            ("/disk/.deskhand-1000", true),
            ("/disk/.deskhand-1000/606301a6d463f838/7", true),
            ("/disk/.DESKHAND-1000/606301a6d463f838", true),
            ("/disk/.deskhand-100", false),
            ("/disk/.deskhand-10000/x", false),
            ("/disk/a.deskhand-1000", false),
            ("/disk", false),
        ] {
            assert_eq!(Home::is_elsewhere(Path::new(path), 1000), own, "{path}");
        }
    }
}
