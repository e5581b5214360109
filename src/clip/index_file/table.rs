//! An index as Parquet, both ways: columns `image_filename` (text) and `embedding` (a list of f32). It is what vector databases and
//! data frames take; `docs/vector_search.md` hands one over.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;

use super::IndexFile;
use crate::checkpoint::write_atomic;
use crate::{Error, Result};

/// Rows that are in memory at once.
const ROWS: usize = 32 * 1024;

impl IndexFile {
    /// Writes all rows to a Parquet file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn export(&self, path: &Path) -> Result<()> {
        write_atomic(path, |file| {
            let schema = Schema::from_iter([
                Field::new("image_filename".into(), DataType::String),
                Field::new("embedding".into(), DataType::List(Box::new(DataType::Float32))),
            ]);
            let mut writer = ParquetWriter::new(file).batched(&schema)?;
            for start in (0..self.len()).step_by(ROWS) {
                writer.write_batch(&self.table(start, ROWS.min(self.len() - start))?)?;
            }
            writer.finish()?;
            Ok(())
        })
    }

    fn table(&self, start: usize, n: usize) -> Result<DataFrame> {
        let p = self.width();
        let mut values = vec![0f32; n * p];
        self.read(start, &mut values);
        let names: Vec<&str> =
            (start..start + n).map(|row| self.name(row).unwrap_or_default()).collect();
        let mut lists = ListPrimitiveChunkedBuilder::<Float32Type>::new(
            "embedding".into(),
            n,
            n * p,
            DataType::Float32,
        );
        values.chunks_exact(p).for_each(|row| lists.append_slice(row));
        let names = Column::new("image_filename".into(), names);
        Ok(DataFrame::new(n, vec![names, lists.finish().into_series().into()])?)
    }

    /// The length of the first row of a Parquet file's column `embedding`.
    ///
    /// # Errors
    /// When there is no such file, column or row.
    pub fn length_of_parquet(path: &Path) -> Result<usize> {
        let file = File::open(path).map_err(Error::io(path))?;
        let reader = ParquetReader::new(file).with_columns(Some(vec!["embedding".into()]));
        let table = reader.with_slice(Some((0, 1))).finish()?;
        let none = || Error::value(format!("{}", path.display()), "at least one row", "none");
        Ok(table.column("embedding")?.list()?.get_as_series(0).ok_or_else(none)?.len())
    }

    /// Adds the rows of a Parquet file with the columns `image_filename` and `embedding`; gives how many they were.
    ///
    /// # Errors
    /// When a column is missing or has another type, a row another length, or as [`append`](Self::append).
    pub fn add_parquet(&mut self, path: &Path) -> Result<usize> {
        let open = || File::open(path).map_err(Error::io(path));
        let total = ParquetReader::new(open()?).get_metadata()?.num_rows;
        let p = self.width();
        let what = || format!("{}, column `embedding`", path.display());
        for start in (0..total).step_by(ROWS) {
            let columns = ["image_filename", "embedding"].map(String::from).to_vec();
            let reader = ParquetReader::new(open()?).with_columns(Some(columns));
            let table = reader.with_slice(Some((start, ROWS.min(total - start)))).finish()?;
            let names = table.column("image_filename")?.str()?;
            let names: Vec<String> = names.iter().map(|n| n.unwrap_or_default().into()).collect();
            let lists =
                table.column("embedding")?.cast(&DataType::List(Box::new(DataType::Float32)))?;
            let mut values = Vec::with_capacity(names.len() * p);
            let lists = lists.list()?;
            for i in 0..lists.len() {
                let row = lists.get_as_series(i).unwrap_or_default();
                if row.len() != p || row.null_count() > 0 {
                    let got = format!("{} in row {}", row.len() - row.null_count(), start + i);
                    return Err(Error::value(what(), format!("{p} numbers a row"), got));
                }
                values.extend(row.f32()?.into_no_null_iter());
            }
            let shape = (names.len(), p);
            let rows = candle_core::Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?;
            self.append(&names, &rows)?;
        }
        Ok(total)
    }
}
