//! The report as people read it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is for the person who asked"
)]

use super::report::{Claim, Import, Organization, Report, Share, Withheld};

/// Prints a line of progress.
pub(super) fn say(line: &str) {
    eprintln!("{line}");
}

/// Prints the report.
pub(super) fn show(report: &Report, json: bool) {
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(report).unwrap_or_default()
        );
    } else {
        println!("{}", lines(report).join("\n"));
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![String::new()];
    let count = report.organizations.len();
    lines.push(format!(
        "{count} organizations under \"{}\", {}",
        report.agreement, report.day
    ));
    for organization in &report.organizations {
        lines.push(String::new());
        lines.extend(part(organization));
    }
    lines.push(String::new());
    lines.extend(across(report));
    lines.push(String::new());
    lines.extend(verdict(report));
    lines
}

fn part(about: &Organization) -> Vec<String> {
    let keeper = if about.keeper { ", keeps the log" } else { "" };
    let mut lines = vec![format!("{} ({}{keeper})", about.name, about.kind)];
    lines.push(format!("  list       {}", import(&about.list, "people")));
    if let Some(history) = &about.history {
        lines.push(format!("  history    {}", import(history, "attempts")));
    }
    let tokens: Vec<String> = about
        .tokens
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    if !tokens.is_empty() {
        lines.push(format!("  tokens     {}", tokens.join(", ")));
    }
    for share in &about.shares {
        lines.extend(share_lines(share));
    }
    if let Some(claim) = &about.claim {
        lines.extend(claim_lines(claim));
    }
    let holds: Vec<String> = about
        .holds
        .iter()
        .map(|(from, people)| format!("{people} of {from}"))
        .collect();
    if !holds.is_empty() {
        lines.push(format!("  holds      {}", holds.join(", ")));
    }
    lines
}

fn import(import: &Import, what: &str) -> String {
    let consents = if import.consents > 0 {
        format!(", {} with a consent form", import.consents)
    } else {
        String::new()
    };
    format!(
        "{} {what} from {} ({}), {} rows about known ones, {} rows left out{consents}",
        import.rows, import.file, import.format, import.repeated, import.rejected
    )
}

fn share_lines(share: &Share) -> Vec<String> {
    let mut lines = vec![format!(
        "  shared     {} of {} people with {} for {} ({}); it keeps {}",
        share.sent,
        share.of,
        share.to,
        share.purpose,
        share.fields.join(", "),
        share.accepted
    )];
    for (rule, people) in &share.dropped {
        lines.push(format!("    dropped there {people:>4}  {rule}"));
    }
    let mut left: Vec<&Withheld> = share.withheld.iter().collect();
    left.sort_by_key(|withheld| telling(&withheld.rule));
    while let Some(first) = left.first().copied() {
        // Wants of consent with one number are of one group of people: the most telling one speaks
        // for all of them.
        let is_same = |other: &&Withheld| {
            let consents = first.rule.starts_with("con.") && other.rule.starts_with("con.");
            other.rule == first.rule || (consents && other.people == first.people)
        };
        let (same, others) = left.into_iter().partition(is_same);
        let same: Vec<&Withheld> = same;
        let rules: Vec<&str> = same.iter().map(|withheld| withheld.rule.as_str()).collect();
        lines.push(format!(
            "    withheld {:>6}  {} ({})",
            first.people,
            first.reason,
            rules.join(", ")
        ));
        left = others;
    }
    lines
}

/// The law tells more than the want of a consent, and that there is none more than what it would lack.
fn telling(rule: &str) -> usize {
    let order = ["law.", "ag.", "own.", "con.recipient", "con.state", "con."];
    order
        .iter()
        .position(|beginning| rule.starts_with(beginning))
        .unwrap_or(order.len())
}

fn claim_lines(claim: &Claim) -> Vec<String> {
    vec![
        format!(
            "  doors      {} of {} claimed from {} to {}; the walk list has {}",
            claim.granted, claim.asked, claim.from, claim.to, claim.walk_list
        ),
        format!(
            "  avoided    {} held by an ally, {} where an ally spoke to somebody lately, {} opted out",
            claim.held, claim.recent, claim.suppressed
        ),
    ]
}

fn across(report: &Report) -> Vec<String> {
    let claims = || {
        report
            .organizations
            .iter()
            .filter_map(|about| about.claim.as_ref())
    };
    let avoided: u64 = claims().map(|claim| claim.held + claim.recent).sum();
    let mut lines = vec!["All together".to_owned()];
    lines.push(format!(
        "  avoided    {avoided} visits that would have doubled"
    ));
    if let Some(revocation) = &report.revocation {
        let receipts: Vec<String> = revocation
            .receipts
            .iter()
            .map(|(who, there)| {
                format!(
                    "{who} {}",
                    if *there {
                        "erased and signed"
                    } else {
                        "has NOT signed"
                    }
                )
            })
            .collect();
        lines.push(format!(
            "  taken back a person of {}: {} ({} was down when it was told)",
            revocation.by,
            receipts.join(", "),
            revocation.was_down
        ));
    }
    if let Some(opt_out) = &report.opt_out {
        lines.push(format!(
            "  opted out  a person of {}: {} keep away from the door",
            opt_out.by,
            opt_out.reached.join(", ")
        ));
    }
    let hash: String = report.state_hash.chars().take(16).collect();
    lines.push(format!(
        "  one state  {hash}... at position {} at every node",
        report.position
    ));
    lines
}

fn verdict(report: &Report) -> Vec<String> {
    let seconds: f64 = report.steps.iter().map(|step| step.seconds).sum();
    let mut lines: Vec<String> = Vec::new();
    if report.findings.is_empty() {
        lines.push(format!(
            "Checked, and nothing was found that must not be ({seconds:.0} seconds):"
        ));
        lines.extend(report.checked.iter().map(|line| format!("  {line}")));
    } else {
        lines.push(format!(
            "FOUND what must not be ({}):",
            report.findings.len()
        ));
        let found = report.findings.iter();
        lines.extend(found.map(|finding| format!("  {}: {}", finding.name, finding.detail)));
    }
    lines
}

/// Prints where the nodes' pages are, and how they end.
pub(super) fn show_pages(report: &Report) {
    say(
        "\nTheir pages; each link opens once, within 15 minutes. Commands go to the directory below it.",
    );
    for about in &report.organizations {
        say(&format!("  {:<28} {}", about.name, about.link));
        say(&format!(
            "  {:<28} commonturf --node {} ...",
            "", about.directory
        ));
    }
    say("The nodes run until you press Ctrl-C.");
}
