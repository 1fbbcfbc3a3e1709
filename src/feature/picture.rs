//! How does a file become pixels? Within limits, upright, opaque, 8 bit, sRGB.

/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 100_000_000;

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
    #[error("{width} × {height} pixels are more than the limit of {MAX_PIXELS}")]
    TooLarge {
        /// Promised.
        width: u32,
        /// Promised.
        height: u32,
    },
    /// The decoder gave up.
    #[error("damaged or truncated: {0}")]
    Damaged(String),
}

/// Decodes a picture whole.
pub fn decode(_bytes: &[u8]) -> Result<Picture, PictureError> {
    todo!()
}

/// Decodes a picture and fits it into `max_side` × `max_side` (never enlarging), by the fastest way that looks right.
/// `width` and `height` of the result are the thumbnail's; the stored size comes second.
pub fn thumbnail(_bytes: &[u8], _max_side: u32) -> Result<(Picture, (u32, u32)), PictureError> {
    todo!()
}

/// The picture at another size, by area averaging down and bilinear up.
#[must_use]
pub fn resize(_picture: &Picture, _width: u32, _height: u32) -> Picture {
    todo!()
}
