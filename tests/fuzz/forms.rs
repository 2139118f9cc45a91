//! Every form in which a topology and its plans can be shown, and what holds for all of them. Knows no
//! fuzzer: it is given what parsed.

use hopper::plan::show::{self, Diagram, Glyphs};
use hopper::plan::{self, Plan, PlanOptions, Said};
use hopper::report::{Style, no_plan};
use hopper::topology::{CarrierKind, Strategy, Topology, is_unsafe};

/// Nothing in a text that is shown may act on a terminal.
pub fn harmless(form: &str, text: &str) {
    let bad = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
    assert!(bad.is_none(), "{form} shows {bad:?}: {text:?}");
}

/// Plans it in every way, and shows topology and plans in every form.
pub fn show_all(topology: &Topology) {
    let diagram = Diagram::of_topology(topology);
    show_diagram(&diagram);
    for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
        for width in [20, 80, 300] {
            harmless("graph", &show::outline(&diagram, show::Style { glyphs, width }));
        }
    }
    harmless("graph --json", &show::graph_json(topology).to_string());
    for strategy in [None, Some(Strategy::Nested), Some(Strategy::Telescoped)] {
        for carrier in [None, Some(CarrierKind::Port)] {
            show_planned(topology, &PlanOptions { carrier, strategy, at: None });
        }
    }
}

fn show_planned(topology: &Topology, options: &PlanOptions) {
    let planned = plan::plan(topology, options);
    assert_eq!(planned, plan::plan(topology, options), "the same topology gives another plan");
    let explanation = plan::explain(topology, None, options);
    harmless("--explain", &show::why(&explanation, show::Style::default()));
    harmless("--explain --json", &show::why_json(&explanation).to_string());
    match planned {
        Ok(plan) => show_plan(topology, &plan),
        Err(errors) => {
            assert!(!errors.is_empty(), "no plan, and no reason");
            harmless("no plan", &no_plan::render(&errors, Style::PLAIN));
            harmless("no plan --json", &no_plan::json(&errors).to_string());
        }
    }
}

fn show_plan(topology: &Topology, plan: &Plan) {
    for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
        for width in [20, 80] {
            harmless("plan", &show::text(plan, topology, show::Style { glyphs, width }));
        }
    }
    let json = show::json(plan);
    harmless("plan --json", &json.to_string());
    harmless("plan --ssh", &show::ssh(plan));
    show_diagram(&Diagram::of_plan(plan, topology));
    let grants = plan::grants(plan);
    harmless("plan --grants", &show::grants(&grants));
    harmless("plan --grants --json", &show::grants_json(&grants).to_string());
    let said = Said::read(&json).expect("hopper reads what it writes");
    assert_eq!(said.forwards.len(), plan.forwards.len(), "a forward is lost in JSON");
    let same = plan::diff(Some(&json), plan).expect("hopper reads what it writes");
    assert!(same.is_none(), "a plan differs from itself: {same:?}");
    let new = plan::diff(None, plan).expect("nothing to read");
    harmless("plan --diff", &show::difference(&new, show::Style::default()));
    harmless("plan --diff --json", &show::difference_json(&new, false).to_string());
    for host in &topology.hosts {
        let part = plan.part(&host.id);
        harmless("--at", &show::json(&part).to_string());
    }
}

fn show_diagram(diagram: &Diagram) {
    harmless("svg", &show::svg(diagram));
    harmless("dot", &show::dot(diagram));
    harmless("mermaid", &show::mermaid(diagram));
}
