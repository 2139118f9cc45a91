//! From text to values with places: JSON with `//` comments and trailing commas, nothing else.
//! Only this file knows the parser. Never looks at what the values mean.

use std::collections::HashMap;
use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use super::scan;
use super::tree::{Entry, Json, Node};
use crate::topology::{Problem, code, quoted, secret};

/// Reads the text. `Err` when there is no tree to look at; otherwise `problems` gets what can be
/// said without knowing what the values mean: keys given twice and strings holding key material.
pub(super) fn tree<'a>(text: &'a str, problems: &mut Vec<Problem>) -> Result<Node<'a>, Box<Problem>> {
    scan::check(text)?;
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let offset = text.len() - body.len();
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(body, &CollectOptions::default(), &options) {
        Ok(parsed) => match parsed.value {
            Some(value) => Ok(Planter { offset, problems }.node(value)),
            None => {
                let help = "the smallest file is  { \"hopper\": 1 }";
                Err(Box::new(
                    Problem::new(code::SYNTAX, 0..0, "nothing here", "the file is empty").help(help),
                ))
            }
        },
        Err(error) => Err(Box::new(refusal(&error, text, offset))),
    }
}

struct Planter<'p> {
    offset: usize,
    problems: &'p mut Vec<Problem>,
}

impl Planter<'_> {
    // Recursion is bounded: the scan refused everything nested deeper than `scan::DEEPEST`.
    fn node<'a>(&mut self, value: Value<'a>) -> Node<'a> {
        match value {
            Value::NullKeyword(it) => Node { range: self.place(it.range), json: Json::Null },
            Value::BooleanLit(it) => Node { range: self.place(it.range), json: Json::Flag(it.value) },
            Value::NumberLit(it) => Node { range: self.place(it.range), json: Json::Number(it.value) },
            Value::StringLit(it) => {
                let range = self.place(it.range);
                if secret::holds_key(&it.value) {
                    self.problems.push(key_material(range.clone()));
                    return Node { range, json: Json::Secret };
                }
                Node { range, json: Json::Text(it.value) }
            }
            Value::Array(it) => {
                let range = self.place(it.range);
                let list = it.elements.into_iter().map(|element| self.node(element)).collect();
                Node { range, json: Json::List(list) }
            }
            Value::Object(it) => self.map(it),
        }
    }

    fn map<'a>(&mut self, object: Object<'a>) -> Node<'a> {
        let mut seen: HashMap<String, Range<usize>> = HashMap::new();
        let mut entries = Vec::with_capacity(object.properties.len());
        for property in object.properties {
            let name = match property.name {
                jsonc_parser::ast::ObjectPropName::String(it) => it,
                // Refused by the options; a bare word cannot get here.
                jsonc_parser::ast::ObjectPropName::Word(_) => continue,
            };
            let key_range = self.place(name.range);
            if name.value.starts_with("//") || name.value.starts_with("x-") {
                continue;
            }
            let node = self.node(property.value);
            match seen.get(name.value.as_ref()) {
                Some(first) => self.problems.push(twice(&name.value, first.clone(), key_range)),
                None => {
                    seen.insert(name.value.to_string(), key_range.clone());
                    entries.push(Entry { key: name.value, key_range, node });
                }
            }
        }
        Node { range: self.place(object.range), json: Json::Map(entries) }
    }

    fn place(&self, range: jsonc_parser::common::Range) -> Range<usize> {
        range.start + self.offset..range.end + self.offset
    }
}

fn twice(key: &str, first: Range<usize>, second: Range<usize>) -> Problem {
    let message = format!("{} is given twice", quoted(key));
    Problem::new(code::DUPLICATE_KEY, second, "given again here", message)
        .also(first, "first given here")
        .help("keep one of them; hopper does not guess which one was meant")
}

fn key_material(range: Range<usize>) -> Problem {
    let label = "anyone who can read this file can log in";
    Problem::new(code::SECRET, range, label, "a secret is written in the file")
        .help("log in with a key kept in a file of its own: \"identities\": [\"~/.ssh/id_ed25519\"]")
}

