//! The codes of problems in a topology file. Each has a page in `docs/errors/`; none is ever reused.

/// The text is not JSON as hopper reads it.
pub const SYNTAX: &str = "H0101";
/// The file is larger or nested deeper than hopper reads.
pub const LIMIT: &str = "H0102";
/// A password, key or token is written in the file.
pub const SECRET: &str = "H0103";
/// A host or firewall is named that does not exist.
pub const UNKNOWN_NAME: &str = "H0104";
/// A key that hopper does not know.
pub const UNKNOWN_KEY: &str = "H0105";
/// A key given twice in one object.
pub const DUPLICATE_KEY: &str = "H0106";
/// A value of the wrong type.
pub const WRONG_TYPE: &str = "H0107";
/// A key that must be there is not.
pub const MISSING_KEY: &str = "H0108";
/// The format version is not one that hopper reads.
pub const VERSION: &str = "H0109";
/// The format has this, hopper does not yet.
pub const NOT_YET: &str = "H0110";
/// A name that cannot be an id or the name of a run.
pub const NAME: &str = "H0111";
/// Text that cannot be an address, a user or a path.
pub const ADDRESS: &str = "H0112";
/// Not a port, or not a range of ports.
pub const PORT: &str = "H0113";
/// Not a place to listen.
pub const LISTEN: &str = "H0114";
/// A listener that other machines can reach, not asked for on purpose.
pub const EXPOSED: &str = "H0115";
/// Two listeners on one address and port.
pub const LISTEN_TWICE: &str = "H0116";
/// Not a target of a forward.
pub const TARGET: &str = "H0117";
/// Not a duration, or out of bounds.
pub const DURATION: &str = "H0118";
/// A link that cannot be.
pub const LINK: &str = "H0119";
/// A forward that contradicts the host it leads to.
pub const FORWARD: &str = "H0120";
/// A value outside of what the key takes.
pub const VALUE: &str = "H0121";

/// Every code, in order.
pub const ALL: [&str; 21] = [
    SYNTAX,
    LIMIT,
    SECRET,
    UNKNOWN_NAME,
    UNKNOWN_KEY,
    DUPLICATE_KEY,
    WRONG_TYPE,
    MISSING_KEY,
    VERSION,
    NOT_YET,
    NAME,
    ADDRESS,
    PORT,
    LISTEN,
    EXPOSED,
    LISTEN_TWICE,
    TARGET,
    DURATION,
    LINK,
    FORWARD,
    VALUE,
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_code_has_a_page_and_its_own_number() {
        for (i, code) in ALL.iter().enumerate() {
            assert_eq!(*code, format!("H01{:02}", i + 1));
        }
        let pages = concat!(
            include_str!("../../docs/errors/H0101.md"),
            include_str!("../../docs/errors/H0102.md"),
            include_str!("../../docs/errors/H0103.md"),
            include_str!("../../docs/errors/H0104.md"),
            include_str!("../../docs/errors/H0105.md"),
            include_str!("../../docs/errors/H0106.md"),
            include_str!("../../docs/errors/H0107.md"),
            include_str!("../../docs/errors/H0108.md"),
            include_str!("../../docs/errors/H0109.md"),
            include_str!("../../docs/errors/H0110.md"),
            include_str!("../../docs/errors/H0111.md"),
            include_str!("../../docs/errors/H0112.md"),
            include_str!("../../docs/errors/H0113.md"),
            include_str!("../../docs/errors/H0114.md"),
            include_str!("../../docs/errors/H0115.md"),
            include_str!("../../docs/errors/H0116.md"),
            include_str!("../../docs/errors/H0117.md"),
            include_str!("../../docs/errors/H0118.md"),
            include_str!("../../docs/errors/H0119.md"),
            include_str!("../../docs/errors/H0120.md"),
            include_str!("../../docs/errors/H0121.md"),
        );
        for code in ALL {
            assert!(pages.contains(&format!("# {code}: ")), "{code} has no page that begins with its number");
        }
    }
}
