//! Every rule that comes with the program has vectors that show it at work, and they all hold.

use policy::{
    OWN_DEFAULT, Template, Terms, templates,
    vectors::{Decision, Report, Vectors, run, run_law, run_own},
};

fn holds(what: &str, report: &Report) {
    let failures: Vec<String> = report
        .vectors
        .iter()
        .filter_map(|tested| {
            let failure = tested.failure.as_ref()?;
            Some(format!(
                "{what}, line {}, {}: {failure}",
                tested.line, tested.name
            ))
        })
        .chain(
            report
                .uncovered
                .iter()
                .map(|rule| format!("{what}, {} lacks {:?}", rule.id, rule.lacks)),
        )
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(report.ok && !report.vectors.is_empty());
}

fn vectors(template: &Template) -> Vectors {
    Vectors::parse(template.vectors).unwrap_or_else(|error| panic!("{}: {error}", template.name))
}

fn run_template(template: &Template) -> Report {
    let terms = Terms::parse(template.text).unwrap();
    run(&terms, OWN_DEFAULT, &vectors(template))
}

#[test]
fn every_vector_of_every_template_holds_and_every_rule_has_both_kinds() {
    for template in templates() {
        holds(template.name, &run_template(template));
    }
}

#[test]
fn every_vector_of_the_law_holds_and_every_rule_has_both_kinds() {
    let report = run_law();
    holds("law", &report);
    for id in ["law.ie-firewall", "law.ie-firewall-reverse", "con.onward"] {
        let withheld = |tested: &policy::vectors::Tested| {
            tested.expected == Decision::Deny && tested.by.contains(&id.to_owned())
        };
        assert!(report.vectors.iter().any(withheld), "{id}");
    }
}

/// Cuts the rule of this id out of the rules of some terms.
fn without(rules: &str, id: &str) -> String {
    let from = rules.find(&format!("@id(\"{id}\")")).unwrap();
    let to = from + rules[from..].find(";\n").unwrap() + 1;
    format!("{}{}", &rules[..from], &rules[to..])
}

#[test]
fn a_template_that_loses_any_rule_fails_its_vectors() {
    for template in templates() {
        let terms = Terms::parse(template.text).unwrap();
        let vectors = vectors(template);
        let ids = terms.rules.split("@id(\"").skip(1);
        for id in ids.map(|piece| piece.split('"').next().unwrap()) {
            let mut fewer = terms.clone();
            fewer.rules = without(&terms.rules, id);
            let report = run(&fewer, OWN_DEFAULT, &vectors.of_rule(id));
            let fails = report
                .vectors
                .iter()
                .any(|tested| tested.failure.is_some() && tested.by.contains(&id.to_owned()));
            assert!(fails, "{}, {id}", template.name);
        }
    }
}

#[test]
fn every_rule_of_every_template_names_its_source() {
    for template in templates() {
        let rules = Terms::parse(template.text).unwrap().rules;
        for piece in rules.split("@id(\"").skip(1) {
            assert!(
                piece.contains("@reason(\"") && piece.contains("@cite(\""),
                "{}: {piece}",
                template.name
            );
        }
    }
}

