//! What was laid over a whole picture? What its thumbnail has beyond the brightness and colours of its source.

use half::f16;

use super::subtract::line;
use crate::feature::thumbnail::{CHROMA_SIDE, LUMA_SIDE};

const LUMA: usize = LUMA_SIDE * LUMA_SIDE;
const CHROMA: usize = CHROMA_SIDE * CHROMA_SIDE;
/// Less correlation with the source than this is another picture.
const LEAST_CORRELATION: f64 = 0.9;
/// A source with less contrast (variance of levels) explains nothing.
const LEAST_VARIANCE: f64 = 64.0;
/// A pattern weaker than this (root mean square in levels) is what encoding leaves.
const LEAST_PATTERN: f32 = 0.75;

/// The pattern that was laid over `then` to give `now` (thumbnails), of length one; `None` where there is hardly any,
/// or where they are two pictures.
pub(super) fn pattern(then: &[f16], now: &[f16]) -> Option<Vec<f32>> {
    let points: Vec<(f64, f64)> =
        then.iter().zip(now).map(|(then, now)| (then.to_f64(), now.to_f64())).collect();
    if correlation(&points[..LUMA])? < LEAST_CORRELATION {
        return None;
    }
    let mut pattern = Vec::with_capacity(points.len());
    let mut strength = 0.0;
    for (plane, weight) in
        [(0..LUMA, 1.0), (LUMA..LUMA + CHROMA, 2.0), (LUMA + CHROMA..LUMA + 2 * CHROMA, 2.0)]
    {
        let points = &points[plane];
        let (gain, offset) = line(points);
        let rest = points.iter().map(|&(then, now)| now as f32 - gain * then as f32 - offset);
        let start = pattern.len();
        pattern.extend(rest);
        let rest = &mut pattern[start..];
        let mean = rest.iter().sum::<f32>() / rest.len() as f32;
        for value in rest.iter_mut() {
            *value = (*value - mean) * weight;
            strength += *value * *value / LUMA as f32;
        }
    }
    if strength.sqrt() < LEAST_PATTERN {
        return None;
    }
    let length = (strength * LUMA as f32).sqrt();
    for value in &mut pattern {
        *value /= length;
    }
    Some(pattern)
}

/// Pearson's correlation, or `None` for a source of hardly any contrast.
fn correlation(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in points {
        xx += (a - x) * (a - x) / count;
        yy += (b - y) * (b - y) / count;
        xy += (a - x) * (b - y) / count;
    }
    (xx >= LEAST_VARIANCE && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}
