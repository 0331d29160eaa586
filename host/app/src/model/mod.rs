//! The models of the settings: which one works on requests, how it is reached, what it may be sent, and where its key lies.

mod add;
mod allow;
mod choice;
mod command;
mod doctor;
mod list;
mod offered;
mod presets;
mod remove;
mod select;
mod test;
mod wait;

pub(crate) use choice::{Choice, choose};
pub(crate) use command::ModelCommand;
pub(crate) use doctor::check as doctor;

use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{Stored, Whose},
    outgoing::{Outgoing, Purpose},
};
use deskhand_models::{Chance, Client, Model};
use deskhand_permissions::{Context, Refused, effect::SendToModel};
use deskhand_vocabulary::Unanswered;
use std::sync::Arc;

/// The model that works on a task, ready to be asked. What it is sent holds what the task works on; whoever has not agreed
/// to that is asked before the first request, and had better be asked earlier, by [`Choice::consent`].
pub(crate) fn open(desk: &Desk, choice: &Choice<'_>, outgoing: &Outgoing) -> Result<Arc<dyn Model>> {
    let purpose = Purpose::Contents { host: choice.host.clone() };
    Ok(Arc::new(choice.client(desk, outgoing, purpose)?))
}

impl Choice<'_> {
    /// The model at its server. Nothing is sent, and no key is read yet.
    fn client(&self, desk: &Desk, outgoing: &Outgoing, purpose: Purpose) -> Result<Client> {
        let keys = Arc::new(Stored::of(&desk.home, Whose::Models));
        let client =
            Client::new(self.config.clone(), outgoing.outlet(purpose), keys, Arc::clone(&desk.clock), Arc::new(Chance));
        client.map(|client| client.called(self.name)).map_err(Failure::failed)
    }

    /// Have the person agree that what a task works on goes to this model, unless they have, or it is on this very computer.
    /// Before the first request, and best before anything else of the task.
    pub(crate) fn consent(&self, desk: &Desk, context: &Context) -> Result<()> {
        match desk.gate()?.permit(context, SendToModel::at(&self.host)) {
            Ok(permit) => {
                permit.redeem();
                Ok(())
            }
            Err(Refused::Unanswered(Unanswered::Absent)) => Err(Failure::new(
                Exit::Unanswered,
                format!(
                    "the model `{name}` is at {host}. What you ask and what the task reads would go there, and nobody is there to agree to that, so nothing was sent. Agree in advance with: deskhand model allow {name}",
                    name = self.name,
                    host = self.host
                ),
            )),
            Err(refused) => Err(refused.into()),
        }
    }
}
