//! Rows per second from a VAN export into a node's lists, beside what reading and inserting cost alone.

use super::{
    measure::{Watch, rounded},
    memory::member,
};
use crate::{
    export_files::van_rows,
    nodes::{Node, Program},
};
use anyhow::{Context, Result};
use commonturf::store::Store;
use serde_json::{Map, Value, json};
use std::{fs::File, io::BufWriter, path::Path};

/// Rows of one transaction in the raw insert, as an import has them.
const BATCH: u64 = 500;

/// Imports a synthetic VAN saved list of so many rows, as a person does.
///
/// # Errors
/// When the node cannot be run or refuses the file.
pub async fn run(rows: u64) -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("saved_list.csv");
    van_rows(
        BufWriter::new(File::create(&file)?),
        1,
        usize::try_from(rows)?,
    )?;
    let node = Node::launch(
        &program,
        &directory.path().join("node"),
        member("importer", false).who,
    )
    .await?;
    let path = file.to_str().context("a path that is text")?;
    let watch = Watch::start();
    let report = node.run(&["import", path, "--list", "voters"]).await?;
    let seconds = watch.seconds();
    let mut figures = Map::new();
    figures.insert("rows".to_owned(), report["rows"].clone());
    figures.insert("imported".to_owned(), report["imported"].clone());
    figures.insert("file_bytes".to_owned(), json!(file.metadata()?.len()));
    figures.insert("rows_per_second".to_owned(), rounded(rows as f64 / seconds));
    figures.insert(
        "raw_csv_rows_per_second".to_owned(),
        rounded(raw_csv(&file)?),
    );
    figures.insert(
        "raw_insert_rows_per_second".to_owned(),
        rounded(raw_insert(&directory.path().join("raw.db"), rows).await?),
    );
    Ok(figures)
}

/// Reading alone: every record of the file, every field looked at.
fn raw_csv(file: &Path) -> Result<f64> {
    let watch = Watch::start();
    let mut reader = csv::Reader::from_path(file)?;
    let mut record = csv::ByteRecord::new();
    let (mut rows, mut bytes) = (0_u64, 0);
    while reader.read_byte_record(&mut record)? {
        rows += 1;
        bytes += record.iter().map(<[u8]>::len).sum::<usize>();
    }
    anyhow::ensure!(bytes > 0, "the file holds nothing");
    Ok(rows as f64 / watch.seconds())
}

/// Inserting alone: one small row each, in transactions of the size that an import has.
async fn raw_insert(file: &Path, rows: u64) -> Result<f64> {
    let store = Store::open(&format!("sqlite:{}", file.display())).await?;
    let watch = Watch::start();
    let mut next = 0;
    while next < rows {
        let mut tx = store.write("inserting alone").await?;
        for n in next..(next + BATCH).min(rows) {
            let number = n.to_string();
            commonturf::store::identifier::add(&mut tx, &number, "van", &number).await?;
        }
        tx.commit().await?;
        next += BATCH;
    }
    Ok(rows as f64 / watch.seconds())
}
