//! Holds the rules of the house: see docs/house.md.
