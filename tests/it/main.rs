//! The integration tests: the real binary against the lab and against wrong files.
