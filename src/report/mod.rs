//! What a person or a program gets to see. Turns problems and events into text; starts nothing.

pub mod problem;
