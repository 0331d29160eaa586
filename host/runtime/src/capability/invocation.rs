//! `invocation`: what a call knows of itself.

use crate::{
    bindings::wit::{invocation, types},
    call::Call,
    imports,
    reply::Body,
};
use deskhand_vocabulary::{Notice, Principal, Progress, text::shortened};
use serde_json::json;

/// The most of a message that is shown, in characters.
const MESSAGE: usize = 200;
/// The most of a part that is shown before the answer, in characters.
const PART: usize = 16 << 10;
/// In how many steps a fraction is shown.
const STEPS: f32 = 1000.0;

impl invocation::Host for Call {
    fn config(&mut self) -> String {
        match self.invocation.configurations.get(&self.plugin) {
            Some(configuration) => configuration.to_string(),
            None => "{}".to_owned(),
        }
    }

    fn context(&mut self) -> String {
        let zone = self.invocation.clock.zone();
        let services = &self.invocation.services;
        let mut offers = vec!["log", "invocation", "files", "changes", "user", "store", "toolbox", "credentials"];
        offers.extend(services.network.is_some().then_some("http"));
        offers.extend(services.models.is_some().then_some("model"));
        json!({
            "task": self.invocation.task.0.to_string(),
            "person": self.invocation.person.present(),
            "locale": self.invocation.locale,
            "time-zone": zone.iana_name().unwrap_or("Etc/UTC"),
            "interface": imports::INTERFACE.to_string(),
            "host": { "offers": offers },
        })
        .to_string()
    }

    fn cancelled(&mut self) -> bool {
        self.invocation.stop.is_stopped()
    }

    fn progress(&mut self, message: String, fraction: Option<f32>) {
        let fraction = fraction.filter(|fraction| fraction.is_finite()).map(|fraction| fraction.clamp(0.0, 1.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and STEPS")]
        let done = fraction.map(|fraction| (fraction * STEPS).round() as u64);
        self.invocation.person.progress(&Progress {
            origin: Principal::Plugin(self.plugin.clone()),
            text: shortened(&message, MESSAGE),
            done,
            total: done.map(|_| STEPS as u64),
        });
    }

    fn emit(&mut self, part: types::Content) {
        if self.parts == 0 {
            return;
        }
        self.parts -= 1;
        let text = match crate::reply::Content::from(part).body {
            Body::Text(text) => text,
            Body::Uri(uri) => uri,
            Body::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        };
        self.invocation
            .person
            .tell(&Notice { origin: Principal::Plugin(self.plugin.clone()), text: shortened(&text, PART) });
    }
}
