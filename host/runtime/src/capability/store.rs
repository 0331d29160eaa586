//! `store`: what a plugin keeps from one call to the next, in the records.

use crate::{
    bindings::wit::{store, types},
    call::Call,
    reply::{Code, Refused},
};
use deskhand_records::StateError;

fn refused(error: &StateError) -> types::Error {
    let code = match error {
        StateError::Conflict { .. } => Code::Conflict,
        StateError::Key => Code::Invalid,
        StateError::Value => Code::TooLarge,
        StateError::Full { .. } => Code::Exhausted,
        StateError::Records(_) => Code::Failed,
    };
    Refused::new(code, error.to_string()).into()
}

impl store::Host for Call {
    fn get(&mut self, key: String) -> Result<Option<store::Item>, types::Error> {
        self.rights.keep()?;
        let _paused = self.meter.pause();
        let item = self.invocation.records.state().get(&self.plugin, &key).map_err(|error| refused(&error))?;
        Ok(item.map(|item| store::Item { value: item.value, version: item.version }))
    }

    fn put(&mut self, key: String, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, types::Error> {
        self.rights.keep()?;
        let _paused = self.meter.pause();
        self.invocation.records.state().put(&self.plugin, &key, value, if_version).map_err(|error| refused(&error))
    }

    fn delete(&mut self, key: String) -> Result<(), types::Error> {
        self.rights.keep()?;
        let _paused = self.meter.pause();
        match self.invocation.records.state().delete(&self.plugin, &key) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::new(Code::NotFound, "there is nothing under that key").into()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn list(&mut self, prefix: String, after: Option<String>, limit: u32) -> Result<Vec<String>, types::Error> {
        self.rights.keep()?;
        let _paused = self.meter.pause();
        self.invocation
            .records
            .state()
            .list(&self.plugin, &prefix, after.as_deref(), limit)
            .map_err(|error| refused(&error))
    }
}
