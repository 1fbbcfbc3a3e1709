//! How does a JPEG become pixels? Its structure is walked first, because decoders draw grey where data is missing.

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{Picture, PictureError, Stored, admit, damaged, orientation_of};

/// More header segments than any camera or editor writes; the decoder's time grows with their square.
const MAX_SEGMENTS: usize = 4_000;

/// More scans than any encoder writes; each costs a pass over the picture whatever its length.
const MAX_SCANS: usize = 100;

/// The passes over pixels that one picture may ask for.
const MAX_SCANNED_PIXELS: u64 = 2_000_000_000;

/// What the markers of a whole JPEG say.
#[derive(Debug, PartialEq, Eq)]
struct Outline<'a> {
    width: u32,
    height: u32,
    components: u8,
    scans: usize,
    exif: Option<&'a [u8]>,
}

/// Decodes a JPEG; colours become RGB (grey, YCbCr, RGB, CMYK, YCCK), pixels stay as stored.
pub(super) fn decode(bytes: &[u8]) -> Result<Stored, PictureError> {
    let outline = outline(bytes)?;
    let alone = admit(outline.width, outline.height)?;
    check_effort(&outline)?;
    let lenient = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), lenient);
    decoder.decode_headers().map_err(|e| damaged(&e))?;
    if decoder.dimensions() != Some((outline.width as usize, outline.height as usize)) {
        return Err(PictureError::Damaged("its headers contradict each other".into()));
    }
    // Stray bytes between headers are harmless; errors in the picture's data are not.
    decoder.set_options(lenient.set_strict_mode(true));
    let rgb = decoder.decode().map_err(|e| damaged(&e))?;
    if rgb.len() != outline.width as usize * outline.height as usize * 3 {
        return Err(PictureError::Damaged("it has another number of colours than it says".into()));
    }
    let picture = Picture { width: outline.width, height: outline.height, rgb, format: "jpeg" };
    Ok(Stored { picture, orientation: orientation(&outline), alone })
}

/// The thumbnail by libjpeg-turbo, which decodes straight to an eighth, two eighths, … of the size.
/// `None` where it has doubts: the slower way then says what is wrong, so that both builds refuse the same files.
#[cfg(feature = "turbojpeg")]
pub(super) fn thumbnail_by_turbo(
    bytes: &[u8],
    max_side: u32,
) -> Result<Option<(Picture, (u32, u32), Orientation)>, PictureError> {
    let outline = outline(bytes)?;
    let (width, height) = (outline.width, outline.height);
    let _alone = admit(width, height)?;
    check_effort(&outline)?;
    // It leaves four channels as they are.
    if outline.components == 4 {
        return Ok(None);
    }
    let picture = decode_scaled(bytes, (width, height), super::fit(width, height, max_side));
    Ok(picture
        .map(|picture| (super::scale::shrink(picture, max_side), (width, height), orientation(&outline))))
}

/// Decodes to the smallest number of eighths that is no smaller than `wanted`.
#[cfg(feature = "turbojpeg")]
fn decode_scaled(bytes: &[u8], stored: (u32, u32), wanted: (u32, u32)) -> Option<Picture> {
    use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};
    thread_local! {
        static DECOMPRESSOR: std::cell::RefCell<Option<Decompressor>> = const { std::cell::RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::new().ok();
        }
        let decompressor = slot.as_mut()?;
        decompressor.set_scan_limit(MAX_SCANS as u32).ok()?;
        let header = decompressor.read_header(bytes).ok()?;
        if (header.width, header.height) != (stored.0 as usize, stored.1 as usize) {
            return None;
        }
        let factor = (1..=8).map(|eighths| ScalingFactor::new(eighths, 8)).find(|factor| {
            factor.scale(header.width) >= wanted.0 as usize
                && factor.scale(header.height) >= wanted.1 as usize
        })?;
        decompressor.set_scaling_factor(factor).ok()?;
        let (width, height) = (factor.scale(header.width), factor.scale(header.height));
        let mut rgb = vec![0; width * height * 3];
        let image =
            Image { pixels: rgb.as_mut_slice(), width, pitch: width * 3, height, format: PixelFormat::RGB };
        decompressor.decompress(bytes, image).ok()?;
        Some(Picture { width: width as u32, height: height as u32, rgb, format: "jpeg" })
    })
}

fn orientation(outline: &Outline<'_>) -> Orientation {
    outline.exif.and_then(orientation_of).unwrap_or(Orientation::NoTransforms)
}

fn check_effort(outline: &Outline<'_>) -> Result<(), PictureError> {
    let pixels = u64::from(outline.width) * u64::from(outline.height);
    if outline.scans > MAX_SCANS || pixels * outline.scans as u64 > MAX_SCANNED_PIXELS {
        return Err(PictureError::Damaged(format!("{} scans are more than a picture needs", outline.scans)));
    }
    match outline.components {
        1 | 3 | 4 => Ok(()),
        n => Err(PictureError::Unsupported(format!("a JPEG with {n} colour components"))),
    }
}

/// Walks the markers from start to end of the picture; what follows the end is ignored.
/// A picture without its end mark is truncated: inside the data the mark cannot occur by chance.
fn outline(bytes: &[u8]) -> Result<Outline<'_>, PictureError> {
    let truncated = || PictureError::Damaged("truncated: the picture's end is missing".into());
    let mut frame = None;
    let mut exif = None;
    let (mut segments, mut scans, mut at) = (0, 0, 2);
    loop {
        at += bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0xFF)).ok_or_else(truncated)?;
        at += bytes[at..].iter().position(|&b| b != 0xFF).ok_or_else(truncated)?;
        let marker = bytes[at];
        at += 1;
        match marker {
            // A stuffed zero, a marker without a body, a restart, a start inside the picture.
            0x00 | 0x01 | 0xD0..=0xD8 => continue,
            0xD9 => break,
            _ => (),
        }
        let length = match bytes.get(at..at + 2) {
            Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => return Err(truncated()),
        };
        let body = bytes.get(at + 2..at + length.max(2)).ok_or_else(truncated)?;
        segments += 1;
        if segments > MAX_SEGMENTS {
            return Err(PictureError::Damaged(format!("more than {MAX_SEGMENTS} segments")));
        }
        match (marker, body) {
            // Start of frame, whatever the kind: all but the three that share its range.
            (0xC0..=0xCF, [_, h0, h1, w0, w1, components, ..]) if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let (width, height) = (u16::from_be_bytes([*w0, *w1]), u16::from_be_bytes([*h0, *h1]));
                if frame.is_none() {
                    frame = Some((u32::from(width), u32::from(height), *components));
                }
            }
            (0xDA, _) => scans += 1,
            (0xE1, body) if exif.is_none() => exif = body.strip_prefix(b"Exif\0\0"),
            _ => (),
        }
        at += length.max(2);
    }
    let Some((width, height, components)) = frame.filter(|_| scans > 0) else {
        return Err(PictureError::Damaged("it holds no picture data".into()));
    };
    Ok(Outline { width, height, components, scans, exif })
}
