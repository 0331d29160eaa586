//! `credentials`: whether the person has connected one. Values never cross.

use crate::{
    bindings::wit::{credentials, types},
    call::Call,
    reply::{Code, Refused},
};
use deskhand_vocabulary::{PluginId, manifest::PermissionKind};

impl Call {
    /// The credential of this name that the manifest declares and asks to use: what it is, for the person.
    fn named_credential(&self, name: &str) -> Option<&str> {
        let asked = self.rights.context.rights.iter().any(|permission| {
            permission.kind == PermissionKind::CredentialsUse && permission.scope.iter().any(|one| one == name)
        });
        self.credentials.iter().find(|one| asked && one.name.as_str() == name).map(|one| one.title.as_str())
    }
}

/// What a plugin is told where a credential of it is not connected.
pub(crate) fn not_connected(plugin: &PluginId, name: &str, title: &str) -> Refused {
    let message = format!(
        "the credential `{name}` of {plugin} is not connected ({title}). Ask the person to connect it, then try again"
    );
    Refused::new(Code::Denied, message)
}

impl credentials::Host for Call {
    fn connected(&mut self, name: String) -> bool {
        let store = self.invocation.services.credentials.as_ref();
        self.named_credential(&name).is_some() && store.is_some_and(|store| store.get(&self.plugin, &name).is_some())
    }

    fn connect(&mut self, name: String) -> Result<(), types::Error> {
        if self.connected(name.clone()) {
            return Ok(());
        }
        match self.named_credential(&name) {
            // a secret is typed where no plugin can have made the question
            Some(title) => Err(not_connected(&self.plugin, &name, title).into()),
            None => {
                let message = format!("the manifest declares no credential `{name}`, or does not ask to use it");
                Err(Refused::new(Code::Invalid, message).into())
            }
        }
    }
}
