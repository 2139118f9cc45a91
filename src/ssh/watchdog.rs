//! Ends a session whose server has fallen silent. russh's own timers stand still while it writes, and
//! take a session that was made to wait for a dead one; this one looks at the wire from outside.

use std::time::Duration;

use tokio::time::Instant;

use super::crowd::Crowd;
use super::notes::Notes;
use super::wire::WireHandle;
use crate::topology::Keepalive;

/// Watches until the session is over. A living server answers keepalives and grants windows, so
/// silence for `interval` × (`max` + 1), and a second for the answer on its way, means that it is gone.
pub(super) async fn watch(wire: WireHandle, crowd: Crowd, notes: &Notes, keepalive: Keepalive) {
    let Some(limit) = limit(keepalive) else { return };
    let mut look = tokio::time::interval((keepalive.interval / 2).min(Duration::from_secs(1)));
    let mut excused_at = Instant::now();
    let mut looked_at = Instant::now();
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = wire.ended.cancelled() => return,
        }
        // Who stood still heard nothing, and proves nothing by it.
        let stood_still = std::mem::replace(&mut looked_at, Instant::now()).elapsed() > limit / 2;
        if crowd.is_held_up() || stood_still {
            excused_at = Instant::now();
        } else if wire.gauge.silence().min(excused_at.elapsed()) > limit {
            notes.end_for("it stopped answering");
            wire.cut.cancel();
            return;
        }
    }
}

/// How long a living server is silent at most; `None` where nobody asks it.
pub(super) fn limit(keepalive: Keepalive) -> Option<Duration> {
    let tolerated = u32::try_from(keepalive.max).unwrap_or(u32::MAX).saturating_add(1);
    let limit = keepalive.interval.saturating_mul(tolerated) + Duration::from_secs(1);
    (!keepalive.interval.is_zero()).then_some(limit)
}
