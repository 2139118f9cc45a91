//! Asks a run. Tells a run that is not there from one that does not answer; starts and stops nothing
//! by itself.

use std::io;
use std::time::Duration;

use rustix::process::geteuid;
use serde_json::Value;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::line::{self, NoLine};
use super::message::PROTOCOL;
use super::{Asked, Closed, Hello, Limits, Place, Reloaded, Reply, Request, failure};
use crate::engine::{Failure, Status};
use crate::ssh::Secret;

/// A connection to a running topology. Closes on drop, without any effect on the run.
#[derive(Debug)]
pub struct Client {
    name: String,
    limits: Limits,
    hello: Hello,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Client {
    /// Connects to the run at this place and greets it.
    ///
    /// # Errors
    /// H0901 when nothing runs there (what a dead run left is named), H0903 for an unsafe folder,
    /// H0905 when the run speaks another protocol or has too many clients, H0906 when it is silent.
    pub async fn connect(place: &Place, limits: Limits) -> Result<Self, Failure> {
        let name = place.name();
        if !place.is_running()? {
            let mut failure = failure::not_running(name);
            if place.socket().exists() {
                failure.facts.push(("left", format!("{} (its run is dead)", place.socket().display())));
                failure.help.push(format!("remove what it left: hopper down {name}"));
            }
            return Err(failure);
        }
        let stream =
            UnixStream::connect(place.socket()).await.map_err(|error| failure::no_answer(name, error))?;
        let peer = stream.peer_cred().map_err(|error| failure::no_answer(name, error))?;
        if peer.uid() != geteuid().as_raw() && peer.uid() != 0 {
            let what = format!("somebody else answers (uid {})", peer.uid());
            let help = format!("ls -l {}", place.socket().display());
            return Err(failure::unsafe_folder(place.runtime(), &what, help));
        }
        let (read, write) = stream.into_split();
        let read = BufReader::new(read);
        let nobody = Hello { protocol: 0, version: String::new(), name: String::new(), pid: 0 };
        let mut client = Client { name: name.to_owned(), limits, hello: nobody, read, write };
        match client.ask(&Request::Hello { protocol: PROTOCOL }).await? {
            Reply::Hello(hello) => client.hello = hello,
            other => return Err(client.surprised(&other)),
        }
        Ok(client)
    }

    /// Who answers.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// How the run stands.
    ///
    /// # Errors
    /// H0905 when the run refuses, H0906 when it is silent or ends meanwhile.
    pub async fn status(&mut self) -> Result<Status, Failure> {
        match self.ask(&Request::Status).await? {
            Reply::Status(status) => Ok(*status),
            other => Err(self.surprised(&other)),
        }
    }

    /// The plan that the run obeys, as `hopper.plan/1`.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn plan(&mut self) -> Result<Value, Failure> {
        match self.ask(&Request::Plan).await? {
            Reply::Plan(plan) => Ok(*plan),
            other => Err(self.surprised(&other)),
        }
    }

    /// Has the run read its file again, and waits until what that brought is settled.
    ///
    /// # Errors
    /// As for [`Client::status`]. A run that does not know how refuses.
    pub async fn reload(&mut self) -> Result<Reloaded, Failure> {
        self.send(&Request::Reload).await?;
        // No deadline of its own: what is new may take as long as its own deadlines, or wait for a person.
        match self.receive(Duration::MAX).await {
            Ok(Reply::Reloaded(reloaded)) => Ok(*reloaded),
            Ok(other) => Err(self.surprised(&other)),
            Err(Lost::Over) => Err(failure::no_answer(&self.name, "it ended meanwhile")),
            Err(Lost::Failed(failure)) => Err(failure),
        }
    }

    /// What the run waits for that a person has to answer.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn question(&mut self) -> Result<Option<Asked>, Failure> {
        match self.ask(&Request::Unlock).await? {
            Reply::Question(asked) => Ok(asked),
            other => Err(self.surprised(&other)),
        }
    }

    /// Answers what the run waits for. False when it does not wait for that any more.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn answer(&mut self, id: u64, answer: Secret) -> Result<bool, Failure> {
        match self.ask(&Request::Answer { id, answer }).await? {
            Reply::Answered(answered) => Ok(answered),
            other => Err(self.surprised(&other)),
        }
    }

    /// Asks the run to go down and hears of each thing that is gone. True when the run said that
    /// nothing is left, false when it ended without a word. The process may live an instant longer:
    /// [`down`](super::down()) waits for that too.
    ///
    /// # Errors
    /// H0905 when the run refuses, H0906 when the socket breaks.
    pub async fn down(&mut self, mut closed: impl FnMut(Closed)) -> Result<bool, Failure> {
        self.send(&Request::Down).await?;
        loop {
            // No deadline of its own: streams may take as long as the topology lets them drain.
            match self.receive(Duration::MAX).await {
                Ok(Reply::Closed(gone)) => closed(gone),
                Ok(Reply::Down(all)) => return Ok(all),
                Ok(other) => return Err(self.surprised(&other)),
                Err(Lost::Over) => return Ok(false),
                Err(Lost::Failed(failure)) => return Err(failure),
            }
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Reply, Failure> {
        self.send(request).await?;
        match self.receive(self.limits.patience).await {
            Ok(reply) => Ok(reply),
            Err(Lost::Over) => Err(failure::no_answer(&self.name, "it closed the connection")),
            Err(Lost::Failed(failure)) => Err(failure),
        }
    }

    async fn send(&mut self, request: &Request) -> Result<(), Failure> {
        match line::write(&mut self.write, request, self.limits.patience).await {
            // A run that turns clients away has closed already, and its reason waits to be read.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(failure::no_answer(&self.name, error))
            }
            _ => Ok(()),
        }
    }

    async fn receive(&mut self, patience: Duration) -> Result<Reply, Lost> {
        let what = match line::read(&mut self.read, self.limits.reply, patience).await {
            Ok(line) => match serde_json::from_slice(&line) {
                Ok(reply) => return Ok(reply),
                Err(error) => return Err(Lost::Failed(failure::refused(&self.name, error))),
            },
            Err(NoLine::End) => return Err(Lost::Over),
            Err(NoLine::Broken(error)) if ended(&error) => return Err(Lost::Over),
            Err(NoLine::Broken(error)) => error.to_string(),
            Err(NoLine::TooSlow) => format!("nothing came within {} s", patience.as_secs_f64()),
            Err(NoLine::TooLong) => format!("its reply is longer than {} bytes", self.limits.reply),
        };
        Err(Lost::Failed(failure::no_answer(&self.name, what)))
    }

    fn surprised(&self, reply: &Reply) -> Failure {
        match reply {
            Reply::Error(refusal) => failure::refused(&self.name, &refusal.message),
            _ => failure::refused(&self.name, "it answered something else"),
        }
    }
}

/// Why no reply came.
enum Lost {
    /// The run closed the connection, or its process ended.
    Over,
    /// Anything else.
    Failed(Failure),
}

fn ended(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}
