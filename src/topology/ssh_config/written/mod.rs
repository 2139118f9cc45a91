//! An ssh configuration as it is written, and what it says of a name, in the words of `ssh -G`: for machines that
//! have no `ssh` to ask. What it cannot do as `ssh` would, it refuses to answer, with the place.

mod algorithm_list;
mod condition;
mod keyword;
mod line;
mod values;

use std::cell::Cell;

use super::{Lookup, Person};
use condition::{Applies, Subject, host_line, in_list, match_line};
use keyword::Keyword;
use line::{Line, Read};
use values::Values;

/// A file of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigText {
    /// What it is called; not escaped.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Whether it is the person's own, and not the machine's.
    pub is_own: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// `FILE:LINE`; not escaped.
    pub place: String,
    /// What stands there that hopper cannot do; not escaped.
    pub what: String,
}

/// Reads what an `Include` names: its word, and whether a file of the person's own says it.
pub type Include<'a> = &'a dyn Fn(&str, bool) -> Result<Vec<ConfigText>, String>;

/// A configuration as it is written.
pub struct Written<'a> {
    /// The files that `ssh` reads by itself, in order.
    pub files: &'a [ConfigText],
    /// Reads others.
    pub include: Include<'a>,
    /// Who asks.
    pub person: &'a Person<'a>,
}

/// How deep files may include files, as in `ssh`.
const DEPTH: usize = 16;
/// How many files one answer may take: a file that includes itself twice would have no end that anybody sees.
const FILES: usize = 512;

impl Written<'_> {
    /// What `ssh -G` would say of this name, as far as hopper takes anything over.
    ///
    /// # Errors
    /// What of the configuration hopper cannot do as `ssh` would, where it matters for this name.
    pub fn answer(&self, lookup: &Lookup) -> Result<String, NotUnderstood> {
        let mut values = Values::given(lookup.user.as_deref(), lookup.port);
        let mut pass = Pass::first(self, &lookup.name);
        self.go_through(&mut pass, &mut values)?;
        let host = values.host(&lookup.name).to_ascii_lowercase();
        if pass.wants_final {
            values.settle_host(&host);
            let mut last = Pass { host: host.clone(), is_final: true, ..Pass::first(self, &lookup.name) };
            self.go_through(&mut last, &mut values)?;
        }
        Ok(values.answer(&host))
    }

    /// What it would say without any configuration.
    pub fn without(&self) -> String {
        Values::usual(self.person.user)
    }

    fn go_through(&self, pass: &mut Pass<'_>, values: &mut Values) -> Result<(), NotUnderstood> {
        for file in self.files {
            pass.read(file, &Applies::Yes, 0, values)?;
        }
        Ok(())
    }
}

/// One way through all files.
struct Pass<'a> {
    written: &'a Written<'a>,
    /// The name that was asked for.
    original: &'a str,
    /// The name that `Host` patterns are compared with.
    host: String,
    is_final: bool,
    wants_final: bool,
    read: Cell<usize>,
}

impl<'a> Pass<'a> {
    fn first(written: &'a Written<'a>, name: &'a str) -> Self {
        let (host, read) = (name.to_owned(), Cell::new(0));
        Pass { written, original: name, host, is_final: false, wants_final: false, read }
    }

    /// Takes in what a file says, where it says it under a condition that holds.
    fn read(
        &mut self,
        file: &ConfigText,
        within: &Applies,
        depth: usize,
        values: &mut Values,
    ) -> Result<(), NotUnderstood> {
        self.read.set(self.read.get() + 1);
        let mut applies = within.clone();
        for (index, text) in file.text.lines().enumerate() {
            let place = || format!("{}:{}", file.name, index + 1);
            let refused = |what: String| NotUnderstood { place: place(), what };
            let line = match Line::read(text) {
                Read::Nothing => continue,
                Read::Wrong(why) => return Err(refused(why.to_owned())),
                Read::Line(line) => line,
            };
            match Keyword::of(&line.keyword) {
                Keyword::Host => applies = within.clone().and(host_line(&line.words, &self.host)),
                Keyword::Match => {
                    let told =
                        self.matches(&line.rest, values).map_err(|why| refused(format!("Match: {why}")))?;
                    applies = within.clone().and(told);
                }
                Keyword::Include => {
                    for word in &line.words {
                        self.include(word, file.is_own, &applies, depth, values).map_err(
                            |error| match error {
                                Stop::Here(what) => refused(what),
                                Stop::Within(error) => error,
                            },
                        )?;
                    }
                }
                _ if applies == Applies::No => {}
                keyword => values.take(keyword, &line, file.is_own, &applies).map_err(refused)?,
            }
        }
        Ok(())
    }

    fn matches(&mut self, conditions: &str, values: &Values) -> Result<Applies, String> {
        let host = if self.is_final { self.host.clone() } else { values.host(self.original) };
        let subject = Subject {
            original: self.original,
            host: &host,
            user: values.user().unwrap_or(self.written.person.user),
            local_user: self.written.person.user,
            is_final: self.is_final,
        };
        let matched = match_line(conditions, &subject)?;
        self.wants_final |= matched.wants_final;
        Ok(matched.applies)
    }

    /// Takes in the files that a word of an `Include` names. Where it does not apply they are read too: what they
    /// say may ask for another way through.
    fn include(
        &mut self,
        word: &str,
        is_own: bool,
        applies: &Applies,
        depth: usize,
        values: &mut Values,
    ) -> Result<(), Stop> {
        let counts = *applies != Applies::No;
        if word.contains(['%', '$', '\u{fffd}']) {
            let what = format!("hopper does not put in what stands for something else in Include {word}");
            return if counts { Err(Stop::Here(what)) } else { Ok(()) };
        }
        if depth == DEPTH || self.read.get() >= FILES {
            return Err(Stop::Here("files include files without end".to_owned()));
        }
        let files = match (self.written.include)(word, is_own) {
            Ok(files) => files,
            Err(_) if !counts => return Ok(()),
            Err(why) => return Err(Stop::Here(format!("Include {word}: {why}"))),
        };
        files.iter().try_for_each(|file| self.read(file, applies, depth + 1, values)).map_err(Stop::Within)
    }
}

/// Where an `Include` stopped.
enum Stop {
    Here(String),
    Within(NotUnderstood),
}

/// Whether a list of `IgnoreUnknown` names this keyword.
fn is_ignored(list: Option<&str>, keyword: &str) -> bool {
    list.is_some_and(|list| in_list(&list.to_ascii_lowercase(), keyword))
}

#[cfg(test)]
mod tests;
