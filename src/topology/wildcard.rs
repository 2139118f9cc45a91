//! Patterns of `*` and `?`, as OpenSSH has them in its lists of hosts and users. Compares text; knows not what it means.

/// Whether the pattern is the whole name; `same` says which letters count as equal. Linear in the product of the
/// lengths: it goes back to the last star only.
pub fn wildcard(pattern: &str, name: &str, same: fn(u8, u8) -> bool) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || same(c, name[n]) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((star_p, star_n)) => {
                    star = Some((star_p, star_n + 1));
                    p = star_p + 1;
                    n = star_n + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_stars_take_no_time() {
        assert!(!wildcard(&"*a".repeat(500), &"a".repeat(499), |a, b| a == b));
    }
}
