//! What a version may do beyond what another could. Rights are compared piece by piece: each kind with each of its
//! scopes is one, whatever their order and the reasons given for them.

use crate::manifest::{Permission, PermissionKind};
use std::collections::BTreeSet;

/// One right: a kind, and one scope of it. A kind without scopes is a piece of its own.
type Piece<'a> = (PermissionKind, &'a str);

fn pieces(permissions: &[Permission]) -> BTreeSet<Piece<'_>> {
    let mut found = BTreeSet::new();
    for permission in permissions {
        if permission.scope.is_empty() {
            found.insert((permission.kind, ""));
        }
        found.extend(permission.scope.iter().map(|scope| (permission.kind, scope.as_str())));
    }
    found
}

/// The rights in `new` that are not in `old`, each with the reason that its author gives; scopes that were there
/// before are left out. Empty if `new` asks for nothing more.
pub fn widened(old: &[Permission], new: &[Permission]) -> Vec<Permission> {
    let had = pieces(old);
    let mut widened = Vec::new();
    for permission in new {
        let scope: Vec<String> =
            permission.scope.iter().filter(|scope| !had.contains(&(permission.kind, scope))).cloned().collect();
        let more = if permission.scope.is_empty() { !had.contains(&(permission.kind, "")) } else { !scope.is_empty() };
        if more {
            widened.push(Permission { kind: permission.kind, scope, reason: permission.reason.clone() });
        }
    }
    widened
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn permission(kind: PermissionKind, scope: &[&str]) -> Permission {
        Permission { kind, scope: scope.iter().map(|&s| s.to_owned()).collect(), reason: "because".into() }
    }

    #[test]
    fn only_what_is_more_is_shown() {
        use PermissionKind::{FilesChange, FilesRead, FilesRemove, ToolsCall};
        let old = [permission(FilesRead, &[]), permission(ToolsCall, &["a", "b/c"])];
        let same = [permission(ToolsCall, &["b/c"]), permission(ToolsCall, &["a"]), permission(FilesRead, &[])];
        assert_eq!(widened(&old, &same), []);
        let new = [permission(ToolsCall, &["a", "d"]), permission(FilesRemove, &[]), permission(FilesChange, &[])];
        let expected = [permission(ToolsCall, &["d"]), permission(FilesRemove, &[]), permission(FilesChange, &[])];
        assert_eq!(widened(&old, &new), expected);
        // No scope is not less than some scope.
        assert_eq!(widened(&old, &[permission(ToolsCall, &[])]), [permission(ToolsCall, &[])]);
    }

    fn any_permissions() -> impl Strategy<Value = Vec<Permission>> {
        let one = (0..PermissionKind::ALL.len(), proptest::collection::vec("[ab]{1,2}", 0..3), "[xy]")
            .prop_map(|(kind, scope, reason)| Permission { kind: PermissionKind::ALL[kind], scope, reason });
        proptest::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn it_is_the_difference_of_the_pieces(old in any_permissions(), new in any_permissions()) {
            let widened = widened(&old, &new);
            let difference: BTreeSet<_> = pieces(&new).difference(&pieces(&old)).copied().collect();
            prop_assert_eq!(pieces(&widened), difference);
        }
    }
}
