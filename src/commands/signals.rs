//! The signals that end a run, counted: the first asks, the second hurries. And the one that has it ask whether
//! everything is still there.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::{Controls, Exit};

/// Listens to SIGINT, SIGTERM and SIGHUP.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// What the first signal makes of a run that was not up yet.
    pub first: Option<Exit>,
}

impl Signals {
    /// Takes the signals over from the system's default, which would end the process on the spot.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            first: None,
        })
    }

    /// Resolves at the next signal, with what it makes of a run that is not up.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            _ = self.hang_up.recv() => Exit::Terminated,
        }
    }

    /// From now on SIGUSR1 has a run ask whether everything is still there, and try at once what is away.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn let_verify(controls: &Controls) -> std::io::Result<()> {
        let (mut asked, verify) = (signal(SignalKind::user_defined1())?, controls.verify.clone());
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                verify.notify_one();
            }
        });
        Ok(())
    }

    /// Passes a signal on to a run: the first takes it down in order, the second drops everything.
    pub fn pass_on(&mut self, exit: Exit, controls: &Controls) {
        match self.first {
            None => {
                self.first = Some(exit);
                controls.leave.cancel();
            }
            Some(_) => controls.hurry.cancel(),
        }
    }
}
