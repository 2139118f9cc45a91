//! Blame for a host key that was not accepted.

use super::TunnelBlame;
use crate::engine::{Exit, Failure, Phase};
use crate::ssh::HostKeyRefusal;
use crate::topology::escape;

impl TunnelBlame<'_> {
    /// A host key was not accepted.
    pub fn host_key(&self, refusal: &HostKeyRefusal) -> Failure {
        let server = self.server();
        let make = |code, message| self.failure(code, Exit::HostKey, Phase::Keys, message);
        let seen = format!("from {}, dialled by {}", self.tunnel.target, self.dialler());
        let mut failure = match refusal {
            HostKeyRefusal::Changed { presented, known, file, line } => {
                let mut failure = make("H0501", format!("{server} shows a different host key than before"));
                failure.facts.push(("known", format!("{known}   {}:{line}", file.display())));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push((
                    "meaning",
                    format!("{server} was reinstalled, or something answers in its place"),
                ));
                failure.help.push(format!(
                    "read the real fingerprint on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure.help.push(format!(
                    "only if it is {}, correct {}:{line}",
                    presented.sha256,
                    file.display()
                ));
                failure
            }
            HostKeyRefusal::Unknown { presented, line, names, files } => {
                let mut failure = make("H0502", format!("the host key of {server} is not known"));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push(("looked up", names.join(", ")));
                failure.help.push(format!(
                    "compare it on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure.help.push(format!(
                    "if it is the same, pin it in the file: \"{server}\": {{ …, \"host_key\": {{ \"fingerprint\": \"{}\" }} }}",
                    presented.sha256
                ));
                if let (Some(file), Some(name)) = (files.first(), names.first()) {
                    failure.help.push(format!("or add this line to {}: {name} {line}", file.display()));
                }
                failure
            }
            HostKeyRefusal::Revoked { presented, file, line } => {
                let mut failure = make("H0503", format!("{server} shows a host key that was revoked"));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push(("revoked", format!("{}:{line}", file.display())));
                failure.help.push(format!("ask whoever runs {server}; a revoked key is never accepted"));
                failure
            }
            HostKeyRefusal::NotPinned { presented, pins } => {
                let mut failure =
                    make("H0504", format!("{server} does not show the host key that the file pins"));
                failure.facts.push(("pinned", escape(&pins.join(", "))));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.help.push(format!(
                    "read the real fingerprint on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure.help.push(format!("pin the fingerprint of its {} key", presented.algorithm));
                failure
            }
            HostKeyRefusal::Unreadable { file, cause } => {
                let mut failure = make("H0505", format!("cannot tell whether {server} is the right host"));
                failure.facts.push(("cause", format!("{}: {cause}", file.display())));
                failure.help.push(format!("make {} readable, or remove it", file.display()));
                failure
            }
            HostKeyRefusal::Certificate => {
                let message = format!("{server} shows a host certificate, which hopper did not ask for");
                let mut failure = make("H0507", message);
                failure.help.push(format!(
                    "have {server} show a plain host key as well (HostKey in its sshd_config)"
                ));
                failure
            }
        };
        failure.facts.push(("sent", format!("nothing was sent to {server}: no name, no key, no password")));
        failure
    }
}
