//! The settings of a name while its configuration is gone through: the first value counts, files add up. Gives them
//! in the words of `ssh -G`.

use std::collections::BTreeMap;

use super::algorithm_list::{changed, printed, usual};
use super::condition::Applies;
use super::is_ignored;
use super::keyword::Keyword;
use super::line::Line;
use crate::topology::AlgorithmKind;

/// What is known so far.
#[derive(Debug, Default)]
pub struct Values {
    /// By the names in what `ssh -G` prints.
    settings: BTreeMap<&'static str, String>,
    /// Each with its setting, and whether the person's own file names it.
    files: Vec<(&'static str, bool, String)>,
    ignore_unknown: Option<String>,
    canonicalize: Option<String>,
}

impl Values {
    /// What whoever asks has settled already.
    pub fn given(user: Option<&str>, port: Option<u16>) -> Self {
        let user = user.map(|user| ("user", user.to_owned()));
        let port = port.map(|port| ("port", port.to_string()));
        Values { settings: user.into_iter().chain(port).collect(), ..Values::default() }
    }

    /// What is so without any configuration. Algorithms are hopper's own, and those SHA-1 MACs that `ssh` still has.
    pub fn usual(local_user: &str) -> String {
        let mut values = Values::given(Some(local_user), Some(22));
        for (setting, value) in [
            ("identitiesonly", "no"),
            ("serveraliveinterval", "0"),
            ("serveralivecountmax", "3"),
            ("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"),
            ("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
        ] {
            values.settings.insert(setting, value.to_owned());
        }
        for kind in AlgorithmKind::ALL {
            values.settings.insert(printed(kind), usual(kind).join(","));
        }
        values.text()
    }

    /// Whom to log in as, where that is settled.
    pub fn user(&self) -> Option<&str> {
        self.settings.get("user").map(String::as_str)
    }

    /// The name of the host that was asked for as `asked`; a token that `ssh` refuses was refused before.
    pub fn host(&self, asked: &str) -> String {
        let name = self.settings.get("hostname").map(|name| expanded(name, asked));
        name.flatten().unwrap_or_else(|| asked.to_owned())
    }

    /// Takes the name for good.
    pub fn settle_host(&mut self, host: &str) {
        self.settings.insert("hostname", host.to_ascii_lowercase());
    }

    /// What `ssh -G` would print.
    pub fn answer(mut self, host: &str) -> String {
        self.settle_host(host);
        self.text()
    }

    fn text(&self) -> String {
        let settings = self.settings.iter().map(|(setting, value)| format!("{setting} {value}\n"));
        let files = self.files.iter().map(|(setting, _, file)| format!("{setting} {file}\n"));
        settings.chain(files).collect()
    }

    /// Takes what a line says.
    ///
    /// # Errors
    /// What of it hopper cannot do as `ssh` would.
    pub fn take(
        &mut self,
        keyword: Keyword,
        line: &Line,
        is_own: bool,
        applies: &Applies,
    ) -> Result<(), String> {
        if keyword == Keyword::Ignored || self.is_settled(keyword) {
            return Ok(());
        }
        if keyword == Keyword::Unknown && is_ignored(self.ignore_unknown.as_deref(), &line.keyword) {
            return Ok(());
        }
        if let Applies::Unsure(why) = applies {
            return Err(format!("whether {} counts here is not known: {why}", line.keyword));
        }
        match keyword {
            Keyword::Unknown => return Err(format!("hopper does not know {}", line.keyword)),
            Keyword::Word(setting) => {
                let value = one(line)?;
                if setting == "hostname" && expanded(value, "").is_none() {
                    return Err(format!("hopper does not know a token in HostName {value}"));
                }
                let value =
                    if setting == "hostkeyalias" { value.to_ascii_lowercase() } else { value.to_owned() };
                self.settings.insert(setting, value);
            }
            Keyword::Port => {
                let port = one(line)?.parse::<u16>().ok().filter(|port| *port > 0);
                self.settings.insert("port", port.ok_or_else(|| no_value(line))?.to_string());
            }
            Keyword::Flag(setting) => {
                self.settings.insert(setting, if flag(line)? { "yes" } else { "no" }.to_owned());
            }
            Keyword::Time(setting) => {
                let seconds = seconds(one(line)?).ok_or_else(|| no_value(line))?;
                self.settings.insert(setting, seconds.to_string());
            }
            Keyword::Number(setting) => {
                let number = one(line)?.parse::<u32>().map_err(|_| no_value(line))?;
                self.settings.insert(setting, number.to_string());
            }
            Keyword::Files(setting) => {
                let is_odd = |file: &String| file.is_empty() || file.contains([' ', '\t', '\u{fffd}']);
                let is_none = |file: &String| file.eq_ignore_ascii_case("none");
                if line.words.is_empty()
                    || line.words.iter().any(is_odd)
                    || (line.words.len() > 1 && line.words.iter().any(is_none))
                {
                    return Err(no_value(line));
                }
                self.settings.insert(setting, line.words.join(" "));
            }
            Keyword::File(setting) => {
                let file = (setting, is_own, one(line)?.to_owned());
                if !self.files.contains(&file) {
                    self.files.push(file);
                }
            }
            Keyword::Algorithms(kind) => {
                let list = changed(kind, one(line)?).ok_or_else(|| no_value(line))?;
                self.settings.insert(printed(kind), list.join(","));
            }
            Keyword::Proxy(setting) => {
                let value = line.rest.trim_start_matches([' ', '\t', '=']);
                if value.is_empty() || value.contains('\u{fffd}') {
                    return Err(no_value(line));
                }
                let is_none = value.eq_ignore_ascii_case("none");
                self.settings.insert(setting, if is_none { "none" } else { value }.to_owned());
            }
            Keyword::Canonicalize => {
                let value = one(line)?.to_ascii_lowercase();
                if !matches!(value.as_str(), "no" | "false") {
                    return Err("CanonicalizeHostname asks name servers, which hopper does not do".to_owned());
                }
                self.canonicalize = Some(value);
            }
            Keyword::IgnoreUnknown => self.ignore_unknown = Some(one(line)?.to_owned()),
            Keyword::Host | Keyword::Match | Keyword::Include | Keyword::Ignored => {}
        }
        Ok(())
    }

    /// Whether an earlier value counts.
    fn is_settled(&self, keyword: Keyword) -> bool {
        match keyword {
            Keyword::Word(setting)
            | Keyword::Flag(setting)
            | Keyword::Time(setting)
            | Keyword::Number(setting)
            | Keyword::Files(setting) => self.settings.contains_key(setting),
            Keyword::Port => self.settings.contains_key("port"),
            Keyword::Algorithms(kind) => self.settings.contains_key(printed(kind)),
            Keyword::Proxy(setting) => {
                // A jump of none keeps later jumps out, and no command.
                let jump =
                    self.settings.get("proxyjump").filter(|jump| setting == "proxyjump" || *jump != "none");
                jump.is_some() || self.settings.contains_key("proxycommand")
            }
            Keyword::Canonicalize => self.canonicalize.is_some(),
            Keyword::IgnoreUnknown => self.ignore_unknown.is_some(),
            _ => false,
        }
    }
}

/// The only word of a line.
fn one(line: &Line) -> Result<&str, String> {
    match line.words.as_slice() {
        [word] if !word.is_empty() && !word.contains('\u{fffd}') => Ok(word),
        _ => Err(no_value(line)),
    }
}

fn no_value(line: &Line) -> String {
    format!("{} cannot be {}", line.keyword, line.rest)
}

fn flag(line: &Line) -> Result<bool, String> {
    match one(line)?.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(no_value(line)),
    }
}

/// A name with `%h` and `%%` put in; `None` where another token stands.
fn expanded(name: &str, asked: &str) -> Option<String> {
    let mut pieces = name.split('%');
    let mut expanded = pieces.next().unwrap_or_default().to_owned();
    while let Some(piece) = pieces.next() {
        match piece.strip_prefix('h') {
            Some(after) => {
                expanded.push_str(asked);
                expanded.push_str(after);
            }
            None if piece.is_empty() => {
                expanded.push('%');
                expanded.push_str(pieces.next()?);
            }
            None => return None,
        }
    }
    Some(expanded)
}

/// A time in seconds: `90`, `1m30s`, up to weeks (sshd_config(5), TIME FORMATS).
fn seconds(text: &str) -> Option<u64> {
    let (mut sum, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        let mut letters = rest[digits..].chars();
        let unit = match letters.next().map(|letter| letter.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
        rest = letters.as_str();
    }
    (!text.is_empty()).then_some(sum)
}
