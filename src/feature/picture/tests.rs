use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, GenericImage, ImageEncoder, ImageFormat, Rgb, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;

const BASELINE: &[u8] = include_bytes!("../../../tests/common/pictures/baseline.jpg");
const SUBSAMPLED: &[u8] = include_bytes!("../../../tests/common/pictures/subsampled.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("../../../tests/common/pictures/progressive.jpg");
const GREY: &[u8] = include_bytes!("../../../tests/common/pictures/grey.jpg");
const YCCK: &[u8] = include_bytes!("../../../tests/common/pictures/ycck.jpg");
const TURNED_TIFF: &[u8] = include_bytes!("../../../tests/common/pictures/turned.tif");

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];

/// 24 × 16: red and green above blue and white, as in the stored JPEG files.
fn quadrants() -> RgbImage {
    RgbImage::from_fn(24, 16, |x, y| {
        Rgb(match (x < 12, y < 8) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => WHITE,
        })
    })
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encodes");
    bytes.into_inner()
}

/// One real file of every format and kind, by name.
fn every_format() -> Vec<(&'static str, Vec<u8>)> {
    let rgb = DynamicImage::ImageRgb8(quadrants());
    let rgba = DynamicImage::ImageRgba8(rgb.to_rgba8());
    vec![
        ("jpeg", BASELINE.to_vec()),
        ("jpeg", SUBSAMPLED.to_vec()),
        ("jpeg", PROGRESSIVE.to_vec()),
        ("jpeg", YCCK.to_vec()),
        ("png", encoded(&rgb, ImageFormat::Png)),
        ("png", encoded(&rgba, ImageFormat::Png)),
        ("png", encoded(&DynamicImage::ImageRgb16(rgb.to_rgb16()), ImageFormat::Png)),
        ("webp", encoded(&rgb, ImageFormat::WebP)),
        ("webp", encoded(&rgba, ImageFormat::WebP)),
        ("gif", encoded(&rgba, ImageFormat::Gif)),
        ("bmp", encoded(&rgb, ImageFormat::Bmp)),
        ("tiff", encoded(&rgb, ImageFormat::Tiff)),
    ]
}

/// The colours in the middle of the four quarters: above left, above right, below left, below right.
fn quarters(picture: &Picture) -> [[u8; 3]; 4] {
    let at = |x: u32, y: u32| {
        let start = (y * picture.width + x) as usize * 3;
        [picture.rgb[start], picture.rgb[start + 1], picture.rgb[start + 2]]
    };
    let (w, h) = (picture.width, picture.height);
    [at(w / 4, h / 4), at(w * 3 / 4, h / 4), at(w / 4, h * 3 / 4), at(w * 3 / 4, h * 3 / 4)]
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 12)
}

fn check_quarters(picture: &Picture, expected: [[u8; 3]; 4]) {
    let found = quarters(picture);
    assert!(found.iter().zip(expected).all(|(&a, b)| near(a, b)), "{found:?} instead of {expected:?}");
}

/// The JPEG with an EXIF block that holds nothing but an orientation.
fn jpeg_with_orientation(orientation: u8) -> Vec<u8> {
    let exif = exif(orientation);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend((2 + 6 + exif.len() as u16).to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(exif);
    bytes.extend(&BASELINE[2..]);
    bytes
}

fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn every_format_gives_its_pixels() {
    for (format, bytes) in every_format() {
        let picture = decode(&bytes).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!((picture.width, picture.height, picture.format), (24, 16, format));
        assert_eq!(picture.rgb.len(), 24 * 16 * 3);
        check_quarters(&picture, [RED, GREEN, BLUE, WHITE]);
    }
}

#[test]
fn grey_becomes_three_equal_channels() {
    let picture = decode(GREY).expect("a grey JPEG");
    assert!(picture.rgb.as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b));
    assert!(near(quarters(&picture)[3], WHITE));
    let grey =
        encoded(&DynamicImage::ImageLuma8(DynamicImage::ImageRgb8(quadrants()).to_luma8()), ImageFormat::Png);
    assert!(near(quarters(&decode(&grey).expect("a grey PNG"))[3], WHITE));
}

#[test]
fn cmyk_is_read_as_photo_programs_write_it() {
    // The Adobe segment says whether the four channels are YCCK (2) or CMYK (0); the channels themselves stay.
    let mut bytes = YCCK.to_vec();
    let adobe = bytes.windows(5).position(|w| w == b"Adobe").expect("an Adobe segment");
    assert_eq!(bytes[adobe + 11], 2);
    bytes[adobe + 11] = 0;
    // White is Y 0, Cb and Cr 128, K 255 (stored inverted), so as CMYK it is no cyan left, half magenta and yellow.
    check_quarters(&decode(YCCK).expect("YCCK"), [RED, GREEN, BLUE, WHITE]);
    let found = quarters(&decode(&bytes).expect("CMYK"))[3];
    assert!(near(found, [0, 128, 128]), "{found:?}");
}

