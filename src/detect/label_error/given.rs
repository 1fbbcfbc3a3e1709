//! Can a person's class probabilities be believed to be what they claim? Checked before anything is ranked by them.

use std::collections::HashMap;

use crate::detect::confident;
use crate::feature::{Supplied, SuppliedError};
use crate::model::Version;

/// How far a line's sum may be from 1, and a probability outside [0, 1].
const TOLERANCE: f64 = 1e-3;
/// The fewest lines that must look like another class before columns are said to be swapped.
const SWAPPED_LINES: usize = 10;
/// Agreement with the labels beyond which the model has probably seen them.
const SEEN: f64 = 0.995;

/// Probabilities of the labelled rows of a version, in the order of its classes.
pub(super) struct Given {
    /// `rows × classes`.
    pub values: Vec<f64>,
    /// What a person should know of them.
    pub remark: Option<String>,
}

/// Checks a table against a version, and puts its lines in the order of `rows` and its columns in the order of classes.
pub(super) fn given(table: &Supplied<f64>, version: &Version, rows: &[u32]) -> Result<Given, SuppliedError> {
    let bad = |message: String| SuppliedError::bad(&table.name, message);
    let names = version.classes();
    if table.width != names.len() {
        return Err(bad(format!(
            "{} columns of probabilities for {} classes; each class needs one",
            table.width,
            names.len()
        )));
    }
    let columns = columns(table, version).map_err(bad)?;
    let lines = table.lines_of(version, rows)?;
    let mut values = Vec::with_capacity(rows.len() * names.len());
    for &line in &lines {
        let row = table.row(line);
        let outside = row.iter().find(|p| **p < -TOLERANCE || **p > 1.0 + TOLERANCE);
        if let Some(p) = outside {
            return Err(bad(format!("{}: {p} is no probability (0 to 1)", table.line(line))));
        }
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > TOLERANCE {
            return Err(bad(format!(
                "{}: the probabilities add up to {sum:.4} instead of 1",
                table.line(line)
            )));
        }
        values.extend(columns.iter().map(|&column| row[column].clamp(0.0, 1.0)));
    }
    let labels: Vec<u32> = rows.iter().map(|&row| version.label_id(row as usize)).collect();
    if let Some((column, class)) = swapped(&values, &labels, names.len()) {
        return Err(bad(format!(
            "the columns seem to be in another order than the classes: that of `{}` fits the label `{}` far better \
             (the classes in order: {}). Name the columns after the classes",
            names[column],
            names[class],
            shortened(&names.iter().map(|name| &**name).collect::<Vec<_>>())
        )));
    }
    let right = values.chunks_exact(names.len().max(1)).zip(&labels);
    let right = right.filter(|(row, label)| confident::most_probable(row) == **label).count();
    let seen = right as f64 > SEEN * labels.len() as f64 && labels.len() >= SWAPPED_LINES;
    let remark = seen.then(|| {
        "the probabilities agree with nearly every label; if their model was trained on these very labels, \
         it cannot see errors in them: use out-of-sample probabilities, such as cross-validation gives"
            .to_owned()
    });
    Ok(Given { values, remark })
}

/// By class the column that is about it: by name where columns have names, else by order.
fn columns(table: &Supplied<f64>, version: &Version) -> Result<Vec<usize>, String> {
    let classes = version.classes();
    let Some(names) = &table.columns else { return Ok((0..classes.len()).collect()) };
    let mut at: HashMap<&str, usize> = HashMap::new();
    for (column, name) in names.iter().enumerate() {
        if at.insert(name, column).is_some() {
            return Err(format!("two columns are named `{name}`"));
        }
    }
    let numbered = (0..names.len()).all(|column| names[column] == column.to_string());
    let missing: Vec<&str> =
        classes.iter().map(|name| &**name).filter(|name| !at.contains_key(name)).collect();
    match missing.is_empty() {
        true => Ok(classes.iter().map(|name| at[&**name]).collect()),
        // What a data frame writes whose columns were never named.
        false if numbered => Ok((0..classes.len()).collect()),
        false => Err(format!("no column is named after these classes: {}", shortened(&missing))),
    }
}

fn shortened(names: &[&str]) -> String {
    let shown = names.iter().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}

