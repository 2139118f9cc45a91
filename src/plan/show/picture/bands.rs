//! The picture of tunnels that overlap, because their clients sit on hosts in between.
//!
//! ```text
//! local ──┃fw1┃──▶ gate-b ──┃fw2┃──▶ gate-c ──┃fw3┃──▶ gate-d ─────▶ screen
//!                     ╞═══════T2════════╡
//! :5901 ═════════════════════T3 in T2═════════════════════╡┄┄tcp┄┄┄▶ :5900
//! ```

use unicode_width::UnicodeWidthStr;

use super::row::Row;
use super::{MARGIN, Picture};

impl Picture {
    /// Hosts in one line, then each tunnel as a band from its client to its server, innermost first. The
    /// last row begins at the person's listener and ends at the target.
    pub(super) fn draw_bands(&self, out: &mut String) {
        let (ink, last) = (self.ink, self.stations.len() - 1);
        let shift = |column: usize| column + MARGIN.0;
        let mut row = Row::default();
        for (place, station) in self.stations.iter().enumerate() {
            if place > 0 {
                row.put(&format!(" {}{} ", station.arrow, ink.head));
            }
            row.seek(shift(station.left), " ");
            row.put(&station.name);
            if place < last {
                row.seek(shift(station.right), " ");
            }
        }
        row.end(out);
        for (number, band) in self.bands.iter().enumerate() {
            let outermost = number + 1 == self.bands.len();
            let start = shift(self.stations[band.from].anchor);
            if outermost {
                self.begin(&mut row, 0, shift(self.stations[0].anchor));
                if band.from > 0 {
                    row.put(&format!("{0}tcp", ink.plain.repeat(2)));
                    row.seek(start.saturating_sub(1), ink.plain);
                    row.put(ink.head);
                    row.put(ink.client);
                }
            } else {
                row.seek(start, " ");
                row.put(ink.client);
            }
            let end = shift(self.stations[band.to].anchor);
            let room = end.saturating_sub(row.at + band.label.width());
            row.put(&format!("{}{}", ink.tunnel.repeat(room / 2), band.label));
            row.seek(end, ink.tunnel);
            row.put(ink.end);
            if !outermost {
                row.end(out);
            }
        }
        if row.at == 0 {
            self.begin(&mut row, 0, shift(self.stations[0].anchor));
        }
        self.finish(&mut row, shift(self.stations[last].left));
        row.end(out);
    }
}