const OWN: &str = "@id(\"own.all\") @reason(\"Nothing more is forbidden.\")
permit (principal, action, resource);
@id(\"own.no-mail\") @reason(\"We send no letters for others.\")
forbid (principal, action in Turf::Action::\"Flow\", resource)
when { context.channel == Turf::Channel::\"mail\" };
";

const OWN_VECTORS: &str = r#"
[base]
day = "2027-01-15"
from = "org-a"
to = "org-b"
purpose = "gotv"
channel = "door"
field = "postal"
consideration = "none"
parties.org-a = { kind = "c4", jurisdiction = "us-oh" }
parties.org-b = { kind = "union", jurisdiction = "us-oh" }

[base.row]
originator = "org-a"
source = "own_signup"
basis = "public_record"
jurisdiction = "us-oh"
terms_allow = true

[[vector]]
name = "Doors are knocked on"
permit = "ag.all"
about = "own.no-mail"

[[vector]]
name = "Letters are not sent"
deny = "own.no-mail"
channel = "mail"
"#;

fn own(change: impl Fn(&str) -> String) -> Report {
    run_own(OWN, &Vectors::parse(&change(OWN_VECTORS)).unwrap())
}

/// What the gate says about the vector of this name.
fn failure<'r>(report: &'r Report, name: &str) -> &'r str {
    let tested = report.vectors.iter().find(|tested| tested.name == name);
    let failure = tested.and_then(|tested| tested.failure.as_deref());
    failure.unwrap_or_else(|| panic!("{report:#?}"))
}

#[test]
fn own_rules_are_tested_alone() {
    holds("own", &own(str::to_owned));
}

#[test]
fn a_vector_that_does_not_hold_says_what_the_gate_says() {
    let other = own(|text| text.replace("channel = \"mail\"", "channel = \"email\""));
    assert!(!other.ok);
    assert_eq!(
        failure(&other, "Letters are not sent"),
        "it flows by ag.all"
    );
    let more =
        own(|text| text.replace("channel = \"mail\"", "channel = \"mail\"\nrow.minor = true"));
    assert_eq!(
        failure(&more, "Letters are not sent"),
        "it is withheld by law.minor, own.no-mail"
    );
    let unknown = own(|text| text.replace("about = \"own.no-mail\"", "about = \"own.no-nails\""));
    assert!(failure(&unknown, "Doors are knocked on").contains("own.no-nails"));
    let nobody =
        own(|text| text.replace("channel = \"mail\"", "channel = \"mail\"\nto = \"org-z\""));
    assert_eq!(
        failure(&nobody, "Letters are not sent"),
        "it is withheld by E_ENTITY_MISSING"
    );
    let wrong = own(|text| {
        text.replace(
            "parties.org-b = { ",
            "parties.Org = { kind = \"c3\", jurisdiction = \"us\" }\nparties.org-b = { ",
        )
    });
    assert!(failure(&wrong, "Letters are not sent").contains("E_ID_CHARSET"));
}

#[test]
fn a_rule_that_lacks_a_vector_is_reported() {
    let half = own(|text| {
        text.split("[[vector]]\nname = \"Letters")
            .next()
            .unwrap()
            .to_owned()
    });
    assert!(!half.ok && half.vectors.iter().all(|tested| tested.failure.is_none()));
    let [lacking] = half.uncovered.as_slice() else {
        panic!("{half:#?}")
    };
    assert_eq!(
        (lacking.id.as_str(), &lacking.lacks[..]),
        ("own.no-mail", &[Decision::Deny][..])
    );
}

#[test]
fn vectors_are_read_from_json_too() {
    let value: toml::Table = toml::from_str(OWN_VECTORS).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    holds("json", &own(|_| json.clone()));
    let error = Vectors::parse("{ \"base\": }").unwrap_err();
    assert_eq!(error.line, 1);
}

/// What is wrong, and in which line, after one text is replaced.
fn refused(from: &str, to: &str, line: usize, part: &str) {
    assert!(OWN_VECTORS.contains(from), "{from}");
    let error = Vectors::parse(&OWN_VECTORS.replacen(from, to, 1)).expect_err(to);
    assert!(
        error.line == line && error.message.contains(part),
        "{error}"
    );
}

#[test]
fn what_is_no_vector_is_refused_at_its_line() {
    refused("day = \"2027-01-15\"", "day = \"soon\"", 2, "2027-01-15");
    refused("purpose = \"gotv\"", "purpose = \"peace\"", 2, "use one of");
    refused("purpose = \"gotv\"\n", "", 2, "purpose");
    refused("field = \"postal\"\n", "", 2, "field");
    refused("kind = \"c4\"", "kind = \"guild\"", 2, "parties.org-a");
    refused("terms_allow = true", "shoe_size = 44", 2, "row");
    refused(
        "[[vector]]\nname = \"Doors are knocked on\"",
        "[[vector]]",
        20,
        "sentence",
    );
    refused("permit = \"ag.all\"\n", "", 20, "permit");
    refused("permit = \"ag.all\"", "permit = []", 20, "id");
    refused("about = \"own.no-mail\"", "about = 3", 20, "about");
    refused(
        "channel = \"mail\"",
        "channel = \"pigeon\"",
        25,
        "Letters are not sent",
    );
    refused("channel = \"mail\"", "chanel = \"mail\"", 25, "chanel");
    refused("[[vector]]", "[[vector]", 20, "");
    refused("[base]", "[bass]", 2, "bass");
    let huge = " ".repeat(policy::vectors::MAX_VECTORS_BYTES + 1);
    assert!(Vectors::parse(&huge).unwrap_err().message.contains("1 MiB"));
    let many = OWN_VECTORS.to_owned()
        + &"[[vector]]\nname = \"x\"\ndeny = \"own.no-mail\"\n"
            .repeat(policy::vectors::MAX_VECTORS);
    assert!(Vectors::parse(&many).unwrap_err().message.contains("2,000"));
}
