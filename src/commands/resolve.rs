//! The step between reading a topology and planning it: hosts are looked up in the person's ssh configuration, by
//! the installed `ssh`, or where there is none by reading its files. The file stands above that; nobody is contacted.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use super::unresolved::{cannot, circle, needs_command, unanswered, unusable};
use super::{Ended, Talk, person, trouble};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{Plan, PlanError, show};
use crate::ssh::{ConfigFile, ConfigFiles, NoAnswer, OpenSsh};
use crate::topology::{HostId, JumpLoop, Person, Resolved, Resolving, SshSettings, Topology, escape};

/// How many hosts in a row a `ProxyJump` may bring in, each behind the one before.
const DEPTH: usize = 16;

/// Looks every host up that wants it, and whoever their jumps bring in.
///
/// # Errors
/// H0311 when the configuration cannot be used for a host.
pub fn resolve(topology: Topology) -> Result<Resolved, Failure> {
    let home = person::home();
    let config = config_file(home.as_deref(), person::passwd_home().as_deref());
    if config == ConfigFile::Nothing || topology.looked_up().next().is_none() {
        return Ok(Resolved::as_it_is(topology));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        trouble("H0304", Exit::Other, Phase::Control, format!("cannot start: {error}"), "")
    })?;
    let home = home.unwrap_or_default().to_string_lossy().into_owned();
    runtime.block_on(look_up(topology, OpenSsh::new(config), &home))
}

async fn look_up(topology: Topology, ssh: OpenSsh, home: &str) -> Result<Resolved, Failure> {
    let user = person::login_name().unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    let person = Person { home, user: &user, variable: &variable };
    let (mut asked, without) = match ssh.without_configuration().await {
        Ok(without) => (Asked::Ssh(ssh), without),
        Err(NoAnswer::Missing) => {
            let files = ConfigFiles::read(ssh.config(), Path::new(home));
            let files = files.map_err(|error| unanswered("any host", &error))?;
            let without = files.without(&person);
            (Asked::Files(files), without)
        }
        Err(error) => return Err(unanswered("any host", &error)),
    };
    let mut resolving = Resolving::new(topology);
    for _ in 0..DEPTH {
        let lookups = resolving.lookups();
        if lookups.is_empty() {
            let mut resolved = resolving.finish().map_err(|JumpLoop(way)| circle(&way))?;
            if matches!(asked, Asked::Files(_)) {
                let note = "there is no ssh here: hopper read your ssh configuration by itself";
                resolved.notes.push(note.to_owned());
            }
            return Ok(resolved);
        }
        let answers = match &mut asked {
            Asked::Ssh(ssh) => ssh.ask(&lookups).await,
            Asked::Files(files) => lookups.iter().map(|lookup| files.answer(lookup, &person)).collect(),
        };
        for (lookup, answer) in lookups.iter().zip(answers) {
            let answer = answer.map_err(|error| unanswered(lookup.host.as_str(), &error))?;
            let settings = SshSettings::read(&answer, &without, &lookup.name, &person)
                .map_err(|unusable| cannot(lookup, &unusable))?;
            tracing::debug!(host = %lookup.host, settings = ?settings.names(), "looked up");
            resolving.take(&lookup.host, &settings);
        }
    }
    let message = format!("the jumps of your ssh configuration lead more than {DEPTH} hosts deep");
    Err(unusable(message, "look at the ProxyJump lines in ~/.ssh/config".to_owned()))
}

/// Who knows what the configuration says.
enum Asked {
    Ssh(OpenSsh),
    Files(ConfigFiles),
}

/// `ssh` takes the home folder from the system and never from `HOME`; where the two differ, it is told.
fn config_file(home: Option<&Path>, passwd_home: Option<&Path>) -> ConfigFile {
    let own = home.map(|home| home.join(".ssh/config")).filter(|file| file.is_file());
    match (own, home == passwd_home || passwd_home.is_none()) {
        (None, true) if !Path::new("/etc/ssh/ssh_config").is_file() => ConfigFile::Nothing,
        (_, true) => ConfigFile::Usual,
        (Some(file), false) => ConfigFile::This(file),
        (None, false) => ConfigFile::Nothing,
    }
}

/// A topology that is about to be planned, and whether its hosts were looked up.
pub struct Found {
    /// The topology, as far as it is known.
    pub resolved: Resolved,
    /// Hosts that `up` would look up, and nobody did.
    unknown: Vec<HostId>,
}

