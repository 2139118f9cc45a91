//! The key of a picture: what its lines mean, as far as they are in it.

use super::layout::MARGIN;
use super::marks::tubes;
use super::xml::wide;
use crate::plan::show::diagram::{Arrow, Diagram};

/// What the lines mean, as far as they are in the picture.
pub(super) struct Key(Vec<(&'static str, &'static str)>);

impl Key {
    pub(super) fn new(diagram: &Diagram) -> Self {
        let any = |is: fn(&Arrow) -> bool| diagram.arrows.iter().any(is);
        let mut known = Vec::new();
        if any(|arrow| arrow.tubes.is_some()) {
            known.push(("tube", "SSH sessions, one in the other"));
        }
        if any(|arrow| arrow.used && arrow.tubes.is_none()) {
            known.push(("plain", "past the last session"));
        }
        if any(|arrow| !arrow.used) {
            let used = any(|arrow| arrow.used);
            known.push(if used { ("off", "link that is not used") } else { ("link", "link") });
        }
        if any(|arrow| !arrow.walls.is_empty()) {
            known.push(("wall", "firewall"));
        }
        Key(known)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| 44 + wide(text) + 24).sum()
    }

    pub(super) fn draw(&self, y: usize) -> String {
        let (mut out, mut x, middle) = (String::new(), MARGIN, y - 4);
        for (what, text) in &self.0 {
            let line = format!("M{x} {middle}h36");
            out.push_str(&match *what {
                "tube" => tubes(&line, 1, 2, 2) + &format!("<path class=\"way\" d=\"{line}\"/>\n"),
                "plain" => format!("<path class=\"way plain\" d=\"{line}\"/>\n"),
                "off" | "link" => format!("<path class=\"{what}\" d=\"{line}\"/>\n"),
                _ => format!(
                    "<rect class=\"wall\" x=\"{}\" y=\"{}\" width=\"4\" height=\"16\" rx=\"1\"/>\n",
                    x + 16,
                    y - 12
                ),
            });
            out.push_str(&format!("<text class=\"s\" x=\"{}\" y=\"{y}\">{text}</text>\n", x + 44));
            x += 44 + wide(text) + 24;
        }
        out
    }
}
