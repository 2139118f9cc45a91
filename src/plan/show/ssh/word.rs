//! Words that arrive as they are: through a shell, and through ssh's own reading of its options.

/// The text as one word of a POSIX shell.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Words of a shell that another shell passes on: as they are, or quoted once more.
pub(super) fn passed_on(words: &str) -> String {
    if words.split(' ').all(|each| word(each) == each) { words.to_owned() } else { word(words) }
}

/// The text with `%` doubled, for where ssh replaces tokens such as `%h`.
pub(super) fn expanded(text: &str) -> String {
    text.replace('%', "%%")
}

/// `-o KEY=PATH`: ssh splits the value into words as a shell does, and replaces tokens.
pub(super) fn path_option(key: &str, path: &str) -> String {
    format!("-o {}", word(&format!("{key}={}", path_word(path))))
}

/// `-o KEY=PATH PATH …`.
pub(super) fn paths_option(key: &str, paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path_word(path)).collect();
    format!("-o {}", word(&format!("{key}={}", paths.join(" "))))
}

fn path_word(path: &str) -> String {
    let path = expanded(path);
    match path.contains([' ', '"', '\'', '\\', '#', '=', ',']) {
        true => format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"")),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_and_all_others_are_quoted() {
        for plain in ["a", "-", "alice@gate-b.dmz:22", "/home/a_b/x,y", "K=v", "50%"] {
            assert_eq!(word(plain), plain);
        }
        for (text, wanted) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("[::1]:22", "'[::1]:22'"),
            ("~/x", "'~/x'"),
            ("it's", "'it'\\''s'"),
            ("$(x)`y`;&|<>*?!#{}\"\\\n", "'$(x)`y`;&|<>*?!#{}\"\\\n'"),
            ("größe", "'größe'"),
        ] {
            assert_eq!(word(text), wanted);
        }
    }

    #[test]
    fn words_for_another_shell_are_quoted_for_both() {
        assert_eq!(passed_on("-o BatchMode=yes"), "-o BatchMode=yes");
        assert_eq!(passed_on("-L '[::1]'"), r"'-L '\''[::1]'\'''");
    }

    #[test]
    fn a_path_survives_both_readings() {
        assert_eq!(path_option("F", "/a/b"), "-o F=/a/b");
        assert_eq!(path_option("F", "~/100%"), "-o 'F=~/100%%'");
        assert_eq!(path_option("F", "a \"b\" \\c"), r#"-o 'F="a \"b\" \\c"'"#);
        let two = ["/a".to_owned(), "b c".to_owned()];
        assert_eq!(paths_option("F", &two), r#"-o 'F=/a "b c"'"#);
        assert_eq!(path_option("F", "it's"), r#"-o 'F="it'\''s"'"#);
    }
}
