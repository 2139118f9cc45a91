//! Proves, through the whole chain, that a forward's far end is there: that a local port accepts
//! proves nothing.

use std::time::Duration;

use super::dialer::{Dialer, Talk};
use super::go_round::{LoopError, go_round, nonce};
use crate::ssh::DialError;
use crate::topology::{Check, escape};

/// Why the far end counts as not there.
#[derive(Debug)]
pub enum CheckError {
    /// It could not be dialled.
    Dial(DialError),
    /// It was dialled, and did not answer as the check wants: what was missing.
    Answer(String),
    /// The last host did not lead a connection to itself and back; the target was not dialled.
    Loop(LoopError),
}

/// Runs the check once. Gives the far end's own words, escaped, where the check listens for words.
///
/// # Errors
/// What was missing, after `limit` at the latest for the dial and again for the answer.
pub async fn prove(dialer: &Dialer, check: &Check, limit: Duration) -> Result<Option<String>, CheckError> {
    if *check == Check::None {
        return Ok(None);
    }
    if *check == Check::Loop {
        return go_round(dialer, limit).await.map(|()| None).map_err(CheckError::Loop);
    }
    let mut talk = dialer.dial(None, limit).await.map_err(CheckError::Dial)?.into_talk();
    let listening = async {
        match check {
            Check::None | Check::Tcp | Check::Loop => Ok(None),
            Check::Echo => echo(&mut talk).await.map(|()| None),
            Check::Banner(expected) => banner(&mut talk, expected).await.map(Some),
            Check::Http(path) => http(&mut talk, path).await.map(Some),
        }
    };
    match tokio::time::timeout(limit, listening).await {
        Ok(answer) => answer.map_err(CheckError::Answer),
        Err(_) => {
            Err(CheckError::Answer(format!("it connected, then said nothing for {} s", limit.as_secs_f32())))
        }
    }
}

/// The most of an answer that is looked at, in bytes.
const ANSWER_LIMIT: usize = 4096;

async fn banner(talk: &mut Talk, expected: &str) -> Result<String, String> {
    let mut heard = Vec::new();
    while heard.len() < expected.len() {
        let going_on = talk.hear(&mut heard).await;
        let n = heard.len().min(expected.len());
        if heard[..n] != expected.as_bytes()[..n] {
            return Err(format!("it says \"{}\" instead of \"{}\"", first_line(&heard), escape(expected)));
        }
        if !going_on && heard.len() < expected.len() {
            return Err("it closed the connection without a word".to_owned());
        }
    }
    // Proved already. The rest of the line is only for the eye, and a prompt never ends its line.
    let rest_of_line = async {
        while !heard.contains(&b'\n') && heard.len() < ANSWER_LIMIT && talk.hear(&mut heard).await {}
    };
    let _ = tokio::time::timeout(Duration::from_millis(200), rest_of_line).await;
    Ok(first_line(&heard))
}

async fn http(talk: &mut Talk, path: &str) -> Result<String, String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    if !talk.say(request.as_bytes()).await {
        return Err("it closed the connection".to_owned());
    }
    let mut heard = Vec::new();
    while !heard.contains(&b'\n') && heard.len() < ANSWER_LIMIT && talk.hear(&mut heard).await {}
    let line = first_line(&heard);
    let status =
        line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    match status {
        Some(100..=399) => Ok(line),
        Some(code @ 400..=599) => Err(format!("it answers {code} to GET {}", escape(path))),
        _ => Err(format!("it does not answer like a web server: \"{line}\"")),
    }
}

async fn echo(talk: &mut Talk) -> Result<(), String> {
    let nonce = nonce();
    if !talk.say(nonce.as_bytes()).await {
        return Err("it closed the connection".to_owned());
    }
    let mut heard = Vec::new();
    while heard.len() < nonce.len() {
        let going_on = talk.hear(&mut heard).await;
        let n = heard.len().min(nonce.len());
        if heard[..n] != nonce.as_bytes()[..n] {
            return Err(format!("it says \"{}\" instead of what was said to it", first_line(&heard)));
        }
        if !going_on && n < nonce.len() {
            return Err("it closed the connection before all came back".to_owned());
        }
    }
    Ok(())
}

