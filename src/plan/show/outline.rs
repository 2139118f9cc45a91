//! A diagram in words: who can dial whom, host by host. Needs no program to be looked at.

use unicode_width::UnicodeWidthStr;

use super::diagram::{Arrow, Diagram, Kind};
use super::{Glyphs, Style, fold};

/// Columns that what an arrow leads to may take before what is said of the arrow moves below it.
const MOST: usize = 32;

/// Every host with what it can dial, nearest to local first; then what no link leads to, and the forwards.
pub fn outline(diagram: &Diagram, style: Style) -> String {
    let (dot, tip) = match style.glyphs {
        Glyphs::Unicode => ("·", "──▶"),
        Glyphs::Ascii => ("-", "-->"),
    };
    let mut out = lines(&format!("{} {dot} {}", diagram.name, diagram.counts), 2, style);
    out.push('\n');
    let (columns, reached) = (diagram.columns(), diagram.reached());
    let mut leaving: Vec<Vec<&Arrow>> = vec![Vec::new(); diagram.boxes.len()];
    for arrow in &diagram.arrows {
        leaving[arrow.from].push(arrow);
    }
    let names = diagram.arrows.iter().map(|arrow| name(diagram, arrow.to).width());
    let widest = names.filter(|wide| *wide <= MOST).max().unwrap_or(0);
    let named = (0..diagram.boxes.len()).filter(|&place| diagram.boxes[place].kind != Kind::Inside);
    let mut order: Vec<usize> = named.collect();
    order.sort_by_key(|&place| (!reached[place], columns[place], place));
    let mut cut_off = false;
    for place in order {
        let shape = &diagram.boxes[place];
        if !reached[place] && !cut_off {
            cut_off = true;
            out.push_str("\nNo chain of links leads from local to these:\n\n");
        }
        let mut about: Vec<&str> = shape.lines[1..].iter().map(String::as_str).collect();
        if shape.kind == Kind::Target {
            about.push("no login");
        }
        let about = if about.is_empty() { String::new() } else { format!("  {}", about.join(", ")) };
        out.push_str(&lines(&format!("  {}{about}", shape.lines[0]), 6, style));
        for arrow in &leaving[place] {
            let to = name(diagram, arrow.to);
            let gap = " ".repeat((widest + 2).saturating_sub(to.width()).max(2));
            let line = format!("    {tip} {to}{gap}{}", arrow.lines().join(&format!(" {dot} ")));
            out.push_str(&lines(line.trim_end(), 10 + widest, style));
        }
    }
    if !diagram.rows.is_empty() {
        out.push_str("\nWanted:\n\n");
    }
    let widest = diagram.rows.iter().map(|(about, _)| about.width()).max().unwrap_or(0).min(MOST);
    for (about, text) in &diagram.rows {
        let gap = " ".repeat((widest + 2).saturating_sub(about.width()).max(2));
        let text = if style.glyphs == Glyphs::Ascii { text.replace('→', "->") } else { text.clone() };
        out.push_str(&lines(&format!("  {about}{gap}{text}"), 6, style));
    }
    out
}

fn name(diagram: &Diagram, place: usize) -> &str {
    &diagram.boxes[place].lines[0]
}

fn lines(text: &str, indent: usize, style: Style) -> String {
    fold(text, 0, indent, style.width).join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;

    #[test]
    fn hosts_come_by_distance_with_what_they_dial_and_lonely_ones_last() {
        let topology = vnc().with_host("a-lonely-one").with_link("a-lonely-one", "screen");
        let text = outline(&Diagram::of_topology(&topology), Style { glyphs: Glyphs::Ascii, width: 80 });
        let wanted = "\
vnc - 5 hosts, 3 firewalls, 5 links, 1 forward

  local
    --> gate-b  fw1
  gate-b
    --> gate-c  fw2
  gate-c
    --> gate-d  fw3
  gate-d
    --> screen  only 5900
  screen  no login

No chain of links leads from local to these:

  a-lonely-one
    --> screen

Wanted:

  vnc  127.0.0.1:5901 -> screen:5900
";
        assert_eq!(text, wanted);
    }
}
