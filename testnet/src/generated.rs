//! Files that the program writes about itself, committed so that a change of them is decided, not
//! discovered. The check compares; `cargo testnet generate` writes.

use crate::check::migrations;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::ExitCode;

/// A committed file and where its text comes from.
#[derive(Clone, Copy)]
pub struct Generated {
    /// The path from the workspace's folder.
    pub path: &'static str,
    /// Makes the whole text, the same at every call.
    pub render: fn() -> Result<String>,
}

/// Every generated file: one line each.
pub const FILES: &[Generated] = &[Generated {
    path: "spec/problems.md",
    render: || Ok(protocol::problem::problems_markdown()),
}];

/// The paths of those files that are missing or say something else than their generator.
///
/// # Errors
/// When a generator fails or a file cannot be read.
pub fn stale(root: &Path, files: &[Generated]) -> Result<Vec<&'static str>> {
    let mut stale = Vec::new();
    for file in files {
        if read(&root.join(file.path))?.as_deref() != Some(render(file)?.as_str()) {
            stale.push(file.path);
        }
    }
    Ok(stale)
}

/// Writes those files that are stale and returns their paths.
///
/// # Errors
/// When a generator fails or a file cannot be written.
pub fn write(root: &Path, files: &[Generated]) -> Result<Vec<&'static str>> {
    let stale = stale(root, files)?;
    for file in files.iter().filter(|file| stale.contains(&file.path)) {
        let path = root.join(file.path);
        let text = render(file)?;
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(&path, text))
            .with_context(|| format!("cannot write {}", file.path))?;
    }
    Ok(stale)
}

/// `cargo testnet generate`.
///
/// # Errors
/// When a generator fails or a file cannot be written.
pub fn run() -> Result<ExitCode> {
    let root = crate::workspace();
    let written = write(root, FILES)?;
    let listed = migrations::list_new(root)?;
    #[expect(clippy::print_stdout, reason = "a command answers people")]
    {
        for path in &written {
            println!("wrote {path}");
        }
        for name in &listed {
            println!("listed {name} in {}", migrations::CHECKSUMS);
        }
        if written.is_empty() && listed.is_empty() {
            println!("everything was fresh");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn render(file: &Generated) -> Result<String> {
    (file.render)().with_context(|| format!("cannot make {}", file.path))
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: [Generated; 1] = [Generated {
        path: "spec/words.md",
        render: || Ok("two words\n".into()),
    }];

    #[test]
    fn a_missing_or_edited_file_is_stale_until_it_is_written() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(stale(root.path(), &FILE).unwrap(), ["spec/words.md"]);
        assert_eq!(write(root.path(), &FILE).unwrap(), ["spec/words.md"]);
        assert!(stale(root.path(), &FILE).unwrap().is_empty());
        std::fs::write(root.path().join("spec/words.md"), "two words \n").unwrap();
        assert_eq!(stale(root.path(), &FILE).unwrap(), ["spec/words.md"]);
    }

    #[test]
    fn a_failing_generator_is_named() {
        let failing = [Generated {
            path: "spec/words.md",
            render: || anyhow::bail!("no words"),
        }];
        let root = tempfile::tempdir().unwrap();
        assert_eq!(
            format!("{:#}", stale(root.path(), &failing).unwrap_err()),
            "cannot make spec/words.md: no words"
        );
    }
}
