//! Durations: a whole number and a unit, `500ms`, `10s`, `2m`, `1h`. One number, one unit, no spaces.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Reader;
use super::tree::{Entry, Json};
use super::value::Refusal;
use crate::topology::{Problem, code, quoted};

/// A duration that may be zero, which turns the thing off.
pub(super) const OR_OFF: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;
/// A duration that ends a wait.
pub(super) const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;
/// A duration between two questions.
pub(super) const PROBE: RangeInclusive<Duration> = Duration::from_secs(1)..=LONGEST;
/// A duration that a whole run may last.
pub(super) const LIFETIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(365 * DAY);
const LONGEST: Duration = Duration::from_secs(DAY);
const DAY: u64 = 24 * 60 * 60;

impl Reader {
    pub(super) fn duration(&mut self, entry: &Entry, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        if let Json::Number(written) = entry.node.json {
            let message = format!("{} has no unit", quoted(&entry.key));
            self.report(
                Problem::new(code::DURATION, entry.node.place(), "seconds? minutes?", message)
                    .help(format!("write \"{written}s\" for seconds; the units are ms, s, m and h")),
            );
            return None;
        }
        self.word(&entry.node, &quoted(&entry.key), "a duration such as \"10s\"", |text| {
            let refuse = |label: &str, help: &str| Refusal {
                code: code::DURATION,
                message: format!("{} is no duration for {}", quoted(text), quoted(&entry.key)),
                label: label.to_owned(),
                help: help.to_owned(),
                part: 0..text.len(),
            };
            match parse(text) {
                Some(duration) if bounds.contains(&duration) => Ok(duration),
                Some(duration) if duration.is_zero() => {
                    Err(refuse("no time at all", &format!("write {:?} or more", bounds.start())))
                }
                Some(duration) if duration < *bounds.start() => {
                    Err(refuse("too little", &format!("write {:?} or more", bounds.start())))
                }
                Some(_) if *bounds.end() > LONGEST => {
                    Err(refuse("longer than a year", "write 8760h or less"))
                }
                Some(_) => Err(refuse("longer than a day", "write 24h or less")),
                None => {
                    Err(refuse("not a duration", "write a whole number and a unit: 500ms, 10s, 2m or 1h"))
                }
            }
        })
    }
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}
