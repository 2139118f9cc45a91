//! Sets of ports: `[22, "5900-5910"]`.

use std::ops::RangeInclusive;

use super::Reader;
use super::address;
use super::tree::{Entry, Json, Node};
use crate::topology::{PortSet, Problem, code, quoted};

impl Reader {
    /// One port, written as a number.
    pub(super) fn port(&mut self, node: &Node, what: &str) -> Option<u16> {
        let Json::Number(written) = node.json else {
            return self.wrong_type(node, what, "a port, a number from 1 to 65535");
        };
        match address::port(written, 0..written.len()) {
            Ok(port) => Some(port),
            Err(refusal) => {
                self.refuse(node, refusal);
                None
            }
        }
    }

    pub(super) fn ports(&mut self, entry: &Entry) -> Option<PortSet> {
        let what = quoted(&entry.key);
        if let Json::Number(written) = entry.node.json {
            let message = format!("{what} must be a list, [ … ]");
            self.report(
                Problem::new(code::WRONG_TYPE, entry.node.place(), "this is a number", message)
                    .help(format!("write [{written}]")),
            );
            return None;
        }
        let list = self.list(&entry.node, &what)?;
        Some(PortSet::new(list.iter().filter_map(|node| self.port_range(node)).collect::<Vec<_>>()))
    }

    fn port_range(&mut self, node: &Node) -> Option<RangeInclusive<u16>> {
        if let Json::Number(_) = node.json {
            return self.port(node, "a port").map(|port| port..=port);
        }
        self.word(node, "each of the ports", "a number, or a range such as \"5900-5999\"", |text| {
            let dash = text.find('-').unwrap_or(text.len());
            let first = address::port(text, 0..dash)?;
            let last = if dash == text.len() { first } else { address::port(text, dash + 1..text.len())? };
            if first > last {
                return Err(super::value::Refusal {
                    code: code::PORT,
                    message: format!("{} is no range of ports: it runs backwards", quoted(text)),
                    label: "the first is larger than the last".to_owned(),
                    help: format!("write \"{last}-{first}\""),
                    part: 0..text.len(),
                });
            }
            Ok(first..=last)
        })
    }
}
