//! Lines of JSON over a stream, each bounded in length and in time. Knows nothing of what they say.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Why there is no next line.
#[derive(Debug)]
pub(super) enum NoLine {
    /// The other side closed between two lines.
    End,
    /// The line is longer than allowed.
    TooLong,
    /// The line did not arrive in time.
    TooSlow,
    /// The stream broke, or ended inside a line.
    Broken(io::Error),
}

/// The next line without its end. At most `limit` bytes are kept in memory.
pub(super) async fn read(
    reader: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, NoLine> {
    // It may be an answer to what a host asked.
    let mut line = Zeroizing::new(Vec::new());
    let bound = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut bounded = reader.take(bound);
    match timeout(patience, bounded.read_until(b'\n', &mut line)).await {
        Err(_) => Err(NoLine::TooSlow),
        Ok(Err(error)) => Err(NoLine::Broken(error)),
        Ok(Ok(0)) => Err(NoLine::End),
        Ok(Ok(_)) if line.last() == Some(&b'\n') => {
            line.pop();
            Ok(line)
        }
        Ok(Ok(_)) if line.len() >= limit => Err(NoLine::TooLong),
        Ok(Ok(_)) => Err(NoLine::Broken(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// Writes one message as a line.
pub(super) async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
    patience: Duration,
) -> io::Result<()> {
    let bytes = Zeroizing::new(bytes(message)?);
    match timeout(patience, writer.write_all(&bytes)).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// One message as a line.
pub(super) fn bytes(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(message)?;
    bytes.push(b'\n');
    Ok(bytes)
}
