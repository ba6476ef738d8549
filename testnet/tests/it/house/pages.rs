//! Pages work without any other server: what a browser loads comes from the node.

use super::{File, Offence, holds_everywhere};

/// Elements that load what they name; a link that a person follows (`<a>`) is none of them.
const LOADING: [&str; 11] = [
    "script", "link", "img", "iframe", "source", "video", "audio", "embed", "object", "image",
    "use",
];

/// Where style sheets and scripts load from, before the address.
const LOADING_CODE: [&str; 5] = ["url(", "import ", " from ", "import(", "importScripts("];

fn loads_from_elsewhere(file: &File) -> Vec<Offence> {
    if !file.path.starts_with("node/") {
        return Vec::new();
    }
    let elements = if file.ends_with(&[".html", ".svg"]) {
        foreign_elements(&file.text)
    } else {
        Vec::new()
    };
    let code = if file.ends_with(&[".html", ".svg", ".css", ".js", ".mjs"]) {
        foreign_code(&file.text)
    } else {
        Vec::new()
    };
    elements
        .into_iter()
        .chain(code)
        .map(|found| format!("{}: loaded from elsewhere: {found}", file.path))
        .collect()
}

fn foreign_elements(text: &str) -> Vec<String> {
    let tags = text
        .split('<')
        .skip(1)
        .map(|tag| tag.split('>').next().unwrap_or_default());
    let loading = tags.filter(|tag| {
        let name = tag
            .split(|letter: char| !letter.is_alphanumeric())
            .next()
            .unwrap_or_default();
        LOADING.contains(&name.to_lowercase().as_str())
    });
    let foreign = |tag: &&str| {
        ["src=", "href=", "srcset=", "data=", "poster="]
            .iter()
            .any(|attribute| {
                tag.match_indices(attribute)
                    .any(|(start, found)| is_foreign(&tag[start + found.len()..]))
            })
    };
    loading
        .filter(foreign)
        .map(|tag| format!("<{tag}>"))
        .collect()
}

fn foreign_code(text: &str) -> Vec<String> {
    let starts = LOADING_CODE
        .iter()
        .flat_map(|word| text.match_indices(word));
    let foreign = starts.filter(|(start, word)| is_foreign(&text[start + word.len()..]));
    foreign
        .map(|(start, _)| text[start..].chars().take(60).collect())
        .collect()
}

/// Whether an address, perhaps in quotes, names another server.
fn is_foreign(address: &str) -> bool {
    let address = address
        .trim_start_matches(|letter: char| letter.is_whitespace() || "\"'`".contains(letter));
    ["http:", "https:", "//"]
        .iter()
        .any(|start| address.starts_with(start))
}

#[test]
fn pages_and_assets_load_nothing_from_elsewhere() {
    holds_everywhere(loads_from_elsewhere);
}

#[test]
fn what_is_loaded_from_elsewhere_is_noticed() {
    let offences = |path: &str, text: &str| loads_from_elsewhere(&File::invented(path, text)).len();
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<script defer src=\"https://cdn.example/a.js\"></script>"
        ),
        1
    );
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<link rel=stylesheet href=//cdn.example/a.css>"
        ),
        1
    );
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<img alt='' src='http://cdn.example/a.png'>"
        ),
        1
    );
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<style>body { background: url(https://cdn.example/a.png) }</style>"
        ),
        1
    );
    assert_eq!(
        offences(
            "node/assets/a.css",
            "@import \"https://cdn.example/a.css\";"
        ),
        1
    );
    assert_eq!(
        offences(
            "node/assets/a.js",
            "import { a } from 'https://cdn.example/a.js';"
        ),
        1
    );
}

#[test]
fn links_names_of_formats_and_own_files_are_allowed() {
    let offences = |path: &str, text: &str| loads_from_elsewhere(&File::invented(path, text)).len();
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<a href=\"https://example.org\">the law</a>"
        ),
        0
    );
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<script src=\"/assets/a.js\"></script>"
        ),
        0
    );
    assert_eq!(
        offences(
            "node/templates/a.html",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><use href=\"#icon\"/></svg>"
        ),
        0
    );
    assert_eq!(
        offences(
            "node/assets/a.css",
            "url(\"data:image/svg+xml,%3csvg xmlns='http://www.w3.org/2000/svg'/%3e\")"
        ),
        0
    );
}
