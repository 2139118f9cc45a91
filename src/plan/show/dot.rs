//! A diagram in the language of Graphviz.

use super::diagram::{Diagram, Kind};

/// A digraph of hosts and links; what the plan uses is bold.
pub fn dot(diagram: &Diagram) -> String {
    let mut out = format!("digraph {} {{\n  rankdir=LR;\n", quoted(std::slice::from_ref(&diagram.name)));
    out.push_str(
        "  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (place, shape) in diagram.boxes.iter().enumerate() {
        let kind = match shape.kind {
            Kind::Local => ", shape=ellipse",
            Kind::Server => "",
            Kind::Target | Kind::Inside => ", style=\"rounded\"",
        };
        let bold = if shape.used { ", penwidth=2" } else { "" };
        out.push_str(&format!("  n{place} [label={}{kind}{bold}];\n", quoted(&shape.all())));
    }
    let any = diagram.arrows.iter().any(|arrow| arrow.used);
    for arrow in &diagram.arrows {
        let bold = match (arrow.used, any) {
            (true, _) => ", penwidth=3",
            (false, true) => ", color=gray50, fontcolor=gray50",
            (false, false) => "",
        };
        out.push_str(&format!(
            "  n{} -> n{} [label={}{bold}];\n",
            arrow.from,
            arrow.to,
            quoted(&arrow.lines())
        ));
    }
    out.push_str("}\n");
    out
}

/// Lines as one quoted text. Graphviz knows `\` sequences and HTML entities inside it.
fn quoted(lines: &[String]) -> String {
    let safe = |line: &String| line.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(safe).collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::{PlanOptions, plan};

    #[test]
    fn links_of_the_plan_are_bold_and_texts_stay_inside_their_quotes() {
        let mut topology = vnc().with_link("local", "gate-c");
        topology.links[4].cost = 99;
        topology.firewalls[0].label = Some("\"edge\\\" & <b>\n".to_owned());
        let text = dot(&Diagram::of_plan(&plan(&topology, &PlanOptions::default()).unwrap(), &topology));
        let wanted = r#"  n0 -> n1 [label="fw1: \"edge\\\" &amp; <b>\\u{a}\nT1", penwidth=3];"#;
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("  n3 -> n4 [label=\"only 5900\\nvnc :5900\", penwidth=3];\n"), "{text}");
        assert!(text.contains("  n0 -> n2 [label=\"\", color=gray50, fontcolor=gray50];\n"), "{text}");
    }
}
