//! Standard input, which says when it has ended: the SDK tells its handlers only when it has waited for
//! all of them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Reads as `inner` does, and sets `has_ended` once there is nothing more to read.
pub(crate) struct Input<R> {
    inner: R,
    has_ended: Arc<AtomicBool>,
}

impl<R> Input<R> {
    pub(crate) fn new(inner: R, has_ended: Arc<AtomicBool>) -> Self {
        Self { inner, has_ended }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(context, buffer));
        if read.is_err() || buffer.filled().len() == before {
            self.has_ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(read)
    }
}
