//! Whether a block of an ssh configuration is meant for a host: the patterns of `Host`, the conditions of `Match`.
//! Runs nothing and asks nobody, so it may not know.

use super::line::word;
use crate::topology::wildcard;

/// Whether what a block says counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody here can tell; why.
    Unsure(String),
}

impl Applies {
    /// Both must hold.
    pub fn and(self, other: Applies) -> Applies {
        match (self, other) {
            (Applies::No, _) | (_, Applies::No) => Applies::No,
            (Applies::Unsure(why), _) | (_, Applies::Unsure(why)) => Applies::Unsure(why),
            (Applies::Yes, Applies::Yes) => Applies::Yes,
        }
    }
}

/// Whom a `Match` is asked for.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The name that was asked for.
    pub original: &'a str,
    /// The name as far as it is known.
    pub host: &'a str,
    /// Whom to log in as.
    pub user: &'a str,
    /// Who asks.
    pub local_user: &'a str,
    /// Whether the configuration is gone through once more, with what it said the first time.
    pub is_final: bool,
}

/// What a `Match` said.
#[derive(Debug)]
pub struct Matched {
    /// Whether it applies.
    pub applies: Applies,
    /// Whether it wants the whole configuration to be gone through once more.
    pub wants_final: bool,
}

fn same(one: u8, other: u8) -> bool {
    one == other
}

/// Whether the patterns of a `Host` line name this host.
pub fn host_line(patterns: &[String], host: &str) -> Applies {
    let mut applies = Applies::No;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if wildcard(excluded, host, same) => return Applies::No,
            Some(_) => {}
            None if wildcard(pattern, host, same) => applies = Applies::Yes,
            None => {}
        }
    }
    applies
}

/// Whether a list of patterns, with commas between them, names this.
pub fn in_list(list: &str, name: &str) -> bool {
    host_line(&list.split(',').map(str::to_owned).collect::<Vec<_>>(), name) == Applies::Yes
}

/// Goes through the conditions of a `Match` line.
///
/// # Errors
/// What is wrong with the line.
pub fn match_line(conditions: &str, subject: &Subject<'_>) -> Result<Matched, String> {
    let mut rest = Some(conditions);
    let mut matched = Matched { applies: Applies::Yes, wants_final: false };
    let mut count = 0;
    while let Some(condition) = word(&mut rest).filter(|word| !word.is_empty() && !word.starts_with('#')) {
        let (name, is_negated) = match condition.strip_prefix('!') {
            Some(name) => (name.to_ascii_lowercase(), true),
            None => (condition.to_ascii_lowercase(), false),
        };
        if name == "all" {
            let after = word(&mut rest).filter(|word| !word.is_empty() && !word.starts_with('#'));
            if count > 1 || after.is_some() {
                return Err("all stands beside other conditions".to_owned());
            }
            let all = if is_negated { Applies::No } else { Applies::Yes };
            return Ok(Matched { applies: matched.applies.and(all), ..matched });
        }
        count += 1;
        let holds = if matches!(name.as_str(), "final" | "canonical") {
            matched.wants_final |= name == "final";
            subject.is_final
        } else {
            let value = word(&mut rest).filter(|word| !word.is_empty() && !word.starts_with('#'));
            let value = value.ok_or_else(|| format!("nothing stands after {condition}"))?;
            let (lower, host) = (value.to_ascii_lowercase(), subject.host.to_ascii_lowercase());
            match name.as_str() {
                "host" => in_list(&lower, &host),
                "originalhost" => in_list(&lower, &subject.original.to_ascii_lowercase()),
                "user" => in_list(&value, subject.user),
                "localuser" => in_list(&value, subject.local_user),
                _ => {
                    let why = match name.as_str() {
                        "exec" => {
                            "it depends on a command (Match exec), which hopper does not run".to_owned()
                        }
                        _ => format!("hopper does not know Match {name}"),
                    };
                    matched.applies = matched.applies.and(Applies::Unsure(why));
                    continue;
                }
            }
        };
        if holds == is_negated {
            matched.applies = Applies::No;
        }
    }
    if count == 0 {
        return Err("it has no condition".to_owned());
    }
    Ok(matched)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: Subject<'_> =
        Subject { original: "gate", host: "Gate.Net", user: "bob", local_user: "me", is_final: false };

    #[test]
    fn patterns_count_in_any_order_and_a_negated_one_is_final() {
        for (patterns, applies) in [
            ("gate", Applies::Yes),
            ("other g?te", Applies::Yes),
            ("*", Applies::Yes),
            ("Gate", Applies::No),
            ("!gate *", Applies::No),
            ("* !gate", Applies::No),
            ("!other", Applies::No),
            ("!other *", Applies::Yes),
        ] {
            let patterns: Vec<_> = patterns.split(' ').map(str::to_owned).collect();
            assert_eq!(host_line(&patterns, "gate"), applies, "{patterns:?}");
        }
    }

    #[test]
    fn conditions_must_all_hold() {
        for (conditions, applies) in [
            ("all", Applies::Yes),
            ("!all", Applies::No),
            ("host gate.net", Applies::Yes),
            ("host other,*.NET user bob", Applies::Yes),
            ("host *.net user ann", Applies::No),
            ("!host *.net", Applies::No),
            ("originalhost gate !user ann localuser m?", Applies::Yes),
            ("originalhost=\"gate\" # user ann", Applies::Yes),
            ("host *,!gate.net", Applies::No),
            ("final", Applies::No),
            ("!canonical", Applies::Yes),
        ] {
            assert_eq!(match_line(conditions, &GATE).unwrap().applies, applies, "{conditions}");
        }
    }

    #[test]
    fn what_cannot_be_known_is_not_guessed_and_counts_only_where_the_rest_holds() {
        let applies = |conditions: &str| match_line(conditions, &GATE).unwrap().applies;
        assert!(matches!(applies("exec true"), Applies::Unsure(why) if why.contains("Match exec")));
        assert!(matches!(applies("host gate.net !exec \"test -f x\""), Applies::Unsure(_)));
        assert!(matches!(applies("tagged work"), Applies::Unsure(why) if why.contains("Match tagged")));
        assert_eq!(applies("exec true user ann"), Applies::No);
    }

    #[test]
    fn a_line_that_ssh_refuses_is_wrong() {
        for conditions in ["", "# all", "host", "all host gate", "user bob host gate all", "host # x"] {
            assert!(match_line(conditions, &GATE).is_err(), "{conditions}");
        }
    }
}
