//! `memory`: notes that later tasks are told. What a plugin wants to be remembered, the person is shown whole and asked about;
//! it forgets nothing but its own.

use crate::{
    bindings::wit::{memory, types},
    call::Call,
    reply::{Code, Refused},
};
use deskhand_permissions::effect::{ForgetNote, Recall, Remember};
use deskhand_records::{Draft, MemoryError, Note, NoteOrigin, NoteScope, Within};
use deskhand_vocabulary::{Labels, Notice, Principal};

/// The most notes that are given at once.
const MOST: u32 = 100;
/// What stands before the name of a folder in a scope.
const FOLDER: &str = "folder:";

fn refused(error: &MemoryError) -> types::Error {
    let code = match error {
        MemoryError::Unknown { .. } => Code::NotFound,
        MemoryError::Changed { .. } => Code::Conflict,
        MemoryError::Full | MemoryError::TooMany => Code::Exhausted,
        MemoryError::Records(_) => Code::Failed,
    };
    Refused::new(code, error.to_string()).into()
}

impl Call {
    /// What a plugin calls a scope: `all`, `plugin`, or `folder:` and the name of a folder of the task.
    fn scope_of(&self, text: &str) -> Result<NoteScope, Refused> {
        match text {
            "all" => return Ok(NoteScope::All),
            "plugin" => return Ok(NoteScope::Plugin { plugin: self.plugin.clone() }),
            _ => {}
        }
        let folders = self.invocation.workspace.folder_map();
        let named = text.strip_prefix(FOLDER).and_then(|name| folders.iter().find(|(known, _)| known.as_str() == name));
        let (_, folder) = named.ok_or_else(|| {
            let message = format!("a scope is `all`, `plugin`, or `{FOLDER}` and the name of a folder of the task");
            Refused::new(Code::Invalid, message)
        })?;
        Ok(NoteScope::Folder { folder: folder.clone() })
    }

    /// The same the other way. Of a folder above or below those of the task a plugin does not learn the name.
    fn name_of(&self, scope: &NoteScope) -> String {
        match scope {
            NoteScope::All => "all".to_owned(),
            NoteScope::Plugin { .. } => "plugin".to_owned(),
            NoteScope::Folder { folder } => {
                let folders = self.invocation.workspace.folder_map();
                let named = folders.iter().find(|(_, known)| *known == folder);
                named.map_or_else(|| "folder".to_owned(), |(name, _)| format!("{FOLDER}{name}"))
            }
        }
    }

    fn noted(&self, note: &Note) -> memory::Note {
        memory::Note {
            id: note.id.to_string(),
            text: note.text.to_string(),
            scope: self.name_of(&note.scope),
            at: super::files::instant(note.changed),
        }
    }
}

impl memory::Host for Call {
    fn remember(&mut self, text: String, scope: String) -> Result<memory::Note, types::Error> {
        let text =
            text.parse().map_err(|error| Refused::new(Code::Invalid, format!("the note was not kept: {error}")))?;
        let draft = Draft {
            text,
            scope: self.scope_of(&scope)?,
            origin: NoteOrigin::Plugin { plugin: self.plugin.clone() },
            task: Some(self.invocation.task),
            labels: Labels::of_what_was_read(),
        };
        self.take_question()?;
        let permit = self.waiting(|call| call.rights.permit(Remember::of(draft)))??;
        let kept = self.invocation.records.memory().remember(permit.redeem().into_draft());
        let kept = kept.map_err(|error| refused(&error))?;
        self.invocation.person.tell(&Notice { origin: Principal::Person, text: kept.told() });
        Ok(self.noted(&kept.note))
    }

    fn recall(&mut self, query: String, limit: u32) -> Result<Vec<memory::Note>, types::Error> {
        self.rights.permit(Recall)?.redeem();
        let _paused = self.meter.pause();
        let folders = self.invocation.workspace.folder_map().into_values().collect();
        let within = Within::PluginAndFolders(self.plugin.clone(), folders);
        let found = self.invocation.records.memory().search(&query, &within, limit.min(MOST).into());
        Ok(found.map_err(|error| refused(&error))?.iter().map(|note| self.noted(note)).collect())
    }

    fn forget(&mut self, id: String) -> Result<(), types::Error> {
        let unknown = || Refused::new(Code::NotFound, "this plugin keeps no such note");
        let note = id.parse().map_err(|_| unknown())?;
        self.rights.permit(ForgetNote { note })?.redeem();
        let _paused = self.meter.pause();
        let memory = self.invocation.records.memory();
        let own = NoteOrigin::Plugin { plugin: self.plugin.clone() };
        match memory.get(note) {
            Ok(found) if found.origin == own => memory.forget(&[note]).map(drop).map_err(|error| refused(&error)),
            Ok(_) | Err(MemoryError::Unknown { .. }) => Err(unknown().into()),
            Err(error) => Err(refused(&error)),
        }
    }
}
