//! How does `numpy` write an array? `.npy`, numbers of two axes.

use std::fs::File;
use std::io::BufReader;

use npyz::{NpyFile, Order};

use super::{Number, Supplied, check_width};

pub(super) fn read<T: Number>(file: File, size: u64) -> Result<Supplied<T>, String> {
    let no_array = |error: std::io::Error| format!("not an .npy array: {error}");
    let array = NpyFile::new(BufReader::new(file)).map_err(no_array)?;
    let &[lines, width] = array.shape() else {
        let axes = array.shape().len();
        return Err(format!("an array with {axes} axes; two are needed, samples × numbers"));
    };
    // Each number takes at least one byte: a header that promises more is a lie.
    let count = lines.checked_mul(width).filter(|count| *count <= size);
    let Some(count) = count else {
        return Err(format!("{lines} × {width} numbers are more than the file holds"));
    };
    let (lines, width) = (lines as usize, width as usize);
    check_width(width)?;
    let order = array.order();
    let mut values = Vec::with_capacity(count as usize);
    macro_rules! read_as {
        ($array:ident, $($number:ty => $convert:expr),+) => {
            $(let $array = match $array.try_data::<$number>() {
                Ok(numbers) => {
                    for number in numbers {
                        values.push(T::from_f64($convert(number.map_err(no_array)?)));
                    }
                    return finish(values, lines, width, order);
                }
                Err(array) => array,
            };)+
        };
    }
    read_as!(array,
        f32 => f64::from, f64 => |x| x, half::f16 => half::f16::to_f64,
        u8 => f64::from, i8 => f64::from, u16 => f64::from, i16 => f64::from, u32 => f64::from, i32 => f64::from,
        i64 => |x| x as f64, u64 => |x| x as f64
    );
    Err(format!("numbers of type {} are not read; save it as float32 or float64", array.dtype().descr()))
}

fn finish<T: Number>(
    values: Vec<T>,
    lines: usize,
    width: usize,
    order: Order,
) -> Result<Supplied<T>, String> {
    if values.len() != lines * width {
        return Err(format!("{} numbers instead of {lines} × {width}", values.len()));
    }
    let values = match order {
        Order::C => values,
        // Column by column.
        Order::Fortran => (0..lines * width).map(|at| values[at % width * lines + at / width]).collect(),
    };
    Ok(Supplied { width, values, ..Supplied::default() })
}
