//! Which pictures look like this one? One pass over the numbers of all.

use super::Embeddings;

/// The `k` rows whose numbers are most like those of `row` (cosine), nearest first, the row itself first of all.
/// `None` where the row has no numbers.
#[must_use]
pub fn most_similar(embeddings: &Embeddings, row: u32, k: usize) -> Option<Vec<u32>> {
    let Embeddings { dim, rows, values } = embeddings;
    let own = rows.binary_search(&row).ok()?;
    let query: Vec<f32> = values[own * dim..(own + 1) * dim].iter().map(|v| v.to_f32()).collect();
    let mut scored: Vec<(f32, u32)> = values
        .chunks_exact(*dim)
        .zip(rows)
        .map(|(numbers, other)| {
            let (mut product, mut length) = (0.0_f32, 0.0_f32);
            for (a, b) in query.iter().zip(numbers) {
                let b = b.to_f32();
                product += a * b;
                length += b * b;
            }
            let similarity = if *other == row { f32::INFINITY } else { product / length.sqrt().max(1e-12) };
            (similarity, *other)
        })
        .collect();
    let k = k.min(scored.len());
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Some(scored[..k].iter().map(|(_, row)| *row).collect())
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn nearest_come_first_and_the_row_itself_before_them() {
        let values = [1.0, 0.0, 0.9, 0.1, 0.0, 1.0, 2.0, 0.1].map(f16::from_f32).to_vec();
        let embeddings = Embeddings { dim: 2, rows: vec![0, 2, 5, 7], values };
        assert_eq!(most_similar(&embeddings, 0, 3), Some(vec![0, 7, 2]));
        assert_eq!(most_similar(&embeddings, 1, 3), None);
    }
}
