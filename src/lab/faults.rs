//! What goes wrong between the hosts of a lab: ways that fall silent or refuse, connections that are
//! reset. Counts what is open. Never looks into the bytes, never decides who may dial.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::topology::HostId;

/// How the way from one host to another is. Both directions share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing is wrong.
    #[default]
    None,
    /// Nothing arrives, and nobody says so. What was sent meanwhile arrives later, as TCP has it.
    Silent,
    /// What is open goes on; who dials is refused.
    Refuses,
}

/// The faults of one lab; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<(HostId, HostId), Way>>>);

/// From one host to another.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    fault: watch::Sender<Fault>,
    /// Resets what is open.
    reset: CancellationToken,
    open: Arc<()>,
    dials: usize,
}

impl Faults {
    /// From now on the way from one host to another is like this.
    pub fn set(&self, from: &HostId, to: &HostId, fault: Fault) {
        self.with(from, to, |way| way.fault.send_replace(fault));
    }

    /// Nothing is wrong any more.
    pub fn heal(&self) {
        self.all(|way| way.fault.send_replace(Fault::None));
    }

    /// Resets what is open from one host to another.
    pub fn reset(&self, from: &HostId, to: &HostId) {
        self.with(from, to, |way| std::mem::take(&mut way.reset).cancel());
    }

    /// How often one host was dialled from the other so far.
    pub fn dials(&self, from: &HostId, to: &HostId) -> usize {
        self.with(from, to, |way| way.dials)
    }

    /// How many connections between hosts are open.
    pub fn open(&self) -> usize {
        self.all(|way| Arc::strong_count(&way.open) - 1).into_iter().sum()
    }

    /// Counts a dial and gives the way that it takes.
    pub(super) fn dial(&self, from: &HostId, to: &HostId) -> Way {
        self.with(from, to, |way| {
            way.dials += 1;
            way.clone()
        })
    }

    fn with<T>(&self, from: &HostId, to: &HostId, look: impl FnOnce(&mut Way) -> T) -> T {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(ways.entry((from.clone(), to.clone())).or_default())
    }

    fn all<T>(&self, look: impl Fn(&mut Way) -> T) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values_mut().map(look).collect()
    }
}

impl Way {
    /// Waits while the way is silent. Whether it lets a dial through then.
    pub(super) async fn admits(&self) -> bool {
        self.audible().await != Fault::Refuses
    }

    /// Carries bytes both ways until both have ended, or the way is reset.
    pub(super) async fn carry(self, near: DuplexStream, far: DuplexStream) {
        let (from_near, to_near) = tokio::io::split(near);
        let (from_far, to_far) = tokio::io::split(far);
        let both = async { tokio::join!(self.pass(from_near, to_far), self.pass(from_far, to_near)) };
        if self.reset.run_until_cancelled(both).await.is_none() {
            tracing::debug!("a connection of the lab was reset");
        }
    }

    async fn pass(&self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let mut buffer = Vec::with_capacity(READ);
        // An end that is gone by now is told to the other by the end of its own direction.
        while let Ok(1..) = from.read_buf(&mut buffer).await {
            self.audible().await;
            if to.write_all(&buffer).await.is_err() {
                return;
            }
            buffer.clear();
        }
        self.audible().await;
        let _ = to.shutdown().await;
    }

    /// Waits while nothing arrives.
    async fn audible(&self) -> Fault {
        let mut fault = self.fault.subscribe();
        // The sender lives as long as this way.
        fault.wait_for(|fault| *fault != Fault::Silent).await.map_or(Fault::None, |fault| *fault)
    }
}

/// Bytes passed on at a time.
const READ: usize = 64 * 1024;
