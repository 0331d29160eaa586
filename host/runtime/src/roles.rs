//! The roles that a component can have: what each is asked, what it answers, and how a component is found to have it.

use crate::{
    bindings::{
        self, agent::exports::deskhand::plugin::agent::Profile as WitProfile,
        command::exports::deskhand::plugin::command::Reply as WitReply,
        extractor::exports::deskhand::plugin::extractor::Extracted as WitExtracted,
        skill::exports::deskhand::plugin::skill::Guidance as WitGuidance,
        tool_catalog::exports::deskhand::plugin::tool_catalog::Page as WitPage, wit::types,
    },
    call::Call,
    imports,
    index::Listing,
    reply::{Content, Extracted, Guidance, Profile, Refused, Reply, Sized, ToolOutput, ToolPage},
};
use deskhand_vocabulary::{Manifest, PluginName, Sha256, manifest::Extractor};
use serde_json::{Value, json};
use wasmtime::{
    Store,
    component::{ComponentNamedList, Instance, InstancePre, Lift, Lower, types::ComponentItem},
};

/// What a call came to, where the machinery held: an answer of the plugin, or its refusal.
type Answered<T> = wasmtime::Result<Result<T, Refused>>;

/// Something that a component is asked in one of its roles.
pub(crate) trait Ask: Send + Sync {
    /// What comes back.
    type Answer: Sized + Send;
    /// The role, as the interface calls it.
    const ROLE: &'static str;
    /// What it is, for the person: completes "the plugin has no …".
    const WORD: &'static str;
    /// True if it works on what it is handed and has no right, whatever its plugin has for its other roles.
    const ALONE: bool = false;

    /// What of the role is asked.
    fn name(&self) -> &str;

    /// Whether the plugin declares that it has it.
    fn is_declared(&self, listing: &Listing) -> bool;

    /// What is asked, for the record.
    fn record(&self) -> Value;

    /// Ask it.
    fn put(
        &self,
        store: &mut Store<Call>,
        roles: &Roles,
        instance: &Instance,
    ) -> impl Future<Output = Answered<Self::Answer>> + Send;
}

/// The most of a call's arguments that is put on the record, in bytes.
const RECORDED: usize = 64 << 10;

/// A JSON document, for the record: as it is, or cut where a plugin passes megabytes to another.
fn recorded(document: &str) -> Value {
    let whole = (document.len() <= RECORDED).then(|| serde_json::from_str(document).ok()).flatten();
    whole.unwrap_or_else(|| deskhand_vocabulary::text::shortened(document, RECORDED).into())
}

fn absent() -> wasmtime::Error {
    wasmtime::Error::msg("the role was found when the component was loaded")
}

/// Run a slash command.
pub(crate) struct RunCommand {
    pub(crate) command: String,
    /// A JSON document.
    pub(crate) arguments: String,
}

impl Ask for RunCommand {
    type Answer = Reply;
    const ROLE: &'static str = "command";
    const WORD: &'static str = "command";

    fn name(&self) -> &str {
        &self.command
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.commands.iter().any(|command| command.name.as_str() == self.command)
    }

    fn record(&self) -> Value {
        json!({ "arguments": recorded(&self.arguments) })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Reply> {
        let world = roles.command.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let reply = world.deskhand_plugin_command().call_run(store, &self.command, &self.arguments).await?;
        Ok(reply.map(Reply::from).map_err(Refused::from))
    }
}

/// Call a tool.
pub(crate) struct CallTool {
    pub(crate) tool: String,
    /// A JSON document.
    pub(crate) arguments: String,
}

impl Ask for CallTool {
    type Answer = ToolOutput;
    const ROLE: &'static str = "tools";
    const WORD: &'static str = "tool";

    fn name(&self) -> &str {
        &self.tool
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        // which tools depend on the account, only the plugin can say
        listing.tool_catalog || listing.tools.iter().any(|tool| tool.name.as_str() == self.tool)
    }

