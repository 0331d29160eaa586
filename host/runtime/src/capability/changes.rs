//! `changes`: adding to the task's pending set, and having it decided. Nothing here touches a folder; the workspace does,
//! with permits for exactly what the person was shown.

use crate::{
    bindings::wit::{changes, types},
    call::{Call, stopped},
    capability::files::{of_file, path},
    reply::{Code, Refused},
};
use deskhand_permissions::Refused as GateRefused;
use deskhand_vocabulary::{manifest::PermissionKind, text::shortened};
use deskhand_workspace::{ChangeId, FileError, Moving, ProposeError, WorkspaceError, propose};

/// The most of a plan's title that is shown, in characters.
const TITLE: usize = 200;
/// The most of a reason that is shown, in characters.
const REASON: usize = 300;
/// The most that a view may take, in bytes.
const VIEW: usize = 256 << 10;
/// The most pending changes that are listed at once.
const PAGE: u32 = 10_000;

impl Call {
    /// Whether the manifest asks for a right, and nothing else of the call changes anything now.
    fn declared(&self, kind: PermissionKind) -> Result<(), Refused> {
        if self.rights.declares(kind) {
            return self.at_rest();
        }
        let message = format!("the plugin's manifest does not ask for `{}`", kind.name());
        Err(Refused::new(Code::Denied, message))
    }

    fn change(
        &mut self,
        kind: PermissionKind,
        change: impl FnOnce(&Self) -> Result<Result<ChangeId, FileError>, Refused>,
    ) -> Result<u64, types::Error> {
        self.declared(kind)?;
        let meter = self.meter.clone();
        let _paused = meter.pause();
        match change(self)? {
            Ok(ChangeId(id)) => Ok(id),
            Err(error) => Err(of_file(&error)),
        }
    }
}

fn of_proposal(error: &ProposeError) -> Refused {
    match error {
        ProposeError::Refused(refused) => crate::rights::of_gate(refused),
        ProposeError::Workspace(WorkspaceError::File(error)) => of_file(error).into(),
        ProposeError::Workspace(WorkspaceError::Nothing) | ProposeError::NotAPlan(_) => {
            Refused::new(Code::Invalid, error.to_string())
        }
        ProposeError::Workspace(_) | ProposeError::Commit(_) | ProposeError::Log(_) => {
            Refused::new(Code::Failed, error.to_string())
        }
    }
}

impl changes::Host for Call {
    fn make_folder(&mut self, at: String) -> Result<u64, types::Error> {
        self.change(PermissionKind::FilesChange, |call| Ok(call.workspace.make_folder(&path(&at)?)))
    }

    fn write(&mut self, at: String, bytes: Vec<u8>, if_version: Option<String>) -> Result<u64, types::Error> {
        self.change(PermissionKind::FilesChange, |call| {
            let at = path(&at)?;
            if !call.allowance.take(bytes.len() as u64) {
                let most = call.allowance.most() >> 20;
                let message = format!(
                    "this call has handed over as much to be written as it may, {most} MiB in all. Write less, or in several calls"
                );
                return Err(Refused::new(Code::Exhausted, message));
            }
            Ok(call.workspace.write(&at, &bytes, if_version.as_deref()))
        })
    }

    fn move_(
        &mut self,
        source: String,
        source_version: String,
        target: String,
        target_version: Option<String>,
    ) -> Result<u64, types::Error> {
        self.change(PermissionKind::FilesChange, |call| {
            let (source, target) = (path(&source)?, path(&target)?);
            Ok(call.workspace.move_(&source, &source_version, &target, target_version.as_deref()))
        })
    }

    fn move_all(&mut self, moves: Vec<changes::MoveRequest>) -> Vec<Result<u64, types::Error>> {
        let declared = self.declared(PermissionKind::FilesChange);
        let meter = self.meter.clone();
        let _paused = meter.pause();
        let stop = &self.invocation.stop;
        let moving = |request: changes::MoveRequest| {
            declared.clone()?;
            if stop.is_stopped() {
                return Err(stopped());
            }
            Ok(Moving {
                source: path(&request.source)?,
                source_version: request.source_version,
                target: path(&request.target)?,
                target_version: request.target_version,
                reason: shortened(&request.reason, REASON),
            })
        };
        let made = self.workspace.move_all(moves.into_iter().map(moving), |error| of_file(&error).into());
        made.into_iter().map(|made| Ok(made?.0)).collect()
    }

    fn copy(
        &mut self,
        source: String,
        source_version: String,
        target: String,
        target_version: Option<String>,
    ) -> Result<u64, types::Error> {
        self.change(PermissionKind::FilesChange, |call| {
            let (source, target) = (path(&source)?, path(&target)?);
            Ok(call.workspace.copy(&source, &source_version, &target, target_version.as_deref()))
        })
    }

    fn remove(&mut self, at: String, version: String) -> Result<u64, types::Error> {
        self.change(PermissionKind::FilesRemove, |call| Ok(call.workspace.remove(&path(&at)?, &version)))
    }

    fn expect(&mut self, change: u64, at: String, version: String) -> Result<(), types::Error> {
        self.at_rest()?;
        let meter = self.meter.clone();
        let _paused = meter.pause();
        let path = path(&at)?;
        self.workspace.expect(ChangeId(change), &path, &version).map_err(|error| of_file(&error))
    }

    fn explain(&mut self, change: u64, reason: String) -> Result<(), types::Error> {
        self.at_rest()?;
        self.workspace.explain(ChangeId(change), &shortened(&reason, REASON)).map_err(|error| of_file(&error))
    }

    fn withdraw(&mut self, change: u64) -> Result<(), types::Error> {
        self.at_rest()?;
        self.workspace.withdraw(ChangeId(change)).map_err(|error| of_file(&error))
    }

    fn pending(&mut self, after: Option<u64>, limit: u32) -> Result<Vec<changes::PendingChange>, types::Error> {
        let pending = self.workspace.pending(after, limit.min(PAGE));
        Ok(pending
            .into_iter()
            .map(|change| changes::PendingChange {
                id: change.id,
                kind: change.kind.name().to_owned(),
                source: change.source.map(|path| path.to_string()),
                target: change.target.map(|path| path.to_string()),
                reason: change.reason,
            })
            .collect())
    }

    fn propose(&mut self, title: String, view: String) -> Result<changes::Decision, types::Error> {
        self.at_rest()?;
        if view.len() > VIEW {
            return Err(Refused::new(Code::TooLarge, format!("a view has at most {VIEW} bytes")).into());
        }
        let view: serde_json::Value = match view.is_empty() {
            true => serde_json::Value::Null,
            false => serde_json::from_str(&view)
                .map_err(|error| Refused::new(Code::Invalid, format!("the view is not JSON: {error}")))?,
        };
        let title = shortened(&title, TITLE);
        let decision = self.waiting(|call| {
            let Call { workspace, invocation, rights, .. } = call;
            let (gate, person) = (&invocation.gate, invocation.person.as_ref());
            propose(workspace, gate, &rights.context, person, &title, view, &invocation.stop)
        })?;
        match decision {
            Ok(decision) => Ok(changes::Decision {
                state: decision.state.name().to_owned(),
                commit: decision.commit.map(|commit| commit.to_string()),
                outcome: decision.outcome.to_string(),
            }),
            Err(ProposeError::Refused(GateRefused::Unanswered(deskhand_vocabulary::Unanswered::Stopped))) => {
                Err(stopped().into())
            }
            Err(error) => Err(of_proposal(&error).into()),
        }
    }
}
