//! How the chain lives: settings that belong to no single host, link or forward.

/// Settings of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where SSH clients run.
    pub strategy: Strategy,
    /// How many tunnels of one layer are opened at a time; at least 1.
    pub parallel: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { strategy: Strategy::Nested, parallel: 8 }
    }
}

/// Where SSH clients run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Every client is local; each tunnel rides the one before it.
    #[default]
    Nested,
    /// Clients sit where they save tunnels: on hosts in between that allow it.
    Telescoped,
}

impl Strategy {
    /// The word the file and the plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Nested => "nested",
            Strategy::Telescoped => "telescoped",
        }
    }
}
