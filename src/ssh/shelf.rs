//! What a command has said and nobody has read yet: the latest of it, as much as there is room for.
//! Taking never waits, because an unread channel would stop its session; what does not fit is
//! forgotten, and how much that was is told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::Notify;

/// How much of each stream is kept for whoever reads, in bytes.
const KEPT: usize = 256 * 1024;

/// Where a command said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// Something that a command said. Foreign text: to be escaped before anybody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub source: Source,
    /// How many bytes before these were forgotten, because nobody read them in time.
    pub forgotten: u64,
    /// What.
    pub bytes: Bytes,
}

/// Both streams of one command.
#[derive(Default)]
pub(super) struct Shelf {
    streams: Mutex<Streams>,
    changed: Notify,
}

#[derive(Default)]
struct Streams {
    stdout: Stream,
    stderr: Stream,
    ended: bool,
}

#[derive(Default)]
struct Stream {
    kept: BytesMut,
    forgotten: u64,
}

impl Shelf {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was said, in place of the oldest where there is no room.
    pub fn put(&self, source: Source, bytes: &[u8]) {
        let mut streams = self.streams();
        let stream = match source {
            Source::Stdout => &mut streams.stdout,
            Source::Stderr => &mut streams.stderr,
        };
        stream.put(bytes);
        drop(streams);
        self.changed.notify_waiters();
    }

    /// Nothing more will be said.
    pub fn end(&self) {
        self.streams().ended = true;
        self.changed.notify_waiters();
    }

    /// What was said and not read yet; `None` once everything was read and nothing more will come.
    pub async fn hear(&self) -> Option<Said> {
        self.when(|stream, _| (!stream.kept.is_empty()).then(|| stream.kept.len())).await
    }

    /// The next whole line, with its end; at the very end, or where a line has no room, a part of one.
    pub async fn line(&self) -> Option<Said> {
        self.when(|stream, ended| {
            let line = stream.kept.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
            let rest = stream.kept.len();
            line.or_else(|| ((ended && rest > 0) || rest == KEPT).then_some(rest))
        })
        .await
    }

    /// Waits until one of the streams has a piece, and takes it. What the command says about itself
    /// comes first.
    async fn when(&self, piece: impl Fn(&Stream, bool) -> Option<usize>) -> Option<Said> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut streams = self.streams();
                let ended = streams.ended;
                let Streams { stdout, stderr, .. } = &mut *streams;
                for (source, stream) in [(Source::Stderr, stderr), (Source::Stdout, stdout)] {
                    if let Some(length) = piece(stream, ended) {
                        return Some(stream.take(source, length));
                    }
                }
                if ended {
                    return None;
                }
            }
            changed.await;
        }
    }
}

impl Stream {
    fn put(&mut self, bytes: &[u8]) {
        let fresh = &bytes[bytes.len().saturating_sub(KEPT)..];
        let old = (self.kept.len() + fresh.len()).saturating_sub(KEPT);
        self.kept.advance(old);
        self.forgotten += (old + bytes.len() - fresh.len()) as u64;
        self.kept.extend_from_slice(fresh);
    }

    fn take(&mut self, source: Source, length: usize) -> Said {
        let bytes = self.kept.split_to(length).freeze();
        Said { source, forgotten: std::mem::take(&mut self.forgotten), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: Source, forgotten: u64, bytes: &'static [u8]) -> Option<Said> {
        Some(Said { source, forgotten, bytes: Bytes::from_static(bytes) })
    }

    #[tokio::test]
    async fn the_latest_is_kept_and_what_is_missing_is_told() {
        let shelf = Shelf::default();
        shelf.put(Source::Stdout, b"lost");
        shelf.put(Source::Stdout, &vec![b'x'; KEPT - 1]);
        shelf.put(Source::Stdout, b"z");
        let heard = shelf.hear().await.unwrap();
        assert_eq!((heard.forgotten, heard.bytes.len(), heard.bytes[KEPT - 1]), (4, KEPT, b'z'));

        shelf.put(Source::Stdout, &vec![b'y'; KEPT + 3]);
        let heard = shelf.hear().await.unwrap();
        assert_eq!((heard.forgotten, heard.bytes.len()), (3, KEPT));

        shelf.put(Source::Stdout, b"all");
        shelf.end();
        assert_eq!(shelf.hear().await, said(Source::Stdout, 0, b"all"));
        assert_eq!(shelf.hear().await, None);
    }

    #[tokio::test]
    async fn lines_come_whole_and_the_last_one_as_it_is() {
        let shelf = Shelf::default();
        shelf.put(Source::Stderr, b"one\ntw");
        assert_eq!(shelf.line().await, said(Source::Stderr, 0, b"one\n"));
        let rest = async {
            tokio::task::yield_now().await;
            shelf.put(Source::Stderr, b"o\nthree");
            shelf.end();
        };
        let (line, ()) = tokio::join!(shelf.line(), rest);
        assert_eq!(line, said(Source::Stderr, 0, b"two\n"));
        assert_eq!(shelf.line().await, said(Source::Stderr, 0, b"three"));
        assert_eq!(shelf.line().await, None);
    }

    #[tokio::test]
    async fn a_line_that_never_ends_comes_in_parts() {
        let shelf = Shelf::default();
        shelf.put(Source::Stdout, &vec![b'x'; KEPT]);
        assert_eq!(shelf.line().await.map(|said| said.bytes.len()), Some(KEPT));
    }
}
