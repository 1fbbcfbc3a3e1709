//! Tests of tables that people bring.

use super::*;

/// Writes bytes under a name, reads them as a table, and compares with `(columns, keys, width, values)` or a message.
type Expected<'a> = Result<(Option<&'a [&'a str]>, Option<&'a [&'a str]>, usize, &'a [f64]), &'a str>;

fn check(name: &str, bytes: &[u8], expected: Expected<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    #[allow(clippy::disallowed_methods)]
    std::fs::write(&path, bytes).unwrap();
    let own =
        |names: Option<&[&str]>| names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    match (read_supplied::<f64>(&path), expected) {
        (Ok(table), Ok((columns, keys, width, values))) => {
            assert_eq!((table.columns, table.keys), (own(columns), own(keys)), "{name}");
            assert_eq!((table.width, &table.values[..]), (width, values), "{name}");
        }
        (Err(error), Err(part)) => {
            let error = error.to_string();
            assert!(error.contains(part) && error.contains(name), "{error} without {part}");
        }
        (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
    }
}

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn singles(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn sheets() {
    let named =
        Ok((Some(&["ant", "bee"][..]), Some(&["a.png", "b.png"][..]), 2, &[0.25, 0.75, 1.0, 0.0][..]));
    check("p.csv", b"key,ant,bee\na.png,.25,0.75\nb.png,1,0\n", named);
    check("p.csv", b"\xEF\xBB\xBFfile,ant,bee\r\na.png,.25,0.75\r\nb.png,1,0\r\n", named);
    check("p.tsv", b"1\t2\n3\t4\n", Ok((None, None, 2, &[1.0, 2.0, 3.0, 4.0])));
    check("p.csv", b"a,1,2\nb,3,4", Ok((None, Some(&["a", "b"]), 2, &[1.0, 2.0, 3.0, 4.0])));
    check("p.csv", b"path,x\n0001,7\n", Ok((Some(&["x"]), Some(&["0001"]), 1, &[7.0])));
    check("p.csv", b"key,x\na,nan\n", Err("sample `a`, number 1 is not finite"));
    check("p.csv", b"1,2\n3,inf\n", Err("line 2, number 2 is not finite"));
    check("p.csv", b"key,x\na,1\nb,one\n", Err("line 3, column 2: `one` is no number"));
    check("p.csv", b"key,name,x\na,b,1\n", Err("column 2 holds no numbers"));
    check("p.csv", b"1,2\n3\n", Err("found record with 1 fields"));
    check("p.csv", b"key,x\n", Err("nothing below it"));
    check("p.csv", b"", Err("the file is empty"));
    check("p.csv", b"key\na\n", Err("no columns of numbers"));
    check("p.csv", b"\xFF\xFE1,2\n", Err("p.csv"));
    check("p.txt", b"1", Err("should end in .npy"));
}

#[test]
fn arrays() {
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let data = singles(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    check("e.npy", &npy("<f4", false, "(3, 2)", &data), Ok((None, None, 2, &values)));
    check("e.npy", &npy("<f4", true, "(3, 2)", &data), Ok((None, None, 2, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0])));
    let doubles: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    check("e.npy", &npy(">f8", false, "(2, 3)", &doubles), Ok((None, None, 3, &values)));
    let halves: Vec<u8> = [1.0, 2.0].iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect();
    check("e.npy", &npy("<f2", false, "(1, 2)", &halves), Ok((None, None, 2, &[1.0, 2.0])));
    check("e.npy", &npy("|u1", false, "(1, 2)", &[3, 4]), Ok((None, None, 2, &[3.0, 4.0])));
    check("e.npy", &npy("<f4", false, "(6,)", &data), Err("1 axes"));
    check("e.npy", &npy("<f4", false, "(3, 3)", &data), Err("not an .npy array"));
    check("e.npy", &npy("<f4", false, "(3, 2000000)", &data), Err("more than the file holds"));
    check("e.npy", &npy("<f4", false, "(9999999999999, 9999999999999)", &data), Err("e.npy"));
    check("e.npy", &npy("<f4", false, "(0, 0)", &[]), Err("no columns"));
    check("e.npy", &npy("|S4", false, "(3, 2)", &data), Err("float32"));
    check("e.npy", &npy("<f4", false, "(1, 1)", &singles(&[f32::NAN])), Err("not finite"));
    check("e.npy", b"not an array", Err("not an .npy array"));
    check("e.npy", b"", Err("not an .npy array"));
}

#[test]
fn data_frames() {
    use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType};
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    let write = |schema: &str, list: bool| {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let keys = [ByteArray::from("a.png"), ByteArray::from("b.png")];
        column.typed::<ByteArrayType>().write_batch(&keys, None, None).unwrap();
        column.close().unwrap();
        if list {
            let mut column = group.next_column().unwrap().unwrap();
            let numbers = [1.0, 2.0, 3.0, 4.0];
            column.typed::<FloatType>().write_batch(&numbers, Some(&[1; 4]), Some(&[0, 1, 0, 1])).unwrap();
            column.close().unwrap();
        } else {
            for numbers in [[1.0, 3.0], [2.0, 4.0]] {
                let mut column = group.next_column().unwrap().unwrap();
                column.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
                column.close().unwrap();
            }
        }
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    };
    let columns =
        write("message m { required binary key (UTF8); required double ant; required double bee; }", false);
    let keys = Some(&["a.png", "b.png"][..]);
    check("p.parquet", &columns, Ok((Some(&["ant", "bee"]), keys, 2, &[1.0, 2.0, 3.0, 4.0])));
    let lists = write(
        "message m { required binary path (UTF8); \
         required group e (LIST) { repeated group list { required float element; } } }",
        true,
    );
    check("e.parquet", &lists, Ok((None, keys, 2, &[1.0, 2.0, 3.0, 4.0])));
    check("p.parquet", &columns[..columns.len() / 2], Err("not a Parquet file"));
    check("p.parquet", b"", Err("not a Parquet file"));
    // Whatever byte is wrong, nobody panics.
    for at in 0..columns.len() {
        let mut damaged = columns.clone();
        damaged[at] ^= 0xFF;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.parquet");
        #[allow(clippy::disallowed_methods)]
        std::fs::write(&path, damaged).unwrap();
        let _ = read_supplied::<f64>(&path);
    }
}
