//! What passed through a forward: connections and bytes. Counting only.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what passes through one forward.
#[derive(Debug, Default)]
pub struct Meter {
    open: AtomicU64,
    accepted: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    lost: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Connections open now.
    pub open: u64,
    /// Connections ever accepted.
    pub accepted: u64,
    /// Bytes from clients to the target.
    pub up: u64,
    /// Bytes from the target to clients.
    pub down: u64,
    /// Connections cut because what carried them broke.
    pub lost: u64,
}

impl Meter {
    /// The counts now.
    pub fn read(&self) -> Reading {
        Reading {
            open: self.open.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            up: self.up.load(Ordering::Relaxed),
            down: self.down.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }

    pub(super) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn up(&self, bytes: usize) {
        self.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn down(&self, bytes: usize) {
        self.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
