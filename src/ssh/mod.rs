//! A session over any byte stream: open it, and it dials; what it dials is a byte stream again, so
//! telescoping is a loop.
//!
//! Only this room and the lab name russh, whose pitfalls it walls off (`docs/house.md` lists them).
//! It knows neither layers nor plans, and never prints.

mod agent;
mod attempt;
mod channel;
mod config;
mod crowd;
mod dial_error;
mod exec;
mod gatekeeper;
mod key_file;
mod known_hosts;
mod listener;
mod listening;
mod login;
mod network;
mod nudge;
mod open_error;
mod process;
mod question;
mod secret;
mod secret_source;
mod session;
mod shelf;
mod signer;
pub mod socket;
#[cfg(test)]
mod tests;
mod trust;
mod watchdog;
mod wire;

pub use channel::{Channel, ChannelReader, ChannelWriter, Closer, Gone, Received};
pub use crowd::{Crowd, Wait};
pub use dial_error::DialError;
pub use exec::ExecError;
pub use listener::{ListenError, Listener};
pub use listening::Incoming;
pub use login::{Login, LoginError, LoginRefusal};
pub use network::{ByteStream, Dialled, Dialling, Network, RealNetwork};
pub use open_error::{OpenError, Step};
pub use process::{Exit, Process};
pub use question::{Ask, Asking, Notice, Question};
pub use secret::Secret;
pub use session::{Opening, Session};
pub use shelf::{Said, Source};
pub use trust::{Expectation, Fingerprint, HostKeyRefusal, Trust};
pub use wire::{Wire, WireHandle};
