//! What the organizations bring to the round: a folder each, with a list and what belongs to it.

use crate::people::{OrganizationKind, Profile};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// The file in a folder that says whose it is.
const ABOUT: &str = "organization.toml";
/// The most organizations of one round.
const MOST: usize = 12;
/// Endings of files that can be lists.
const LISTS: [&str; 5] = ["csv", "txt", "tsv", "xlsx", "zip"];

/// One organization and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bring {
    /// Name of the folder.
    pub(super) slug: String,
    /// The organization's name.
    pub(super) name: String,
    /// Its kind, as `init --kind` takes it.
    pub(super) kind: String,
    /// The list.
    pub(super) list: PathBuf,
    /// The canvass history.
    pub(super) history: Option<PathBuf>,
    /// Consent forms and the rows that each covers.
    pub(super) consents: Vec<Consent>,
}

/// A consent form and a file with only the rows that it covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    /// The form as TOML.
    pub(super) form: PathBuf,
    /// The rows.
    pub(super) covered: PathBuf,
}

/// `organization.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    name: String,
    kind: String,
    list: Option<PathBuf>,
    history: Option<PathBuf>,
    #[serde(default)]
    consent: Vec<Consent>,
}

/// Reads the folders below `dir`; the one that keeps the log comes first.
///
/// # Errors
/// When a folder does not say whose it is, or its files leave open which is the list; the message says
/// what to write.
pub(super) fn read(dir: &Path) -> Result<Vec<Bring>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    ensure!(
        (2..=MOST).contains(&folders.len()),
        "{} holds {} folders; a round needs 2 to {MOST}, one per organization",
        dir.display(),
        folders.len()
    );
    let mut brought: Vec<Bring> = folders
        .iter()
        .map(|path| folder(path))
        .collect::<Result<_>>()?;
    // A 501(c)(4) may work with every other kind, so the first one keeps the log.
    brought.sort_by_key(|bring| (bring.kind != "c4", bring.slug.clone()));
    Ok(brought)
}

fn folder(path: &Path) -> Result<Bring> {
    let slug = path
        .file_name()
        .and_then(|name| name.to_str())
        .context("a folder's name is text")?;
    let about = about(path, slug)?;
    let files = files(path)?;
    let consents = if about.consent.is_empty() {
        consents(path, &files)?
    } else {
        let inside = |consent: &Consent| Consent {
            form: path.join(&consent.form),
            covered: path.join(&consent.covered),
        };
        about.consent.iter().map(inside).collect()
    };
    let history = match &about.history {
        Some(file) => Some(path.join(file)),
        None => files
            .iter()
            .find(|file| stem(file) == "contact_history")
            .cloned(),
    };
    let list = match &about.list {
        Some(file) => path.join(file),
        None => the_list(path, &files, &consents, history.as_deref())?,
    };
    for file in [Some(&list), history.as_ref()].into_iter().flatten() {
        ensure!(file.is_file(), "{} is not there", file.display());
    }
    Ok(Bring {
        slug: slug.to_owned(),
        name: about.name,
        kind: about.kind,
        list,
        history,
        consents,
    })
}

/// Whose folder it is: what it says itself, or one of the four that everybody knows.
fn about(path: &Path, slug: &str) -> Result<About> {
    let file = path.join(ABOUT);
    if file.is_file() {
        let text = fs::read_to_string(&file)?;
        return toml::from_str(&text).with_context(|| format!("cannot use {}", file.display()));
    }
    let known = OrganizationKind::ALL.map(OrganizationKind::profile);
    let Some(profile) = known.into_iter().find(|profile| profile.slug == slug) else {
        bail!(
            "{} does not say whose it is. Write {} with two lines:\n  name = \"Your organization\"\n  kind = \"c4\"\n\
             (kinds: {})",
            path.display(),
            file.display(),
            policy::facts::OrgKind::NAMES.join(", ")
        );
    };
    Ok(About {
        name: profile.name.to_owned(),
        kind: kind(profile).to_owned(),
        list: None,
        history: None,
        consent: Vec::new(),
    })
}

