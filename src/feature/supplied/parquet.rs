//! How does a data frame write a table? Parquet, numbers in columns or in one column of lists.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::{Number, Supplied, check_width, key_column};

pub(super) fn read<T: Number>(file: File) -> Result<Supplied<T>, String> {
    let damaged =
        |error: parquet::errors::ParquetError| format!("not a Parquet file that can be read: {error}");
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let mut table = Supplied::default();
    let mut key = None;
    for (line, row) in reader.get_row_iter(None).map_err(damaged)?.enumerate() {
        let row = row.map_err(damaged)?;
        if line == 0 {
            let is_number =
                |field: &Field| number(field).is_some() || matches!(field, Field::ListInternal(_));
            let is_number: Vec<bool> = row.get_column_iter().map(|(_, field)| is_number(field)).collect();
            key = key_column(Some(&names), &is_number)?;
            table.keys = key.map(|_| Vec::new());
        }
        let before = table.values.len();
        let mut lists = false;
        for (at, (name, field)) in row.get_column_iter().enumerate() {
            if Some(at) == key {
                let Some(text) = text(field) else { return Err(format!("line {}: no key", line + 1)) };
                table.keys.get_or_insert_default().push(text);
                continue;
            }
            let numbers = match field {
                Field::ListInternal(list) => {
                    lists = true;
                    list.elements()
                }
                one => std::slice::from_ref(one),
            };
            for field in numbers {
                let Some(number) = number(field) else {
                    return Err(format!("line {}, column `{name}`: no number", line + 1));
                };
                table.values.push(T::from_f64(number));
            }
        }
        let width = table.values.len() - before;
        if line == 0 {
            check_width(width)?;
            table.width = width;
            if !lists {
                let others = names.iter().enumerate().filter(|(at, _)| Some(*at) != key);
                table.columns = Some(others.map(|(_, name)| name.clone()).collect());
            }
        } else if width != table.width {
            return Err(format!("line {}: {width} numbers, {} in the lines before", line + 1, table.width));
        }
    }
    if table.width == 0 { Err("there are no lines".to_owned()) } else { Ok(table) }
}

fn number(field: &Field) -> Option<f64> {
    Some(match field {
        Field::Byte(value) => f64::from(*value),
        Field::Short(value) => f64::from(*value),
        Field::Int(value) => f64::from(*value),
        Field::Long(value) => *value as f64,
        Field::UByte(value) => f64::from(*value),
        Field::UShort(value) => f64::from(*value),
        Field::UInt(value) => f64::from(*value),
        Field::ULong(value) => *value as f64,
        Field::Float16(value) => value.to_f64(),
        Field::Float(value) => f64::from(*value),
        Field::Double(value) => *value,
        _ => return None,
    })
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).ok(),
        Field::Int(number) => Some(number.to_string()),
        Field::Long(number) => Some(number.to_string()),
        _ => None,
    }
}
