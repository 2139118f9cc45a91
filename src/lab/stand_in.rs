//! What plays the far end of a forward. Knows which program suits a forward; the programs themselves
//! are `screen`, `page` and `echo`. It stands in, and says so wherever a person looks.

use std::io;

use tokio::io::DuplexStream;

use crate::topology::{Check, Endpoint, Forward, HostId, Target};

use super::{echo, page, screen};

/// A program at the far end of a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StandIn {
    /// A VNC server with one still picture.
    Screen,
    /// A web server with one page.
    Page,
    /// Says the greeting that the forward's check waits for, then repeats what it hears.
    Echo {
        /// Empty unless the check is a banner.
        greeting: String,
    },
}

impl StandIn {
    /// The program that suits a forward: what its check expects, else what its protocol is called,
    /// else what its port usually carries.
    pub(super) fn of(forward: &Forward) -> Self {
        let echo = StandIn::Echo { greeting: String::new() };
        match (&forward.check, forward.protocol.as_deref(), port(&forward.to)) {
            (Check::Banner(banner), _, _) if banner.starts_with("RFB ") => StandIn::Screen,
            (Check::Banner(banner), _, _) => StandIn::Echo { greeting: banner.clone() },
            (Check::Http(_), _, _) => StandIn::Page,
            (Check::Echo, _, _) => echo,
            (_, Some("vnc"), _) => StandIn::Screen,
            (_, Some("http"), _) => StandIn::Page,
            (_, Some(_), _) => echo,
            (_, None, Some(5900..=5999)) => StandIn::Screen,
            (_, None, Some(80 | 443 | 8000 | 8080)) => StandIn::Page,
            _ => echo,
        }
    }

    /// Talks to one client until it is done.
    ///
    /// # Errors
    /// When the client goes away in the middle or breaks its protocol.
    pub(super) async fn serve(self, host: &HostId, stream: DuplexStream) -> io::Result<()> {
        match self {
            StandIn::Screen => screen::serve(host, stream).await,
            StandIn::Page => page::serve(host, stream).await,
            StandIn::Echo { greeting } => echo::serve(&greeting, stream).await,
        }
    }
}

fn port(target: &Target) -> Option<u16> {
    match target {
        Target::Dialled { port, .. } => Some(*port),
        Target::Within { endpoint: Endpoint::Tcp(address), .. } => Some(address.port),
        Target::Within { endpoint: Endpoint::Unix(_), .. } => None,
    }
}