/// The first line of an answer, fit for a terminal.
fn first_line(heard: &[u8]) -> String {
    let line = heard.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(&line[..line.len().min(80)]);
    escape(text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::{Dialling, Network};
    use crate::topology::{Address, HostId};
    use std::sync::Arc;
    use tokio::io::AsyncWriteExt;

    /// A far end that says this and closes.
    struct Says(&'static [u8]);

    impl Network for Says {
        fn dial<'a>(&'a self, _host: &'a HostId, _address: &'a Address) -> Dialling<'a> {
            let words = self.0;
            Box::pin(async move {
                let (near, mut far) = tokio::io::duplex(1024);
                tokio::spawn(async move {
                    let (mut read, mut write) = tokio::io::split(&mut far);
                    let mut sink = tokio::io::sink();
                    let talk = async {
                        let _ = write.write_all(words).await;
                        let _ = write.shutdown().await;
                    };
                    let listen = tokio::io::copy(&mut read, &mut sink);
                    let _ = tokio::join!(talk, listen);
                });
                Ok(crate::ssh::Dialled::Memory(Box::new(near)))
            })
        }
    }

    async fn check(words: &'static [u8], check: Check) -> Result<Option<String>, String> {
        let dialer = Dialer::Local {
            network: Arc::new(Says(words)),
            host: HostId::new("h"),
            target: crate::topology::Endpoint::Tcp(Address::new("h", 1)),
        };
        prove(&dialer, &check, Duration::from_secs(20)).await.map_err(|error| match error {
            CheckError::Dial(error) => error.to_string(),
            CheckError::Answer(text) => text,
            CheckError::Loop(error) => error.to_string(),
        })
    }

    #[tokio::test]
    async fn a_banner_must_begin_as_expected() {
        let rfb = || Check::Banner("RFB ".into());
        assert_eq!(check(b"RFB 003.008\n", rfb()).await, Ok(Some("RFB 003.008".into())));
        let wrong = check(b"SSH-2.0-\x1b[2J\n", rfb()).await.unwrap_err();
        assert_eq!(wrong, "it says \"SSH-2.0-\\u{1b}[2J\" instead of \"RFB \"");
        assert!(check(b"", rfb()).await.unwrap_err().contains("without a word"));
    }

    #[tokio::test]
    async fn a_web_page_must_not_be_an_error_page() {
        let page = || Check::Http("/health".into());
        assert!(check(b"HTTP/1.1 200 OK\r\n\r\n", page()).await.is_ok());
        assert!(check(b"HTTP/1.1 302 Found\r\n\r\n", page()).await.is_ok());
        assert_eq!(
            check(b"HTTP/1.1 503 no\r\n\r\n", page()).await.unwrap_err(),
            "it answers 503 to GET /health"
        );
        assert!(check(b"RFB 003.008\n", page()).await.unwrap_err().contains("not answer like a web server"));
    }

    /// A far end that repeats what it hears.
    struct Repeats;

    impl Network for Repeats {
        fn dial<'a>(&'a self, _host: &'a HostId, _address: &'a Address) -> Dialling<'a> {
            Box::pin(async move {
                let (near, far) = tokio::io::duplex(1024);
                let (mut read, mut write) = tokio::io::split(far);
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
                Ok(crate::ssh::Dialled::Memory(Box::new(near)))
            })
        }
    }

    #[tokio::test]
    async fn an_echo_is_what_was_said_and_nothing_else() {
        let target = crate::topology::Endpoint::Tcp(Address::new("h", 7));
        let dialer = Dialer::Local { network: Arc::new(Repeats), host: HostId::new("h"), target };
        assert!(matches!(prove(&dialer, &Check::Echo, Duration::from_secs(20)).await, Ok(None)));
        let other = check(b"220 mail\r\n", Check::Echo).await.unwrap_err();
        assert_eq!(other, "it says \"220 mail\" instead of what was said to it");
        assert!(check(b"", Check::Echo).await.unwrap_err().contains("before all came back"));
    }

    #[tokio::test]
    async fn there_is_no_loop_without_a_session() {
        assert_eq!(check(b"", Check::Loop).await.unwrap_err(), "no session of this machine ends there");
    }
}
