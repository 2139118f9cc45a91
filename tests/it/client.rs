//! What a person's programs do with a forward: look at a screen, fetch a page, talk to an echo.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::until::{SOON, until};

/// What stands behind a forward in the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FarEnd {
    /// A VNC server.
    Screen,
    /// A web page.
    Page,
    /// Repeats what it hears.
    Echo,
}

impl FarEnd {
    /// What the lab plays for a target with this protocol.
    pub fn of(to: &str, protocol: Option<&str>) -> FarEnd {
        let port = to.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        match (protocol, port) {
            (Some("vnc"), _) | (None, Some(5900..=5999)) => FarEnd::Screen,
            (Some("http"), _) | (None, Some(80 | 443 | 8000 | 8080)) => FarEnd::Page,
            _ => FarEnd::Echo,
        }
    }

    /// Uses it once through a listener, to the end.
    pub fn visit(self, listen: &str) {
        match self {
            FarEnd::Screen => see_screen(listen),
            FarEnd::Page => fetch_page(listen),
            FarEnd::Echo => assert_eq!(echo(listen, b"hello, far end"), b"hello, far end", "{listen}"),
        }
    }
}

/// A connection that never hangs for ever.
pub fn connect(listen: &str) -> TcpStream {
    let stream = TcpStream::connect(listen).unwrap_or_else(|error| panic!("connect to {listen}: {error}"));
    stream.set_read_timeout(Some(SOON)).expect("set a timeout");
    stream.set_write_timeout(Some(SOON)).expect("set a timeout");
    stream
}

/// Says this, ends its own side, and then hears to the end: what comes back came after the half-close.
pub fn echo(listen: &str, words: &[u8]) -> Vec<u8> {
    let mut stream = connect(listen);
    stream.write_all(words).expect("speak");
    stream.shutdown(Shutdown::Write).expect("end one side");
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap_or_else(|error| panic!("hear an echo from {listen}: {error}"));
    heard
}

fn see_screen(listen: &str) {
    let mut stream = connect(listen);
    let mut version = [0; 12];
    stream.read_exact(&mut version).unwrap_or_else(|error| panic!("hear a screen at {listen}: {error}"));
    assert_eq!(&version, b"RFB 003.008\n");
    stream.write_all(&version).expect("answer");
    let mut security = [0; 2];
    stream.read_exact(&mut security).expect("hear what security it offers");
    assert_eq!(security, [1, 1], "one way, and that is none");
}

fn fetch_page(listen: &str) {
    let mut stream = connect(listen);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("ask");
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap_or_else(|error| panic!("read a page from {listen}: {error}"));
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("</html>\n"), "{page}");
}

/// Insists that nothing listens there any more. Another test may get the same port for a moment.
#[track_caller]
pub fn assert_refuses(listen: &str) {
    let refuses =
        || TcpStream::connect(listen).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    assert!(until(refuses), "{listen} still answers");
}
