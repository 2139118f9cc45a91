//! Why a dial in the lab meets nothing, in the words and error kinds of a real network.

use std::fmt;
use std::io;

use crate::topology::HostId;

/// Why a dial meets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No link of the file leads there.
    NoRoute { from: HostId, to: String },
    /// A link leads there, but it or a firewall on it blocks this port.
    Blocked { from: HostId, to: HostId, port: u16, by: String },
    /// The way is open, but nothing of the file listens on this port.
    Closed { at: String },
}

impl Refusal {
    /// The error a program that dials sees.
    pub(super) fn kind(&self) -> io::ErrorKind {
        match self {
            Refusal::NoRoute { .. } => io::ErrorKind::NetworkUnreachable,
            Refusal::Blocked { .. } => io::ErrorKind::HostUnreachable,
            Refusal::Closed { .. } => io::ErrorKind::ConnectionRefused,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoRoute { from, to } => write!(f, "no route: no link leads from {from} to {to}"),
            Refusal::Blocked { from, to, port, by } => {
                write!(f, "{from} may not dial {to}:{port}: blocked by {by}")
            }
            Refusal::Closed { at } => {
                write!(f, "refused: nothing listens on {at}, the lab plays what the file's forwards name")
            }
        }
    }
}
