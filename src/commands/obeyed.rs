//! The file that a run obeys, and when that had last been written when it was read. Reads nothing of it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::engine::FileStatus;

/// A file that was read, for as long as somebody obeys it.
#[derive(Clone)]
pub struct Obeyed {
    path: PathBuf,
    /// Shared: a run that reads its file again obeys a later state of it.
    modified: Arc<Mutex<Option<SystemTime>>>,
}

impl Obeyed {
    /// An open file that is about to be read.
    pub fn new(path: PathBuf, file: &File) -> Self {
        let modified = file.metadata().and_then(|known| known.modified()).ok();
        Obeyed { path, modified: Arc::new(Mutex::new(modified)) }
    }

    /// Where it is from whatever folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on what was read later is obeyed.
    pub fn follow(&self, later: &Obeyed) {
        let modified = *later.modified.lock().unwrap_or_else(PoisonError::into_inner);
        *self.modified.lock().unwrap_or_else(PoisonError::into_inner) = modified;
    }

    /// For `status`; `None` where the system does not tell, or the path is no text.
    pub fn status(&self) -> Option<FileStatus> {
        let modified = (*self.modified.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(FileStatus { path: self.path.to_str()?.to_owned(), modified, changed: None })
    }
}

/// Whether a file is another one than when it was read, or gone.
pub fn is_changed(file: &FileStatus) -> bool {
    let now = std::fs::metadata(&file.path).and_then(|known| known.modified());
    now.ok() != Some(file.modified)
}
