//! How do columns line up on a terminal?

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

use Align::{Left, Right};

/// Rows of text in columns, two spaces apart; the last column is not padded.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns, `l` or `r` each, such as `"lrr"`.
    pub fn new(columns: &str) -> Self {
        Self {
            columns: columns.chars().map(|c| if c == 'r' { Right } else { Left }).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a row of any length.
    pub fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, each indented by `indent` spaces.
    pub fn render(&self, indent: usize) -> String {
        let Self { columns, rows } = self;
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for row in rows {
            let mut line = " ".repeat(indent);
            for (at, cell) in row.iter().enumerate() {
                let (align, full) = columns.get(at).zip(widths.get(at)).map_or((Left, 0), |(&a, &w)| (a, w));
                let padding = " ".repeat(full.saturating_sub(width(cell)));
                match align {
                    Left => line.extend([cell.as_str(), &padding]),
                    Right => line.extend([padding.as_str(), cell]),
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Terminal cells of a text: East Asian wide characters and emoji take two, combining marks none.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
            0x1100..=0x115F
            | 0x2E80..=0x303E
            | 0x3041..=0xA4CF
            | 0xAC00..=0xD7A3
            | 0xF900..=0xFAFF
            | 0xFE30..=0xFE6F
            | 0xFF00..=0xFF60
            | 0xFFE0..=0xFFE6
            | 0x1F300..=0x1FAFF
            | 0x20000..=0x3FFFD => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_every_script() {
        let mut table = Table::new("lrl");
        table.row(["cat".into(), "7".into(), "x".into()]);
        table.row(["猫".into(), "1,200".into(), String::new()]);
        assert_eq!(table.render(2), "  cat      7  x\n  猫   1,200\n");
    }
}