#[test]
fn alpha_is_laid_on_white() {
    let mut image = RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 0]));
    image.put_pixel(0, 0, Rgba([0, 0, 0, 255]));
    image.put_pixel(1, 0, Rgba([0, 0, 0, 128]));
    for (format, half) in [(ImageFormat::Png, 127), (ImageFormat::WebP, 127), (ImageFormat::Tiff, 127)] {
        let picture = decode(&encoded(&DynamicImage::ImageRgba8(image.clone()), format)).expect("decodes");
        assert_eq!(picture.rgb[..9], [0, 0, 0, half, half, half, 255, 255, 255], "{format:?}");
    }
}

#[test]
fn sixteen_bits_keep_their_upper_half() {
    let image = image::ImageBuffer::from_pixel(2, 1, image::Rgb([0x12FF_u16, 0x3400, 0xFFFF]));
    let picture = decode(&encoded(&DynamicImage::ImageRgb16(image), ImageFormat::Png)).expect("decodes");
    assert_eq!(picture.rgb, [0x12, 0x34, 0xFF, 0x12, 0x34, 0xFF]);
}

#[test]
fn the_eight_orientations_come_upright() {
    let expected = [
        [RED, GREEN, BLUE, WHITE],
        [GREEN, RED, WHITE, BLUE],
        [WHITE, BLUE, GREEN, RED],
        [BLUE, WHITE, RED, GREEN],
        [RED, BLUE, GREEN, WHITE],
        [BLUE, RED, WHITE, GREEN],
        [WHITE, GREEN, BLUE, RED],
        [GREEN, WHITE, RED, BLUE],
    ];
    for (orientation, expected) in (1..).zip(expected) {
        let bytes = jpeg_with_orientation(orientation);
        let picture = decode(&bytes).expect("decodes");
        let size = if orientation >= 5 { (16, 24) } else { (24, 16) };
        assert_eq!((picture.width, picture.height), size, "orientation {orientation}");
        check_quarters(&picture, expected);
        let (small, stored) = thumbnail(&bytes, 12).expect("decodes");
        assert_eq!(stored, size);
        assert_eq!((small.width, small.height), if orientation >= 5 { (8, 12) } else { (12, 8) });
        check_quarters(&small, expected);
    }
    assert_eq!(decode(&jpeg_with_orientation(9)).expect("decodes").width, 24);
}

#[test]
fn orientation_is_read_from_the_other_formats_too() {
    let image = quadrants();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(exif(6)).expect("PNG holds EXIF");
    encoder.write_image(&image, 24, 16, ExtendedColorType::Rgb8).expect("encodes");
    let mut webp = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.set_exif_metadata([b"Exif\0\0".as_slice(), &exif(6)].concat()).expect("WebP holds EXIF");
    encoder.write_image(&image, 24, 16, ExtendedColorType::Rgb8).expect("encodes");
    for bytes in [png.as_slice(), &webp, TURNED_TIFF] {
        let picture = decode(bytes).expect("decodes");
        assert_eq!((picture.width, picture.height), (16, 24), "{}", picture.format);
        check_quarters(&picture, [BLUE, RED, WHITE, GREEN]);
    }
}

#[test]
fn what_is_no_picture_is_named() {
    assert_eq!(decode(b""), Err(PictureError::Empty));
    assert_eq!(decode(b"BM, a text that begins like a bitmap"), Err(PictureError::UnknownFormat));
    assert_eq!(decode(b"hello"), Err(PictureError::UnknownFormat));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    assert_eq!(decode(pointer), Err(PictureError::LfsPointer));
    assert_eq!(thumbnail(pointer, 64), Err(PictureError::LfsPointer));
}

