//! How does a picture change its size? Thumbnails by the fastest filter that looks right, features by area.

use std::cell::RefCell;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::Picture;

/// The size that fits into `max_side` × `max_side` with the same shape; never larger than it was, never 0.
#[must_use]
pub fn fit(width: u32, height: u32, max_side: u32) -> (u32, u32) {
    let longest = width.max(height).max(1);
    if longest <= max_side {
        return (width.max(1), height.max(1));
    }
    let scaled = |side: u32| {
        ((u64::from(side) * u64::from(max_side) + u64::from(longest) / 2) / u64::from(longest)).max(1) as u32
    };
    (scaled(width), scaled(height))
}

/// The picture at another size (0 counts as 1).
/// If no side grows, each pixel is the average of the area it covers; otherwise the filter is bilinear.
#[must_use]
pub fn resize(picture: &Picture, width: u32, height: u32) -> Picture {
    let (width, height) = (width.max(1), height.max(1));
    if (width, height) == (picture.width, picture.height) {
        return picture.clone();
    }
    let rgb = if width <= picture.width && height <= picture.height {
        average(picture, width as usize, height as usize)
    } else {
        convolve(picture, width, height, FilterType::Bilinear)
    };
    Picture { width, height, rgb, format: picture.format }
}

/// The picture at another size, by cubic convolution (Catmull–Rom) over as many pixels as one of the result covers:
/// what others call bicubic, needed where a number must be theirs.
#[must_use]
pub fn resize_cubic(picture: &Picture, width: u32, height: u32) -> Picture {
    let (width, height) = (width.max(1), height.max(1));
    if (width, height) == (picture.width, picture.height) {
        return picture.clone();
    }
    let rgb = convolve(picture, width, height, FilterType::CatmullRom);
    Picture { width, height, rgb, format: picture.format }
}

/// The picture within `max_side` × `max_side`.
pub(super) fn shrink(picture: Picture, max_side: u32) -> Picture {
    let (width, height) = fit(picture.width, picture.height, max_side);
    if (width, height) == (picture.width, picture.height) {
        return picture;
    }
    let rgb = convolve(&picture, width, height, FilterType::Bilinear);
    Picture { width, height, rgb, format: picture.format }
}

/// Convolution: antialiased where it shrinks, interpolating where it grows.
fn convolve(picture: &Picture, width: u32, height: u32, filter: FilterType) -> Vec<u8> {
    thread_local! {
        /// Keeps its buffers between pictures.
        static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
    }
    let source = ImageRef::new(picture.width, picture.height, &picture.rgb, PixelType::U8x3)
        .expect("a picture has three bytes a pixel");
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    RESIZER
        .with_borrow_mut(|resizer| resizer.resize(&source, &mut target, &options))
        .expect("both are three bytes a pixel and the whole source is used");
    target.into_vec()
}

/// The share of each source pixel in one target pixel.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// For each of `to` equal parts of `from` pixels, which pixels it covers and by how much; the weights add up to 1.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|part| {
            let (start, end) = (part as f64 * scale, (part + 1) as f64 * scale);
            let first = (start.floor() as usize).min(from - 1);
            let last = (end.ceil() as usize).clamp(first + 1, from);
            let overlap = |pixel: usize| (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(0.0);
            let total: f64 = (first..last).map(overlap).sum();
            Span { first, weights: (first..last).map(|pixel| (overlap(pixel) / total) as f32).collect() }
        })
        .collect()
}

/// Averages areas: rows first, then columns, both in the order in which they are stored.
fn average(picture: &Picture, width: usize, height: usize) -> Vec<u8> {
    let stride = picture.width as usize * 3;
    let columns = spans(picture.width as usize, width);
    let mut row = vec![0_f32; stride];
    let mut rgb = Vec::with_capacity(width * height * 3);
    for span in spans(picture.height as usize, height) {
        row.fill(0.0);
        for (weight, line) in span.weights.iter().zip(picture.rgb[span.first * stride..].chunks_exact(stride))
        {
            for (sum, &sample) in row.iter_mut().zip(line) {
                *sum += weight * f32::from(sample);
            }
        }
        for column in &columns {
            let mut sums = [0.5_f32; 3];
            for (weight, pixel) in column.weights.iter().zip(row[column.first * 3..].as_chunks::<3>().0) {
                for (sum, sample) in sums.iter_mut().zip(pixel) {
                    *sum += weight * sample;
                }
            }
            rgb.extend(sums.map(|sum| sum as u8));
        }
    }
    rgb
}
