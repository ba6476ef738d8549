//! The files that people wrote.

use std::path::Path;
use std::sync::OnceLock;

/// A text file of the workspace.
pub(super) struct File {
    /// From the workspace's folder, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    /// An invented file, to show a rule what it refuses.
    pub(super) fn invented(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.ends_with(&[".rs"])
    }

    pub(super) fn ends_with(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    /// Whether others wrote it: files of libraries that are served as they came.
    pub(super) fn is_vendored(&self) -> bool {
        self.path.split('/').any(|part| part == "vendor") || self.path.contains(".min.")
    }

    /// Whether it is a module or lies below it: `node/src/store` is `store.rs` and `store/`.
    pub(super) fn is_in(&self, module: &str) -> bool {
        self.path
            .strip_prefix(module)
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

/// Every text file but those of git and of the compiler.
pub(super) fn tree() -> &'static [File] {
    static TREE: OnceLock<Vec<File>> = OnceLock::new();
    TREE.get_or_init(|| {
        let mut files = Vec::new();
        collect(testnet::workspace(), "", &mut files);
        files
    })
}

fn collect(root: &Path, folder: &str, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        if entry.file_type().unwrap().is_dir() {
            if name != ".git" && name != "target" {
                collect(root, &path, files);
            }
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.push(File { path, text });
        }
    }
}

#[test]
fn the_tree_holds_every_room() {
    for path in [
        "policy/src/lib.rs",
        "protocol/src/id.rs",
        "node/src/lib.rs",
        "testnet/tests/it/house/tree.rs",
        ".ci/run",
    ] {
        assert!(
            tree().iter().any(|file| file.path == path),
            "{path} is not found"
        );
    }
}
