//! What `ssh -G` prints for a name, as settings. It prints every setting with its value, whether or not anybody
//! wrote it anywhere; so only what differs from what it prints without any configuration counts. All of it is
//! foreign text: what does not look as it should is no setting.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::tokens::Tokens;
use super::{Jump, SshSettings};
use crate::topology::AlgorithmKind;
use crate::topology::read::{is_host, is_path, is_user};

/// Who asks.
pub struct Person<'a> {
    /// The home folder.
    pub home: &'a str,
    /// The login name on this machine.
    pub user: &'a str,
    /// The variables of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Why hopper cannot do what a configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// A value is not what it should be: the setting and its value.
    Value(String, String),
    /// It allows only algorithms that hopper does not have.
    Algorithms(AlgorithmKind, String),
}

/// Settings by their names in lower case; a name may come more than once.
type Lines<'t> = HashMap<&'t str, Vec<&'t str>>;

impl SshSettings {
    /// Reads what `ssh -G` printed for the name `asked`, and what it prints without any configuration.
    ///
    /// # Errors
    /// What hopper cannot do as the configuration wants it.
    pub fn read(answer: &str, without: &str, asked: &str, person: &Person<'_>) -> Result<Self, Unusable> {
        let (said, usual) = (lines(answer), lines(without));
        let one = |key: &str| said.get(key).and_then(|values| values.first()).copied();
        // What counts: a value that nobody would get without a configuration.
        let own = |key: &'static str| one(key).filter(|_| said.get(key) != usual.get(key));
        let number = |key: &'static str| -> Result<Option<u16>, Unusable> {
            let read = |value: &str| value.parse().map_err(|_| wrong(key, value));
            own(key).map(read).transpose()
        };
        let checked = |key: &'static str, is_right: fn(&str) -> bool| match own(key) {
            Some(value) if !is_right(value) => Err(wrong(key, value)),
            value => Ok(value.map(str::to_owned)),
        };
        let host_name = one("hostname").filter(|name| !name.eq_ignore_ascii_case(asked));
        if let Some(name) = host_name.filter(|name| !is_host(name)) {
            return Err(wrong("hostname", name));
        }
        let host_key_alias = checked("hostkeyalias", is_host)?;
        let tokens = Tokens {
            person,
            asked,
            host: one("hostname").unwrap_or(asked),
            port: one("port").unwrap_or("22"),
            user: one("user").unwrap_or(person.user),
            key_alias: host_key_alias.as_deref().unwrap_or(asked),
        };
        let mut settings = SshSettings {
            host_name: host_name.map(str::to_owned),
            user: checked("user", is_user)?,
            port: number("port")?,
            identities_only: own("identitiesonly").map(|value| value == "yes"),
            alive_interval: number("serveraliveinterval")?.map(|seconds| Duration::from_secs(seconds.into())),
            alive_max: number("serveralivecountmax")?.map(usize::from),
            algorithms: algorithms(&said, &usual)?,
            jumps: own("proxyjump").filter(|value| *value != "none").map_or(Ok(Vec::new()), jumps)?,
            proxy_command: own("proxycommand").filter(|value| *value != "none").map(program),
            host_key_alias: host_key_alias.clone(),
            ..SshSettings::default()
        };
        settings.take_files(&said, &usual, &tokens);
        Ok(settings)
    }

    fn take_files(&mut self, said: &Lines<'_>, usual: &Lines<'_>, tokens: &Tokens<'_>) {
        let differs = |key: &str| said.contains_key(key) && said.get(key) != usual.get(key);
        if differs("identityfile") {
            let named: Vec<_> = said["identityfile"].iter().filter(|file| !is_none(file)).collect();
            let files: Vec<_> =
                named.iter().filter_map(|file| self.path("IdentityFile", file, tokens)).collect();
            self.identities = (named.is_empty() || !files.is_empty()).then_some(files);
        }
        if differs("userknownhostsfile") || differs("globalknownhostsfile") {
            let files = |key: &str, usual: [&str; 2]| -> Vec<String> {
                match said.get(key).filter(|_| differs(key)) {
                    // In one line; a path with a space in it cannot be told from two.
                    Some(lines) => {
                        lines.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect()
                    }
                    None => usual.map(str::to_owned).to_vec(),
                }
            };
            let own = files("userknownhostsfile", ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]);
            let global =
                files("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]);
            let named = own.iter().chain(&global).filter(|file| !is_none(file));
            let files = named.filter_map(|file| self.path("UserKnownHostsFile", file, tokens)).collect();
            self.known_hosts = Some(files);
        }
        for file in said.get("revokedhostkeys").into_iter().flatten().filter(|file| !is_none(file)) {
            let instead = "hopper does not read it; what counts is an @revoked line of known_hosts";
            self.left_out.push(format!("RevokedHostKeys {file}: {instead}"));
        }
        match said.get("identityagent").and_then(|values| values.first()).copied() {
            Some("none") => self.no_agent = true,
            Some("SSH_AUTH_SOCK") | None => {}
            Some(other) => self.agent = self.path("IdentityAgent", other, tokens),
        }
        let files = said.get("certificatefile").into_iter().flatten().filter(|file| !is_none(file));
        self.certificates = files.filter_map(|file| self.path("CertificateFile", file, tokens)).collect();
    }

    /// The path with its tokens put in; `None` is noted.
    fn path(&mut self, key: &str, path: &str, tokens: &Tokens<'_>) -> Option<String> {
        match tokens.expand(path) {
            Ok(path) if is_path(&path) => Some(path),
            Ok(_) => {
                self.left_out.push(format!("{key} {path}: not a path"));
                None
            }
            Err(unknown) => {
                self.left_out.push(format!("{key} {path}: hopper does not know {unknown}"));
                None
            }
        }
    }
}

