//! What the variables of autossh say to whoever comes from it: defaults for a policy, below the file. Reads no
//! environment itself.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Policy;

/// The settings that variables of autossh ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Autossh {
    gate: Option<Duration>,
    poll: Option<Duration>,
    first_poll: Option<Duration>,
    max_starts: Option<u32>,
    lifetime: Option<Duration>,
    /// Variables that are set and mean nothing to hopper, by name.
    pub unused: Vec<&'static str>,
}

/// A variable that autossh would refuse, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub name: &'static str,
    /// Its value, as it is.
    pub value: String,
    /// What would be taken.
    pub wanted: String,
    /// The key of the policy that says the same.
    pub key: &'static str,
}

/// What came of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub name: &'static str,
    /// The key of the policy.
    pub key: &'static str,
    /// What that key is now because of it; `None` where the file says otherwise.
    pub value: Option<String>,
}

const GATE: (&str, &str) = ("AUTOSSH_GATETIME", "reconnect.gate");
const POLL: (&str, &str) = ("AUTOSSH_POLL", "probe.every");
const FIRST_POLL: (&str, &str) = ("AUTOSSH_FIRST_POLL", "probe.first");
const MAX_STARTS: (&str, &str) = ("AUTOSSH_MAXSTART", "reconnect.max_starts");
const LIFETIME: (&str, &str) = ("AUTOSSH_MAXLIFETIME", "lifetime");
/// Where autossh keeps its own log, process id and monitoring port: hopper has its own, or needs none.
const UNUSED: [&str; 8] = [
    "AUTOSSH_DEBUG",
    "AUTOSSH_LOGFILE",
    "AUTOSSH_LOGLEVEL",
    "AUTOSSH_MESSAGE",
    "AUTOSSH_NTSERVICE",
    "AUTOSSH_PATH",
    "AUTOSSH_PIDFILE",
    "AUTOSSH_PORT",
];

const DAY: u32 = 24 * 60 * 60;
/// What autossh polls by unless told otherwise; only whoever sets the first poll alone gets to see it.
const USUAL_POLL: Duration = Duration::from_secs(600);

impl Autossh {
    /// Reads the variables; `value_of` gives that of a name, if it is set.
    ///
    /// # Errors
    /// Every variable that says something impossible.
    pub fn read(value_of: impl Fn(&str) -> Option<String>) -> Result<Autossh, Vec<Refused>> {
        let mut refused = Vec::new();
        let mut number = |(name, key), bounds: RangeInclusive<i64>, what: &str| {
            let value = value_of(name)?;
            match value.parse::<i64>() {
                Ok(number) if bounds.contains(&number) => Some(number),
                _ => {
                    let wanted = format!("a whole number{what} from {} to {}", bounds.start(), bounds.end());
                    refused.push(Refused { name, value, wanted, key });
                    None
                }
            }
        };
        let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
        let (day, year) = (i64::from(DAY), 365 * i64::from(DAY));
        let read = Autossh {
            gate: number(GATE, 0..=day, " of seconds").map(seconds),
            poll: number(POLL, 1..=day, " of seconds").map(seconds),
            first_poll: number(FIRST_POLL, 1..=day, " of seconds").map(seconds),
            // A negative number is no limit, and zero would start nothing.
            max_starts: number(MAX_STARTS, -1..=i64::from(u32::MAX), "")
                .filter(|&most| most != -1)
                .and_then(|most| u32::try_from(most).ok()),
            // Zero is no limit.
            lifetime: number(LIFETIME, 0..=year, " of seconds").map(seconds).filter(|life| !life.is_zero()),
            unused: UNUSED.into_iter().filter(|name| value_of(name).is_some()).collect(),
        };
        if read.max_starts == Some(0) {
            let wanted = "at least 1, or -1 for no limit".to_owned();
            let (name, key) = MAX_STARTS;
            refused.push(Refused { name, value: "0".to_owned(), wanted, key });
        }
        if refused.is_empty() { Ok(read) } else { Err(refused) }
    }

