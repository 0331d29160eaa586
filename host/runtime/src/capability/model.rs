//! `model`: the model of the task, at its expense and under its rules. The history stays in the host.

use crate::{
    bindings::wit::{model, types},
    call::Call,
    reply::{Code, Content, Refused, ToolOutput},
    services::{self, Opening},
};
use deskhand_permissions::effect::UseModel;
use deskhand_vocabulary::manifest::Tier;
use wasmtime::component::Resource;

/// The most conversations of one call.
const CONVERSATIONS: u32 = 16;
/// The most tools that a model is told of.
const TOOLS: usize = 200;

/// A conversation, or why there is none: what makes one cannot say so itself, so each use of it does. Not there while a
/// turn is being waited for.
#[expect(unreachable_pub, reason = "the bindings name it in public")]
pub struct Talk(Option<Result<Box<dyn services::Talk>, Refused>>);

impl Call {
    fn begin(
        &mut self,
        tier: &str,
        system: String,
        tools: Vec<String>,
        options: &str,
    ) -> Result<Box<dyn services::Talk>, Refused> {
        let tier = [Tier::Fast, Tier::Balanced, Tier::Deep].into_iter().find(|known| known.name() == tier);
        let tier = tier.ok_or_else(|| Refused::new(Code::Invalid, "a tier is `fast`, `balanced` or `deep`"))?;
        if tools.len() > TOOLS {
            return Err(Refused::new(Code::TooLarge, format!("a conversation has at most {TOOLS} tools")));
        }
        let options = if options.is_empty() { "{}" } else { options };
        let options = serde_json::from_str(options)
            .map_err(|error| Refused::new(Code::Invalid, format!("the options are not JSON: {error}")))?;
        self.conversations = self
            .conversations
            .checked_sub(1)
            .ok_or_else(|| Refused::new(Code::Exhausted, "this call has begun too many conversations"))?;
        self.waiting(|call| call.rights.permit(UseModel).map(|permit| permit.redeem()))??;
        let models = self.invocation.services.models.clone();
        let models = models.ok_or_else(|| Refused::new(Code::Unsupported, "no model is set up here"))?;
        let opening = Opening { plugin: self.plugin.clone(), tier, system, tools, options };
        self.waiting(|_| models.start(&opening))?
    }

    /// Do something with a conversation, while the call's clock stands still.
    fn with<T>(
        &mut self,
        talk: &Resource<Talk>,
        work: impl FnOnce(&mut Self, &mut dyn services::Talk) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let taken = self.table.get_mut(talk).ok().and_then(|talk| talk.0.take());
        let Some(mut taken) = taken else {
            return Err(Refused::new(Code::Invalid, "there is no such conversation"));
        };
        let done = match &mut taken {
            Ok(talking) => self.waiting(|call| work(call, talking.as_mut())).and_then(|done| done),
            Err(refused) => Err(refused.clone()),
        };
        if let Ok(talk) = self.table.get_mut(talk) {
            talk.0 = Some(taken);
        }
        done
    }
}

/// How many conversations a call may begin.
pub(crate) const fn conversations() -> u32 {
    CONVERSATIONS
}

impl model::Host for Call {}

impl model::HostConversation for Call {
    fn new(
        &mut self,
        tier: String,
        system: String,
        tools: Vec<String>,
        options: String,
    ) -> wasmtime::Result<Resource<Talk>> {
        let talk = self.begin(&tier, system, tools, &options);
        Ok(self.table.push(Talk(Some(talk)))?)
    }

    fn say(&mut self, talk: Resource<Talk>, content: Vec<types::Content>) -> Result<(), types::Error> {
        let content = content.into_iter().map(Content::from).collect();
        Ok(self.with(&talk, |_, talk| talk.say(content))?)
    }

    fn answer(
        &mut self,
        talk: Resource<Talk>,
        tool_use: String,
        output: Result<types::ToolOutput, types::Error>,
    ) -> Result<(), types::Error> {
        let output = output.map(ToolOutput::from).map_err(Refused::from);
        Ok(self.with(&talk, |_, talk| talk.answer(&tool_use, output))?)
    }

    fn next(&mut self, talk: Resource<Talk>) -> Result<model::Reply, types::Error> {
        let reply = self.with(&talk, |call, talk| talk.next(&call.invocation.stop))?;
        let calls = reply.calls.into_iter();
        Ok(model::Reply {
            content: reply.content.into_iter().map(Into::into).collect(),
            tool_uses: calls
                .map(|call| model::ToolUse { id: call.id, tool: call.tool, arguments: call.arguments })
                .collect(),
            stop: reply.stop,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        })
    }

    fn piece(&mut self, talk: Resource<Talk>) -> Result<Option<String>, types::Error> {
        Ok(self.with(&talk, |call, talk| talk.piece(&call.invocation.stop))?)
    }

    fn drop(&mut self, talk: Resource<Talk>) -> wasmtime::Result<()> {
        self.table.delete(talk)?;
        Ok(())
    }
}
