//! Which pictures look like this one? One pass over the numbers of all.

use half::f16;

use super::Embeddings;

/// The `k` rows whose numbers are most like those of `row` (cosine), nearest first, the row itself first of all.
/// `None` where the row has no numbers.
#[must_use]
pub fn most_similar(embeddings: &Embeddings, row: u32, k: usize) -> Option<Vec<u32>> {
    let Embeddings { dim, rows, values } = embeddings;
    let own = rows.binary_search(&row).ok()?;
    Some(ranked(embeddings, &values[own * dim..(own + 1) * dim], Some(row), k))
}

/// The `k` rows whose numbers are most like the first of `others` (cosine), nearest first.
/// `None` where `others` is empty or of another extractor.
#[must_use]
pub fn most_similar_to(embeddings: &Embeddings, others: &Embeddings, k: usize) -> Option<Vec<u32>> {
    let query = others.values.get(..embeddings.dim).filter(|_| others.dim == embeddings.dim)?;
    Some(ranked(embeddings, query, None, k))
}

fn ranked(embeddings: &Embeddings, query: &[f16], first: Option<u32>, k: usize) -> Vec<u32> {
    let Embeddings { dim, rows, values } = embeddings;
    let query: Vec<f32> = query.iter().map(|v| v.to_f32()).collect();
    let mut scored: Vec<(f32, u32)> = values
        .chunks_exact((*dim).max(1))
        .zip(rows)
        .map(|(numbers, other)| {
            let (mut product, mut length) = (0.0_f32, 0.0_f32);
            for (a, b) in query.iter().zip(numbers) {
                let b = b.to_f32();
                product += a * b;
                length += b * b;
            }
            let similarity =
                if Some(*other) == first { f32::INFINITY } else { product / length.sqrt().max(1e-12) };
            (similarity, *other)
        })
        .collect();
    let k = k.min(scored.len());
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored[..k].iter().map(|(_, row)| *row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_come_first_and_the_row_itself_before_them() {
        let values = [1.0, 0.0, 0.9, 0.1, 0.0, 1.0, 2.0, 0.1].map(f16::from_f32).to_vec();
        let embeddings = Embeddings { dim: 2, rows: vec![0, 2, 5, 7], values };
        assert_eq!(most_similar(&embeddings, 0, 3), Some(vec![0, 7, 2]));
        assert_eq!(most_similar(&embeddings, 1, 3), None);
        let other = Embeddings { dim: 2, rows: vec![3], values: [0.1, 1.0].map(f16::from_f32).to_vec() };
        assert_eq!(most_similar_to(&embeddings, &other, 2), Some(vec![5, 2]));
        assert_eq!(most_similar_to(&embeddings, &Embeddings::default(), 2), None);
    }
}
