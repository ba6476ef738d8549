//! What a module must not know, inside a room.

use super::{File, Offence, holds_everywhere, lines};

/// A module and the words of what it does not know.
struct Layer {
    module: &'static str,
    unknown: &'static [&'static str],
}

const LAYERS: [Layer; 4] = [
    Layer {
        module: "node/src/store",
        unknown: &["axum", "http::", "hyper", "reqwest", "askama"],
    },
    Layer {
        module: "node/src/import",
        unknown: &[
            "crate::federation",
            "crate::sync",
            "crate::keeper",
            "federation::",
            "protocol::entry",
            "protocol::mls",
        ],
    },
    Layer {
        module: "policy/src",
        unknown: IO,
    },
    Layer {
        module: "protocol/src",
        unknown: IO,
    },
];

const IO: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "TcpStream",
    "SystemTime",
    "Instant::now",
    "thread_rng",
];

fn knows_too_much(file: &File) -> Vec<Offence> {
    if !file.is_rust() || file.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = File::invented(&file.path, code);
    let layers = LAYERS.iter().filter(|layer| file.is_in(layer.module));
    layers
        .flat_map(|layer| {
            let names = |line: &str| layer.unknown.iter().any(|word| line.contains(word));
            lines(
                &code,
                |line| !line.trim_start().starts_with("//") && names(line),
                "must not be known here",
            )
        })
        .collect()
}

#[test]
fn the_store_knows_no_http_and_the_import_no_federation_and_the_pure_rooms_no_io() {
    holds_everywhere(knows_too_much);
}

#[test]
fn a_module_that_knows_too_much_is_noticed() {
    let offences = |path: &str, text: &str| knows_too_much(&File::invented(path, text)).len();
    assert_eq!(offences("node/src/store.rs", "use axum::Router;"), 1);
    assert_eq!(
        offences("node/src/store/log.rs", "fn f(status: http::StatusCode) {}"),
        1
    );
    assert_eq!(
        offences(
            "node/src/import/csv.rs",
            "use crate::federation;\nuse crate::sync::Outbox;"
        ),
        2
    );
    assert_eq!(offences("policy/src/gate.rs", "std::fs::read(path)"), 1);
    assert_eq!(
        offences(
            "protocol/src/mls/storage.rs",
            "let now = SystemTime::now();"
        ),
        1
    );
}

#[test]
fn comments_tests_and_other_modules_may_name_it() {
    let offences = |path: &str, text: &str| knows_too_much(&File::invented(path, text)).len();
    assert_eq!(
        offences(
            "node/src/store.rs",
            "/// Unlike axum, nothing here answers."
        ),
        0
    );
    assert_eq!(offences("node/src/storefront.rs", "use axum::Router;"), 0);
    assert_eq!(
        offences(
            "protocol/src/codec.rs",
            "#[cfg(test)]\nmod tests { use std::fs; }"
        ),
        0
    );
}

/// What only a simulation may use: randomness that can be known, and a database that fails.
fn used_by_the_program(file: &File) -> Vec<Offence> {
    let made_there = ["node/src/ambient.rs", "node/src/store.rs"].contains(&file.path.as_str());
    if !file.path.starts_with("node/src/") || made_there {
        return Vec::new();
    }
    let used = |line: &str| line.contains("Repeatable") || line.contains("with_faults");
    lines(file, used, "only a simulation may use this")
}

#[test]
fn the_program_never_makes_its_secrets_repeatable_nor_its_database_fail() {
    holds_everywhere(used_by_the_program);
    for text in [
        "let _r = Repeatable::from_seed(1);",
        "let store = store.with_faults(faults);",
    ] {
        let file = File::invented("node/src/init.rs", text);
        assert_eq!(used_by_the_program(&file).len(), 1);
    }
}
