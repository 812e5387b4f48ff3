//! CSV files, as `kstone import` reads them.

#[path = "../../crates/kstone-cli/src/import/rows.rs"]
mod rows;

use std::io::BufReader;

/// Takes bytes as a CSV file, its first byte as the delimiter: rows that are read have the cells that the `csv` crate finds,
/// however the file comes in, and a file that is refused is refused with a line.
pub fn run(data: &[u8]) {
    let Some((choice, file)) = data.split_first() else { return };
    let delimiter = [b',', b';', b'\t', b'|'][usize::from(choice % 4)];
    let whole = read(file, delimiter, usize::MAX);
    assert_eq!(read(file, delimiter, 1), whole);
    match whole {
        Ok(rows) => {
            // Both take one byte order mark off.
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(file);
            let expected = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
            assert_eq!(rows, expected.collect::<Vec<Vec<String>>>());
        }
        Err(error) => assert!(error.starts_with("line "), "{error}"),
    }
}

fn read(file: &[u8], delimiter: u8, piece_bytes: usize) -> Result<Vec<Vec<String>>, String> {
    let input = BufReader::with_capacity(piece_bytes.min(file.len().max(1)), file);
    let mut reader = rows::Rows::new(input, delimiter);
    let mut all = Vec::new();
    while let Some(row) = reader.next().map_err(|error| error.to_string())? {
        assert_eq!(row.len(), row.cells().count());
        assert!(row.line > 0);
        all.push(row.cells().map(str::to_owned).collect());
    }
    Ok(all)
}