/// A header of this size and nothing behind it, in every format whose header can say so.
fn bombs(width: u16, height: u16) -> Vec<(&'static str, Vec<u8>)> {
    let (w, h) = (width, height);
    let png = {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(u32::from(w).to_be_bytes());
        bytes.extend(u32::from(h).to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    };
    let jpeg = {
        let mut bytes = BASELINE.to_vec();
        let frame = bytes.windows(2).position(|m| m == [0xFF, 0xC0]).expect("a frame");
        bytes[frame + 5..frame + 7].copy_from_slice(&h.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&w.to_be_bytes());
        bytes
    };
    let gif = {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(w.to_le_bytes());
        bytes.extend(h.to_le_bytes());
        bytes.extend([0, 0, 0, 0x2C, 0, 0, 0, 0]);
        bytes.extend(w.to_le_bytes());
        bytes.extend(h.to_le_bytes());
        bytes.extend([0, 2, 0, 0x3B]);
        bytes
    };
    let bmp = {
        let mut bytes = encoded(&DynamicImage::ImageRgb8(quadrants()), ImageFormat::Bmp);
        bytes[18..22].copy_from_slice(&u32::from(w).to_le_bytes());
        bytes[22..26].copy_from_slice(&u32::from(h).to_le_bytes());
        bytes
    };
    let tiff = {
        let mut bytes = TURNED_TIFF.to_vec();
        // Entries 256 and 257 of the directory are width and height, 278 the rows of its only strip.
        let directory = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")) as usize;
        for (tag, side) in [(256_u16, w), (257, h), (278, h)] {
            let [low, high] = tag.to_le_bytes();
            let entry = bytes[directory..].windows(4).position(|e| e == [low, high, 3, 0]).expect("an entry");
            bytes[directory + entry + 8..directory + entry + 10].copy_from_slice(&side.to_le_bytes());
        }
        bytes
    };
    vec![("png", png), ("jpeg", jpeg), ("gif", gif), ("bmp", bmp), ("tiff", tiff)]
}

#[test]
fn a_header_that_promises_too_much_is_refused_at_once() {
    for (format, bytes) in bombs(60_000, 60_000) {
        let start = std::time::Instant::now();
        let expected = PictureError::TooLarge { width: 60_000, height: 60_000 };
        assert_eq!(decode(&bytes), Err(expected.clone()), "{format}");
        assert_eq!(thumbnail(&bytes, 64), Err(expected), "{format}");
        assert!(start.elapsed().as_millis() < 50, "{format} took {:?}", start.elapsed());
    }
    // The largest WebP: 16,384 a side.
    let mut webp = encoded(&DynamicImage::ImageRgb8(quadrants()), ImageFormat::WebP);
    let at = webp.windows(4).position(|w| w == b"VP8L").expect("lossless") + 9;
    webp[at..at + 4].copy_from_slice(&(16_383_u32 | 16_383 << 14).to_le_bytes());
    assert_eq!(decode(&webp), Err(PictureError::TooLarge { width: 16_384, height: 16_384 }));
    // A small canvas round a large first frame.
    let mut gif = bombs(60_000, 60_000).remove(2).1;
    gif[6..10].copy_from_slice(&[24, 0, 16, 0]);
    let error = decode(&gif).expect_err("a frame of 10 GB");
    assert!(matches!(error, PictureError::Damaged(_) | PictureError::TooHeavy), "{error:?}");
}

#[test]
fn a_large_promise_within_the_limits_is_found_out() {
    for (format, bytes) in bombs(3_000, 2_000) {
        assert!(
            matches!(decode(&bytes), Err(PictureError::Damaged(_))),
            "{format}: {:?}",
            decode(&bytes).err()
        );
    }
}

#[test]
fn every_truncation_is_reported() {
    for (format, bytes) in every_format() {
        for end in 1..bytes.len() {
            let Ok(picture) = decode(&bytes[..end]) else { continue };
            // These may lack a checksum, a trailer or an end mark, but no pixel.
            assert!(format != "jpeg", "a JPEG cut at {end} of {} was taken for whole", bytes.len());
            assert_eq!(picture, decode(&bytes).expect("decodes"), "{format} cut at {end} of {}", bytes.len());
        }
    }
}

#[test]
fn harmless_oddities_of_jpeg_files_are_accepted() {
    let plain = decode(BASELINE).expect("decodes");
    let mut trailing = BASELINE.to_vec();
    trailing.extend(b"\0\0\0 MakerNote trailer \xFF\xD8\xFF");
    assert_eq!(decode(&trailing).expect("trailing bytes"), plain);
    let mut filled = vec![0xFF, 0xD8, 0xFF, 0xFF, 0xFF];
    filled.extend(&BASELINE[3..]);
    assert_eq!(decode(&filled).expect("fill bytes before a marker"), plain);
    let first = 4 + usize::from(u16::from_be_bytes([BASELINE[4], BASELINE[5]]));
    let stray = [&BASELINE[..first], &[0; 5], &BASELINE[first..]].concat();
    assert_eq!(decode(&stray).expect("stray bytes between headers"), plain);
}

#[test]
fn jpeg_segments_and_scans_have_limits() {
    let mut many = vec![0xFF, 0xD8];
    for _ in 0..5_000 {
        many.extend([0xFF, 0xFE, 0, 2]);
    }
    many.extend(&BASELINE[2..]);
    assert!(matches!(decode(&many), Err(PictureError::Damaged(text)) if text.contains("segments")));
    let scan = BASELINE.windows(2).position(|m| m == [0xFF, 0xDA]).expect("a scan");
    let (head, body) = (&BASELINE[..scan], &BASELINE[scan..BASELINE.len() - 2]);
    let many = [head, &body.repeat(200), &[0xFF, 0xD9]].concat();
    assert!(matches!(decode(&many), Err(PictureError::Damaged(text)) if text.contains("scans")));
}

#[test]
fn thumbnails_keep_the_shape_and_never_grow() {
    assert_eq!(fit(400, 300, 128), (128, 96));
    assert_eq!(fit(300, 400, 128), (96, 128));
    assert_eq!(fit(10_000, 3, 128), (128, 1));
    assert_eq!(fit(100, 50, 128), (100, 50));
    for (format, bytes) in every_format() {
        let (picture, stored) = thumbnail(&bytes, 12).expect("decodes");
        assert_eq!((picture.width, picture.height, stored), (12, 8, (24, 16)), "{format}");
        assert_eq!(picture.rgb.len(), 12 * 8 * 3);
        check_quarters(&picture, [RED, GREEN, BLUE, WHITE]);
        assert_eq!(thumbnail(&bytes, 500).expect("decodes").0.rgb.len(), 24 * 16 * 3);
    }
}

#[test]
fn shrinking_averages_areas() {
    let pixels = [0, 30, 60, 90, 120, 150].map(|v| [v; 3]);
    let row = Picture { width: 6, height: 1, rgb: pixels.concat(), format: "png" };
    let red = |p: &Picture| p.rgb.iter().step_by(3).copied().collect::<Vec<_>>();
    assert_eq!(red(&resize(&row, 3, 1)), [15, 75, 135]);
    // Each of four covers one and a half: (0 + 30/2)/1.5, (30/2 + 60)/1.5, and so on.
    assert_eq!(red(&resize(&row, 4, 1)), [10, 50, 100, 140]);
    assert_eq!(red(&resize(&row, 1, 1)), [75]);
    let column = Picture { width: 1, height: 6, ..row.clone() };
    assert_eq!(red(&resize(&column, 1, 4)), [10, 50, 100, 140]);
    assert_eq!(resize(&row, 6, 1), row);
    let large = resize(&row, 12, 2);
    assert_eq!(large.rgb.len(), 12 * 2 * 3);
    assert!(red(&large).is_sorted_by(|a, b| a <= b || *a == 150));
}

#[test]
fn a_flat_picture_stays_flat_at_any_size() {
    let flat = Picture { width: 37, height: 23, rgb: [200, 100, 50].repeat(37 * 23), format: "png" };
    for (width, height) in [(1, 1), (5, 23), (36, 22), (37, 1), (96, 96), (10, 90)] {
        let other = resize(&flat, width, height);
        assert!(other.rgb.as_chunks::<3>().0.iter().all(|p| *p == [200, 100, 50]), "{width} × {height}");
    }
}

#[test]
fn an_odd_first_frame_of_a_gif_is_placed() {
    let mut image = RgbaImage::from_pixel(24, 16, Rgba([0, 0, 0, 0]));
    image.copy_from(&RgbaImage::from_pixel(12, 8, Rgba([255, 0, 0, 255])), 0, 0).expect("fits");
    let picture = decode(&encoded(&DynamicImage::ImageRgba8(image), ImageFormat::Gif)).expect("decodes");
    check_quarters(&picture, [RED, WHITE, WHITE, WHITE]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_bytes_give_a_picture_or_an_error(
        which in 0_usize..12,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = every_format().swap_remove(which).1;
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for picture in [decode(&bytes), thumbnail(&bytes, 10).map(|(picture, _)| picture)].into_iter().flatten() {
            prop_assert_eq!(picture.rgb.len(), picture.width as usize * picture.height as usize * 3);
        }
    }

    #[test]
    fn any_bytes_give_a_picture_or_an_error(
        start in prop::sample::select(vec![
            b"\x89PNG\r\n\x1a\n".as_slice(), b"\xFF\xD8\xFF", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"BM", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = decode(&[start, &rest].concat());
    }
}
