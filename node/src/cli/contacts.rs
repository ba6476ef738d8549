//! `commonturf contacts`: canvass histories of other systems.

use super::{
    client::{CliError, Desk},
    import::{self, Upload},
};
use clap::Subcommand;
use std::path::PathBuf;

/// Attempts to reach people, as other systems report them.
#[derive(Debug, Subcommand)]
pub enum Contacts {
    /// Import a contact history; the same attempt twice is one.
    Import {
        /// The file.
        file: PathBuf,
        /// auto, or the format by name: van-contact-history.
        #[arg(long, default_value = "auto")]
        format: String,
        /// The organization's own committee, as the file calls it.
        #[arg(long, value_name = "NAME")]
        committee: Option<String>,
        /// What a result means that no table knows, such as "Porch Chat=contact-made".
        #[arg(long = "result", value_name = "RESULT=CLASS")]
        results: Vec<String>,
        /// Read and count, change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Contacts {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Self::Import {
            file,
            format,
            committee,
            results,
            dry_run,
        } = self;
        let committee = committee.clone().map(|name| ("committee", name));
        let results = results.iter().map(|result| ("result", result.clone()));
        let upload = Upload {
            file,
            format,
            dry_run: *dry_run,
        };
        let pairs = committee.into_iter().chain(results).collect();
        let answer = upload.send(desk, "/contacts/imports", pairs).await?;
        import::show(desk, &answer);
        Ok(())
    }
}
