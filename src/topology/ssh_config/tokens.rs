//! The `%` tokens and variables that paths in an ssh configuration may have (ssh_config(5), TOKENS).

use super::Person;

/// What the tokens stand for.
pub(super) struct Tokens<'a> {
    pub person: &'a Person<'a>,
    /// The name as it was asked for.
    pub asked: &'a str,
    /// The host's real name.
    pub host: &'a str,
    pub port: &'a str,
    /// The name to log in as.
    pub user: &'a str,
    /// The name that its key is recorded under.
    pub key_alias: &'a str,
}

impl Tokens<'_> {
    /// The path with everything put in; `~/` is left as it is.
    ///
    /// # Errors
    /// What of it is not known.
    pub(super) fn expand(&self, path: &str) -> Result<String, String> {
        let mut expanded = String::with_capacity(path.len());
        let mut rest = path;
        while let Some(at) = rest.find(['%', '$']) {
            expanded.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("${") {
                let Some((name, after)) = after.split_once('}') else { return Err(rest.to_owned()) };
                expanded.push_str(&(self.person.variable)(name).ok_or_else(|| format!("${{{name}}}"))?);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('$') {
                expanded.push('$');
                rest = after;
            } else {
                let token: String = rest.chars().take(2).collect();
                expanded.push_str(self.token(&token).ok_or_else(|| token.clone())?);
                rest = &rest[token.len()..];
            }
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn token(&self, token: &str) -> Option<&str> {
        match token {
            "%%" => Some("%"),
            "%d" => Some(self.person.home),
            "%h" => Some(self.host),
            "%k" => Some(self.key_alias),
            "%n" => Some(self.asked),
            "%p" => Some(self.port),
            "%r" => Some(self.user),
            "%u" => Some(self.person.user),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_variables_are_put_in_and_others_told() {
        let variable = |name: &str| (name == "KEYS").then(|| "/keys".to_owned());
        let person = Person { home: "/home/me", user: "me", variable: &variable };
        let tokens =
            Tokens { person: &person, asked: "g", host: "g.net", port: "7", user: "bob", key_alias: "gg" };
        for (path, wanted) in [
            ("~/.ssh/id", Ok("~/.ssh/id")),
            ("%d/%u/%r@%h-%n:%p.%k%%", Ok("/home/me/me/bob@g.net-g:7.gg%")),
            ("${KEYS}/$x/%h", Ok("/keys/$x/g.net")),
            ("${NONE}/x", Err("${NONE}")),
            ("a%C", Err("%C")),
            ("a%", Err("%")),
            ("${open", Err("${open")),
        ] {
            assert_eq!(tokens.expand(path), wanted.map(str::to_owned).map_err(str::to_owned), "{path}");
        }
    }
}
