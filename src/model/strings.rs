//! How are a million keys kept cheaply? One text and the places where each ends.

/// An append-only column of strings in one allocation: a million keys cost their bytes and 4 bytes each.
#[derive(Debug, Clone, Default)]
pub struct StringColumn {
    text: String,
    ends: Vec<u32>,
}

impl StringColumn {
    /// A column with room for `rows` strings of `bytes` bytes in all.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(rows) }
    }

    /// Appends one string.
    ///
    /// # Panics
    /// When the column would pass 4 GiB of text; readers refuse such a source before.
    pub fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(u32::try_from(self.text.len()).expect("a column of keys stays under 4 GiB"));
    }

    /// The string at `row`.
    ///
    /// # Panics
    /// When `row` is out of range.
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[start..self.ends[row] as usize]
    }

    /// Number of strings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_in_order() {
        let mut column = StringColumn::default();
        for value in ["", "cat/1.png", "猫/2.png", ""] {
            column.push(value);
        }
        assert_eq!(column.iter().collect::<Vec<_>>(), ["", "cat/1.png", "猫/2.png", ""]);
    }
}
