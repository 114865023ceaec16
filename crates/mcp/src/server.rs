//! The server: what the protocol asks, answered by tools and resources.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jerry_contract::{Envelope, Failure};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult,
    ErrorCode, ErrorData, Implementation, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;

use crate::desk::Desk;
use crate::tool::Entry;
use crate::{hint, resources, tools};

const INSTRUCTIONS: &str = "\
jerry is the work queue that you share with other agents and with people. \
Call claim (without an id: the most urgent item that is ready) before you work on anything; the item \
is yours until you complete or release it, and nobody else writes to it. \
note what the next one should know while you work. complete when it is done, release when you stop. \
create what you find out is to be done besides. An error has a code, a hint, and retry_after_ms where \
the same call may succeed later.";

/// Answers one client.
#[derive(Clone)]
pub struct Server {
    desk: Arc<Desk>,
    tools: Arc<[Entry]>,
    input_has_ended: Arc<AtomicBool>,
}

impl Server {
    /// A server that does everything at `desk`.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        let input_has_ended = Arc::default();
        Self { desk: Arc::new(desk), tools: tools::all().into(), input_has_ended }
    }

    /// What says that nothing more will be asked: who waits for a change waits no longer then.
    pub(crate) fn input_has_ended(&self) -> Arc<AtomicBool> {
        self.input_has_ended.clone()
    }

    /// Does `work`, which may block, on a thread where nobody else waits for it. Work that was
    /// cancelled before it began is not done; what has begun is finished, and its answer dropped.
    async fn apart<T: Send + 'static>(
        &self,
        context: RequestContext<RoleServer>,
        work: impl FnOnce(&Desk, &dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, ErrorData> {
        let (desk, input_has_ended) = (self.desk.clone(), self.input_has_ended());
        let work = move || {
            let is_given_up =
                || context.ct.is_cancelled() || input_has_ended.load(Ordering::Relaxed);
            (!context.ct.is_cancelled()).then(|| work(&desk, &is_given_up))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(ErrorData::invalid_request("the request was cancelled", None)),
            Err(error) => Err(ErrorData::internal_error(error.to_string(), None)),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("jerry", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.tools.iter().map(|entry| entry.description.clone()).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let named = self.tools.iter().find(|entry| entry.description.name == request.name);
        let Some(Entry { description, call }) = named else {
            let names = self.tools.iter().map(|entry| entry.description.name.as_ref());
            let names = names.collect::<Vec<_>>().join(", ");
            let message = format!("there is no tool '{}'; there are {names}", request.name);
            return Err(ErrorData::invalid_params(message, None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let (schema, call) = (description.input_schema.clone(), *call);
        let work = move |desk: &Desk, given_up: &dyn Fn() -> bool| {
            call(arguments, &schema, desk, given_up)
        };
        let outcome = self.apart(context, work).await?;
        let result = match outcome {
            Ok(answer) => CallToolResult::structured(answer),
            Err(failure) => CallToolResult::structured_error(told(&failure)),
        };
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let after = request.and_then(|request| request.cursor);
        self.apart(context, move |desk, _| pollster::block_on(resources::list(after, desk)))
            .await?
            .map_err(protocol_error)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![resources::template()]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.apart(context, move |desk, _| pollster::block_on(resources::read(&request.uri, desk)))
            .await?
            .map(Into::into)
            .map_err(protocol_error)
    }

    /// The SDK takes a request whose parameters it cannot read for one that it does not know.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, .. } = request;
        match KNOWN.iter().find(|(known, _)| *known == method) {
            Some((_, takes)) => {
                Err(ErrorData::invalid_params(format!("{method} takes {takes}"), None))
            }
            None => Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None)),
        }
    }
}

/// The requests that are answered, and what they take.
const KNOWN: [(&str, &str); 5] = [
    ("tools/call", "the name of a tool, and its arguments as an object"),
    ("tools/list", "nothing, or a cursor"),
    ("resources/read", "the uri of an item"),
    ("resources/list", "nothing, or a cursor"),
    ("resources/templates/list", "nothing, or a cursor"),
];

/// The answer of kind `error`.
fn told(failure: &Failure) -> Value {
    let hint = hint::for_agents(failure);
    let mut answer = failure.answer();
    answer.error.hint = &hint;
    // It is made of texts and numbers alone.
    serde_json::to_value(Envelope::of(&answer)).unwrap_or_default()
}

/// Resources have no errors of their own, only those of the protocol; it carries ours.
fn protocol_error(failure: Failure) -> ErrorData {
    use jerry_contract::Code;
    let data = Some(told(&failure));
    match failure.code {
        Code::NotFound | Code::Deleted => ErrorData::resource_not_found(failure.message, data),
        Code::Usage => ErrorData::invalid_params(failure.message, data),
        _ => ErrorData::internal_error(failure.message, data),
    }
}
