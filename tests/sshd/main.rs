//! hopper, and the rooms below it, against real OpenSSH servers, real firewalls and a real screen, in network namespaces.
//!
//! Needs root and the packages that `tests/run` installs. Where it cannot run, every test prints
//! `skipped:` and why; with `HOPPER_REQUIRE_ALL` set that is a failure. Run it with few threads:
//! `tests/run` does.

mod accounts;
mod agents;
mod algorithms;
mod bed;
mod broken;
mod bulk;
mod by_hand;
mod canary;
mod certificates;
mod chain;
mod client;
mod command;
mod control;
mod descriptors;
mod dropbear;
mod ending;
mod exec;
mod far_listener;
mod faults;
mod freeze;
mod goodbye;
mod grants;
mod hopper;
mod host_keys;
mod hostile;
mod hostile_agent;
mod hostile_server;
mod hostile_session;
mod inside;
mod kept;
mod keyring;
mod keys;
mod lane_logins;
mod lanes;
mod left;
mod lent_agent;
mod load;
mod login;
mod loop_check;
mod network;
mod reference;
mod refused;
mod reload;
mod remote;
mod rotation;
mod rows;
mod security_key;
mod soak;
mod ssh_config;
mod sshd;
mod telescope;
mod telescoped_by_hand;
mod telescoped_grants;
mod topology;
mod trust;
mod trust_walk;
mod typed;
mod unlock;
mod until;
mod vnc;
