//! A delimited file whose cells are set by column name.

use std::collections::BTreeMap;
use std::io::{self, Write};

/// Columns, then lines; cells that a line does not name stay empty.
pub(crate) struct Table<W: Write> {
    writer: csv::Writer<W>,
    columns: BTreeMap<&'static str, usize>,
    width: usize,
}

impl<W: Write> Table<W> {
    /// Writes the header line as it stands, joined from its parts (names hold no separator), and is ready for lines.
    pub(crate) fn begin(
        mut out: W,
        headers: &[&'static str],
        separator: u8,
        end: csv::Terminator,
    ) -> io::Result<Self> {
        let names: Vec<&'static str> = headers
            .iter()
            .flat_map(|header| header.split(','))
            .collect();
        let line_end: &[u8] = if matches!(end, csv::Terminator::CRLF) {
            b"\r\n"
        } else {
            b"\n"
        };
        for (place, name) in names.iter().enumerate() {
            if place > 0 {
                out.write_all(&[separator])?;
            }
            out.write_all(name.as_bytes())?;
        }
        out.write_all(line_end)?;
        let writer = csv::WriterBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .terminator(end)
            .from_writer(out);
        let width = names.len();
        Ok(Self {
            writer,
            columns: names
                .into_iter()
                .enumerate()
                .map(|(place, name)| (name, place))
                .collect(),
            width,
        })
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, cells: &[(&str, String)]) -> io::Result<()> {
        Ok(self.writer.write_record(self.record(cells))?)
    }

    /// Writes a line that breaks off after these cells.
    pub(crate) fn ragged(&mut self, cells: &[&str]) -> io::Result<()> {
        Ok(self.writer.write_record(cells)?)
    }

    /// Writes a line that goes on after the last column.
    pub(crate) fn overlong(&mut self, cells: &[(&str, String)]) -> io::Result<()> {
        let mut record = self.record(cells);
        record.extend(["surplus", "cells"]);
        Ok(self.writer.write_record(record)?)
    }

    fn record<'a>(&self, cells: &'a [(&str, String)]) -> Vec<&'a str> {
        let mut record = vec![""; self.width];
        for (name, text) in cells {
            let place = self
                .columns
                .get(name)
                .expect("writers name columns of their own header");
            record[*place] = text;
        }
        record
    }

    /// Gives back what was written to, all of it.
    pub(crate) fn end(self) -> io::Result<W> {
        self.writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }
}