/// A column that speaks for another class than its own, if several columns seem to have changed places.
///
/// By how often each column is the most probable for each label, columns are given to classes greedily;
/// suspicious is an order that explains twice as many lines of the columns that it moves.
fn swapped(values: &[f64], labels: &[u32], classes: usize) -> Option<(usize, usize)> {
    let mut counts: HashMap<(usize, usize), usize> = HashMap::new();
    for (row, &label) in values.chunks_exact(classes.max(1)).zip(labels) {
        *counts.entry((confident::most_probable(row) as usize, label as usize)).or_default() += 1;
    }
    let mut pairs: Vec<((usize, usize), usize)> =
        counts.iter().map(|(pair, count)| (*pair, *count)).collect();
    pairs.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut class_of: Vec<Option<usize>> = vec![None; classes];
    let mut taken = vec![false; classes];
    for ((column, class), _) in pairs {
        if class_of[column].is_none() && !taken[class] {
            class_of[column] = Some(class);
            taken[class] = true;
        }
    }
    let count = |column: usize, class: usize| counts.get(&(column, class)).copied().unwrap_or(0);
    let moved: Vec<(usize, usize)> = class_of
        .iter()
        .enumerate()
        .filter_map(|(column, class)| class.filter(|class| *class != column).map(|class| (column, class)))
        .collect();
    let there: usize = moved.iter().map(|&(column, class)| count(column, class)).sum();
    let here: usize =
        moved.iter().map(|&(column, class)| count(column, column) + count(class, class)).sum::<usize>() / 2;
    let strongest = moved.into_iter().max_by_key(|&(column, class)| count(column, class))?;
    (there >= SWAPPED_LINES && there > 2 * here).then_some(strongest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SourceRef, VersionBuilder};

    fn version(labels: &[&str]) -> Version {
        let mut builder = VersionBuilder::default();
        for (row, label) in labels.iter().enumerate() {
            builder.push(&format!("{row:03}.png"), Some(label), None);
        }
        let source = SourceRef { kind: "folder".into(), place: "/data".into(), revision: None };
        builder.build(source, "data", "folder names").0
    }

    /// Ninety samples of three classes; a table whose probabilities fit, changed by `change`.
    fn check(change: impl FnOnce(&mut Supplied<f64>), expected: Result<Option<&str>, &str>) {
        let labels: Vec<&str> = (0..90).map(|row| ["ant", "bee", "cat"][row % 3]).collect();
        let version = version(&labels);
        let mut table = Supplied { name: "p.csv".into(), width: 3, ..Supplied::default() };
        for row in 0..90 {
            // Every tenth is taken for the next class.
            let class = (row % 3 + usize::from(row % 10 == 0)) % 3;
            table.values.extend((0..3).map(|other| if other == class { 0.8 } else { 0.1 }));
        }
        change(&mut table);
        match (given(&table, &version, &(0..90).collect::<Vec<_>>()), expected) {
            (Ok(given), Ok(remark)) => {
                assert_eq!(given.values[3..6], [0.1, 0.8, 0.1]);
                assert_eq!(given.remark.is_some(), remark.is_some());
                assert!(given.remark.unwrap_or_default().contains(remark.unwrap_or_default()));
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{:?} instead of {expected:?}", found.map(|given| given.remark)),
        }
    }

    fn permute(table: &mut Supplied<f64>, order: [usize; 3]) {
        table.values = table.values.chunks(3).flat_map(|row| order.map(|at| row[at])).collect();
    }

    #[test]
    fn what_is_wrong_with_probabilities_is_said() {
        let names = |names: [&str; 3]| Some(names.map(str::to_owned).to_vec());
        check(|_| (), Ok(None));
        check(|table| table.columns = names(["ant", "bee", "cat"]), Ok(None));
        check(
            |table| {
                permute(table, [2, 0, 1]);
                table.columns = names(["cat", "ant", "bee"]);
            },
            Ok(None),
        );
        check(|table| table.columns = names(["0", "1", "2"]), Ok(None));
        check(|table| table.columns = names(["ant", "bee", "dog"]), Err("after these classes: `cat`"));
        check(|table| table.columns = names(["ant", "ant", "cat"]), Err("two columns are named `ant`"));
        check(|table| permute(table, [2, 0, 1]), Err("another order than the classes"));
        check(|table| permute(table, [1, 0, 2]), Err("another order than the classes"));
        check(|table| table.values[4] = 0.9, Err("line 2: the probabilities add up to 1.1000"));
        check(|table| table.values[4] = -0.2, Err("line 2: -0.2 is no probability"));
        check(|table| table.values.truncate(30), Err("10 lines for 90 samples"));
        check(
            |table| (table.width, table.values) = (2, vec![0.5; 180]),
            Err("2 columns of probabilities for 3"),
        );
        check(
            |table| {
                for row in (0..90).step_by(10) {
                    table.values[row * 3..row * 3 + 3].fill(0.1);
                    table.values[row * 3 + row % 3] = 0.8;
                }
            },
            Ok(Some("out-of-sample")),
        );
    }

    #[test]
    fn keys_say_which_line_is_which_sample() {
        let version = version(&["ant", "bee"]);
        let mut table = Supplied {
            name: "p.csv".into(),
            width: 2,
            keys: Some(vec!["001.png".into(), "000.png".into(), "other".into()]),
            values: vec![0.2, 0.8, 0.7, 0.3, 0.5, 0.5],
            ..Supplied::default()
        };
        assert_eq!(given(&table, &version, &[0, 1]).unwrap().values, [0.7, 0.3, 0.2, 0.8]);
        table.keys = Some(vec!["001.png".into(), "0.png".into(), "other".into()]);
        let error = given(&table, &version, &[0, 1]).err().unwrap().to_string();
        assert!(error.contains("no line for 1 of 2 samples, such as `000.png`"), "{error}");
        table.keys = Some(vec!["001.png".into(), "000.png".into(), "000.png".into()]);
        assert!(given(&table, &version, &[0, 1]).err().unwrap().to_string().contains("two lines"));
    }
}
