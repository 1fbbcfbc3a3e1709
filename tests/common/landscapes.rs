//! Drawn pictures that look like no other, and a mark to plant on them.

use image::{Rgb, RgbImage};

/// Numbers below, one after another, from a seed.
pub fn dice(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) ^ 0x9e37_79b9;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    }
}

/// A landscape of a few soft blots with fine grain; each number gives another.
pub fn landscape(number: u32, side: u32) -> RgbImage {
    let mut roll = dice(number + 1);
    let blots: Vec<[f32; 6]> = (0..7)
        .map(|_| {
            let mut unit = || roll(1000) as f32 / 1000.0;
            [unit(), unit(), 0.15 + 0.3 * unit(), 120.0 * unit(), 120.0 * unit(), 120.0 * unit()]
        })
        .collect();
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = (x as f32 / side as f32, y as f32 / side as f32);
        let mut colour = [40.0_f32; 3];
        for [a, b, width, shades @ ..] in &blots {
            let near = (-((u - a).powi(2) + (v - b).powi(2)) / (width * width)).exp();
            colour.iter_mut().zip(shades).for_each(|(c, shade)| *c += near * shade);
        }
        let grain = roll(24) as f32;
        Rgb(colour.map(|c| (c + grain).min(255.0) as u8))
    })
}

/// A ring with a bar, 11 pixels wide, in two colours.
pub fn mark(picture: &mut RgbImage, x: u32, y: u32) {
    for (dy, dx) in (0..11).flat_map(|dy| (0..11).map(move |dx| (dy, dx))) {
        let (a, b) = (dx as f32 - 5.0, dy as f32 - 5.0);
        let radius = a.hypot(b);
        if (3.5..5.6).contains(&radius) {
            picture.put_pixel(x + dx, y + dy, Rgb([250, 20, 30]));
        } else if radius < 3.5 && b.abs() < 1.5 {
            picture.put_pixel(x + dx, y + dy, Rgb([10, 10, 250]));
        }
    }
}
