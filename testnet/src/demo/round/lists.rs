//! Lists, consent forms and canvass history go in; every contact point becomes a match token.

use super::super::report::Import;
use super::{LIST, Party, Table};
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::Value;
use std::path::Path;

impl Table<'_> {
    pub(super) async fn lists(&mut self) -> Result<()> {
        try_join_all(self.parties.iter_mut().map(Party::import)).await?;
        self.done("lists, consent forms and canvass history are imported");
        try_join_all(self.parties.iter_mut().map(Party::tokens)).await?;
        self.done("every contact point has its match token");
        self.settle().await?;
        self.done("opt-outs and past contacts are told");
        Ok(())
    }
}

impl Party {
    async fn import(&mut self) -> Result<()> {
        let list = text(&self.bring.list);
        let report = self.node.run(&["import", &list, "--list", LIST]).await;
        self.about.list = import(
            &report.with_context(|| self.cannot("import", &list))?,
            &self.bring.list,
        );
        for consent in &self.bring.consents {
            let (covered, form) = (text(&consent.covered), text(&consent.form));
            let words = [
                "import",
                &covered,
                "--list",
                LIST,
                "--basis",
                "consent",
                "--consent-form",
                &form,
            ];
            let report = self
                .node
                .run(&words)
                .await
                .with_context(|| self.cannot("import", &covered))?;
            self.about.list.consents += number(&report, "consents");
        }
        if let Some(history) = &self.bring.history {
            let file = text(history);
            let words = ["contacts", "import", &file, "--committee", &self.bring.name];
            let report = self
                .node
                .run(&words)
                .await
                .with_context(|| self.cannot("import", &file))?;
            self.about.history = Some(import(&report, history));
        }
        Ok(())
    }

    async fn tokens(&mut self) -> Result<()> {
        let status = self.node.run(&["tokens", "status", "--wait"]).await;
        let status = status.with_context(|| self.cannot("make tokens of", LIST))?;
        for class in status["classes"].as_array().into_iter().flatten() {
            let name = class["class"].as_str().unwrap_or_default().to_owned();
            self.about.tokens.insert(name, number(class, "done"));
        }
        Ok(())
    }

    /// What this organization could not do.
    pub(super) fn cannot(&self, what: &str, object: &str) -> String {
        format!("{} cannot {what} {object}", self.bring.name)
    }
}

fn import(report: &Value, file: &Path) -> Import {
    Import {
        file: file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        format: report["format"].as_str().unwrap_or_default().to_owned(),
        rows: number(report, "imported") + number(report, "contacts"),
        repeated: number(report, "duplicates_merged") + number(report, "unchanged"),
        rejected: number(report, "rejected"),
        consents: number(report, "consents"),
    }
}

/// A number of an answer; zero where there is none.
pub(super) fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

/// A path as a word of a command.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
