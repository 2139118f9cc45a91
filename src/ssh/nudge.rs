//! Keeps uploads from waiting for delayed acknowledgements between other people's machines.
//!
//! A server's window message is a small packet. The server's kernel holds it back while an earlier
//! one is not acknowledged (RFC 896), and the host before it acknowledges late when it has nothing to
//! send (RFC 1122, section 4.2.3.2). A writer that waits for a window therefore has its session say
//! something small: on its way it carries the acknowledgements with it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep, sleep};

/// How long a writer waits before the first nudge; each further one waits twice as long.
const FIRST: Duration = Duration::from_millis(1);
/// Nobody's acknowledgement is delayed for longer: a writer that still waits is waiting for its target.
const LAST: Duration = Duration::from_millis(128);

/// Makes one session say something.
#[derive(Clone)]
pub(super) struct Nudge(Arc<dyn Fn() + Send + Sync>);

impl Nudge {
    /// `speak` must not wait.
    pub(super) fn new(speak: impl Fn() + Send + Sync + 'static) -> Self {
        Nudge(Arc::new(speak))
    }

    /// Nudges now and then; never resolves. To be polled beside a write that waits.
    pub(super) async fn while_waiting(&self) {
        let mut pause = FIRST;
        while pause <= LAST {
            sleep(pause).await;
            (self.0)();
            pause *= 2;
        }
        std::future::pending().await
    }
}

/// A writer into a channel that nudges while a write waits.
pub(super) struct Nudging<W> {
    writer: W,
    nudge: Nudge,
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<W> Nudging<W> {
    pub(super) fn new(writer: W, nudge: Nudge) -> Self {
        Nudging { writer, nudge, pause: FIRST, timer: None }
    }

    fn wait(&mut self, context: &mut Context<'_>) {
        let pause = self.pause;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(pause)));
        while self.pause <= LAST && timer.as_mut().poll(context).is_ready() {
            self.pause *= 2;
            timer.as_mut().reset(Instant::now() + self.pause);
            (self.nudge.0)();
        }
    }

    fn went_on(&mut self) {
        self.timer = None;
        self.pause = FIRST;
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Nudging<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.writer).poll_write(context, buffer);
        match written {
            Poll::Pending => self.wait(context),
            Poll::Ready(_) => self.went_on(),
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn counted() -> (Nudge, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let nudge = Nudge::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (nudge, count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_waits_nudges_a_few_times_and_then_leaves_it() {
        let (nudge, count) = counted();
        let (near, mut far) = tokio::io::duplex(4);
        let mut writer = Nudging::new(near, nudge);
        writer.write_all(b"full").await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 0, "a write that need not wait nudges nobody");

        let stuck = tokio::time::timeout(Duration::from_secs(3600), writer.write_all(b"more")).await;
        assert!(stuck.is_err());
        assert_eq!(count.load(Ordering::Relaxed), 8);

        far.read_exact(&mut [0; 4]).await.unwrap();
        writer.write_all(b"more").await.unwrap();
        let stuck = tokio::time::timeout(Duration::from_millis(2), writer.write_all(b"again")).await;
        assert!(stuck.is_err());
        assert_eq!(count.load(Ordering::Relaxed), 9, "each wait begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_beside_a_write_nudges_as_often() {
        let (nudge, count) = counted();
        let waited = tokio::time::timeout(Duration::from_secs(3600), nudge.while_waiting()).await;
        assert!(waited.is_err());
        assert_eq!(count.load(Ordering::Relaxed), 8);
    }
}
