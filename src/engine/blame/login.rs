//! Blame for a login that the server did not let happen: what was offered, what it takes, and what would
//! have been needed.

use super::tunnel::TunnelBlame;
use crate::engine::{Exit, Failure, Phase};
use crate::ssh::LoginRefusal;
use crate::topology::{AuthMethod, escape};

impl TunnelBlame<'_> {
    pub(super) fn login(&self, refusal: LoginRefusal) -> Failure {
        let server = self.server();
        let (code, message) = if !refusal.needed.is_empty() {
            let why =
                if refusal.wrong_answer { "what was given does not fit" } else { "nobody could be asked" };
            ("H0402", format!("{server} needs {}, and {why}", refusal.needed.join(" and ")))
        } else if refusal.secret_missing {
            ("H0405", format!("a secret for {server} could not be had from where it is kept"))
        } else if !refusal.was_asked {
            ("H0401", format!("there is nothing to log in to {server} with"))
        } else if refusal.accepted.is_empty() {
            ("H0401", format!("{server} refused every way to log in"))
        } else {
            (
                "H0401",
                format!("{server} took a part of the login and wants {} too", refusal.accepts.join(" or ")),
            )
        };
        let mut failure = self.failure(code, Exit::Login, Phase::Login, message);
        failure.facts.push(("as", escape(&refusal.user)));
        for (what, outcome) in &refusal.offered {
            failure.facts.push(("offered", format!("{what}   {outcome}")));
        }
        for wanted in &refusal.needed {
            failure.facts.push(("needed", wanted.clone()));
        }
        if let Some(ending) = &refusal.ending {
            failure.facts.push(("it said", ending.clone()));
        }
        if !refusal.accepts.is_empty() {
            failure.facts.push(("accepts", escape(&refusal.accepts.join(", "))));
        }
        failure.help = self.login_help(&refusal);
        failure
    }

    fn login_help(&self, refusal: &LoginRefusal) -> Vec<String> {
        let server = self.server();
        let mut help = Vec::new();
        if !refusal.needed.is_empty() {
            help.push(
                "run it in a terminal to be asked, or load a locked key first: ssh-add FILE".to_owned(),
            );
            help.push(format!(
                "or let it wait: hopper up -d --unlock-within 10m FILE, and then hopper unlock {}",
                self.plan.topology
            ));
            help.push(format!(
                "or say where it is kept: \"{server}\": {{ …, \"secret\": {{ \"command\": [\"pass\", \"show\", \"NAME\"] }} }}"
            ));
            return help;
        }
        if refusal.secret_missing {
            help.push(format!("look at the \"secret\" of {server} in the file"));
            return help;
        }
        let also = self.methods_left_out(refusal);
        if let Some(first) = also.first() {
            let words = self.tunnel.server.auth.iter().map(|method| method.as_str()).chain([*first]);
            let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
            help.push(format!(
                "{server} also takes {}; allow it: \"{server}\": {{ …, \"auth\": [{}] }}",
                also.join(" and "),
                words.join(", ")
            ));
        }
        if !refusal.accepted.is_empty() {
            help.push("what was taken is right; add what it wants too".to_owned());
            return help;
        }
        if refusal.hung_up && refusal.offered.len() > 1 {
            help.push(format!(
                "it counts what it is offered; name the one key for it: \"{server}\": {{ …, \"identities\": [\"~/.ssh/KEY\"] }}"
            ));
        } else if self.tunnel.server.identities.is_empty() {
            help.push(format!(
                "name the key for this host: \"{server}\": {{ …, \"identities\": [\"~/.ssh/KEY\"] }}"
            ));
        }
        help.push(match refusal.was_asked {
            true => format!("or have {server}'s authorized_keys take one of the keys offered"),
            false => format!("or make one and have {server} take it: ssh-keygen -t ed25519"),
        });
        if refusal.was_asked {
            help.push("try the same with OpenSSH, as  hopper plan FILE --ssh  shows, and -v".to_owned());
            help.push("it is not tried again: repeated failures can get this address blocked".to_owned());
        }
        help
    }

    /// The ways that the server takes, that hopper knows, and that the file does not allow.
    fn methods_left_out(&self, refusal: &LoginRefusal) -> Vec<&'static str> {
        let allowed = |word: &str| self.tunnel.server.auth.iter().any(|method| method.on_the_wire() == word);
        [AuthMethod::KeyboardInteractive, AuthMethod::Password, AuthMethod::Key]
            .into_iter()
            .filter(|method| {
                let wire = method.on_the_wire();
                refusal.accepts.iter().any(|accepted| accepted == wire) && !allowed(wire)
            })
            .map(AuthMethod::as_str)
            .collect()
    }
}
