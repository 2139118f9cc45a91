//! Finds and reads a topology: by path, by name, or from standard input.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde_json::Value;

use super::obeyed::Obeyed;
use super::{Talk, trouble};
use crate::engine::{Exit, Failure, Phase};
use crate::report::problem::{self, Look};
use crate::topology::{self, Problem, Topology, escape};

/// The most of a file that is read, in bytes; a larger one is refused by the reader.
const LIMIT: u64 = (1 << 20) + 1;

/// A topology's text, and where it came from.
pub struct Source {
    /// For messages.
    pub shown: String,
    /// The file; `None` for standard input.
    pub file: Option<Obeyed>,
    text: String,
    stem: String,
}

impl Source {
    /// Reads the topology that `wanted` names.
    ///
    /// # Errors
    /// H0302 when there is no such file, or it cannot be read.
    pub fn read(wanted: &OsStr) -> Result<Self, Failure> {
        if wanted == "-" {
            let bytes = take(std::io::stdin()).map_err(|error| unreadable("standard input", &error))?;
            return Self::new("standard input".to_owned(), "topology".to_owned(), bytes);
        }
        let path = find(wanted)?;
        let shown = escape(&path.to_string_lossy());
        let file = std::fs::File::open(&path).map_err(|error| unreadable(&shown, &error))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = std::path::absolute(&path).map_err(|error| unreadable(&shown, &error))?;
        let obeyed = Obeyed::new(path, &file);
        let bytes = take(file).map_err(|error| unreadable(&shown, &error))?;
        Ok(Source { file: Some(obeyed), ..Self::new(shown, stem, bytes)? })
    }

    fn new(shown: String, stem: String, bytes: Vec<u8>) -> Result<Self, Failure> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("{shown} is not UTF-8 text (first wrong byte at {at})");
            trouble("H0302", Exit::Topology, Phase::Plan, message, "save it as UTF-8")
        })?;
        Ok(Source { shown, file: None, text, stem })
    }

    /// What the text says.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn topology(&self) -> Result<Topology, Vec<Problem>> {
        topology::parse(&self.text, &self.stem)
    }

    /// Tells the problems. Gives the exit code.
    pub fn tell(&self, talk: &Talk, problems: &[Problem]) -> Exit {
        if talk.json {
            talk.json(&self.problems_json(problems));
        } else {
            let look = Look { width: talk.err.width, colour: talk.err.colour, unicode: talk.err.unicode };
            talk.say(&self.rendered(problems, look));
        }
        Exit::Topology
    }

    /// The problems for people, with the lines they are in.
    pub fn rendered(&self, problems: &[Problem], look: Look) -> String {
        problem::render(problems, &self.shown, &self.text, look)
    }

    /// The problems for machines.
    pub fn problems_json(&self, problems: &[Problem]) -> Value {
        problem::problems_json(problems, &self.shown, &self.text)
    }
}

/// The name of the topology that a person means by a name or a file.
///
/// # Errors
/// As for [`Source::read`], when it is a file.
pub fn name_of(wanted: &OsStr) -> Result<String, Failure> {
    let text = wanted.to_string_lossy();
    if !text.contains('/') && !text.ends_with(".json") {
        return Ok(text.into_owned());
    }
    let source = Source::read(wanted)?;
    Ok(source.topology().map_or(source.stem, |topology| topology.name))
}

/// A path as it is; a bare name among the places where topologies are kept.
fn find(wanted: &OsStr) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(wanted);
    let text = wanted.to_string_lossy();
    if text.contains('/') || text.ends_with(".json") || path.is_file() {
        return Ok(path);
    }
    let file = format!("{text}.json");
    let mut places = vec![PathBuf::from(&file), Path::new("topologies").join(&file)];
    if let Ok(base) = etcetera::choose_base_strategy() {
        places.push(base.config_dir().join("hopper").join(&file));
    }
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let looked: Vec<_> = places.iter().map(|place| escape(&place.to_string_lossy())).collect();
        let message = format!("there is no topology named \"{}\"", escape(&text));
        let mut failure = trouble("H0302", Exit::Topology, Phase::Plan, message, "");
        failure.facts.push(("looked at", looked.join("\n")));
        failure.help.push("give the path of a topology file, or - for standard input".to_owned());
        failure
    })
}

fn take(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(shown: &str, error: &std::io::Error) -> Failure {
    let message = format!("cannot read {shown}: {error}");
    trouble(
        "H0302",
        Exit::Topology,
        Phase::Plan,
        message,
        "give the path of a topology file, or - for standard input",
    )
}
