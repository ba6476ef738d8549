//! Migrations are add-only: a committed list holds the SHA-256 of each, and none of them changes.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The list, from the workspace's folder; `sha256sum --check` reads it too.
pub const CHECKSUMS: &str = "node/migrations/checksums.txt";

/// Where the migrations lie.
const FOLDER: &str = "node/migrations";

/// Compares the migrations with the list and says how many there are.
///
/// # Errors
/// When a listed migration is gone or changed, one is not listed, or a new one sorts before a
/// listed one.
pub fn check(root: &Path) -> Result<String> {
    let (listed, found) = (listed(root)?, found(root)?);
    let mut faults = changed(&listed, &found);
    faults.extend(
        unlisted(&listed, &found)?
            .iter()
            .map(|name| format!("{name} is not listed. Run: cargo testnet generate")),
    );
    if faults.is_empty() {
        Ok(format!("{} add-only", found.len()))
    } else {
        bail!(faults.join("\n"))
    }
}

/// Lists those migrations that are new and returns their names; lines that exist stay.
///
/// # Errors
/// As [`check`] does, but for unlisted migrations.
pub fn list_new(root: &Path) -> Result<Vec<String>> {
    let (listed, found) = (listed(root)?, found(root)?);
    let faults = changed(&listed, &found);
    if !faults.is_empty() {
        bail!(faults.join("\n"));
    }
    let new = unlisted(&listed, &found)?;
    if !new.is_empty() {
        let text = found.iter().fold(String::new(), |mut text, (name, sum)| {
            writeln!(text, "{sum}  {name}").expect("a string takes any text");
            text
        });
        std::fs::write(root.join(CHECKSUMS), text)
            .with_context(|| format!("cannot write {CHECKSUMS}"))?;
    }
    Ok(new)
}

fn changed(listed: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let fault = |(name, sum): (&String, &String)| match found.get(name) {
        Some(actual) if actual == sum => None,
        Some(_) => Some(format!(
            "{name} changed. Databases out there ran it as it was: restore it and write a new migration. \
             (Only if it never left this working copy: remove its line from {CHECKSUMS}.)"
        )),
        None => Some(format!(
            "{name} is listed in {CHECKSUMS} and gone. Restore it."
        )),
    };
    listed.iter().filter_map(fault).collect()
}

/// The names that are found and not listed; each must sort after every listed one, because
/// databases that ran the listed ones run it last.
fn unlisted(
    listed: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Result<Vec<String>> {
    let new = found
        .keys()
        .filter(|name| !listed.contains_key(*name))
        .cloned()
        .collect::<Vec<_>>();
    if let (Some((last, _)), Some(first)) = (listed.last_key_value(), new.first())
        && first < last
    {
        bail!(
            "{first} sorts before {last}, which databases may have run already. Give it the next number."
        );
    }
    Ok(new)
}

fn listed(root: &Path) -> Result<BTreeMap<String, String>> {
    let text = match std::fs::read_to_string(root.join(CHECKSUMS)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {CHECKSUMS}")),
    };
    let line = |line: &str| {
        let (sum, name) = line
            .split_once("  ")
            .with_context(|| format!("{CHECKSUMS}: not a checksum line: {line}"))?;
        Ok((name.to_owned(), sum.to_owned()))
    };
    text.lines().map(line).collect()
}

fn found(root: &Path) -> Result<BTreeMap<String, String>> {
    let folder = root.join(FOLDER);
    let mut found = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {FOLDER}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .context("a migration's name is plain text")?;
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {name}"))?;
            let sum = Sha256::digest(bytes)
                .iter()
                .fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").expect("a string takes any text");
                    text
                });
            found.insert(name.to_owned(), sum);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with two listed migrations.
    fn two_migrations() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        put(
            root.path(),
            "0001_person.sql",
            "create table person (id text)",
        );
        put(
            root.path(),
            "0003_claim.sql",
            "create table claim (id text)",
        );
        assert_eq!(
            list_new(root.path()).unwrap(),
            ["0001_person.sql", "0003_claim.sql"]
        );
        root
    }

    fn put(root: &Path, name: &str, text: &str) {
        std::fs::write(root.join(FOLDER).join(name), text).unwrap();
    }

    fn refusal(root: &Path) -> String {
        check(root).unwrap_err().to_string()
    }

    #[test]
    fn listed_migrations_pass_and_listing_twice_changes_nothing() {
        let root = two_migrations();
        assert_eq!(check(root.path()).unwrap(), "2 add-only");
        assert!(list_new(root.path()).unwrap().is_empty());
    }

    #[test]
    fn a_changed_migration_is_refused_and_not_listed_anew() {
        let root = two_migrations();
        put(
            root.path(),
            "0001_person.sql",
            "create table person (id text, name text)",
        );
        assert!(refusal(root.path()).starts_with("0001_person.sql changed."));
        assert!(list_new(root.path()).is_err());
    }

    #[test]
    fn a_missing_migration_is_refused() {
        let root = two_migrations();
        std::fs::remove_file(root.path().join(FOLDER).join("0003_claim.sql")).unwrap();
        assert!(refusal(root.path()).starts_with("0003_claim.sql is listed"));
    }

    #[test]
    fn a_new_migration_is_refused_until_it_is_listed() {
        let root = two_migrations();
        put(
            root.path(),
            "0004_share.sql",
            "create table share (id text)",
        );
        assert!(refusal(root.path()).starts_with("0004_share.sql is not listed."));
        assert_eq!(list_new(root.path()).unwrap(), ["0004_share.sql"]);
        assert_eq!(check(root.path()).unwrap(), "3 add-only");
    }

    #[test]
    fn a_new_migration_between_listed_ones_is_refused() {
        let root = two_migrations();
        put(root.path(), "0002_turf.sql", "create table turf (id text)");
        assert!(refusal(root.path()).starts_with("0002_turf.sql sorts before 0003_claim.sql"));
    }
}