    /// Lays them under what the file says, and tells what came of each.
    pub fn lay_under(&self, policy: &mut Policy) -> Vec<Taken> {
        let mut taken = Vec::new();
        let mut lay = |(name, key), own: &mut Option<Duration>, value: Option<Duration>| {
            let Some(value) = value else { return };
            let free = own.is_none();
            own.get_or_insert(value);
            taken.push(Taken { name, key, value: free.then(|| format!("{}s", value.as_secs())) });
        };
        lay(GATE, &mut policy.reconnect.gate, self.gate);
        lay(POLL, &mut policy.probe.every, self.poll);
        lay(FIRST_POLL, &mut policy.probe.first, self.first_poll);
        lay(LIFETIME, &mut policy.lifetime, self.lifetime);
        if policy.probe.first.is_some() {
            policy.probe.every.get_or_insert(USUAL_POLL);
        }
        if let Some(most) = self.max_starts {
            let free = policy.reconnect.max_starts.is_none();
            policy.reconnect.max_starts.get_or_insert(most);
            let (name, key) = MAX_STARTS;
            taken.push(Taken { name, key, value: free.then(|| most.to_string()) });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Autossh, Vec<Refused>> {
        let value = |name: &str| variables.iter().find(|(own, _)| *own == name);
        Autossh::read(|name| value(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn variables_are_laid_under_the_file() {
        let variables = [
            ("AUTOSSH_GATETIME", "0"),
            ("AUTOSSH_POLL", "60"),
            ("AUTOSSH_FIRST_POLL", "5"),
            ("AUTOSSH_MAXSTART", "3"),
            ("AUTOSSH_MAXLIFETIME", "3600"),
        ];
        let mut policy = Policy::default();
        policy.probe.every = Some(Duration::from_secs(30));
        let taken = read(&variables).unwrap().lay_under(&mut policy);
        let seconds = |number| Some(Duration::from_secs(number));
        assert_eq!((policy.reconnect.gate, policy.lifetime), (seconds(0), seconds(3600)));
        assert_eq!((policy.probe.every, policy.probe.first), (seconds(30), seconds(5)));
        assert_eq!(policy.reconnect.max_starts, Some(3));
        let lost: Vec<_> = taken.iter().filter(|it| it.value.is_none()).map(|it| it.name).collect();
        assert_eq!((taken.len(), lost), (5, vec!["AUTOSSH_POLL"]));
    }

    #[test]
    fn nothing_set_changes_nothing_and_neither_does_no_limit() {
        for variables in [&[][..], &[("AUTOSSH_MAXSTART", "-1"), ("AUTOSSH_MAXLIFETIME", "0")]] {
            let mut policy = Policy::default();
            assert_eq!(read(variables).unwrap().lay_under(&mut policy), []);
            assert_eq!(policy, Policy::default());
        }
    }

    #[test]
    fn whoever_sets_the_first_poll_alone_polls_as_usual_after_it() {
        let mut policy = Policy::default();
        read(&[("AUTOSSH_FIRST_POLL", "5")]).unwrap().lay_under(&mut policy);
        assert_eq!(policy.probe.every, Some(USUAL_POLL));
    }

    #[test]
    fn what_autossh_would_refuse_is_refused() {
        for (name, value) in [
            ("AUTOSSH_GATETIME", ""),
            ("AUTOSSH_GATETIME", "-1"),
            ("AUTOSSH_GATETIME", "30s"),
            ("AUTOSSH_POLL", "0"),
            ("AUTOSSH_FIRST_POLL", "x"),
            ("AUTOSSH_MAXSTART", "-2"),
            ("AUTOSSH_MAXSTART", "0"),
            ("AUTOSSH_MAXLIFETIME", "99999999999999999999"),
        ] {
            let refused = read(&[(name, value)]).unwrap_err();
            assert_eq!((refused[0].name, refused[0].value.as_str()), (name, value));
        }
        assert_eq!(read(&[("AUTOSSH_POLL", "0"), ("AUTOSSH_GATETIME", "x")]).unwrap_err().len(), 2);
    }

    #[test]
    fn what_hopper_has_no_use_for_is_named() {
        let read = read(&[("AUTOSSH_PORT", "20000"), ("AUTOSSH_LOGFILE", "/l")]).unwrap();
        assert_eq!(read.unused, ["AUTOSSH_LOGFILE", "AUTOSSH_PORT"]);
    }
}
