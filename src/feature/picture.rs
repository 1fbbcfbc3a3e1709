//! How does a file become pixels? Within limits, upright, opaque, 8 bit, sRGB.
//!
//! Bytes are told apart by their first bytes, never by a name.
//! What a header promises is checked before anything is allocated, and a decoder that panics is a damaged picture.

mod jpeg;
mod scale;

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder,
};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, Limits, RgbImage};

pub use scale::{fit, resize, resize_cubic};

/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The longest side that is decoded; what JPEG and GIF can say at most.
pub const MAX_SIDE: u32 = 65_535;

/// The most bytes that a decoder may hold for one picture; a 16-bit picture of [`MAX_PIXELS`] needs more.
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Pictures above this are decoded one at a time, so that many threads do not need many times the memory.
const MANY_PIXELS: u64 = 16_000_000;

/// A decoded picture, EXIF orientation applied, alpha on white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width × height × 3`, row-major.
    pub rgb: Vec<u8>,
    /// The format of the bytes: `png`, `jpeg`, `webp`, `gif`, `bmp`, `tiff`.
    pub format: &'static str,
}

/// Why bytes are no picture for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// No bytes.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// Not one of the formats.
    #[error("not a PNG, JPEG, WebP, GIF, BMP or TIFF picture")]
    UnknownFormat,
    /// A Git LFS pointer in the picture's place.
    #[error("not downloaded: this is a Git LFS pointer (run `git lfs pull`)")]
    LfsPointer,
    /// The header promises too much.
    #[error("{width} × {height} pixels are more than the limit of {MAX_PIXELS} pixels, or {MAX_SIDE} a side")]
    TooLarge {
        /// Promised.
        width: u32,
        /// Promised.
        height: u32,
    },
    /// Few enough pixels, but too many bytes for each.
    #[error("decoding would take more memory than the limit of {} MiB", MAX_DECODED_BYTES >> 20)]
    TooHeavy,
    /// A whole picture of a kind that we do not decode.
    #[error("a kind of picture that is not supported: {0}")]
    Unsupported(String),
    /// The decoder gave up.
    #[error("damaged or truncated: {0}")]
    Damaged(String),
}

impl PictureError {
    /// Whether a limit stopped it, rather than the bytes themselves.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::TooHeavy)
    }
}

/// The format that the first bytes tell, by the names in [`Picture::format`].
#[must_use]
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some("tiff"),
        // Two letters are little to go by: the length of the second header must be one that exists.
        [b'B', b'M', rest @ ..]
            if rest.len() > 16
                && matches!(rest[12..16], [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) =>
        {
            Some("bmp")
        }
        _ => None,
    }
}

/// Decodes a picture whole.
pub fn decode(bytes: &[u8]) -> Result<Picture, PictureError> {
    decode_for(bytes, |picture| picture)
}

/// What `work` makes of the picture. Of the largest pictures only one at a time is decoded and worked on.
pub fn decode_for<T>(bytes: &[u8], work: impl FnOnce(Picture) -> T) -> Result<T, PictureError> {
    let format = recognise(bytes)?;
    let Stored { picture, orientation, alone } = guarded(|| decode_stored(bytes, format))?;
    let result = work(upright(picture, orientation));
    drop(alone);
    Ok(result)
}

/// Decodes a picture and fits it into `max_side` × `max_side` (never enlarging), by the fastest way that looks right.
/// `width` and `height` of the result are the thumbnail's; the stored size (upright) comes second.
pub fn thumbnail(bytes: &[u8], max_side: u32) -> Result<(Picture, (u32, u32)), PictureError> {
    let format = recognise(bytes)?;
    guarded(|| {
        #[cfg(feature = "turbojpeg")]
        if format == "jpeg"
            && let Some((picture, size, orientation)) = jpeg::thumbnail_by_turbo(bytes, max_side)?
        {
            return Ok((upright(picture, orientation), upright_size(size, orientation)));
        }
        let Stored { picture, orientation, alone } = decode_stored(bytes, format)?;
        let size = (picture.width, picture.height);
        let small = scale::shrink(picture, max_side);
        drop(alone);
        Ok((upright(small, orientation), upright_size(size, orientation)))
    })
}

/// Pixels as the file stores them.
struct Stored {
    picture: Picture,
    /// How they have to be turned.
    orientation: Orientation,
    /// Held for as long as the pixels, if they are many.
    alone: Option<Alone>,
}

fn recognise(bytes: &[u8]) -> Result<&'static str, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() < 1024 && bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Err(PictureError::LfsPointer);
    }
    sniff(bytes).ok_or(PictureError::UnknownFormat)
}

