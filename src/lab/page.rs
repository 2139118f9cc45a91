//! A web server with one page that names the host and says that it is the lab's. HTTP/1.1 as far as
//! browsers, curl and hopper's own check need it (RFC 9112); plain text on 443 too, never TLS.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::topology::HostId;

/// The longest request head that is read.
const HEAD_LIMIT: usize = 16 * 1024;

/// Answers requests until the client asks to close, ends its side, or breaks the rules.
///
/// # Errors
/// When the client goes away in the middle of an answer.
pub(super) async fn serve(host: &HostId, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut heard = Vec::new();
    loop {
        let Some(end) = read_head(&mut stream, &mut heard).await? else {
            if heard.len() >= HEAD_LIMIT {
                stream.write_all(&answer(host, "431 Request Header Fields Too Large", false, false)).await?;
            }
            return stream.shutdown().await;
        };
        let head: Vec<u8> = heard.drain(..end).collect();
        let (status, body, keep) = match Request::parse(&head) {
            None => ("400 Bad Request", true, false),
            Some(request) => match request.method {
                "GET" => ("200 OK", true, request.keep),
                "HEAD" => ("200 OK", false, request.keep),
                _ => ("405 Method Not Allowed", true, false),
            },
        };
        stream.write_all(&answer(host, status, body, keep)).await?;
        if !keep {
            return stream.shutdown().await;
        }
    }
}

/// Reads until `heard` holds a whole head and gives its length; `None` when it never will.
async fn read_head(stream: &mut (impl AsyncRead + Unpin), heard: &mut Vec<u8>) -> io::Result<Option<usize>> {
    loop {
        if let Some(at) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Some(at + 4));
        }
        if heard.len() >= HEAD_LIMIT || stream.read_buf(heard).await? == 0 {
            return Ok(None);
        }
    }
}

struct Request<'a> {
    method: &'a str,
    keep: bool,
}

impl<'a> Request<'a> {
    fn parse(head: &'a [u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, _path, version) = (words.next()?, words.next()?, words.next()?);
        let mut keep = match version {
            "HTTP/1.1" => true,
            "HTTP/1.0" => false,
            _ => return None,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "connection" => keep = value == "keep-alive" || (keep && value != "close"),
                // A body would be taken for the next request, so the connection ends after this one.
                "content-length" => keep &= value == "0",
                "transfer-encoding" => keep = false,
                _ => {}
            }
        }
        Some(Request { method, keep })
    }
}

fn answer(host: &HostId, status: &str, with_body: bool, keep: bool) -> Vec<u8> {
    let name = escape(host.as_str());
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name} in the hopper lab</title></head>\n\
         <body><h1>{name}</h1><p>{status}. This page is played by hopper's lab: every hop of the topology let you \
         through, and no real host was touched.</p></body></html>\n"
    );
    let connection = if keep { "keep-alive" } else { "close" };
    let head = format!(
        "HTTP/1.1 {status}\r\nServer: hopper-lab\r\nAllow: GET, HEAD\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: {connection}\r\n\r\n",
        body.len()
    );
    let mut answer = head.into_bytes();
    if with_body {
        answer.extend_from_slice(body.as_bytes());
    }
    answer
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(requests: &[u8]) -> String {
        let (near, far) = tokio::io::duplex(256 * 1024);
        let (mut hear, mut say) = tokio::io::split(near);
        say.write_all(requests).await.unwrap();
        say.shutdown().await.unwrap();
        serve(&HostId::new("<web>"), far).await.unwrap();
        let mut text = String::new();
        hear.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_kept_connection_answers_every_request() {
        let text = ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n").await;
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3);
        assert_eq!(text.matches("<h1>&lt;web&gt;</h1>").count(), 2, "a HEAD has no body");
        assert_eq!(text.matches("Connection: close").count(), 1);
        let body = text.rsplit("\r\n\r\n").next().unwrap();
        assert!(text.ends_with(body) && text.contains(&format!("Content-Length: {}\r\n", body.len())));
    }

    #[tokio::test]
    async fn what_it_cannot_serve_it_says() {
        assert!(ask(b"nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
        assert!(ask(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").await.starts_with("HTTP/1.1 405 "));
        assert!(ask(&vec![b'a'; HEAD_LIMIT + 1]).await.starts_with("HTTP/1.1 431 "));
        assert_eq!(ask(b"GET / HT").await, "");
    }
}