const BARE_WORD: (&str, &str, Option<&str>) =
    ("a word stands outside of quotes", "expected a value", Some("write text in double quotes"));

fn refusal(error: &ParseError, text: &str, offset: usize) -> Problem {
    use ParseErrorKind as Kind;
    let at = error.range();
    let range = match error.kind() {
        // Their range is everything up to the end: point at the bracket.
        Kind::UnterminatedObject | Kind::UnterminatedArray => at.start + offset..at.start + offset + 1,
        _ => at.start + offset..at.end + offset,
    };
    let (message, label, help) = match error.kind() {
        Kind::ExpectedComma => ("a comma is missing", "add a comma here", None),
        Kind::UnexpectedComma => ("there is a comma too many", "no value before this comma", None),
        Kind::SingleQuotedStringsNotAllowed => (
            "strings stand in double quotes",
            "a single quote cannot begin a string",
            Some("write \"…\" instead of '…'"),
        ),
        Kind::ExpectedStringObjectProperty => {
            ("keys stand in double quotes", "this key is not quoted", Some("write \"key\": value"))
        }
        Kind::ExpectedColonAfterObjectKey => {
            ("a key has no value", "expected `:` and a value after it", None)
        }
        Kind::ExpectedObjectValue => ("a key has no value", "expected a value after `:`", None),
        Kind::HexadecimalNumbersNotAllowed => (
            "numbers are written in decimal",
            "a hexadecimal number",
            Some("write it in decimal, without 0x"),
        ),
        Kind::UnaryPlusNumbersNotAllowed => ("a number has no plus sign", "leave the `+` out", None),
        Kind::BareDecimalPointNumbersNotAllowed => {
            ("a number has digits on both sides of its point", "this number has not", None)
        }
        Kind::MultipleRootJsonValues => (
            "the file goes on after its end",
            "the topology ended before this",
            Some("a file is one object: { \"hopper\": 1, … }; is there a `}` too many?"),
        ),
        Kind::UnterminatedObject => {
            ("an object is never closed", "this `{` has no `}`", Some("add the missing `}`"))
        }
        Kind::UnterminatedArray => {
            ("a list is never closed", "this `[` has no `]`", Some("add the missing `]`"))
        }
        Kind::UnexpectedCloseBrace => ("`}` closes nothing here", "expected something else", None),
        Kind::UnexpectedCloseBracket => ("`]` closes nothing here", "expected something else", None),
        Kind::UnexpectedWord => BARE_WORD,
        // The parser gives up on a bare word at the bracket or comma that ends it.
        Kind::UnexpectedToken if text[range.start..].starts_with(char::is_alphabetic) => BARE_WORD,
        Kind::UnexpectedColon => ("a colon stands where a value belongs", "expected a value", None),
        Kind::UnexpectedTokenInObject => {
            ("this cannot stand in an object", "expected a key in double quotes, or `}`", None)
        }
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            ("a string is never closed", "this string has no closing quote", Some("add the missing `\"`"))
        }
        Kind::String(_) => (
            "a backslash is followed by something unknown",
            "this is no escape",
            Some(
                "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits; a backslash is \\\\",
            ),
        ),
        Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral => {
            ("this is not a number", "a digit is missing", None)
        }
        _ => ("this is not JSON", "unexpected here", None),
    };
    let mut problem = Problem::new(code::SYNTAX, one_line(text, range), label, message);
    problem.help = help.map(str::to_owned);
    problem
}

/// A place that spans lines is shown by its first character.
fn one_line(text: &str, range: Range<usize>) -> Range<usize> {
    let start = range.start.min(text.len());
    let end = range.end.min(text.len()).max(start);
    match text.get(start..end) {
        Some(part) if part.contains('\n') => {
            start..start + part.chars().next().map_or(0, |first| first.len_utf8())
        }
        _ => start..end,
    }
}