/// Looks hosts up if that is wanted.
///
/// # Errors
/// As for [`resolve`].
pub fn found(talk: &Talk, topology: Topology, wanted: bool) -> Result<Found, Failure> {
    if !wanted {
        let unknown = topology.looked_up().map(|host| host.id.clone()).collect();
        return Ok(Found { resolved: Resolved::as_it_is(topology), unknown });
    }
    let resolved = resolve(topology)?;
    if !talk.json {
        tell_taken(talk, &resolved);
        tell(talk, &resolved);
    }
    Ok(Found { resolved, unknown: Vec::new() })
}

impl Found {
    /// Says for which hosts `up` may do something else than was shown, since it looks them up.
    pub fn tell(&self, talk: &Talk, file: &OsStr) {
        self.tell_of(&self.unknown.iter().collect::<Vec<_>>(), talk, file);
    }

    fn tell_of(&self, unknown: &[&HostId], talk: &Talk, file: &OsStr) {
        /// Hosts that are named before the rest is counted.
        const NAMED: usize = 6;
        if unknown.is_empty() {
            return;
        }
        let named: Vec<&str> = unknown.iter().take(NAMED).map(|host| host.as_str()).collect();
        let more = match unknown.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "up also asks your ssh configuration about {}{more}. To plan with that: hopper plan --resolve {}",
            named.join(", "),
            file.to_string_lossy()
        );
        talk.say(&format!("{}\n", show::fold(&escape(&text), 0, 2, talk.err.width).join("\n")));
    }

    /// Puts the same into what machines read.
    pub fn mark(&self, mut plan: Value) -> Value {
        plan["not_looked_up"] = self.unknown.iter().map(HostId::as_str).collect();
        plan
    }

    /// Tells why there is no plan, and which hosts a `ProxyJump` might still lead to.
    ///
    /// # Errors
    /// As for [`no_plan`].
    pub fn no_plan(&self, talk: &Talk, file: &OsStr, errors: &[PlanError]) -> Ended {
        let exit = no_plan(talk, &self.resolved, errors)?;
        if !talk.json {
            let lone = self.unknown.iter().filter(|host| !self.resolved.is_led_to(host));
            self.tell_of(&lone.collect::<Vec<_>>(), talk, file);
        }
        Ok(exit)
    }
}

/// Says what was left out.
pub fn tell(talk: &Talk, resolved: &Resolved) {
    for note in &resolved.notes {
        let line = format!("note: {}", escape(note));
        talk.say(&format!("{}\n", show::fold(&line, 0, 6, talk.err.width).join("\n")));
    }
}

/// Says what was taken over, host by host.
fn tell_taken(talk: &Talk, resolved: &Resolved) {
    for (host, names) in &resolved.taken {
        let line = format!("{host}: {} from your ssh configuration", names.join(", "));
        talk.say(&format!("{}\n", show::fold(&escape(&line), 0, 2, talk.err.width).join("\n")));
    }
}

/// Refuses a plan in which local dials a host that only a program of the person's reaches.
///
/// # Errors
/// H0312.
pub fn refuse_commands(resolved: &Resolved, plan: &Plan) -> Result<(), Failure> {
    let dialled = plan.tunnels.iter().filter(|tunnel| tunnel.through.is_none() && tunnel.client.is_local());
    let by_command =
        dialled.map(|tunnel| &tunnel.server.id).find(|host| resolved.by_command.contains_key(host));
    by_command.map_or(Ok(()), |host| Err(needs_command(resolved, host)))
}

/// Tells why there is no plan: where a forward cannot get to a host that only a program reaches, that is why.
///
/// # Errors
/// H0312.
pub fn no_plan(talk: &Talk, resolved: &Resolved, errors: &[PlanError]) -> Ended {
    needs_a_command(resolved).map_or_else(|| Ok(talk.no_plan(errors)), Err)
}

/// H0312 for a host that no link leads to, and only a program reaches.
pub fn needs_a_command(resolved: &Resolved) -> Option<Failure> {
    let host = resolved.by_command.keys().find(|host| !resolved.is_led_to(host))?;
    Some(needs_command(resolved, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::PathBuf;

    #[test]
    fn ssh_is_told_which_configuration_only_where_it_would_not_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let (home, other) = (folder.path(), Path::new("/somewhere/else"));
        assert_eq!(config_file(Some(home), Some(other)), ConfigFile::Nothing);
        std::fs::create_dir(home.join(".ssh")).unwrap();
        let file: PathBuf = home.join(".ssh/config");
        std::fs::write(&file, "").unwrap();
        assert_eq!(config_file(Some(home), Some(other)), ConfigFile::This(file));
        assert_eq!(config_file(Some(home), Some(home)), ConfigFile::Usual);
        assert_eq!(config_file(Some(home), None), ConfigFile::Usual);
    }
}