    fn record(&self) -> Value {
        json!({ "arguments": recorded(&self.arguments) })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<ToolOutput> {
        let world = roles.tools.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let output = world.deskhand_plugin_tools().call_call(store, &self.tool, &self.arguments).await?;
        Ok(output.map(ToolOutput::from).map_err(Refused::from))
    }
}

/// List a page of the tools that depend on an account.
pub(crate) struct ListTools {
    /// Where the page before ended.
    pub(crate) cursor: Option<String>,
}

impl Ask for ListTools {
    type Answer = ToolPage;
    const ROLE: &'static str = "tool-catalog";
    const WORD: &'static str = "list of tools";

    fn name(&self) -> &'static str {
        "list"
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.tool_catalog
    }

    fn record(&self) -> Value {
        json!({ "arguments": { "cursor": self.cursor } })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<ToolPage> {
        let world = roles.tool_catalog.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let page = world.deskhand_plugin_tool_catalog().call_list(store, self.cursor.as_deref()).await?;
        Ok(page.map(ToolPage::from).map_err(Refused::from))
    }
}

/// Take up a skill.
pub(crate) struct OpenSkill {
    pub(crate) skill: String,
    pub(crate) task: String,
    /// A JSON document.
    pub(crate) input: String,
}

impl Ask for OpenSkill {
    type Answer = Guidance;
    const ROLE: &'static str = "skill";
    const WORD: &'static str = "skill";

    fn name(&self) -> &str {
        &self.skill
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.skill.as_ref().is_some_and(|skill| skill.name.as_str() == self.skill)
    }

    fn record(&self) -> Value {
        json!({ "arguments": { "task": recorded_text(&self.task), "input": recorded(&self.input) } })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Guidance> {
        let world = roles.skill.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let guidance = world.deskhand_plugin_skill().call_open(store, &self.task, &self.input).await?;
        Ok(guidance.map(Guidance::from).map_err(Refused::from))
    }
}

/// Read a reference of a skill.
pub(crate) struct ReadSkill {
    pub(crate) skill: String,
    /// One of the references that it named when it was taken up.
    pub(crate) path: String,
}

impl Ask for ReadSkill {
    type Answer = Content;
    const ROLE: &'static str = "skill";
    const WORD: &'static str = "skill";

    fn name(&self) -> &str {
        &self.skill
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.skill.as_ref().is_some_and(|skill| skill.name.as_str() == self.skill)
    }

    fn record(&self) -> Value {
        json!({ "arguments": { "path": recorded_text(&self.path) } })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Content> {
        let world = roles.skill.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let content = world.deskhand_plugin_skill().call_read(store, &self.path).await?;
        Ok(content.map(Content::from).map_err(Refused::from))
    }
}

/// Turn a document into text.
pub(crate) struct ExtractText {
    pub(crate) media_type: String,
    pub(crate) document: Vec<u8>,
    /// The most text that is wanted, in bytes.
    pub(crate) limit: usize,
}

impl Ask for ExtractText {
    type Answer = Extracted;
    const ROLE: &'static str = "extractor";
    const WORD: &'static str = "extractor for";
    const ALONE: bool = true;

    fn name(&self) -> &str {
        &self.media_type
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.extractor.as_ref().is_some_and(|extractor| extractor.media_types.contains(&self.media_type))
    }

    fn record(&self) -> Value {
        json!({ "document": Sha256::of(&self.document), "bytes": self.document.len() })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Extracted> {
        let world = roles.extractor.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let options = json!({ "limit": self.limit }).to_string();
        let asked = world.deskhand_plugin_extractor();
        let extracted = asked.call_extract(store, &self.media_type, &self.document, &options).await?;
        Ok(extracted.map(Extracted::from).map_err(Refused::from))
    }
}

/// Ask a sub-agent that the host runs who it is and how it works.
pub(crate) struct BriefAgent {
    pub(crate) agent: String,
    pub(crate) task: String,
    /// A JSON document.
    pub(crate) input: String,
}

impl Ask for BriefAgent {
    type Answer = Profile;
    const ROLE: &'static str = "agent";
    const WORD: &'static str = "sub-agent";

    fn name(&self) -> &str {
        &self.agent
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.agent.as_ref().is_some_and(|agent| agent.name.as_str() == self.agent && !agent.own_loop)
    }

