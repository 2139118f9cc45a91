//! The characters that a picture is drawn with. Knows nothing of what they show.

use crate::plan::show::Glyphs;

/// The characters drawn with.
pub(super) struct Ink {
    pub(super) line: &'static str,
    pub(super) head: &'static str,
    pub(super) back: &'static str,
    pub(super) wall: &'static str,
    pub(super) tunnel: &'static str,
    pub(super) client: &'static str,
    pub(super) begin: &'static str,
    pub(super) end: &'static str,
    pub(super) down: &'static str,
    pub(super) plain: &'static str,
}

impl Ink {
    /// That of these glyphs.
    pub(super) fn of(glyphs: Glyphs) -> &'static Ink {
        if glyphs == Glyphs::Unicode { &UNICODE } else { &ASCII }
    }
}

const UNICODE: Ink = Ink {
    line: "─",
    head: "▶",
    back: "◀",
    wall: "┃",
    tunnel: "═",
    client: "╞",
    begin: "╘",
    end: "╡",
    down: "│",
    plain: "┄",
};
const ASCII: Ink = Ink {
    line: "-",
    head: ">",
    back: "<",
    wall: "|",
    tunnel: "=",
    client: "+",
    begin: "+",
    end: "+",
    down: "|",
    plain: ".",
};
