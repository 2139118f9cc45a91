//! A diagram as a Mermaid flowchart, which many pages of text draw by themselves.

use super::diagram::{Diagram, Kind};

/// A flowchart of hosts and links; what the plan uses is thick.
pub fn mermaid(diagram: &Diagram) -> String {
    let mut out = String::from("flowchart LR\n");
    for (place, shape) in diagram.boxes.iter().enumerate() {
        let (open, close) = match shape.kind {
            Kind::Local => ("([", "])"),
            Kind::Server => ("[", "]"),
            Kind::Target | Kind::Inside => ("(", ")"),
        };
        let used = if shape.used { ":::used" } else { "" };
        out.push_str(&format!("  n{place}{open}{}{close}{used}\n", quoted(&shape.all())));
    }
    for arrow in &diagram.arrows {
        let line = if arrow.used { "==>" } else { "-->" };
        let label = match arrow.lines().as_slice() {
            [] => String::new(),
            lines => format!("|{}|", quoted(lines)),
        };
        out.push_str(&format!("  n{} {line}{label} n{}\n", arrow.from, arrow.to));
    }
    out.push_str("  classDef used stroke-width:3px\n");
    out
}

/// Lines as one quoted text. All that could mean something to Mermaid, to Markdown or to HTML is written
/// as a character's number.
fn quoted(lines: &[String]) -> String {
    let safe = |line: &String| -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || " .-:/@,".contains(c);
        line.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
    };
    format!("\"{}\"", lines.iter().map(safe).collect::<Vec<_>>().join("<br/>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::{PlanOptions, plan};

    #[test]
    fn links_of_the_plan_are_thick_and_texts_stay_inside_their_quotes() {
        let mut topology = vnc().with_link("local", "gate-c");
        topology.links[4].cost = 99;
        topology.hosts[3].label = Some("a\"] %%{x}%% `größe`\n".to_owned());
        let text = mermaid(&Diagram::of_plan(&plan(&topology, &PlanOptions::default()).unwrap(), &topology));
        let label = "a#34;#93; #37;#37;#123;x#125;#37;#37; #96;größe#96;#92;u#123;a#125;";
        assert!(text.contains(&format!("  n4(\"screen<br/>{label}\"):::used\n")), "{text}");
        assert!(text.contains("  n2 ==>|\"fw3<br/>T3\"| n3\n"), "{text}");
        assert!(text.contains("  n0 --> n2\n"), "{text}");
    }
}
