//! How a VNC viewer wants its pixels (RFC 6143 section 7.4). Translates colours; draws nothing.

use std::io;

/// A viewer's pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelFormat {
    bits: u8,
    depth: u8,
    big_endian: bool,
    true_colour: bool,
    max: [u16; 3],
    shift: [u8; 3],
}

impl PixelFormat {
    /// 32 bits, little-endian, blue lowest: what most viewers draw without translating.
    pub(super) const DEFAULT: PixelFormat = PixelFormat {
        bits: 32,
        depth: 24,
        big_endian: false,
        true_colour: true,
        max: [255; 3],
        shift: [16, 8, 0],
    };

    /// Reads the 16 bytes of a SetPixelFormat message.
    ///
    /// # Errors
    /// `InvalidData` for formats that RFC 6143 does not allow.
    pub(super) fn parse(wire: &[u8; 16]) -> io::Result<Self> {
        let [bits, depth, big, colour, r1, r0, g1, g0, b1, b0, red, green, blue, ..] = *wire;
        let mut format = PixelFormat {
            bits,
            depth,
            big_endian: big != 0,
            true_colour: colour != 0,
            max: [[r1, r0], [g1, g0], [b1, b0]].map(u16::from_be_bytes),
            shift: [red, green, blue],
        };
        if !format.true_colour {
            // The lab's colour map is the usual cube of 8 reds, 8 greens and 4 blues.
            format.max = [7, 7, 3];
            format.shift = [0, 3, 6];
        }
        let fits = matches!(bits, 16 | 32) && format.true_colour || bits == 8;
        if !fits || format.shift.iter().any(|shift| *shift >= bits) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a pixel format of no known kind"));
        }
        Ok(format)
    }

    /// The 16 bytes that announce it.
    pub(super) fn to_wire(self) -> [u8; 16] {
        let [red, green, blue] = self.max.map(u16::to_be_bytes);
        let mut wire = [0; 16];
        wire[..4].copy_from_slice(&[self.bits, self.depth, self.big_endian.into(), self.true_colour.into()]);
        wire[4..10].copy_from_slice(&[red[0], red[1], green[0], green[1], blue[0], blue[1]]);
        wire[10..13].copy_from_slice(&self.shift);
        wire
    }

    /// The colours of a map with one entry per pixel value, when this format needs one.
    pub(super) fn colour_map(&self) -> Option<Vec<[u16; 3]>> {
        let entry = |value: u32| {
            std::array::from_fn(|i| {
                let max = u32::from(self.max[i]);
                ((value >> self.shift[i] & max) * 65535 / max) as u16
            })
        };
        (!self.true_colour).then(|| (0..256).map(entry).collect())
    }

    /// Appends one pixel of this colour.
    pub(super) fn put(&self, rgb: [u8; 3], out: &mut Vec<u8>) {
        let pixel = (0..3).fold(0_u32, |pixel, i| {
            pixel | (u32::from(rgb[i]) * u32::from(self.max[i]) / 255) << self.shift[i]
        });
        let bytes = usize::from(self.bits / 8);
        match self.big_endian {
            true => out.extend_from_slice(&pixel.to_be_bytes()[4 - bytes..]),
            false => out.extend_from_slice(&pixel.to_le_bytes()[..bytes]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(format: &[u8; 16], rgb: [u8; 3]) -> Vec<u8> {
        let mut out = Vec::new();
        PixelFormat::parse(format).unwrap().put(rgb, &mut out);
        out
    }

    #[test]
    fn the_default_survives_the_wire() {
        let format = PixelFormat::DEFAULT;
        assert_eq!(PixelFormat::parse(&format.to_wire()).unwrap(), format);
    }

    #[test]
    fn depth_and_byte_order_are_the_viewers() {
        let orange = [255, 128, 0];
        let rgb565 = [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
        assert_eq!(pixel(&rgb565, orange), 0xFBE0_u16.to_le_bytes());
        let swapped = [16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
        assert_eq!(pixel(&swapped, orange), 0xFBE0_u16.to_be_bytes());
        let bgr233 = [8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0];
        assert_eq!(pixel(&bgr233, orange), [0b0001_1111]);
        let rgbx = [32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8, 0, 0, 0];
        assert_eq!(pixel(&rgbx, orange), [255, 128, 0, 0]);
    }

    #[test]
    fn a_colour_map_says_what_its_pixels_mean() {
        let mapped = [8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let map = PixelFormat::parse(&mapped).unwrap().colour_map().unwrap();
        assert_eq!(map.len(), 256);
        let white = pixel(&mapped, [255; 3])[0];
        assert_eq!(map[usize::from(white)], [65535; 3]);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(PixelFormat::parse(&[0; 16]).is_err());
        assert!(PixelFormat::parse(&[24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]).is_err());
        assert!(PixelFormat::parse(&[16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 40, 5, 0, 0, 0, 0]).is_err());
    }
}
