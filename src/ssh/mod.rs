//! A session over any byte stream: open it, and it dials; what it dials is a byte stream again, so
//! telescoping is a loop.
//!
//! Only this room and the lab name russh, whose pitfalls it walls off (`docs/house.md` lists them).
//! It knows neither layers nor plans, and never prints.

mod again;
mod agent;
mod attempt;
mod certificate;
mod channel;
mod config;
mod config_files;
mod crowd;
mod dial;
mod dial_error;
mod exec;
mod expectation;
mod gatekeeper;
mod gauge;
mod handshake;
mod host_field;
mod host_key_refusal;
mod key_file;
mod known_hosts;
mod known_hosts_file;
mod lending;
mod listener;
mod listening;
mod login;
mod network;
mod newcomer;
mod notes;
mod nudge;
mod open_error;
mod openssh;
mod process;
mod question;
mod rotation;
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

pub use again::Again;
pub use certificate::CertificateFault;
pub use channel::{Channel, ChannelReader, ChannelWriter, Closer, Gone, Received};
pub use config::WINDOW;
pub use config_files::ConfigFiles;
pub use crowd::{Crowd, Mark, Member};
pub use dial_error::DialError;
pub use exec::ExecError;
pub use expectation::{Expectation, Grounds, Trusted};
pub use handshake::Opening;
pub use host_key_refusal::{Asked, Fingerprint, HostKeyRefusal};
pub use listener::{ListenError, Listener};
pub use listening::Incoming;
pub use login::{Login, LoginError, LoginRefusal};
pub use network::{ByteStream, Dialled, Dialling, Network, RealNetwork};
pub use open_error::{OpenError, Step};
pub use openssh::{ConfigFile, NoAnswer, OpenSsh};
pub use process::{Exit, Process};
pub use question::{Ask, Asking, Notice, Question};
pub use secret::Secret;
pub use session::Session;
pub use shelf::{Said, Source};
pub use trust::{Learning, Trust};
pub use wire::{Wire, WireHandle};
