//! The signals that end a run, counted: the first asks, the second hurries. And those that have it ask whether
//! everything is still there, or read its file again.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::{Controls, Exit};

/// Listens to SIGINT, SIGTERM and SIGHUP.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// What SIGHUP means to a run without a terminal that could hang up.
    at_hang_up: Option<Box<dyn Fn() + Send>>,
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
            at_hang_up: None,
            first: None,
        })
    }

    /// There is no terminal, or none any more: SIGHUP is for this from now on, and ends nothing.
    pub fn at_hang_up(&mut self, instead: impl Fn() + Send + 'static) {
        self.at_hang_up = Some(Box::new(instead));
    }

    /// Resolves at the next signal that ends something, with what it makes of a run that is not up.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Exit {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Exit::Interrupted,
                _ = self.terminate.recv() => return Exit::Terminated,
                _ = self.hang_up.recv() => match &self.at_hang_up {
                    Some(instead) => instead(),
                    None => return Exit::Terminated,
                },
            }
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
