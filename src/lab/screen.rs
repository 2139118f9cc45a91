//! A VNC server with one still picture (RFC 6143): enough of the protocol for any real viewer to
//! show it. Takes keys, pointer and clipboard and forgets them; offers no security and no encoding
//! but Raw.

use std::io;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};

use crate::topology::HostId;

use super::picture::{HEIGHT, Picture, WIDTH};
use super::pixel::PixelFormat;

/// Security type None (RFC 6143 section 7.2.1).
const NO_SECURITY: u8 = 1;

/// Shows the picture until the viewer leaves.
///
/// # Errors
/// `InvalidData` when the viewer does not speak RFB, `UnexpectedEof` when it leaves in the middle.
pub(super) async fn serve(host: &HostId, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    shake_hands(host, &mut stream).await?;
    let picture = Picture::of(host.as_str());
    let mut format = PixelFormat::DEFAULT;
    let mut shown = false;
    // The message types are those of RFC 6143 section 7.5.
    while let Some(kind) = next_kind(&mut stream).await? {
        match kind {
            0 => {
                let message: [u8; 19] = take(&mut stream).await?;
                let [_, _, _, wire @ ..] = message;
                format = PixelFormat::parse(&wire)?;
                if let Some(map) = format.colour_map() {
                    stream.write_all(&colour_map_message(&map)).await?;
                }
            }
            2 => {
                let [_, high, low] = take(&mut stream).await?;
                skip(&mut stream, u64::from(u16::from_be_bytes([high, low])) * 4).await?;
            }
            3 => {
                let [incremental, x1, x0, y1, y0, w1, w0, h1, h0] = take(&mut stream).await?;
                let area = Area::clipped([[x1, x0], [y1, y0], [w1, w0], [h1, h0]].map(u16::from_be_bytes));
                // Nothing ever changes, so after the first full look an incremental request waits.
                if let Some(area) = area.filter(|_| incremental == 0 || !shown) {
                    shown = true;
                    stream.write_all(&update_message(&picture, area, format)).await?;
                }
            }
            4 => skip(&mut stream, 7).await?,
            5 => skip(&mut stream, 5).await?,
            6 => {
                let [_, _, _, length @ ..] = take::<7>(&mut stream).await?;
                skip(&mut stream, u64::from(u32::from_be_bytes(length))).await?;
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "an RFB message of no known type")),
        }
    }
    stream.shutdown().await
}

/// Version, security and initialisation (RFC 6143 sections 7.1 to 7.3, appendix A for old viewers).
async fn shake_hands(host: &HostId, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(b"RFB 003.008\n").await?;
    let version: [u8; 12] = take(stream).await?;
    let minor = match &version {
        b"RFB 003.008\n" => 8,
        b"RFB 003.007\n" => 7,
        // Anything older or unknown is to be treated as 3.3.
        [b'R', b'F', b'B', b' ', b'0', b'0', b'3', b'.', .., b'\n'] => 3,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "not an RFB version")),
    };
    if minor == 3 {
        stream.write_all(&u32::from(NO_SECURITY).to_be_bytes()).await?;
    } else {
        stream.write_all(&[1, NO_SECURITY]).await?;
        let [chosen] = take(stream).await?;
        if chosen != NO_SECURITY {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a security type that was not offered"));
        }
        if minor == 8 {
            stream.write_all(&0_u32.to_be_bytes()).await?;
        }
    }
    let [_shared] = take(stream).await?;
    let name = format!("{host} (hopper lab)");
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let mut init = Vec::new();
    init.extend_from_slice(&WIDTH.to_be_bytes());
    init.extend_from_slice(&HEIGHT.to_be_bytes());
    init.extend_from_slice(&PixelFormat::DEFAULT.to_wire());
    init.extend_from_slice(&length.to_be_bytes());
    init.extend_from_slice(name.as_bytes());
    stream.write_all(&init).await
}

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    x: u16,
    y: u16,
    width: u16,
    height: u16,
}

impl Area {
    /// What of the asked-for rectangle lies on the picture.
    fn clipped([x, y, width, height]: [u16; 4]) -> Option<Self> {
        let width = width.min(WIDTH.saturating_sub(x));
        let height = height.min(HEIGHT.saturating_sub(y));
        (width > 0 && height > 0).then_some(Area { x, y, width, height })
    }
}

