//! The integration tests: the real binary against the lab and against wrong files. They need neither
//! root nor sshd, contact nobody, and run side by side: each has a home of its own.

mod autossh;
mod bulk;
mod client;
mod control;
mod degraded;
mod descriptors;
mod detached;
mod diff;
mod ending;
mod events;
mod explain;
mod far_listener;
mod files;
mod forms;
mod golden;
mod home;
mod lab;
mod pictures;
mod quiet;
mod reading;
mod reload;
mod running;
mod simulation;
mod ssh_config;
mod telescoped;
mod until;
