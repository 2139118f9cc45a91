//! A session over any byte stream.

mod network;

pub use network::{ByteStream, Dialled, Dialling, Network, RealNetwork};
