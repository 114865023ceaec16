//! Chance that can be repeated.

/// Numbers from a seed: they look random, and are the same in every run and on every machine.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, from 0 to below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
