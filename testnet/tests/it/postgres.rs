//! The cluster that storage tests run on.

use std::process::Command;
use testnet::postgres::{Cluster, program};

fn ask(url: &str, sql: &str) -> String {
    let output = Command::new(program("psql").unwrap())
        .args([url, "-qAt", "-c", sql])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_cluster_answers_its_superuser_and_leaves_nothing_behind() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.url("postgres");
    assert_eq!(ask(&url, "show fsync"), "off");
    ask(&url, "create database turf");
    let turf = cluster.url("turf");
    assert_eq!(ask(&turf, "select current_database()"), "turf");

    let folder = url.split_once("?host=").unwrap().1.to_owned();
    let process = std::fs::read_to_string(format!("{folder}/data/postmaster.pid")).unwrap();
    let process = format!("/proc/{}/cmdline", process.lines().next().unwrap());
    assert!(runs(&process));
    drop(cluster);
    assert!(!std::fs::exists(&folder).unwrap());
    assert!(!runs(&process));
}

/// Whether a process has a command line: one that ended and was not yet collected has none.
fn runs(command_line: &str) -> bool {
    std::fs::read(command_line).is_ok_and(|bytes| !bytes.is_empty())
}

#[test]
fn two_clusters_do_not_meet() {
    let (one, two) = (Cluster::start().unwrap(), Cluster::start().unwrap());
    ask(&one.url("postgres"), "create database turf");
    assert_eq!(
        ask(
            &two.url("postgres"),
            "select count(*) from pg_database where datname = 'turf'"
        ),
        "0"
    );
}
