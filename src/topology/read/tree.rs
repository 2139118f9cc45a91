//! The values of a topology file with their places, whatever they mean. Knows nothing of topologies.

use std::borrow::Cow;
use std::ops::Range;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// Byte range in the file's text.
    pub range: Range<usize>,
    /// What stands there.
    pub json: Json<'a>,
}

/// A JSON value.
#[derive(Debug)]
pub(super) enum Json<'a> {
    Null,
    Flag(bool),
    /// As written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<Entry<'a>>),
    /// Was reported; carries nothing, so that nothing of it can get out.
    Secret,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// Where the key stands, quotes included.
    pub key_range: Range<usize>,
    /// The value.
    pub node: Node<'a>,
}

impl Node<'_> {
    /// Where to point for this value: brackets are shown by their opening one.
    pub fn place(&self) -> Range<usize> {
        match self.json {
            Json::List(_) | Json::Map(_) => self.range.start..self.range.start + 1,
            _ => self.range.clone(),
        }
    }

    /// Where a part of this string stands; the whole string when escapes make that unclear.
    pub fn part(&self, part: Range<usize>) -> Range<usize> {
        match &self.json {
            Json::Text(text) if text.len() + 2 == self.range.len() && part.end <= text.len() => {
                let inside = self.range.start + 1;
                // Nothing has no extent: point at the character after it, or at the closing quote.
                inside + part.start..inside + part.end.max(part.start + 1)
            }
            _ => self.place(),
        }
    }

    /// What kind of value this is, for "this is …".
    pub fn kind(&self) -> &'static str {
        match self.json {
            Json::Null => "null",
            Json::Flag(true) => "true",
            Json::Flag(false) => "false",
            Json::Number(_) => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "a list",
            Json::Map(_) => "an object",
            Json::Secret => "a secret",
        }
    }
}
