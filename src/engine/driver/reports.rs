//! What tasks tell the driver, in the order in which they told it. Tasks name tunnels and forwards by their places in
//! the plan that they were started under; when another plan takes over, what they still tell is led to the new places.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::verdict::{Nth, Suspect, Verdict};
use crate::engine::Failure;
use crate::engine::act::Opened;
use crate::engine::proof::Proof;
use crate::engine::wait::{Waiter, Waits};
use crate::plan::{Plan, Succession};

/// What tasks tell the driver.
pub(super) enum Report {
    Opened(usize, Result<Opened, Failure>),
    /// A session ended, asked or not.
    Ended(Nth),
    /// Who is to blame for what failed.
    Verdict(Verdict),
    Closed(usize),
    Proved(usize, Result<Proof, Failure>),
    Stopped(usize),
    /// A tunnel waits for another machine's hopper, or a forward does.
    TunnelWaits(usize),
    ForwardWaits(usize),
    /// Somebody waits to be served by a forward that rests.
    Wanted(usize),
    /// Whether a tunnel answered.
    Probed(Nth, bool),
    /// Whether a forward that is served answered.
    Verified(usize, Result<(), Failure>),
    /// The time a probe took; `None` when it was not answered.
    RoundTrip(usize, Option<Duration>),
}

/// See the module.
pub(super) struct Reports {
    /// One for each plan under which tasks may still run, the oldest first.
    lines: Vec<Line>,
}

struct Line {
    inbox: UnboundedReceiver<Report>,
    /// Where things stand in the next plan; `None` for the plan that is obeyed now.
    moves: Option<Moves>,
}

impl Reports {
    pub fn new() -> (UnboundedSender<Report>, Reports) {
        let (sender, inbox) = unbounded_channel();
        (sender, Reports { lines: vec![Line { inbox, moves: None }] })
    }

    /// Tasks that are started from now on tell by this one.
    pub fn take_over(&mut self, kept: &Succession) -> UnboundedSender<Report> {
        if let Some(last) = self.lines.last_mut() {
            last.moves = Some(Moves::new(kept));
        }
        let (sender, inbox) = unbounded_channel();
        self.lines.push(Line { inbox, moves: None });
        sender
    }

    /// The next one; what is told of something that is gone is left out. What an older task told comes before what a
    /// newer one told later.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Report {
        poll_fn(|cx| {
            let mut line = 0;
            while line < self.lines.len() {
                match self.lines[line].inbox.poll_recv(cx) {
                    Poll::Ready(Some(report)) => {
                        let mut moves = self.lines[line..].iter().filter_map(|line| line.moves.as_ref());
                        if let Some(report) = moves.try_fold(report, Report::moved) {
                            return Poll::Ready(report);
                        }
                    }
                    // Its last task has ended.
                    Poll::Ready(None) if line + 1 < self.lines.len() => self.forget(line),
                    Poll::Ready(None) | Poll::Pending => line += 1,
                }
            }
            Poll::Pending
        })
        .await
    }

    /// A plan under which no task runs any more is forgotten; what is told under older ones is led past it.
    fn forget(&mut self, line: usize) {
        let gone = self.lines.remove(line);
        let before = line.checked_sub(1).and_then(|before| self.lines[before].moves.as_mut());
        if let (Some(before), Some(step)) = (before, gone.moves) {
            before.go_on_by(&step);
        }
    }
}

/// How tasks under this plan tell who waits for another machine's hopper.
pub(super) fn waits(plan: Arc<Plan>, reports: UnboundedSender<Report>) -> Waits {
    Box::new(move |waiter| {
        let report = match waiter {
            Waiter::Tunnel(id) => plan.place(id).map(Report::TunnelWaits),
            Waiter::Forward(id) => {
                plan.forwards.iter().position(|it| it.forward.id == *id).map(Report::ForwardWaits)
            }
        };
        // With the driver gone nobody waits any more.
        report.into_iter().for_each(|report| drop(reports.send(report)));
    })
}

/// Where what stood at each place stands now.
pub(super) struct Moves {
    tunnels: Vec<Option<usize>>,
    forwards: Vec<Option<usize>>,
}

impl Moves {
    fn new(kept: &Succession) -> Moves {
        Moves { tunnels: turned(&kept.tunnels), forwards: turned(&kept.forwards) }
    }

    /// Then these, too.
    fn go_on_by(&mut self, step: &Moves) {
        self.tunnels.iter_mut().for_each(|to| *to = to.and_then(|t| step.tunnel(t)));
        self.forwards.iter_mut().for_each(|to| *to = to.and_then(|f| step.forward(f)));
    }

