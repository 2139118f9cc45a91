//! Which runs are there, by their files. Asks none of them anything.

use std::collections::BTreeSet;

use super::folder::Folder;
use super::{Dirs, Place, failure};
use crate::engine::Failure;

/// A run that left files in the runtime folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The topology's name.
    pub name: String,
    /// Whether it lives; otherwise its files are remains that `down` removes.
    pub running: bool,
}

/// Every run with files in the runtime folder, sorted by name.
///
/// # Errors
/// H0903 for an unsafe folder, H0908 when it cannot be read.
pub fn list_running(dirs: &Dirs) -> Result<Vec<Found>, Failure> {
    let Some(folder) = Folder::open(&dirs.runtime)? else { return Ok(Vec::new()) };
    let names = folder.names().map_err(|error| failure::files(&dirs.runtime, error))?;
    let names: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".sock").or_else(|| name.strip_suffix(".lock")))
        .collect();
    let mut found = Vec::new();
    for name in names {
        // A file with a name that hopper never gives is not a run's.
        let Ok(place) = Place::new(dirs, name) else { continue };
        found.push(Found { name: name.to_owned(), running: place.is_running()? });
    }
    Ok(found)
}
