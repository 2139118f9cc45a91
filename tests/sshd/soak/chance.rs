//! Chance that can be had again: the same seed gives the same numbers.

/// A sequence of numbers; xorshift64 (Marsaglia 2003, "Xorshift RNGs").
pub struct Chance(u64);

impl Chance {
    /// The sequence that begins with this seed.
    pub fn from(seed: u64) -> Chance {
        Chance(seed.max(1))
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// A host of the bed.
    pub fn host(&mut self, last: usize) -> usize {
        let count = u64::try_from(last).expect("few hosts");
        1 + usize::try_from(self.below(count)).expect("few hosts")
    }
}
