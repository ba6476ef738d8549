//! Every page with hostile text in every place that others can fill.

use super::{agreement::Agreement, home::Home, session::SignIn};
use askama::Template;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "</textarea><iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
];

fn holds_no_markup_of_others(render: impl Fn(&str) -> String) {
    let plain = render("plain");
    assert!(
        plain.contains("plain") && plain.contains("<html"),
        "the page shows what it is given"
    );
    for text in HOSTILE {
        assert!(
            !render(text).contains(text),
            "{text} reached the page as markup"
        );
    }
}

#[test]
fn the_sign_in_page_escapes_what_others_wrote() {
    holds_no_markup_of_others(|text| SignIn::sample(text).render().unwrap());
}

#[test]
fn the_first_page_escapes_what_others_wrote() {
    holds_no_markup_of_others(|text| Home::sample(text).render().unwrap());
}

#[test]
fn the_agreement_page_escapes_what_others_wrote() {
    holds_no_markup_of_others(|text| Agreement::sample(text).render().unwrap());
}
