//! A program that repeats what it hears, for forwards to anything the lab does not imitate. Keeps the
//! half-close: it goes on until the client has said its last word, then says its own.

use std::io;

use tokio::io::{AsyncWriteExt, DuplexStream};

/// Says the greeting, then repeats everything until the client ends its side.
///
/// # Errors
/// When the client stops reading.
pub(super) async fn serve(greeting: &str, stream: DuplexStream) -> io::Result<()> {
    let (mut from_client, mut to_client) = tokio::io::split(stream);
    to_client.write_all(greeting.as_bytes()).await?;
    tokio::io::copy(&mut from_client, &mut to_client).await?;
    to_client.shutdown().await
}