/// Runs a decoder; if it panics, the picture is damaged.
fn guarded<T>(work: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    // Nothing outlives the closure but buffers that are overwritten before their next use.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(PictureError::Damaged("the decoder stumbled over it".into())))
}

fn damaged(reason: &dyn std::fmt::Display) -> PictureError {
    PictureError::Damaged(reason.to_string().chars().take(200).collect())
}

/// Leave to hold a large picture; one thread has it at a time.
struct Alone {
    _guard: MutexGuard<'static, ()>,
}

thread_local! {
    /// Whether this thread has leave already: work on a large picture may come to another one while it waits for its
    /// own parts, and must not wait for itself.
    static IS_ALONE: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Alone {
    fn drop(&mut self) {
        IS_ALONE.set(false);
    }
}

/// Refuses what is too large, and waits until it is alone if it is merely large.
fn admit(width: u32, height: u32) -> Result<Option<Alone>, PictureError> {
    static LARGE: Mutex<()> = Mutex::new(());
    let pixels = check_size(width, height)?;
    if pixels <= MANY_PIXELS || IS_ALONE.get() {
        return Ok(None);
    }
    let guard = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    IS_ALONE.set(true);
    Ok(Some(Alone { _guard: guard }))
}

/// The number of pixels, within the limits.
fn check_size(width: u32, height: u32) -> Result<u64, PictureError> {
    let pixels = u64::from(width) * u64::from(height);
    if width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    if pixels == 0 {
        return Err(PictureError::Damaged("it has no pixels".into()));
    }
    Ok(pixels)
}

fn decode_stored(bytes: &[u8], format: &'static str) -> Result<Stored, PictureError> {
    match format {
        "jpeg" => jpeg::decode(bytes),
        "png" => {
            // The first chunk holds the size; read here so that a bomb is refused before a decoder is made.
            if let Some(&[w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(16..24) {
                check_size(u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))?;
            }
            let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits());
            from_decoder(decoder.map_err(|e| refused(&e))?, format)
        }
        "gif" => from_decoder(GifDecoder::new(Cursor::new(bytes)).map_err(|e| refused(&e))?, format),
        "webp" => {
            check_webp_chunks(bytes)?;
            from_decoder(WebPDecoder::new(Cursor::new(bytes)).map_err(|e| refused(&e))?, format)
        }
        "bmp" => from_decoder(BmpDecoder::new(Cursor::new(bytes)).map_err(|e| refused(&e))?, format),
        _ => from_decoder(TiffDecoder::new(Cursor::new(bytes)).map_err(|e| refused(&e))?, format),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

fn refused(error: &ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooHeavy,
        ImageError::Unsupported(what) => {
            PictureError::Unsupported(what.to_string().chars().take(200).collect())
        }
        ImageError::Decoding(_)
        | ImageError::IoError(_)
        | ImageError::Parameter(_)
        | ImageError::Encoding(_) => damaged(error),
    }
}

fn from_decoder(mut decoder: impl ImageDecoder, format: &'static str) -> Result<Stored, PictureError> {
    let (width, height) = decoder.dimensions();
    let alone = admit(width, height)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(PictureError::TooHeavy);
    }
    decoder.set_limits(limits()).map_err(|e| refused(&e))?;
    // Metadata that makes no sense is no reason to refuse the pixels.
    let orientation = if format == "tiff" {
        decoder.orientation().ok()
    } else {
        let exif = decoder.exif_metadata().ok().flatten();
        exif.as_deref().and_then(orientation_of)
    };
    let image = DynamicImage::from_decoder(decoder).map_err(|e| refused(&e))?;
    let picture = Picture { width, height, rgb: opaque_rgb(image), format };
    Ok(Stored { picture, orientation: orientation.unwrap_or(Orientation::NoTransforms), alone })
}

/// The orientation in an EXIF block, with or without the marker that JPEG puts before it.
fn orientation_of(exif: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}

/// Checks that every chunk of a WebP file lies inside it, and that no frame promises more than the limits.
fn check_webp_chunks(bytes: &[u8]) -> Result<(), PictureError> {
    let mut at = 12;
    while let Some(&[a, b, c, d, s0, s1, s2, s3]) = bytes.get(at..at + 8) {
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        let body = at + 8;
        let name = [a, b, c, d];
        // Trailing bytes after the last chunk are harmless: they do not look like a chunk.
        if !name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            break;
        }
        let Some(chunk) = bytes.get(body..body + size) else {
            let name = String::from_utf8_lossy(&name).into_owned();
            return Err(PictureError::Damaged(format!("truncated inside chunk `{}`", name.trim_end())));
        };
        match &name {
            b"ANMF" if chunk.len() > 24 => {
                check_webp_frame([chunk[16], chunk[17], chunk[18], chunk[19]], &chunk[24..])?;
            }
            _ => check_webp_frame(name, chunk)?,
        }
        at = body + size + size % 2;
    }
    Ok(())
}

