//! Numbers as people say them: how long, how much. Knows no language but plain English.

use std::time::Duration;

/// How long something took: `74 ms`, `1.2 s`, `3 min 5 s`.
pub(super) fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// How long ago something began, in its two largest units: `2 h 14 min`.
pub(super) fn age(time: Duration) -> String {
    let (minutes, hours) = (time.as_secs() / 60, time.as_secs() / 3600);
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// Bytes in powers of ten: `0 B`, `12.4 MB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => format!("{}.{} {unit}", count / size, count % size / (size / 10)),
        None => format!("{count} B"),
    }
}

/// A count with its noun: `1 client`, `2 clients`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// What the system said, without its number: `No such file or directory (os error 2)` is for machines.
pub(super) fn os_words(text: &str) -> String {
    const MARK: &str = " (os error ";
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(MARK) {
        kept.push_str(before);
        let number = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        match after[number..].strip_prefix(')') {
            Some(behind) if number > 0 => rest = behind,
            _ => {
                kept.push_str(MARK);
                rest = after;
            }
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let spans = [74, 999, 1_000, 1_260, 59_999, 185_000].map(|ms| took(Duration::from_millis(ms)));
        assert_eq!(spans, ["74 ms", "999 ms", "1.0 s", "1.2 s", "59.9 s", "3 min 5 s"]);
        let ages = [5, 65, 8_040, 90_000].map(|s| age(Duration::from_secs(s)));
        assert_eq!(ages, ["5 s", "1 min 5 s", "2 h 14 min", "1 d 1 h"]);
        let sizes = [0, 999, 1_000, 12_400_000, 388_000_000, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "12.4 MB", "388.0 MB", "18446744.0 TB"]);
        assert_eq!((count(1, "client"), count(0, "client")), ("1 client".into(), "0 clients".into()));
    }
    #[test]
    fn the_system_is_quoted_without_its_numbers() {
        let refused = std::io::Error::from_raw_os_error(111).to_string();
        assert_eq!(os_words(&refused), "Connection refused");
        assert_eq!(os_words("a: b (os error 2) (c)"), "a: b (c)");
        assert_eq!(os_words("x (os error y) (os error "), "x (os error y) (os error ");
    }
}
