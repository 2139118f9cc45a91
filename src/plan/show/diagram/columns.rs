//! How far from local each box stands. Knows arrows only.

use std::collections::VecDeque;

use super::Diagram;

impl Diagram {
    /// For each box, how many arrows lead there from local, at least. What none lead to begins anew at 0.
    pub(in crate::plan::show) fn columns(&self) -> Vec<usize> {
        self.walk(true).into_iter().flatten().collect()
    }

    /// For each box, whether arrows lead there from local.
    pub(in crate::plan::show) fn reached(&self) -> Vec<bool> {
        self.walk(false).into_iter().map(|column| column.is_some()).collect()
    }

    fn walk(&self, all: bool) -> Vec<Option<usize>> {
        let count = self.boxes.len();
        let (mut next, mut arrives) = (vec![Vec::new(); count], vec![false; count]);
        for arrow in &self.arrows {
            next[arrow.from].push(arrow.to);
            arrives[arrow.to] |= arrow.from != arrow.to;
        }
        let mut columns: Vec<Option<usize>> = vec![None; count];
        let more = if all { 0..count } else { 0..0 };
        // Where nothing arrives comes first; of a ring, whatever is left of it.
        let starts = more.clone().filter(|&place| !arrives[place]);
        for start in std::iter::once(0).chain(starts).chain(more) {
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
        columns
    }
}