/// FramebufferUpdate with one Raw rectangle (RFC 6143 sections 7.6.1 and 7.7.1).
fn update_message(picture: &Picture, area: Area, format: PixelFormat) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 1];
    for number in [area.x, area.y, area.width, area.height] {
        message.extend_from_slice(&number.to_be_bytes());
    }
    message.extend_from_slice(&0_i32.to_be_bytes());
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            format.put(picture.at(x, y), &mut message);
        }
    }
    message
}

/// SetColourMapEntries for every colour (RFC 6143 section 7.6.2).
fn colour_map_message(map: &[[u16; 3]]) -> Vec<u8> {
    let mut message = vec![1, 0, 0, 0];
    message.extend_from_slice(&u16::try_from(map.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(map.iter().flatten().flat_map(|level| level.to_be_bytes()));
    message
}

/// The next message's type; `None` when the viewer left between messages.
async fn next_kind(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<u8>> {
    let kind = stream.fill_buf().await?.first().copied();
    stream.consume(usize::from(kind.is_some()));
    Ok(kind)
}

async fn take<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Reads past so many bytes without keeping them, however many a viewer announces.
async fn skip(stream: &mut (impl AsyncRead + Unpin), length: u64) -> io::Result<()> {
    tokio::io::copy(&mut stream.take(length), &mut tokio::io::sink()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [u8; 10] = [3, 0, 0, 0, 0, 0, 255, 255, 255, 255];

    /// What the screen says to a viewer that says this and leaves.
    async fn show(messages: &[&[u8]]) -> Vec<u8> {
        let (near, far) = tokio::io::duplex(1024 * 1024);
        let (mut hear, mut say) = tokio::io::split(near);
        say.write_all(&messages.concat()).await.unwrap();
        say.shutdown().await.unwrap();
        serve(&HostId::new("screen"), far).await.unwrap();
        let mut said = Vec::new();
        hear.read_to_end(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn old_and_new_viewers_see_the_whole_picture_once() {
        let name = "screen (hopper lab)".len();
        let picture = 4 + 12 + usize::from(WIDTH) * usize::from(HEIGHT) * 4;
        let incremental = [3, 1, 0, 0, 0, 0, 255, 255, 255, 255];
        let greetings: [(&[u8], usize); 3] =
            [(b"RFB 003.003\n\x01", 4), (b"RFB 003.007\n\x01\x01", 2), (b"RFB 003.008\n\x01\x01", 2 + 4)];
        for (greeting, security) in greetings {
            let said = show(&[greeting, &incremental, &incremental]).await;
            assert_eq!(said.len(), 12 + security + 24 + name + picture);
        }
    }

    #[tokio::test]
    async fn keys_pointer_and_clipboard_are_passed_over() {
        let hello = b"RFB 003.008\n\x01\x01".as_slice();
        let quiet = show(&[hello]).await.len();
        let said = show(&[
            hello,
            &[2, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 5],
            &[4, 1, 0, 0, 0, 0, 0, 65],
            &[5, 0, 0, 1, 0, 1],
            b"\x06\0\0\0\0\0\0\x05paste",
            // Two by one pixels at the lower right corner, of which one is on the picture.
            &[3, 0, 1, 63, 0, 199, 0, 2, 0, 1],
        ])
        .await;
        assert_eq!(said.len(), quiet + 4 + 12 + 4);
        assert_eq!(said[quiet..quiet + 16], [0, 0, 0, 1, 1, 63, 0, 199, 0, 1, 0, 1, 0, 0, 0, 0]);
    }

    #[tokio::test]
    async fn a_viewer_with_a_colour_map_gets_one() {
        let hello = b"RFB 003.008\n\x01\x01".as_slice();
        let mapped = [0, 0, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let pixels = usize::from(WIDTH) * usize::from(HEIGHT);
        let quiet = show(&[hello]).await.len();
        let said = show(&[hello, &mapped, &FULL]).await;
        assert_eq!(said.len(), quiet + 6 + 256 * 6 + 4 + 12 + pixels);
    }

    #[tokio::test]
    async fn a_stranger_is_sent_away() {
        let (mut near, far) = tokio::io::duplex(1024);
        near.write_all(b"GET / HTTP/1").await.unwrap();
        let refused = serve(&HostId::new("screen"), far).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
}