    fn tunnel(&self, t: usize) -> Option<usize> {
        self.tunnels.get(t).copied().flatten()
    }

    fn forward(&self, f: usize) -> Option<usize> {
        self.forwards.get(f).copied().flatten()
    }

    fn tunnel_then(&self, nth: Nth) -> Option<Nth> {
        Some(nth.at(self.tunnel(nth.place)?))
    }
}

/// From the older place to the newer one.
fn turned(kept: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut turned = vec![None; kept.iter().flatten().max().map_or(0, |last| last + 1)];
    for (new, old) in kept.iter().enumerate() {
        if let Some(old) = old {
            turned[*old] = Some(new);
        }
    }
    turned
}

impl Report {
    /// The same in the plan that took over; `None` when what it tells of is not in it.
    fn moved(self, to: &Moves) -> Option<Report> {
        Some(match self {
            Report::Opened(t, opened) => match (to.tunnel(t), opened) {
                (Some(t), opened) => Report::Opened(t, opened),
                (None, Ok(opened)) => {
                    opened.live.cut();
                    return None;
                }
                (None, Err(_)) => return None,
            },
            Report::Ended(nth) => Report::Ended(to.tunnel_then(nth)?),
            Report::Verdict(verdict) => Report::Verdict(verdict.moved(to)?),
            Report::Closed(t) => Report::Closed(to.tunnel(t)?),
            Report::Proved(f, proof) => Report::Proved(to.forward(f)?, proof),
            Report::Stopped(f) => Report::Stopped(to.forward(f)?),
            Report::Probed(nth, answered) => Report::Probed(to.tunnel_then(nth)?, answered),
            Report::Verified(f, answer) => Report::Verified(to.forward(f)?, answer),
            Report::TunnelWaits(t) => Report::TunnelWaits(to.tunnel(t)?),
            Report::ForwardWaits(f) => Report::ForwardWaits(to.forward(f)?),
            Report::Wanted(f) => Report::Wanted(to.forward(f)?),
            Report::RoundTrip(t, rtt) => Report::RoundTrip(to.tunnel(t)?, rtt),
        })
    }
}

impl Verdict {
    /// Who was to blame may be gone while the suspect goes on, and the other way round.
    fn moved(self, to: &Moves) -> Option<Verdict> {
        let found = self.found.and_then(|(nth, failure)| Some((to.tunnel_then(nth)?, failure)));
        let suspect = match self.suspect {
            Suspect::Tunnel(nth) => Suspect::Tunnel(to.tunnel_then(nth)?),
            Suspect::Forward(nth) => Suspect::Forward(nth.at(to.forward(nth.place)?)),
        };
        Some(Verdict { suspect, found, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn succession(tunnels: &[Option<usize>]) -> Succession {
        Succession { tunnels: tunnels.to_vec(), forwards: Vec::new() }
    }

    #[tokio::test]
    async fn what_older_tasks_tell_is_led_through_every_plan_since() {
        let (first, mut reports) = Reports::new();
        let second = reports.take_over(&succession(&[Some(2), None, Some(0)]));
        let third = reports.take_over(&succession(&[None, Some(2), Some(0)]));
        for t in 0..3 {
            assert!(first.send(Report::Closed(t)).is_ok());
        }
        assert!(second.send(Report::Closed(1)).is_ok());
        assert!(third.send(Report::Closed(1)).is_ok());
        drop((first, second));
        let mut told = Vec::new();
        for _ in 0..3 {
            if let Report::Closed(t) = reports.next().await {
                told.push(t);
            }
        }
        // Of the first plan's, 0 went to 2 and then to 1, and 2 went to 0 and then to 2; the others are gone.
        assert_eq!(told, [1, 2, 1]);
        assert_eq!(reports.lines.len(), 1, "nobody is left to speak under an older plan");
    }

    #[tokio::test]
    async fn a_plan_in_between_that_nobody_runs_under_any_more_is_not_skipped() {
        let (first, mut reports) = Reports::new();
        let second = reports.take_over(&succession(&[None, Some(0)]));
        let third = reports.take_over(&succession(&[Some(1)]));
        drop(second);
        assert!(third.send(Report::Closed(0)).is_ok());
        assert!(matches!(reports.next().await, Report::Closed(0)));
        assert_eq!(reports.lines.len(), 2, "the second plan is forgotten");
        assert!(first.send(Report::Closed(0)).is_ok());
        assert!(matches!(reports.next().await, Report::Closed(0)));
    }
}
