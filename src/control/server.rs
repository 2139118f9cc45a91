//! Answers on the control socket of a run. Knows the run only through [`Hooks`]; one bad client is
//! told off and closed, and disturbs nobody.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::line::{self, NoLine};
use super::message::PROTOCOL;
use super::{Claim, Closed, Hello, Hooks, Limits, Reason, Refusal, Reply, Request, failure};
use crate::engine::{Event, Failure, Status, WaitsFor};
use crate::plan::show;
use crate::ssh::socket::SHORTAGE;

/// Lines of progress kept for a `down` client that reads slowly; older ones are skipped.
const BACKLOG: usize = 1024;

/// The control socket of a run, served until [`Server::close`] or drop; both remove it.
#[derive(Debug)]
pub struct Server {
    socket: PathBuf,
    patience: Duration,
    progress: broadcast::Sender<Closed>,
    gone: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Binds the socket (mode 0600) of a claimed place and serves it. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// H0908 when the socket cannot be bound.
    pub fn bind(claim: &Claim, hooks: Hooks, limits: Limits) -> Result<Self, Failure> {
        let socket = claim.place().socket();
        let io = |error| failure::files(&socket, error);
        // Nobody else can connect before the mode is set: the folder is ours and 0700.
        let listener = UnixListener::bind(&socket).map_err(io)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600)).map_err(io)?;
        let (progress, _) = broadcast::channel(BACKLOG);
        let (gone, stop, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let desk = Desk {
            name: claim.place().name().to_owned(),
            hooks,
            limits,
            progress: progress.clone(),
            gone: gone.clone(),
        };
        let accepting = accept(listener, Arc::new(desk), tasks.clone(), stop.clone());
        let (closed, dropped) = (gone.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! { () = accepting => {}, () = closed.cancelled() => {}, () = dropped.cancelled() => {} }
        });
        Ok(Server { socket, patience: limits.patience, progress, gone, stop, tasks })
    }

    /// Passes on what happened in the run; clients that wait for `down` see what is gone.
    pub fn event(&self, event: &Event) {
        if let Some(closed) = Closed::of(event) {
            // Nobody listening is the usual case.
            let _ = self.progress.send(closed);
        }
    }

    /// To be called when nothing is left of the run: removes the socket, tells everyone who waits for
    /// `down`, and ends every connection. Takes at most the clients' patience.
    pub async fn close(self) {
        self.unlink();
        self.gone.cancel();
        self.tasks.close();
        // A client that does not take its last line is cut off by the drop that follows.
        let _ = timeout(self.patience, self.tasks.wait()).await;
    }

    fn unlink(&self) {
        // Already gone is as good; anything else the next run removes under the lock.
        let _ = fs::remove_file(&self.socket);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `close` the place may be somebody else's: the socket there now would be theirs.
        if !self.gone.is_cancelled() {
            self.unlink();
        }
        // Without `close` nobody is told that the run is down: nobody knows.
        self.stop.cancel();
    }
}

async fn accept(listener: UnixListener, desk: Arc<Desk>, tasks: TaskTracker, stop: CancellationToken) {
    let seats = Arc::new(Semaphore::new(desk.limits.clients));
    let mut short = false;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely; accepting again at once would spin.
                if !std::mem::replace(&mut short, true) {
                    tracing::warn!(%error, "the control socket cannot accept");
                }
                sleep(SHORTAGE).await;
                continue;
            }
        };
        short = false;
        let admitted = stream.peer_cred().is_ok_and(|peer| admits(peer.uid(), geteuid().as_raw()));
        if !admitted {
            turn_away(stream, Reason::Denied, "only the owner of this run may speak to it");
            continue;
        }
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            turn_away(stream, Reason::Busy, "too many clients at once");
            continue;
        };
        let (desk, stop) = (Arc::clone(&desk), stop.clone());
        tasks.spawn(async move {
            let _seat = seat;
            tokio::select! { () = desk.serve(stream) => {}, () = stop.cancelled() => {} }
        });
    }
}

