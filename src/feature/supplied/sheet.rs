//! How does a spreadsheet write a table? CSV, with or without a line of names.

use std::fs::File;

use csv::{ReaderBuilder, StringRecord};

use super::{Number, Supplied, check_width, key_column};

pub(super) fn read<T: Number>(file: File, delimiter: u8) -> Result<Supplied<T>, String> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(file);
    let mut record = StringRecord::new();
    let mut next = |record: &mut StringRecord| reader.read_record(record).map_err(|error| error.to_string());
    if !next(&mut record)? {
        return Err("the file is empty".to_owned());
    }
    let is_number = |field: &str| field.trim().parse::<f64>().is_ok();
    let first = record.clone();
    // Names are no numbers: a first line of nothing but a key and numbers is data.
    let numbers = first.iter().filter(|field| is_number(field)).count();
    let headless = numbers > 0 && numbers + 1 >= first.len();
    let names: Option<Vec<String>> = (!headless)
        .then(|| first.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect());
    if names.is_some() && !next(&mut record)? {
        return Err("there is a line of names, and nothing below it".to_owned());
    }
    let key = key_column(names.as_deref(), &record.iter().map(is_number).collect::<Vec<_>>())?;
    let width = record.len() - usize::from(key.is_some());
    check_width(width)?;
    let mut table = Supplied { width, keys: key.map(|_| Vec::new()), ..Supplied::default() };
    table.columns = names.map(|names| {
        names.into_iter().enumerate().filter(|(at, _)| Some(*at) != key).map(|(_, name)| name).collect()
    });
    loop {
        for (at, field) in record.iter().enumerate() {
            if Some(at) == key {
                table.keys.get_or_insert_default().push(field.to_owned());
                continue;
            }
            let Ok(number) = field.trim().parse::<f64>() else {
                let line = record.position().map_or(0, csv::Position::line);
                let shown: String = field.chars().take(40).collect();
                return Err(format!("line {line}, column {}: `{shown}` is no number", at + 1));
            };
            table.values.push(T::from_f64(number));
        }
        if !next(&mut record)? {
            return Ok(table);
        }
    }
}
