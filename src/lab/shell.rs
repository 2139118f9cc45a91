//! The shell of a host of the lab: one command for each channel, no terminal. Plays the commands that
//! hopper has hosts run, and finds no other program. Never runs anything.

use std::sync::Arc;

use bytes::Bytes;
use russh::server::{Handle, Msg};
use russh::{Channel, ChannelId, ChannelMsg};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::topology::HostId;

use super::client::Client;
use super::command::Command;
use super::world::World;

/// What the lab's `ssh -V` says.
const VERSION: &str = "OpenSSH_for_hopper_lab, played by hopper\n";

/// The status of a shell that does not find a program, and of `ssh` for every failure of its own.
const NOT_FOUND: u32 = 127;
const FAILED: u32 = 255;

/// Serves one session channel until its command has ended, or the client closed it, or is gone.
pub(super) async fn serve(world: Arc<World>, host: HostId, channel: Channel<Msg>, session: Handle) {
    let output = Output { channel: channel.id(), session };
    let (ask, asked) = oneshot::channel::<Vec<u8>>();
    let input_ended = CancellationToken::new();
    let run = async {
        // Nobody asks any more when the listening is over, and that ends this too.
        let Ok(command) = asked.await else { return };
        output.started().await;
        let status = run(&world, &host, &command, &input_ended, &output).await;
        output.end(status).await;
    };
    tokio::select! {
        end = listen(channel, ask, &input_ended) => if let End::Unfit = end {
            output.close().await;
        },
        () = run => {}
    }
}

/// How a client's side of a channel ended.
enum End {
    /// The client closed it, or its session is gone.
    Gone,
    /// The client wants something other than one command: a terminal, an environment, a shell.
    Unfit,
}

/// Takes all that comes: a channel that is not read stops its session.
async fn listen(
    mut channel: Channel<Msg>,
    ask: oneshot::Sender<Vec<u8>>,
    input_ended: &CancellationToken,
) -> End {
    let mut ask = Some(ask);
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Exec { command, .. }) => match ask.take() {
                // Its receiver lives as long as this does.
                Some(ask) => drop(ask.send(command)),
                None => return End::Unfit,
            },
            // The lines that tell a command that somebody is here.
            Some(ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. }) => {}
            Some(ChannelMsg::WindowAdjusted { .. } | ChannelMsg::Signal { .. }) => {}
            Some(ChannelMsg::Eof) => input_ended.cancel(),
            Some(ChannelMsg::Close) | None => return End::Gone,
            Some(_) => return End::Unfit,
        }
    }
}

/// Plays a command. Its exit status.
async fn run(
    world: &Arc<World>,
    host: &HostId,
    command: &[u8],
    input_ended: &CancellationToken,
    output: &Output,
) -> u32 {
    match Command::read(&String::from_utf8_lossy(command)) {
        Command::Probe => {
            output.say(VERSION.to_owned()).await;
            0
        }
        Command::Ssh(ssh) => match Client::start(world, host, &ssh) {
            Ok(client) => {
                output.say(format!("{}\n", ssh.says)).await;
                tokio::select! {
                    () = input_ended.cancelled() => {}
                    () = client.broken() => {
                        output.complain(format!("Connection to {} closed by remote host.", ssh.host)).await;
                    }
                }
                FAILED
            }
            Err(said) => {
                output.complain(said).await;
                FAILED
            }
        },
        Command::Misused(said) => {
            output.complain(said).await;
            FAILED
        }
        Command::Unknown(program) => {
            output.complain(format!("sh: {program}: not found")).await;
            NOT_FOUND
        }
    }
}

/// Where a command speaks. Whether the session still hears it is no matter: when it does not, the
/// listening ends, and the command with it.
struct Output {
    channel: ChannelId,
    session: Handle,
}

impl Output {
    async fn started(&self) {
        let _ = self.session.channel_success(self.channel).await;
    }

    async fn say(&self, text: String) {
        let _ = self.session.data(self.channel, Bytes::from(text)).await;
    }

    /// Says lines to standard error.
    async fn complain(&self, lines: String) {
        let _ = self.session.extended_data(self.channel, STDERR, Bytes::from(lines + "\n")).await;
    }

    async fn end(&self, status: u32) {
        let _ = self.session.exit_status_request(self.channel, status).await;
        let _ = self.session.eof(self.channel).await;
        self.close().await;
    }

    async fn close(&self) {
        let _ = self.session.close(self.channel).await;
    }
}

/// The only kind of extended data that there is (RFC 4254, section 5.2).
const STDERR: u32 = 1;