/// The kind of one of the four, as `init --kind` takes it.
pub(super) fn kind(profile: &Profile) -> &'static str {
    match profile.kind {
        OrganizationKind::C3 => "c3",
        OrganizationKind::C4 => "c4",
        OrganizationKind::Union => "union",
        OrganizationKind::Pac => "pac",
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> &str {
    file.file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

/// `consent-form-VERSION.toml` and the list file whose name ends in `-form-VERSION`.
fn consents(path: &Path, files: &[PathBuf]) -> Result<Vec<Consent>> {
    let mut found = Vec::new();
    for form in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "toml"))
    {
        let Some(version) = stem(form).strip_prefix("consent-form-") else {
            continue;
        };
        let ending = format!("-form-{version}");
        let covered = files
            .iter()
            .find(|file| is_list(file) && stem(file).ends_with(&ending));
        let covered = covered.with_context(|| {
            format!(
                "{} covers no file: name one *{ending}.csv, with the rows that signed it, in {}",
                form.display(),
                path.display()
            )
        })?;
        found.push(Consent {
            form: form.clone(),
            covered: covered.clone(),
        });
    }
    Ok(found)
}

fn is_list(file: &Path) -> bool {
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    LISTS.contains(&ending.to_ascii_lowercase().as_str()) && !stem(file).starts_with("notice-")
}

fn the_list(
    path: &Path,
    files: &[PathBuf],
    consents: &[Consent],
    history: Option<&Path>,
) -> Result<PathBuf> {
    let is_other = |file: &PathBuf| {
        Some(file.as_path()) == history || consents.iter().any(|consent| consent.covered == *file)
    };
    let left: Vec<&PathBuf> = files
        .iter()
        .filter(|file| is_list(file) && !is_other(file))
        .collect();
    match left.as_slice() {
        [list] => Ok((*list).clone()),
        [] => bail!(
            "{} holds no list: a .csv, .txt, .xlsx or .zip file",
            path.display()
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|file| stem(file)).collect();
            bail!(
                "{} holds several files that could be the list ({}); name it in {}: list = \"FILE\"",
                path.display(),
                names.join(", "),
                path.join(ABOUT).display()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        dir
    }

    #[test]
    fn a_known_folder_needs_no_word_about_itself() {
        let dir = folder_with(&[
            ("tenants-united/saved_list.csv", ""),
            ("tenants-united/saved_list-form-1.csv", ""),
            ("tenants-united/consent-form-1.toml", ""),
            ("tenants-united/contact_history.txt", ""),
            ("tenants-united/notice-1.txt", ""),
            ("marlow-votes/activists.csv", ""),
        ]);
        let brought = read(dir.path()).unwrap();
        let first = &brought[0];
        assert_eq!(
            (first.name.as_str(), first.kind.as_str()),
            ("Tenants United", "c4")
        );
        assert_eq!(stem(&first.list), "saved_list");
        assert_eq!(first.history.as_deref().map(stem), Some("contact_history"));
        assert_eq!(stem(&first.consents[0].covered), "saved_list-form-1");
    }

    #[test]
    fn an_unknown_folder_is_refused_with_the_lines_to_write() {
        let dir = folder_with(&[("ours/a.csv", ""), ("theirs/a.csv", "")]);
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("ours/organization.toml") && error.contains("kind = \"c4\""),
            "{error}"
        );
    }

    #[test]
    fn a_folder_that_says_whose_it_is_may_have_any_name() {
        let about = "name = \"Ours\"\nkind = \"union\"\n";
        let dir = folder_with(&[
            ("ours/organization.toml", about),
            ("ours/a.csv", ""),
            ("marlow-votes/a.csv", ""),
        ]);
        assert_eq!(read(dir.path()).unwrap()[1].name, "Ours");
    }

    #[test]
    fn several_possible_lists_are_refused_by_name() {
        let dir = folder_with(&[
            ("marlow-votes/a.csv", ""),
            ("marlow-votes/b.csv", ""),
            ("tenants-united/a.csv", ""),
        ]);
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("a, b") && error.contains("list = "),
            "{error}"
        );
    }

    #[test]
    fn a_form_without_the_rows_that_it_covers_is_refused() {
        let dir = folder_with(&[
            ("marlow-votes/a.csv", ""),
            ("marlow-votes/consent-form-7.toml", ""),
            ("tenants-united/a.csv", ""),
        ]);
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("-form-7.csv"), "{error}");
    }
}
