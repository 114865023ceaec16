//! jerry for agents: its services as tools of the Model Context Protocol (MCP).
//!
//! A thin adapter over the application. It reads JSON-RPC on standard input and answers on standard
//! output; what it answers is [`jerry_contract`], as the command line prints it. Which store is
//! served, and behind which adapters, is told by whoever starts it: this package knows no files.
//!
//! A tool is one file in `tools`, and one line in the list there.

mod desk;
mod hint;
mod input;
mod log;
mod resources;
mod server;
mod tool;
mod tools;

use rmcp::service::{QuitReason, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;

use input::Input;

pub use desk::{Desk, FindFile};
pub use server::Server;

/// The longest message that is read. One with the largest item that a store takes fits in, however
/// it is escaped.
const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

/// Why the server ended other than by the end of its input.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The runtime could not be started.
    #[error("the server cannot be started")]
    Runtime(#[source] std::io::Error),
    /// The client did not begin as the protocol has it.
    #[error("the client did not begin as the protocol has it")]
    Beginning(#[source] Box<ServerInitializeError>),
    /// A part of the server failed.
    #[error("the server failed")]
    Failed(#[source] tokio::task::JoinError),
}

/// Serves one client on standard input and output until the input ends. Calls that are under way by
/// then are finished and answered, but for those that wait for longer than a few seconds.
///
/// Standard output carries nothing but the protocol; what there is to say goes to standard error.
///
/// # Errors
/// [`ServeError`].
pub fn serve(desk: Desk) -> Result<(), ServeError> {
    log::to_stderr();
    // One thread speaks with the client. Whatever touches files has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(ServeError::Runtime)?;
    let served = runtime.block_on(serve_stdio(Server::new(desk)));
    // The SDK has waited five seconds for what was under way. Whoever still waits for a lock ends with
    // the process, as if it had been killed.
    runtime.shutdown_background();
    served
}

async fn serve_stdio(server: Server) -> Result<(), ServeError> {
    let input = Input::new(tokio::io::stdin(), server.input_has_ended());
    let transport = AsyncRwTransport::new_server(input, tokio::io::stdout())
        .with_max_line_length(MAX_MESSAGE_BYTES);
    let running = match rmcp::serve_server(server, transport).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServeError::Beginning(Box::new(error))),
    };
    match running.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(ServeError::Failed(error)),
        Ok(_) => Ok(()),
    }
}
