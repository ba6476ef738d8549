//! Which room may use which, and what the pure rooms never link.

use serde_json::Value;
use std::process::Command;

/// The rooms, each with the rooms that it may use, down to the tests.
const MAY_USE: [(&str, &[&str]); 4] = [
    ("commonturf-policy", &[]),
    ("commonturf-protocol", &["commonturf-policy"]),
    ("commonturf", &["commonturf-policy", "commonturf-protocol"]),
    (
        "commonturf-testnet",
        &["commonturf-policy", "commonturf-protocol", "commonturf"],
    ),
];

/// What speaks to networks, databases or a runtime. The pure rooms link none of it, not even
/// through others.
const IMPURE: [&str; 9] = [
    "axum", "hyper", "mio", "openraft", "reqwest", "rustls", "socket2", "sqlx", "tokio",
];

fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let output = command
        .args(arguments)
        .current_dir(testnet::workspace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn rooms_use_each_other_in_one_direction_only() {
    let text = cargo(&[
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--offline",
        "--locked",
    ]);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(
        packages.len(),
        MAY_USE.len(),
        "a fifth room needs a decision record and a line in this test"
    );
    for (room, allowed) in MAY_USE {
        let package = packages
            .iter()
            .find(|package| package["name"] == room)
            .expect(room);
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            let is_room = MAY_USE.iter().any(|(other, _)| *other == name);
            assert!(
                !is_room || allowed.contains(&name),
                "{room} must not know {name}"
            );
        }
    }
}

#[test]
fn policy_and_protocol_link_no_runtime_network_or_database() {
    for room in ["commonturf-policy", "commonturf-protocol"] {
        let linked = linked(room);
        assert!(
            linked.iter().any(|name| name == "serde"),
            "{room}: the list of dependencies is not read right"
        );
        let impure = linked
            .iter()
            .filter(|name| IMPURE.contains(&name.as_str()))
            .collect::<Vec<_>>();
        assert!(
            impure.is_empty(),
            "{room} links {impure:?}. See: cargo tree --package {room} --invert NAME"
        );
    }
}

#[test]
fn the_node_links_what_the_pure_rooms_must_not() {
    let linked = linked("commonturf");
    let unknown = IMPURE
        .iter()
        .filter(|name| !linked.iter().any(|other| other == *name))
        .collect::<Vec<_>>();
    // openraft comes with the second keeper.
    assert!(
        unknown.iter().all(|name| **name == "openraft"),
        "nothing is called {unknown:?} any more"
    );
}

/// The names of all crates in a room's program, of its own code's dependencies and theirs.
fn linked(room: &str) -> Vec<String> {
    let tree = [
        "tree",
        "--package",
        room,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--offline",
        "--locked",
    ];
    cargo(&tree)
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}
