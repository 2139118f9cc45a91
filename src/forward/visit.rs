//! Joins a client that came over a channel and its far end until both have said everything. Keeps
//! half-close in both directions.
//!
//! A far end that local dialled is reset when the stream breaks. The client cannot be: a channel has no
//! reset. What breaks is closed without an end before it, which any peer can tell apart; OpenSSH passes
//! both on to its client as the same end of stream, once it has delivered what came before.

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::budget::{Budget, Held};
use super::dialer::Far;
use super::meter::Meter;
use super::splice::{Ending, intake, last_word, splice_channel, with_socket};
use crate::ssh::{Channel, ChannelWriter, Crowd, Dialled};

/// What one visit may set aside, towards its far end and back.
pub(super) struct Shares([Held; 2]);

impl Shares {
    /// `near` are the streams of the session that the client came over, `far` those of the far end's.
    pub(super) fn open(budget: &Budget, near: Crowd, far: Crowd) -> Self {
        Shares(budget.open_between([near, far]))
    }
}

/// Joins the two until both directions are done.
pub(super) async fn receive(client: Channel, far: Far, meter: &Meter, Shares([up, down]): &Shares) -> Ending {
    let counts = (|n| meter.down(n), |n| meter.up(n));
    match far {
        Far::Channel(far) => join(client, far, meter, up, down).await,
        Far::Stream(Dialled::Tcp(far)) => {
            with_socket(far, async |from_far, to_far| {
                splice_channel(from_far, to_far, client, counts, up).await
            })
            .await
        }
        Far::Stream(Dialled::Memory(far)) => {
            let (from_far, to_far) = tokio::io::split(far);
            splice_channel(from_far, to_far, client, counts, up).await
        }
    }
}

/// Joins two channels, of one session or of two.
async fn join(client: Channel, far: Channel, meter: &Meter, up: &Held, down: &Held) -> Ending {
    let (mut from_client, to_client, client_closer) = client.split();
    let (mut from_far, to_far, far_closer) = far.split();
    let (client_said, for_far) = unbounded_channel();
    let (far_said, for_client) = unbounded_channel();
    let ending = {
        let from_client = intake(&mut from_client, client_said, up);
        let upload = pass_on(for_far, &to_far, |n| meter.up(n), up);
        let from_far = intake(&mut from_far, far_said, down);
        let download = pass_on(for_client, &to_client, |n| meter.down(n), down);
        tokio::pin!(from_client, upload, from_far, download);
        let (mut client_gone, mut uploaded, mut far_gone, mut downloaded) = (false, false, false, false);
        loop {
            let ended = tokio::select! {
                ended = &mut from_client, if !client_gone => ended.map(|()| client_gone = true),
                () = &mut upload, if !uploaded => { uploaded = true; Ok(()) }
                ended = &mut from_far, if !far_gone => ended.map(|()| far_gone = true),
                () = &mut download, if !downloaded => { downloaded = true; Ok(()) }
                () = up.cut() => Err(Ending::TooSlow),
                () = down.cut() => Err(Ending::TooSlow),
            };
            if let Err(ending) = ended {
                break ending;
            }
            // To a peer that has closed nothing can be sent any more, just as on a direct connection.
            match (downloaded, uploaded || far_gone, client_gone) {
                (true, true, _) => break Ending::Whole,
                (false, true, true) => break Ending::Abandoned,
                _ => {}
            }
        }
    };
    if ending == Ending::Whole {
        last_word(from_client, client_closer);
        last_word(from_far, far_closer);
    }
    ending
}

/// Memory to channel. Ends well once everything and the end have been passed on. Once nothing can be
/// sent any more it waits: only the inbound side knows whether the peer closed or the session broke.
async fn pass_on(
    mut pending: UnboundedReceiver<Bytes>,
    writer: &ChannelWriter,
    passed: impl Fn(usize),
    held: &Held,
) {
    while let Some(bytes) = pending.recv().await {
        let n = bytes.len();
        if writer.send(bytes).await.is_err() {
            return std::future::pending().await;
        }
        passed(n);
        held.remove(n);
    }
    if writer.end().await.is_err() {
        std::future::pending().await
    }
}
