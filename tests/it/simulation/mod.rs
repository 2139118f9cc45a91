//! The supervisor on a network in memory, where ways between hosts fail by chance and no time is real: the
//! whole of hopper from the engine to russh, against servers of the lab. Each seed is a story; a seed that
//! fails is told with what happened, and `HOPPER_SEED=N` plays it again: twenty times, because which of two
//! things that are ready at once comes first is the runtime's own chance.

mod stage;
mod story;

use std::ops::Range;

use story::play;

/// Plays these seeds, or the one that is asked for where it is among them.
fn seeds(range: Range<u64>) {
    let asked = std::env::var("HOPPER_SEED").ok().map(|seed| seed.parse().expect("HOPPER_SEED is a number"));
    match asked {
        Some(asked) if range.contains(&asked) => (0..20).for_each(|_| play(asked)),
        Some(_) => {}
        None => range.for_each(play),
    }
}

#[test]
fn whatever_fails_the_run_comes_back_and_leaves_nothing_one() {
    seeds(0..250);
}

#[test]
fn whatever_fails_the_run_comes_back_and_leaves_nothing_two() {
    seeds(250..500);
}

#[test]
fn whatever_fails_the_run_comes_back_and_leaves_nothing_three() {
    seeds(500..750);
}
