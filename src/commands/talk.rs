//! How a verb speaks: data on standard output, talk on standard error, errors where the caller can
//! read them.

use std::io::Write;

use serde_json::Value;

use crate::engine::{Exit, Failure};
use crate::plan::Plan;
use crate::plan::{PlanError, show};
use crate::report::{ColourChoice, Style, failure, no_plan};

/// A verb's voice.
pub struct Talk {
    /// How standard output is drawn.
    pub out: Style,
    /// How standard error is drawn.
    pub err: Style,
    /// Whether data and errors are JSON.
    pub json: bool,
}

impl Talk {
    /// A voice for these choices on these streams.
    pub fn new(colour: ColourChoice, ascii: bool, json: bool) -> Self {
        Talk { out: Style::stdout(colour, ascii), err: Style::stderr(colour, ascii), json }
    }

    /// Prints data. A reader that has gone away is no error.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Prints data as JSON, one value.
    pub fn json(&self, value: &Value) {
        self.data(&format!("{value:#}\n"));
    }

    /// Says something to the person.
    pub fn say(&self, text: &str) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// Tells a failure, with the path it happened on when there is a plan. Gives its exit code.
    pub fn failure(&self, told: &Failure, plan: Option<&Plan>) -> Exit {
        if self.json {
            self.json(&failure::json(told));
        } else {
            self.say(&failure::render(told, plan, self.err));
        }
        told.exit
    }

    /// Tells why there is no plan. Gives the exit code.
    pub fn no_plan(&self, errors: &[PlanError]) -> Exit {
        if self.json {
            self.json(&no_plan::json(errors));
        } else {
            self.say(&no_plan::render(errors, self.err));
        }
        Exit::Topology
    }

    /// How plans are drawn on standard output.
    pub fn plan_style(&self) -> show::Style {
        let glyphs = if self.out.unicode { show::Glyphs::Unicode } else { show::Glyphs::Ascii };
        show::Style { glyphs, width: self.out.width }
    }
}
