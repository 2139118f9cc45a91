//! Why the last client of a forward got no far end. Keeps one reason; never counts.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ssh::DialError;

/// The last refusal, shared by all clients of a forward.
#[derive(Clone, Default)]
pub(super) struct LastRefusal(Arc<Mutex<Option<DialError>>>);

impl LastRefusal {
    /// Why the last client that got no far end got none.
    pub fn get(&self) -> Option<DialError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes and logs a refusal. A client that tries again and again must not fill the log.
    pub fn note(&self, error: DialError) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&error) {
            tracing::warn!(%error, "no far end for a client");
        }
        *last = Some(error);
    }
}
