//! In which column each box stands. Knows arrows only.

use std::collections::VecDeque;

use crate::plan::show::diagram::Diagram;

/// For each box, how many arrows it is away from local. What local does not lead to begins anew at the left.
pub(super) fn columns(diagram: &Diagram) -> Vec<usize> {
    let count = diagram.boxes.len();
    let (mut next, mut arrives) = (vec![Vec::new(); count], vec![false; count]);
    for arrow in &diagram.arrows {
        next[arrow.from].push(arrow.to);
        arrives[arrow.to] |= arrow.from != arrow.to;
    }
    let mut columns: Vec<Option<usize>> = vec![None; count];
    let starts = (0..count).filter(|&place| !arrives[place]);
    for start in std::iter::once(0).chain(starts).chain(0..count) {
        if columns[start].is_some() {
            continue;
        }
        columns[start] = Some(0);
        let mut todo = VecDeque::from([(start, 0)]);
        while let Some((place, column)) = todo.pop_front() {
            for &to in &next[place] {
                if columns[to].is_none() {
                    columns[to] = Some(column + 1);
                    todo.push_back((to, column + 1));
                }
            }
        }
    }
    columns.into_iter().flatten().collect()
}
