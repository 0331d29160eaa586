//! The token without which no effect happens.

/// A decision to allow one effect: made only by [`crate::Gate::permit`], consumed by the effect.
///
/// It carries the very thing that was judged (the open folder, the plan with its digest), so that nothing else can be
/// put in its place afterwards. What has an effect takes one:
///
/// ```
/// use deskhand_permissions::{Permit, effect::KeepState};
/// fn keep(permit: Permit<KeepState>) {
///     permit.redeem();
/// }
/// ```
///
/// It cannot be made outside of this crate:
///
/// ```compile_fail,E0451
/// use deskhand_permissions::{Permit, effect::KeepState};
/// let permit = Permit { effect: KeepState };
/// ```
///
/// It cannot be used twice:
///
/// ```compile_fail,E0382
/// use deskhand_permissions::{Permit, effect::KeepState};
/// fn keep(permit: Permit<KeepState>) {
///     permit.redeem();
///     permit.redeem();
/// }
/// ```
///
/// It cannot be copied:
///
/// ```compile_fail,E0599
/// use deskhand_permissions::{Permit, effect::KeepState};
/// fn copy(permit: Permit<KeepState>) -> (Permit<KeepState>, Permit<KeepState>) {
///     (permit.clone(), permit)
/// }
/// ```
///
/// And what asks for one cannot be called with the bare effect:
///
/// ```compile_fail,E0308
/// use deskhand_permissions::{Permit, effect::KeepState};
/// fn keep(permit: Permit<KeepState>) {
///     permit.redeem();
/// }
/// keep(KeepState);
/// ```
#[must_use = "a permit is for one effect, which takes it"]
#[derive(Debug)]
pub struct Permit<E> {
    effect: E,
}

impl<E> Permit<E> {
    pub(crate) const fn new(effect: E) -> Self {
        Self { effect }
    }

    /// What is allowed.
    pub const fn effect(&self) -> &E {
        &self.effect
    }

    /// Use it up.
    pub fn redeem(self) -> E {
        self.effect
    }
}
