//! Which notes somebody may be told.

use super::note::NoteScope;
use deskhand_vocabulary::PluginId;
use rusqlite::types::Value;
use std::fmt::Write as _;

/// The notes that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Within {
    /// All, for the person.
    Everything,
    /// Those for all work, and those for these folders: for a folder itself, for one that it lies in, or for one that lies in
    /// it. Each as [`NoteScope::Folder`] writes it.
    Folders(Vec<String>),
    /// The same, and those of a plugin.
    PluginAndFolders(PluginId, Vec<String>),
    /// Those with just this scope.
    Scope(NoteScope),
}

impl Within {
    /// What SQLite holds against a row of `notes`, called `n`; its values are added to `values`.
    pub(super) fn sql(&self, values: &mut Vec<Value>) -> String {
        let (plugin, folders) = match self {
            Self::Everything => return "TRUE".to_owned(),
            Self::Scope(scope) => {
                values.extend([Value::from(scope.kind().to_owned()), Value::from(scope.place())]);
                return "(n.scope = ? AND n.place = ?)".to_owned();
            }
            Self::Folders(folders) => (None, folders),
            Self::PluginAndFolders(plugin, folders) => (Some(plugin), folders),
        };
        let mut sql = "(n.scope = 'all'".to_owned();
        for folder in folders {
            let inside = if folder.ends_with('/') { folder.clone() } else { format!("{folder}/") };
            let holding: Vec<&str> = ancestors(folder).collect();
            // what lies in a folder begins with its name and a slash: `0` is the character that follows on the slash
            let after = format!("{}0", &inside[..inside.len() - 1]);
            let _ = write!(
                sql,
                " OR (n.scope = 'folder' AND (n.place IN ({}) OR (n.place > ? AND n.place < ?)))",
                vec!["?"; holding.len()].join(", ")
            );
            values.extend(holding.into_iter().map(|one| Value::from(one.to_owned())));
            values.extend([Value::from(inside), Value::from(after)]);
        }
        if let Some(plugin) = plugin {
            sql.push_str(" OR (n.scope = 'plugin' AND n.place = ?)");
            values.push(plugin.to_string().into());
        }
        sql.push(')');
        sql
    }
}

/// A folder and all that it lies in.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    let slashes = folder.match_indices('/').map(|(at, _)| if at == 0 { "/" } else { &folder[..at] });
    slashes.chain((!folder.ends_with('/')).then_some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_in_those_above_it() {
        assert_eq!(ancestors("/home/ada").collect::<Vec<_>>(), ["/", "/home", "/home/ada"]);
        assert_eq!(ancestors("/").collect::<Vec<_>>(), ["/"]);
    }
}