    fn record(&self) -> Value {
        json!({ "arguments": { "task": recorded_text(&self.task), "input": recorded(&self.input) } })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Profile> {
        let world = roles.agent.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let profile = world.deskhand_plugin_agent().call_brief(store, &self.task, &self.input).await?;
        Ok(profile.map(Profile::from).map_err(Refused::from))
    }
}

/// Have a sub-agent work that runs a loop of its own.
pub(crate) struct RunAgent {
    pub(crate) agent: String,
    pub(crate) task: String,
    /// A JSON document.
    pub(crate) input: String,
}

impl Ask for RunAgent {
    type Answer = Vec<Content>;
    const ROLE: &'static str = "agent-loop";
    const WORD: &'static str = "sub-agent with a loop of its own";

    fn name(&self) -> &str {
        &self.agent
    }

    fn is_declared(&self, listing: &Listing) -> bool {
        listing.agent.as_ref().is_some_and(|agent| agent.name.as_str() == self.agent && agent.own_loop)
    }

    fn record(&self) -> Value {
        json!({ "arguments": { "task": recorded_text(&self.task), "input": recorded(&self.input) } })
    }

    async fn put(&self, store: &mut Store<Call>, roles: &Roles, instance: &Instance) -> Answered<Vec<Content>> {
        let world = roles.agent_loop.as_ref().ok_or_else(absent)?.load(&mut *store, instance)?;
        let said = world.deskhand_plugin_agent_loop().call_run(store, &self.task, &self.input).await?;
        Ok(said.map(|said| said.into_iter().map(Content::from).collect()).map_err(Refused::from))
    }
}

fn recorded_text(text: &str) -> String {
    deskhand_vocabulary::text::shortened(text, RECORDED)
}

/// Which roles a component has, each ready to be called.
pub(crate) struct Roles {
    command: Option<bindings::command::WithCommandIndices>,
    tools: Option<bindings::tools::WithToolsIndices>,
    tool_catalog: Option<bindings::tool_catalog::WithToolCatalogIndices>,
    skill: Option<bindings::skill::WithSkillIndices>,
    extractor: Option<bindings::extractor::WithExtractorIndices>,
    agent: Option<bindings::agent::WithAgentIndices>,
    agent_loop: Option<bindings::agent_loop::WithAgentLoopIndices>,
}

/// A function that gives a value or an error.
type Gives<T> = (Result<T, types::Error>,);

impl Roles {
    /// Those of a component. The bindings go by name alone; a role of the right name and another type is no role.
    pub(crate) fn of(pre: &InstancePre<Call>) -> Self {
        type Two<'a> = (&'a str, &'a str);
        type Cursor<'a> = (Option<&'a str>,);
        type Document<'a> = (&'a str, &'a [u8], &'a str);
        let command = bindings::command::WithCommandIndices::new(pre).ok();
        let tools = bindings::tools::WithToolsIndices::new(pre).ok();
        let catalog = bindings::tool_catalog::WithToolCatalogIndices::new(pre).ok();
        let skill = bindings::skill::WithSkillIndices::new(pre).ok();
        let extractor = bindings::extractor::WithExtractorIndices::new(pre).ok();
        let agent = bindings::agent::WithAgentIndices::new(pre).ok();
        let agent_loop = bindings::agent_loop::WithAgentLoopIndices::new(pre).ok();
        Self {
            command: command.filter(|_| exports::<Two<'_>, Gives<WitReply>>(pre, "command", "run")),
            tools: tools.filter(|_| exports::<Two<'_>, Gives<types::ToolOutput>>(pre, "tools", "call")),
            tool_catalog: catalog.filter(|_| exports::<Cursor<'_>, Gives<WitPage>>(pre, "tool-catalog", "list")),
            skill: skill.filter(|_| {
                exports::<Two<'_>, Gives<WitGuidance>>(pre, "skill", "open")
                    && exports::<(&str,), Gives<types::Content>>(pre, "skill", "read")
            }),
            extractor: extractor.filter(|_| exports::<Document<'_>, Gives<WitExtracted>>(pre, "extractor", "extract")),
            agent: agent.filter(|_| exports::<Two<'_>, Gives<WitProfile>>(pre, "agent", "brief")),
            agent_loop: agent_loop.filter(|_| exports::<Two<'_>, Gives<Vec<types::Content>>>(pre, "agent-loop", "run")),
        }
    }

    /// The first thing that is declared and that the component has no role for: what, and the role.
    pub(crate) fn missing(&self, declared: &[(String, &'static str)]) -> Option<(String, &'static str)> {
        let has = |role: &str| match role {
            "command" => self.command.is_some(),
            "tools" => self.tools.is_some(),
            "tool-catalog" => self.tool_catalog.is_some(),
            "skill" => self.skill.is_some(),
            "extractor" => self.extractor.is_some(),
            "agent" => self.agent.is_some(),
            _ => self.agent_loop.is_some(),
        };
        declared.iter().find(|(_, role)| !has(role)).cloned()
    }
}

/// True if a component exports a function of an interface with just this type.
fn exports<P, R>(pre: &InstancePre<Call>, interface: &str, function: &str) -> bool
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let engine = pre.engine();
    let fits = |name: &str| match imports::split(name) {
        (name, Some(version)) => {
            name.strip_prefix(imports::PACKAGE).and_then(|rest| rest.strip_prefix('/')) == Some(interface)
                && imports::compatible(&version)
        }
        (_, None) => false,
    };
    let component = pre.component().component_type();
    let mut instances =
        component.exports(engine).filter(|(name, _)| fits(name)).filter_map(|(_, item)| match item.ty {
            ComponentItem::ComponentInstance(instance) => Some(instance),
            _ => None,
        });
    instances.any(|instance| match instance.get_export(engine, function).map(|item| item.ty) {
        Some(ComponentItem::ComponentFunc(found)) => found.typecheck::<P, R>(&pre.instance_type()).is_ok(),
        _ => false,
    })
}

/// Roles that this host calls.
pub(crate) const CALLED: [&str; 7] = ["command", "tools", "tool-catalog", "skill", "extractor", "agent", "agent-loop"];

/// Roles of the interface that this version of Deskhand does not call.
pub(crate) const UNCALLED: [&str; 3] = ["events", "command-completion", "template"];

/// What a manifest declares of each role, in words, with the role that it takes.
pub(crate) fn declared(manifest: &Manifest) -> Vec<(String, &'static str)> {
    words(
        manifest.commands.first().map(|command| &command.name),
        manifest.tools.first().map(|tool| &tool.name),
        manifest.tool_catalog,
        manifest.skill.as_ref().map(|skill| &skill.name),
        manifest.extractor.as_ref(),
        manifest.agent.as_ref().map(|agent| (&agent.name, agent.own_loop)),
    )
}

/// The same, of the part of a manifest that is at hand.
pub(crate) fn listed(listing: &Listing) -> Vec<(String, &'static str)> {
    words(
        listing.commands.first().map(|command| &command.name),
        listing.tools.first().map(|tool| &tool.name),
        listing.tool_catalog,
        listing.skill.as_ref().map(|skill| &skill.name),
        listing.extractor.as_ref(),
        listing.agent.as_ref().map(|agent| (&agent.name, agent.own_loop)),
    )
}

fn words(
    command: Option<&PluginName>,
    tool: Option<&PluginName>,
    catalog: bool,
    skill: Option<&PluginName>,
    extractor: Option<&Extractor>,
    agent: Option<(&PluginName, bool)>,
) -> Vec<(String, &'static str)> {
    let mut declared = Vec::new();
    declared.extend(command.map(|name| (format!("the command `{name}`"), "command")));
    declared.extend(tool.map(|name| (format!("the tool `{name}`"), "tools")));
    if catalog {
        let words = "tools that depend on an account".to_owned();
        declared.extend([(words.clone(), "tools"), (words, "tool-catalog")]);
    }
    declared.extend(skill.map(|name| (format!("the skill `{name}`"), "skill")));
    declared.extend(extractor.map(|_| ("an extractor of text".to_owned(), "extractor")));
    declared
        .extend(agent.map(|(name, own_loop)| {
            (format!("the sub-agent `{name}`"), if own_loop { "agent-loop" } else { "agent" })
        }));
    declared
}
