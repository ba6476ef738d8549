//! `commonturf imports`: what was imported, when, and what became of it.

use super::{
    client::{CliError, Desk},
    import, output,
};
use clap::Args;
use serde_json::Value;

/// Show the imports, or one with the rows that it left out.
#[derive(Debug, Args)]
pub struct Imports {
    /// One import, by its id.
    import: Option<String>,
    /// Print the rows that this import left out as a table for a spreadsheet.
    #[arg(long, requires = "import")]
    rejects: bool,
}

impl Imports {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Some(id) = &self.import else {
            return all(desk).await;
        };
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        if self.rejects {
            let table = desk.download(&format!("/imports/{id}/rejects.csv")).await?;
            print!("{}", String::from_utf8_lossy(&table));
            return Ok(());
        }
        let report: Value = desk.get(&format!("/imports/{id}")).await?;
        import::show(desk, &report);
        Ok(())
    }
}

async fn all(desk: &Desk) -> Result<(), CliError> {
    let answer: Vec<Value> = desk.get("/imports").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    if answer.is_empty() {
        println!("Nothing was imported yet.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = answer.iter().map(row).collect();
    let headings = [
        "Import", "File", "List", "Format", "State", "Rows", "New", "Updated", "Left out", "Begun",
    ];
    output::table(&headings, &rows);
    Ok(())
}

fn row(import: &Value) -> Vec<String> {
    let text = |field: &str| import[field].as_str().unwrap_or_default().to_owned();
    let count = |field: &str| import[field].as_u64().unwrap_or_default();
    vec![
        text("import_id"),
        text("file_name"),
        text("list"),
        text("format"),
        text("state"),
        count("rows").to_string(),
        (count("imported") + count("contacts")).to_string(),
        count("updated").to_string(),
        count("rejected").to_string(),
        import["started_at"]
            .as_i64()
            .map(output::moment)
            .unwrap_or_default(),
    ]
}