/// Whether somebody with this user id may speak to a run of `own`.
fn admits(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

/// One line, if it fits into the socket's buffer right now, and out.
fn turn_away(stream: UnixStream, reason: Reason, message: &str) {
    let refusal = Reply::Error(Refusal { reason, message: message.to_owned() });
    if let (Ok(mut stream), Ok(bytes)) = (stream.into_std(), line::bytes(&refusal)) {
        // The client is closed either way.
        let _ = stream.write_all(&bytes);
    }
}

/// What every connection shares.
struct Desk {
    name: String,
    hooks: Hooks,
    limits: Limits,
    progress: broadcast::Sender<Closed>,
    gone: CancellationToken,
}

impl Desk {
    async fn serve(&self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        let mut greeted = false;
        loop {
            let request = tokio::select! {
                request = self.request(&mut read) => request,
                () = self.gone.cancelled() => return,
            };
            let answered = match request {
                Ok(Request::Hello { protocol: PROTOCOL }) => {
                    greeted = true;
                    self.say(&mut write, &Reply::Hello(self.hello())).await
                }
                Ok(Request::Hello { protocol }) => {
                    let what = format!("this run speaks protocol {PROTOCOL}, not {protocol}");
                    return self.refuse(&mut write, Reason::Protocol, what).await;
                }
                Ok(_) if !greeted => {
                    let what = format!(r#"say {{"do":"hello","protocol":{PROTOCOL}}} first"#);
                    return self.refuse(&mut write, Reason::Protocol, what).await;
                }
                Ok(Request::Status) => {
                    let mut status = Status::new(&self.name, process::id(), &(self.hooks.snapshot)());
                    status.file = (self.hooks.file)();
                    status.waits_for = self
                        .hooks
                        .questions
                        .first()
                        .map(|asked| WaitsFor { host: asked.host, wanted: asked.wanted });
                    self.say(&mut write, &Reply::Status(Box::new(status))).await
                }
                Ok(Request::Plan) => {
                    let plan = Reply::Plan(Box::new(show::json(&(self.hooks.plan)())));
                    self.say(&mut write, &plan).await
                }
                Ok(Request::Reload) => {
                    let reloaded = tokio::select! {
                        reloaded = (self.hooks.reload)() => reloaded,
                        () = self.gone.cancelled() => return,
                    };
                    let Ok(reloaded) = reloaded else { return };
                    self.say(&mut write, &Reply::Reloaded(Box::new(reloaded))).await
                }
                Ok(Request::Unlock) => {
                    self.say(&mut write, &Reply::Question(self.hooks.questions.first())).await
                }
                Ok(Request::Answer { id, answer }) => {
                    let answered = self.hooks.questions.answer(id, answer);
                    self.say(&mut write, &Reply::Answered(answered)).await
                }
                Ok(Request::Down) => return self.down(&mut write).await,
                Err(Some((reason, what))) => return self.refuse(&mut write, reason, what).await,
                Err(None) => return,
            };
            if answered.is_err() {
                return;
            }
        }
    }

    /// The next request; otherwise what to say about it, or `None` when nobody is there to hear it.
    async fn request(
        &self,
        read: &mut BufReader<OwnedReadHalf>,
    ) -> Result<Request, Option<(Reason, String)>> {
        let Limits { request: limit, patience, .. } = self.limits;
        match line::read(read, limit, patience).await {
            // The parser's message quotes nothing of the line but names and positions.
            Ok(line) => serde_json::from_slice(&line)
                .map_err(|error| Some((Reason::Garbage, format!("not a request: {error}")))),
            Err(NoLine::TooLong) => {
                Err(Some((Reason::TooLong, format!("a request has at most {limit} bytes"))))
            }
            Err(NoLine::TooSlow) => {
                Err(Some((Reason::TooSlow, format!("no request within {} s", patience.as_secs_f64()))))
            }
            Err(NoLine::End | NoLine::Broken(_)) => Err(None),
        }
    }

    /// Starts the teardown and tells of it until nothing is left. The client may leave any time.
    async fn down(&self, write: &mut OwnedWriteHalf) {
        let mut progress = self.progress.subscribe();
        (self.hooks.down)();
        loop {
            let closed = tokio::select! {
                biased;
                closed = progress.recv() => closed,
                () = self.gone.cancelled() => break,
            };
            match closed {
                Ok(closed) => {
                    if self.say(write, &Reply::Closed(closed)).await.is_err() {
                        return;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => break,
            }
        }
        // The client may have left; the run is down all the same.
        let _ = self.say(write, &Reply::Down(true)).await;
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.name.clone(),
            pid: process::id(),
        }
    }

    async fn refuse(&self, write: &mut OwnedWriteHalf, reason: Reason, message: String) {
        // The connection closes next, whether or not the client took this.
        let _ = self.say(write, &Reply::Error(Refusal { reason, message })).await;
    }

    async fn say(&self, write: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
        line::write(write, reply, self.limits.patience).await
    }
}

#[cfg(test)]
mod tests {
    use super::admits;

    #[test]
    fn only_the_owner_and_root_are_admitted() {
        assert!(admits(1000, 1000) && admits(0, 1000) && admits(0, 0));
        assert!(!admits(1001, 1000) && !admits(1000, 0));
    }
}