fn check_webp_frame(name: [u8; 4], chunk: &[u8]) -> Result<(), PictureError> {
    let (width, height) = match (&name, chunk) {
        (b"VP8 ", [_, _, _, _, _, _, w0, w1, h0, h1, ..]) => {
            (u16::from_le_bytes([*w0, *w1]) & 0x3FFF, u16::from_le_bytes([*h0, *h1]) & 0x3FFF)
        }
        (b"VP8L", [_, a, b, c, d, ..]) => {
            let packed = u32::from_le_bytes([*a, *b, *c, *d]);
            ((packed & 0x3FFF) as u16 + 1, (packed >> 14 & 0x3FFF) as u16 + 1)
        }
        _ => return Ok(()),
    };
    check_size(width.into(), height.into()).map(|_| ())
}

/// 8-bit RGB: grey three times, 16 bit by its upper half, alpha on white.
fn opaque_rgb(image: DynamicImage) -> Vec<u8> {
    fn on_white(colour: u8, alpha: u8) -> u8 {
        let (colour, alpha) = (u32::from(colour), u32::from(alpha));
        ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    }
    fn flatten<const N: usize, S: Copy>(samples: &[S], to_u8: impl Fn(S) -> u8) -> Vec<u8> {
        let pixels = samples.as_chunks::<N>().0;
        let mut rgb = Vec::with_capacity(pixels.len() * 3);
        for pixel in pixels {
            let pixel = pixel.map(&to_u8);
            let colour = if N < 3 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
            rgb.extend(if N.is_multiple_of(2) { colour.map(|c| on_white(c, pixel[N - 1])) } else { colour });
        }
        rgb
    }
    let from_u16 = |v: u16| (v >> 8) as u8;
    let from_f32 = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
    match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageLuma8(image) => flatten::<1, _>(&image, |v| v),
        DynamicImage::ImageLumaA8(image) => flatten::<2, _>(&image, |v| v),
        DynamicImage::ImageRgba8(image) => flatten::<4, _>(&image, |v| v),
        DynamicImage::ImageLuma16(image) => flatten::<1, _>(&image, from_u16),
        DynamicImage::ImageLumaA16(image) => flatten::<2, _>(&image, from_u16),
        DynamicImage::ImageRgb16(image) => flatten::<3, _>(&image, from_u16),
        DynamicImage::ImageRgba16(image) => flatten::<4, _>(&image, from_u16),
        DynamicImage::ImageRgb32F(image) => flatten::<3, _>(&image, from_f32),
        DynamicImage::ImageRgba32F(image) => flatten::<4, _>(&image, from_f32),
        other => flatten::<4, _>(&other.into_rgba8(), |v| v),
    }
}

/// Turns and mirrors stored pixels as their metadata asks.
fn upright(picture: Picture, orientation: Orientation) -> Picture {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let Picture { width, height, rgb, format } = picture;
    let image = RgbImage::from_raw(width, height, rgb).expect("a picture has three bytes a pixel");
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Picture { width: image.width(), height: image.height(), rgb: image.into_rgb8().into_raw(), format }
}

fn upright_size((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    if orientation.to_exif() >= 5 { (height, width) } else { (width, height) }
}

/// The average over the window around each pixel, of what lies inside the picture.
pub(crate) fn box_average(values: &[f32], width: usize, height: usize, window: usize) -> Vec<f32> {
    let before = (window - 1) / 2;
    let after = window - before;
    let row = |y: usize| &values[y * width..(y + 1) * width];
    // Of each column what the window's rows hold, and the sum of these from the left.
    let mut columns = vec![0.0_f64; width];
    let mut sums = vec![0.0_f64; width + 1];
    let (mut top, mut bottom) = (0, 0);
    let mut smooth = Vec::with_capacity(values.len());
    for y in 0..height {
        while bottom < (y + after).min(height) {
            columns.iter_mut().zip(row(bottom)).for_each(|(sum, value)| *sum += f64::from(*value));
            bottom += 1;
        }
        while top < y.saturating_sub(before) {
            columns.iter_mut().zip(row(top)).for_each(|(sum, value)| *sum -= f64::from(*value));
            top += 1;
        }
        let mut sum = 0.0;
        for (to, column) in sums[1..].iter_mut().zip(&columns) {
            sum += column;
            *to = sum;
        }
        smooth.extend((0..width).map(|x| {
            let (left, right) = (x.saturating_sub(before), (x + after).min(width));
            ((sums[right] - sums[left]) / ((right - left) * (bottom - top)) as f64) as f32
        }));
    }
    smooth
}

#[cfg(test)]
mod tests;
