//! Nobody is there to be asked; what is said goes to standard output and error.

use crate::show;
use deskhand_vocabulary::{Answer, Notice, Person, Plan, Progress, Question, Stop, Unanswered};

/// See the module.
pub(crate) struct Silent;

impl Person for Silent {
    fn present(&self) -> bool {
        false
    }

    fn show(&self, plan: &Plan) {
        crate::output::text(&show::plan(plan, show::Detail::Full));
    }

    fn ask_until(&self, _: &Question, _: &Stop) -> Result<Answer, Unanswered> {
        Err(Unanswered::Absent)
    }

    fn tell(&self, notice: &Notice) {
        crate::output::aside(&show::notice(notice));
    }

    fn progress(&self, _: &Progress) {}
}
