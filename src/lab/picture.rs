//! The one picture that every screen of the lab shows: a colour gradient, the word "hopper" and the
//! host's name. Knows pixels as red, green, blue; nothing of VNC.

/// Pixels per row.
pub(super) const WIDTH: u16 = 320;
/// Rows.
pub(super) const HEIGHT: u16 = 200;

/// A still picture.
pub(super) struct Picture(Vec<[u8; 3]>);

impl Picture {
    /// Paints the picture of this host.
    pub(super) fn of(host: &str) -> Self {
        let gradient = (0..u32::from(HEIGHT)).flat_map(|y| {
            (0..u32::from(WIDTH))
                .map(move |x| [(x * 160 / u32::from(WIDTH)) as u8, (y * 120 / u32::from(HEIGHT)) as u8, 110])
        });
        let mut picture = Picture(gradient.collect());
        picture.write("hopper", 50, 10, [255, 240, 200]);
        picture.write(host, 122, 3, [255; 3]);
        picture.write("played by the lab", 165, 2, [170, 200, 255]);
        picture
    }

    /// The colour at a place inside the picture.
    pub(super) fn at(&self, x: u16, y: u16) -> [u8; 3] {
        self.0[usize::from(y) * usize::from(WIDTH) + usize::from(x)]
    }

    /// Writes a centred line whose letters are 3 × 5 squares of `scale` pixels. What does not fit is
    /// cut off.
    fn write(&mut self, text: &str, top: usize, scale: usize, colour: [u8; 3]) {
        let width = usize::from(WIDTH);
        let letters: Vec<u16> = text.chars().take(width / (4 * scale)).map(glyph).collect();
        let left = (width - letters.len() * 4 * scale) / 2 + scale / 2;
        for (i, glyph) in letters.into_iter().enumerate() {
            for y in 0..5 * scale {
                for x in 0..3 * scale {
                    let bit = 14 - (y / scale * 3 + x / scale);
                    if glyph >> bit & 1 == 1 {
                        self.0[(top + y) * width + left + i * 4 * scale + x] = colour;
                    }
                }
            }
        }
    }
}

/// A capital letter, digit or sign as 5 rows of 3 dots, top left first; a full block for what the
/// font lacks.
fn glyph(letter: char) -> u16 {
    const LETTERS: [u16; 26] = [
        0o25755, 0o65656, 0o34443, 0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227, 0o11152, 0o55655,
        0o44447, 0o57755, 0o65555, 0o25552, 0o65644, 0o25573, 0o65655, 0o34216, 0o72222, 0o55557, 0o55522,
        0o55775, 0o55255, 0o55222, 0o71247,
    ];
    const DIGITS: [u16; 10] =
        [0o75557, 0o26227, 0o61247, 0o61216, 0o55711, 0o74616, 0o34652, 0o71122, 0o25252, 0o25316];
    let position = |first: u8| (letter.to_ascii_lowercase() as usize).wrapping_sub(usize::from(first));
    match letter {
        ' ' => 0,
        '-' => 0o00700,
        '.' => 0o00002,
        '_' => 0o00007,
        ':' => 0o02020,
        'a'..='z' | 'A'..='Z' => LETTERS[position(b'a')],
        '0'..='9' => DIGITS[position(b'0')],
        _ => 0o77777,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_its_own_picture_and_any_name_fits() {
        let one = Picture::of("gate-a");
        assert_ne!(one.0, Picture::of("gate-b").0);
        let long = Picture::of(&"ü9_z.".repeat(60));
        assert_eq!(long.0.len(), usize::from(WIDTH) * usize::from(HEIGHT));
        assert_eq!(one.at(0, 0), [0, 0, 110]);
        assert_eq!(one.at(WIDTH - 1, HEIGHT - 1)[2], 110);
    }
}
