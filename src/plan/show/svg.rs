//! A diagram as a picture of its own: an SVG that needs nothing from anywhere, for light
//! and dark pages.

mod key;
mod layout;
mod marks;
mod xml;

use super::diagram::Diagram;
use key::Key;
use layout::{Layout, MARGIN, body, deepest};
use marks::{host, label, path, tip, tubes, walls};
use unicode_width::UnicodeWidthStr;
use xml::{LINE, wide};

/// Lines below the picture; the rest are counted.
const MOST_LINES: usize = 60;

/// Everything that has a colour, on light paper and on dark.
const STYLE: &str = "\
text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1c2733}
.paper{fill:#fff}.h{font-weight:bold;font-size:14px}.b{font-weight:bold}.s{fill:#5b6875}
.l{stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
path{fill:none}.box{fill:#f6f8fa;stroke:#98a4b0}.on{stroke:#1c2733;stroke-width:2px}
.off{stroke:#98a4b0;stroke-width:1.5px}.link{stroke:#1c2733;stroke-width:1.5px}.way{stroke:#0b4f9e;stroke-width:2px}.plain{stroke-dasharray:5 4}
.edge{stroke:#7aa5d8}.t0{stroke:#d8e7f8}.t1{stroke:#b3d0f0}
.tip{fill:#0b4f9e}.dim{fill:#98a4b0}.dark{fill:#1c2733}.wall{fill:#c2410c}
@media (prefers-color-scheme:dark){
text{fill:#e3e9ef}.paper{fill:#12171d}.s{fill:#9aa7b4}.l{stroke:#12171d}
.box{fill:#1d252e;stroke:#66727e}.on{stroke:#e3e9ef}.off{stroke:#66727e}.link{stroke:#e3e9ef}.way{stroke:#9cc9ff}
.edge{stroke:#4b7db5}.t0{stroke:#1d3b5e}.t1{stroke:#2c5688}
.tip{fill:#9cc9ff}.dim{fill:#66727e}.dark{fill:#e3e9ef}.wall{fill:#fb8b4b}}
";

/// The picture: hosts from left to right by their distance from local, sessions as tubes around the links
/// they pass, one in the other. What there is in words stands below.
pub fn svg(diagram: &Diagram) -> String {
    let layout = Layout::new(diagram);
    let Diagram { name, counts, rows, .. } = diagram;
    let said = |(about, text): &(String, String)| format!("{about}: {text}");
    let told = format!("{counts}. {}", rows.iter().map(said).collect::<Vec<_>>().join("; "));
    let shown = &rows[..rows.len().min(MOST_LINES)];
    let first = shown.iter().map(|(about, _)| about.width()).max().unwrap_or(0);
    let line =
        |(about, text): &(String, String)| format!("{about}{}{text}", " ".repeat(first - about.width() + 2));
    let mut lines: Vec<String> = shown.iter().map(line).collect();
    if rows.len() > MOST_LINES {
        lines.push(format!("and {} more", rows.len() - MOST_LINES));
    }
    let key = Key::new(diagram);
    let text = lines.iter().map(|line| wide(line)).max().unwrap_or(0);
    let title = (wide(name) * 7 / 6 + 16) + wide(counts);
    let width = layout.width.max(2 * MARGIN + text.max(title).max(key.width()));
    let below = layout.height + 32;
    let height = below + lines.len() * LINE + MARGIN + if key.is_empty() { 0 } else { 12 + LINE };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>\n{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"h\" x=\"{MARGIN}\" y=\"32\">{}<tspan class=\"s\" font-size=\"12\" \
         font-weight=\"normal\" dx=\"12\">{}</tspan></text>\n",
        xml::all(name),
        xml::all(&told),
        xml::text(name),
        xml::text(counts),
    );
    let deepest = deepest(diagram);
    let any = diagram.arrows.iter().any(|arrow| arrow.used);
    // What is used lies over what is not.
    for used in [false, true] {
        for (arrow, way) in diagram.arrows.iter().zip(&layout.ways).filter(|(arrow, _)| arrow.used == used) {
            let path = path(way);
            if let Some((outer, inner)) = arrow.tubes {
                out.push_str(&tubes(&path, outer, inner, deepest));
            }
            let class = match (used, arrow.tubes) {
                (false, _) if any => "off",
                (false, _) => "link",
                (true, Some(_)) => "way",
                (true, None) => "way plain",
            };
            out.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>\n{}", tip(way, used, any)));
            out.push_str(&walls(way, arrow.walls.len(), body(arrow, deepest)));
        }
    }
    for (shape, place) in diagram.boxes.iter().zip(&layout.boxes) {
        out.push_str(&host(shape, place));
    }
    for (arrow, way) in diagram.arrows.iter().zip(&layout.ways) {
        let above: Vec<&String> = arrow.walls.iter().chain(&arrow.ports).collect();
        let body = body(arrow, deepest);
        let first = way.y.saturating_sub(body + 6 + above.len().saturating_sub(1) * LINE);
        out.push_str(&label(way, &above, first, if arrow.used || !any { "l" } else { "l s" }));
        let riders: Vec<&String> = arrow.riders.iter().collect();
        out.push_str(&label(way, &riders, way.y + body + 13, "l b"));
    }
    for (at, line) in lines.iter().enumerate() {
        let y = below + at * LINE;
        out.push_str(&format!(
            "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{}</text>\n",
            xml::text(line)
        ));
    }
    out.push_str(&key.draw(height - MARGIN));
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::Topology;

    fn drawn(topology: &Topology) -> String {
        svg(&Diagram::of_plan(&plan(topology, &PlanOptions::default()).unwrap(), topology))
    }

    #[test]
    fn sessions_are_tubes_and_the_last_stretch_is_dashed() {
        let text = drawn(&vnc());
        let edges = text.matches("class=\"edge\"").count();
        // Three tubes on the first link, two on the second, one on the third, two in the key.
        assert_eq!((edges, text.matches("class=\"wall\"").count()), (8, 4), "{text}");
        assert_eq!(text.matches("class=\"way plain\"").count(), 2, "{text}");
        assert!(
            text.contains("<desc id=\"desc\">3 tunnels, 1 forward. T1: ssh gate-b:22 from local"),
            "{text}"
        );
    }

    #[test]
    fn texts_stay_texts() {
        let mut topology = vnc();
        topology.name = "</title><script>alert(1)</script>".to_owned();
        topology.hosts[0].label = Some("\"><a href='x'>&amp;\u{1b}[2J".to_owned());
        topology.firewalls[0].label = Some("]]><!-- --".to_owned());
        let text = drawn(&topology);
        assert!(!text.contains("<script") && !text.contains("<a ") && !text.contains("<!--"), "{text}");
        assert!(text.contains("&quot;&gt;&lt;a href=&#39;x&#39;&gt;&amp;amp;\\u{1b}[2J"), "{text}");
    }

    #[test]
    fn links_back_and_hosts_nobody_reaches_are_drawn_too() {
        let topology = vnc()
            .with_host("lonely")
            .with_link("gate-d", "local")
            .with_link("lonely", "screen")
            .with_link("gate-b", "gate-b");
        let text = drawn(&topology);
        assert!(text.contains(">lonely</text>"), "{text}");
        assert_eq!(text.matches("<polygon").count(), topology.links.len(), "{text}");
    }
}
