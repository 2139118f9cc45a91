//! `hopper unlock`: answers, at this terminal, what a run without one waits for. Exit code 0 when it waits for
//! nothing more, 3 when nothing runs, 4 when there is no terminal here either, or no answer.

use std::ffi::OsStr;
use std::time::Duration;

use super::asker::A_MOMENT;
use super::person::Terminal;
use super::signals::Signals;
use super::{Ended, Talk, status, trouble};
use crate::control::{Asked, Client, Dirs, Limits, Place};
use crate::engine::{Exit, Failure, Phase, TunnelState};
use crate::topology::escape;

/// Answers one run; the only one that runs when none is named.
///
/// # Errors
/// When the run cannot be asked, or nobody can answer here.
pub fn run(talk: &Talk, wanted: Option<&OsStr>) -> Ended {
    let dirs = Dirs::from_env()?;
    let Some(name) = status::named_or_only(wanted, "unlock", || status::running(&dirs))? else {
        talk.say("Nothing is running.\n");
        return Ok(Exit::NotRunning);
    };
    let place = Place::new(&dirs, &name)?;
    let terminal = Terminal::default();
    let runtime = status::runtime()?;
    let ended = runtime.block_on(answer_all(talk, &name, &place, &terminal));
    // A question that was interrupted still waits for the terminal; it must not hold up the end.
    runtime.shutdown_background();
    terminal.restore();
    ended
}

async fn answer_all(talk: &Talk, name: &str, place: &Place, terminal: &Terminal) -> Ended {
    let mut signals = Signals::listen().map_err(|error| {
        trouble("H0304", Exit::Other, Phase::Control, format!("cannot listen to signals: {error}"), "")
    })?;
    let Some(mut asked) = question(place).await? else {
        talk.say(&format!("{name} waits for nobody.\n"));
        return Ok(Exit::Done);
    };
    loop {
        // It came from a process of the same person, and goes to the terminal all the same.
        let text = asked.text.split('\n').map(escape).collect::<Vec<_>>().join("\n");
        let (terminal, hidden) = (terminal.clone(), asked.hidden);
        let asking = tokio::task::spawn_blocking(move || terminal.ask(&text, hidden));
        let answer = tokio::select! {
            answer = asking => answer.unwrap_or_default(),
            exit = signals.next() => return Ok(exit),
        };
        let Some(answer) = answer else {
            let interrupted = tokio::time::timeout(A_MOMENT, signals.next()).await;
            return interrupted.map_err(|_| no_answer(name, &asked));
        };
        // A person takes longer than the run waits for a client to speak: so the client is a new one.
        let taken = Client::connect(place, Limits::default()).await?.answer(asked.id, answer).await?;
        if !taken {
            talk.say(&format!("{name} did not wait for that any more.\n"));
        }
        let next = tokio::select! {
            next = next_question(place) => next?,
            exit = signals.next() => return Ok(exit),
        };
        match next {
            Some(next) => asked = next,
            None => return Ok(Exit::Done),
        }
    }
}

async fn question(place: &Place) -> Result<Option<Asked>, Failure> {
    Client::connect(place, Limits::default()).await?.question().await
}

/// The next question, which may come a moment after an answer; `None` when the run goes on by itself.
async fn next_question(place: &Place) -> Result<Option<Asked>, Failure> {
    const AGAIN: Duration = Duration::from_millis(100);
    loop {
        let asking = async {
            let mut client = Client::connect(place, Limits::default()).await?;
            Ok::<_, Failure>((client.question().await?, client.status().await?))
        };
        let (next, status) = match asking.await {
            // It ended with that answer; it says why itself.
            Err(failure) if failure.exit == Exit::NotRunning => return Ok(None),
            asked => asked?,
        };
        if next.is_some() || !may_ask(status.tunnels.iter().map(|tunnel| tunnel.state.as_str())) {
            return Ok(next);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether a question may come any moment, by the states of all tunnels. One that waits for another machine's
/// hopper may do so for days.
fn may_ask<'s>(mut states: impl Iterator<Item = &'s str>) -> bool {
    states.any(|state| state == TunnelState::Connecting.as_str())
}

fn no_answer(name: &str, asked: &Asked) -> Failure {
    let message =
        format!("{name} still waits for {}: nothing was typed at a terminal here", escape(&asked.wanted));
    let help = format!("in a terminal: hopper unlock {name}");
    trouble("H0404", Exit::Login, Phase::Login, message, &help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_stays_for_a_tunnel_that_waits_for_another_machine() {
        assert!(may_ask(["up", "connecting"].into_iter()));
        assert!(!may_ask(["up", "waiting", "pending"].into_iter()));
    }
}
