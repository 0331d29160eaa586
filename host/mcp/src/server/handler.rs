//! The protocol of one session, over what is offered.

use super::{
    asking::Asking,
    offer::{self, Hello, NotServed, Offer, Telling},
    page,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Effect, Outcome, Output},
};
use deskhand_models::Piece;
use deskhand_vocabulary::{Progress, Stop, text::shortened};
use rmcp::{
    ErrorData, Peer, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, Implementation, InitializeRequestParams, InitializeResult,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject,
        PaginatedRequestParams, ProgressNotificationParam, ProgressToken, Prompt, PromptArgument, PromptMessage,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
        ResourceContents, ResourceTemplate, Role, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{
    Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_util::sync::CancellationToken;

/// So many requests are worked on at once; more wait.
const AT_WORK: usize = 16;
/// So many may wait; beyond it they are refused.
const WAITING: usize = 256;
/// The longest name that a client says of itself, in characters.
const NAME: usize = 100;
/// How often it is looked whether what is offered has changed.
const LOOK: Duration = Duration::from_secs(2);
/// The fewest milliseconds between two notices of how far a call is.
const BETWEEN: u64 = 100;

/// See the module.
pub(crate) struct Session {
    offer: Arc<dyn Offer>,
    asking: Arc<Asking>,
    room: Arc<Semaphore>,
    there: Arc<AtomicUsize>,
    calls: AtomicU64,
    gone: CancellationToken,
    /// Kept for as long as the session lasts.
    _held: Option<Box<dyn Send + Sync>>,
}

impl Session {
    pub(crate) fn new(offer: Arc<dyn Offer>, asking: Arc<Asking>) -> Self {
        let (room, there) = (Arc::new(Semaphore::new(AT_WORK)), Arc::default());
        Self { offer, asking, room, there, calls: AtomicU64::new(0), gone: CancellationToken::new(), _held: None }
    }

    /// The same, with something that is let go of when the session is over.
    pub(crate) fn holding(mut self, held: impl Send + Sync + 'static) -> Self {
        self._held = Some(Box::new(held));
        self
    }

    /// Have something done on a thread that may wait. It is told where the client does not want it any more.
    async fn work<T: Send + 'static>(
        &self,
        cancelled: &CancellationToken,
        work: impl FnOnce(&dyn Offer, &Stop) -> T + Send + 'static,
    ) -> Result<T, ErrorData> {
        let _place = Place::take(&self.there)?;
        let full = |_| ErrorData::internal_error("the session is over", None);
        let _room = tokio::select! {
            room = Arc::clone(&self.room).acquire_owned() => room.map_err(full)?,
            () = cancelled.cancelled() => return Err(ErrorData::internal_error("cancelled before it began", None)),
        };
        let stop = Stop::default();
        let (offer, stopping) = (Arc::clone(&self.offer), stop.clone());
        let mut working = tokio::task::spawn_blocking(move || work(offer.as_ref(), &stopping));
        let done = tokio::select! {
            biased;
            done = &mut working => done,
            () = cancelled.cancelled() => {
                stop.stop();
                working.await
            }
        };
        done.map_err(|_| ErrorData::internal_error("Deskhand broke off in the middle of it. See: deskhand log", None))
    }

    /// Tell the client once tools or prompts are others, until it is gone.
    fn watch(&self, peer: Peer<RoleServer>) {
        let (offer, gone) = (Arc::clone(&self.offer), self.gone.clone());
        tokio::spawn(async move {
            let mut known = edition(&offer).await;
            loop {
                tokio::select! {
                    () = gone.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
                let now = edition(&offer).await;
                if now != known {
                    known = now;
                    if peer.notify_tool_list_changed().await.is_err()
                        || peer.notify_prompt_list_changed().await.is_err()
                    {
                        return;
                    }
                }
            }
        });
    }
}

async fn edition(offer: &Arc<dyn Offer>) -> Option<u64> {
    let offer = Arc::clone(offer);
    tokio::task::spawn_blocking(move || offer.edition()).await.ok()
}

impl Drop for Session {
    fn drop(&mut self) {
        self.gone.cancel();
        self.offer.end();
    }
}

/// A place among the requests of a session.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(there: &Arc<AtomicUsize>) -> Result<Self, ErrorData> {
        let place = Self(Arc::clone(there));
        if there.fetch_add(1, Ordering::SeqCst) >= AT_WORK + WAITING {
            let reason = format!("more than {} requests at once. Wait for some of them", AT_WORK + WAITING);
            return Err(ErrorData::internal_error(reason, None));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn error(not_served: NotServed) -> ErrorData {
    match not_served {
        NotServed::Unknown(reason) => ErrorData::invalid_params(reason, None),
        NotServed::Failed(reason) => ErrorData::internal_error(reason, None),
    }
}

fn no_such_page() -> ErrorData {
    ErrorData::invalid_params("this cursor is none that a page ended with", None)
}

fn cursor(request: Option<PaginatedRequestParams>) -> Option<String> {
    request.and_then(|request| request.cursor)
}

fn tool(tool: deskhand_agent::tool::Tool) -> Tool {
    let schema = match tool.told.schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    let looks = tool.effect == Effect::Read;
    // nothing is destroyed before the person has agreed to it
    let hints = ToolAnnotations::new().read_only(looks).destructive(false);
    Tool::new(tool.told.name, tool.told.description, Arc::new(schema)).with_annotations(hints)
}

fn result(output: Output) -> CallToolResult {
    let done = output.outcome == Outcome::Done;
    let content = output.parts.into_iter().map(|part| match part {
        Piece::Text { text } => ContentBlock::text(text),
        Piece::Image { media_type, data } => ContentBlock::image(data, media_type),
    });
    let content = content.collect();
    let mut result = if done { CallToolResult::success(content) } else { CallToolResult::error(content) };
    if !done {
        let mut meta = MetaObject::new();
        meta.insert("deskhand/outcome".to_owned(), output.outcome.name().into());
        result.meta = Some(meta);
    }
    result
}

/// Takes note of how far a call is, no more often than anybody looks.
fn noting(token: ProgressToken, notes: UnboundedSender<ProgressNotificationParam>) -> Telling {
    let begun = std::time::Instant::now();
    let (last, step) = (AtomicU64::new(0), AtomicU64::new(0));
    Arc::new(move |progress: &Progress| {
        let now = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(BETWEEN);
        let before = last.load(Ordering::SeqCst);
        let whole = progress.done.is_some() && progress.done == progress.total;
        if !whole && now < before.saturating_add(BETWEEN) {
            return;
        }
        last.store(now, Ordering::SeqCst);
        // it has to rise, also where nobody knows how far it is
        let steps = step.fetch_add(1, Ordering::SeqCst) + 1;
        #[expect(clippy::cast_precision_loss, reason = "it is shown to a person")]
        let (done, total) = (progress.done.unwrap_or(steps) as f64, progress.total.map(|total| total as f64));
        let mut told = ProgressNotificationParam::new(token.clone(), done).with_message(shortened(&progress.text, 200));
        told.total = total;
        // a call that is over tells nothing more
        let _ = notes.send(told);
    })
}

/// Do something, and tell the client meanwhile what is noted of it: all of that before it is over, as nothing may come after the
/// answer.
async fn telling<T>(
    peer: &Peer<RoleServer>,
    mut notes: UnboundedReceiver<ProgressNotificationParam>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            // a client that is gone does not want to know
            Some(told) = notes.recv() => drop(peer.notify_progress(told).await),
            done = &mut work => break done,
        }
    };
    while let Ok(told) = notes.try_recv() {
        let _ = peer.notify_progress(told).await;
    }
    done
}

impl ServerHandler for Session {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .build();
        let mut this = Implementation::new("deskhand", env!("CARGO_PKG_VERSION"));
        this.title = Some("Deskhand".to_owned());
        InitializeResult::new(capabilities)
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_server_info(this)
            .with_instructions(self.offer.instructions())
    }

    /// Up to the last in which a server may ask while a call is at work.
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25))
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        self.asking.found(&context.peer);
        let said = |text: &str| shortened(text, NAME);
        let about = &request.client_info;
        self.offer.hello(Hello { name: said(&about.name), version: said(&about.version) });
        self.watch(context.peer);
        self.negotiate_initialize(&request)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let all = self.work(&context.ct, |offer, _| offer.tools()).await?.map_err(error)?;
        let (tools, next) = page::of(all, cursor(request).as_deref()).ok_or_else(no_such_page)?;
        let mut result = ListToolsResult::with_all_items(tools.into_iter().map(tool).collect());
        result.next_cursor = next;
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let id = format!("call-{}", self.calls.fetch_add(1, Ordering::SeqCst) + 1);
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let call = Call { id, tool: request.name.into_owned(), arguments, left: Limits::default() };
        let (note, notes) = unbounded_channel();
        let progress: Telling = match context.meta.get_progress_token() {
            Some(token) => noting(token, note),
            None => Arc::new(|_| ()),
        };
        let work = self.work(&context.ct, move |offer, stop| offer.call(&call, progress, stop));
        let output = telling(&context.peer, notes, work).await?;
        Ok(result(output.map_err(error)?).into())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let all = self.work(&context.ct, |offer, _| offer.prompts()).await?.map_err(error)?;
        let (prompts, next) = page::of(all, cursor(request).as_deref()).ok_or_else(no_such_page)?;
        let argument = |argument: offer::PromptArgument| {
            PromptArgument::new(argument.name).with_description(argument.description).with_required(argument.required)
        };
        let prompt = |prompt: offer::Prompt| {
            let arguments = prompt.arguments.into_iter().map(argument).collect();
            Prompt::new(prompt.name, Some(prompt.description), Some(arguments))
        };
        let mut result = ListPromptsResult::with_all_items(prompts.into_iter().map(prompt).collect());
        result.next_cursor = next;
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let name = request.name;
        let text = self.work(&context.ct, move |offer, stop| offer.prompt(&name, &arguments, stop)).await?;
        let message = PromptMessage::new_text(Role::User, text.map_err(error)?);
        Ok(GetPromptResult::new(vec![message]).into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = cursor(request);
        let page = self.work(&context.ct, move |offer, stop| offer.resources(cursor.as_deref(), stop)).await?;
        let offer::Page { items, next } = page.map_err(error)?;
        let resource = |one: offer::Resource| Resource::new(one.uri, one.name).with_size(one.size);
        let mut result = ListResourcesResult::with_all_items(items.into_iter().map(resource).collect());
        result.next_cursor = next;
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template =
            |one: offer::Template| ResourceTemplate::new(one.uri, one.name).with_description(one.description);
        Ok(ListResourceTemplatesResult::with_all_items(self.offer.templates().into_iter().map(template).collect()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let asked = uri.clone();
        let content = self.work(&context.ct, move |offer, stop| offer.read(&asked, stop)).await?;
        let offer::Content { media_type, bytes } = content.map_err(|not_served| match not_served {
            NotServed::Unknown(reason) => ErrorData::resource_not_found(reason, None),
            other => error(other),
        })?;
        let contents = match String::from_utf8(bytes) {
            Ok(text) => ResourceContents::text(text, uri),
            Err(bytes) => ResourceContents::blob(STANDARD.encode(bytes.as_bytes()), uri),
        };
        Ok(ReadResourceResult::new(vec![contents.with_mime_type(media_type)]).into())
    }
}
