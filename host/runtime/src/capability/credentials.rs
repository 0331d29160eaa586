//! `credentials`: whether the person has connected one. Values never cross.

use crate::{
    bindings::wit::{credentials, types},
    call::Call,
    reply::{Code, Refused},
    services::NoCredential,
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

/// What a plugin is told where a credential of it is not there.
pub(crate) fn missing(plugin: &PluginId, name: &str, title: &str, host: &str, why: NoCredential) -> Refused {
    let connect = format!("deskhand plugin connect {plugin} {name}");
    match why {
        NoCredential::NotConnected => Refused::new(
            Code::Denied,
            format!(
                "the credential `{name}` of {plugin} is not connected ({title}). The person connects it with: {connect}"
            ),
        ),
        NoCredential::Elsewhere(hosts) => Refused::new(
            Code::Denied,
            format!(
                "the person connected the credential `{name}` of {plugin} for {}, not for {host}. They let it go there with: {connect}",
                hosts.join(" and ")
            ),
        ),
        NoCredential::Unreadable(reason) => {
            Refused::new(Code::Failed, format!("the credential `{name}` of {plugin} could not be read: {reason}"))
        }
    }
}

impl credentials::Host for Call {
    fn connected(&mut self, name: String) -> bool {
        let store = self.invocation.services.credentials.as_ref();
        self.named_credential(&name).is_some() && store.is_some_and(|store| store.is_connected(&self.plugin, &name))
    }

    fn connect(&mut self, name: String) -> Result<(), types::Error> {
        if self.connected(name.clone()) {
            return Ok(());
        }
        match self.named_credential(&name) {
            // a secret is typed where no plugin can have made the question
            Some(title) => Err(missing(&self.plugin, &name, title, "", NoCredential::NotConnected).into()),
            None => {
                let message = format!("the manifest declares no credential `{name}`, or does not ask to use it");
                Err(Refused::new(Code::Invalid, message).into())
            }
        }
    }
}