fn lines(text: &str) -> Lines<'_> {
    let mut lines = Lines::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        lines.entry(key).or_default().push(value.trim());
    }
    lines
}

/// No file, as `ssh` understands it.
fn is_none(file: &str) -> bool {
    file.eq_ignore_ascii_case("none")
}

fn wrong(key: &str, value: &str) -> Unusable {
    Unusable::Value(key.to_owned(), value.to_owned())
}

/// The program of a command: neither what is set for it before, nor what it is given; both may hold what is nobody's
/// business. What only a shell could take apart is not guessed at.
fn program(command: &str) -> String {
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+~".contains(c));
    let odd =
        |word: &&str| word.contains(['"', '\'', '\\', '$', '`', ';', '&', '|', '<', '>', '(', ')', '{', '}']);
    let mut words = command.split_whitespace().peekable();
    while words.next_if(|word| *word == "exec" || (word.contains('=') && !odd(word))).is_some() {}
    words.next().filter(plain).unwrap_or("a shell command").to_owned()
}

/// Of each kind that somebody changed, what hopper has. What is broken or nearly so counts only when it was
/// asked for: when it is not among OpenSSH's own choice, or nothing else is left.
fn algorithms(
    said: &Lines<'_>,
    usual: &Lines<'_>,
) -> Result<BTreeMap<AlgorithmKind, Vec<&'static str>>, Unusable> {
    let mut all = BTreeMap::new();
    for kind in AlgorithmKind::ALL {
        let key = kind.openssh_option().to_ascii_lowercase();
        let list = |lines: &Lines<'_>| lines.get(key.as_str()).map(|values| values.concat());
        let (Some(wanted), before) = (list(said), list(usual).unwrap_or_default()) else { continue };
        if wanted == before {
            continue;
        }
        let usual: Vec<&str> = before.split(',').collect();
        let known: Vec<&'static str> = wanted.split(',').filter_map(|name| kind.find(name)).collect();
        let asked = |name: &&&'static str| !kind.legacy().contains(name) || !usual.contains(name);
        let mut taken: Vec<&'static str> = known.iter().filter(asked).copied().collect();
        if taken.is_empty() {
            taken = known;
        }
        if taken.is_empty() {
            return Err(Unusable::Algorithms(kind, wanted));
        }
        all.insert(kind, taken);
    }
    Ok(all)
}

/// `[user@]host[:port],…`, each perhaps as `ssh://…`.
fn jumps(value: &str) -> Result<Vec<Jump>, Unusable> {
    value.split(',').map(|jump| self::jump(jump).ok_or_else(|| wrong("proxyjump", value))).collect()
}

fn jump(text: &str) -> Option<Jump> {
    let text = text.trim().trim_start_matches("ssh://").trim_end_matches('/');
    let (user, address) = match text.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, text),
    };
    let (host, port) = match address.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match address.split_once(':') {
            // More than one colon is an IPv6 address without brackets.
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (address, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
        None => None,
    };
    let fits = is_host(host) && user.is_none_or(is_user);
    fits.then(|| Jump { user: user.map(str::to_owned), host: host.to_owned(), port })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
