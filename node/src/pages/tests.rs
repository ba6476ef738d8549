//! Every page renders its sample, and what others wrote stays text in it.

use super::{
    agreement::Agreement, audit::Audit, call::Caller, calls::Calls, claims::Claims, home::Home,
    impact::Impact, imports::Import, lists::Lists, overlap::Overlaps, packet::Packet,
    packets::Packets, parting::Parting, people::People, person::Person, render, session::SignIn,
    share::Share, shares::Shares,
};

/// Strings that would do something if a page took them for more than text.
const HOSTILE: [&str; 20] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=\"javascript:alert(1)\">go</a>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button>Sign",
    "<!--",
    "]]><![CDATA[<x>",
    "<style>*{display:none}</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;<b>",
    "{{ 7 * 7 }}{% include \"/etc/passwd\" %}<i>",
    "\u{202e}\u{0}<b>\r\nSet-Cookie: a=b",
];

/// Every page with one text in every place that others can fill.
fn pages(text: &str) -> Vec<(&'static str, String)> {
    let refusal = super::Refusal {
        title: text.to_owned(),
        detail: text.to_owned(),
    };
    [
        ("home", render(&Home::sample(text))),
        ("joining", render(&Home::sample_joining(text))),
        ("agreement", render(&Agreement::sample(text))),
        ("lists", render(&Lists::sample(text))),
        ("import", render(&Import::sample(text))),
        ("people", render(&People::sample(text))),
        ("person", render(&Person::sample(text))),
        ("claims", render(&Claims::sample(text))),
        ("packets", render(&Packets::sample(text))),
        ("packet", render(&Packet::sample(text))),
        ("phone banks", render(&Calls::sample(text))),
        ("caller", render(&Caller::sample(text))),
        ("impact", render(&Impact::sample(text))),
        ("shares", render(&Shares::sample(text))),
        ("leaving", render(&Parting::sample_leaving(text))),
        ("removal", render(&Parting::sample_removal(text))),
        ("overlaps", render(&Overlaps::sample(text))),
        ("share", render(&Share::sample(text))),
        ("audit", render(&Audit::sample(text))),
        ("sign-in", render(&SignIn::sample(text))),
        ("refusal", render(&refusal)),
    ]
    .map(|(name, page)| (name, page.unwrap().0))
    .into()
}

/// The characters that make elements and attributes, in their order.
fn skeleton(page: &str) -> String {
    page.chars()
        .filter(|letter| "<>\"'".contains(*letter))
        .collect()
}

#[test]
fn every_page_shows_its_sample_in_every_place() {
    for (name, page) in pages("Tenants United") {
        assert!(page.starts_with("<!doctype html>"), "{name}");
        assert!(page.contains("<html lang=\"en\">"), "{name}");
        assert_eq!(page.matches("<h1>").count(), 1, "{name}");
        assert!(page.contains("Tenants United"), "{name}");
    }
}

#[test]
fn hostile_text_changes_no_element_of_any_page() {
    let harmless = pages("harmless");
    for text in HOSTILE {
        for ((name, calm), (_, page)) in harmless.iter().zip(pages(text)) {
            assert!(!page.contains(text), "{name} holds {text} as it came");
            assert_eq!(
                skeleton(&page),
                skeleton(calm),
                "{name} is changed by {text}"
            );
        }
    }
}

#[test]
fn no_page_holds_inline_script_or_style_or_names_another_host() {
    for (name, page) in pages("harmless") {
        for piece in page.split('<').skip(1) {
            let tag = piece.split('>').next().unwrap_or_default();
            let inline = tag.starts_with("style")
                || tag.contains(" style=")
                || tag.contains(" on")
                || (tag.starts_with("script") && !tag.contains("src=\"/assets/"));
            assert!(!inline, "{name}: <{tag}>");
        }
        assert!(!page.contains("://"), "{name} names another host");
    }
}

#[test]
fn every_field_of_a_form_has_a_label_and_every_button_a_word() {
    for (name, page) in pages("harmless") {
        for piece in page.split('<').filter(|piece| {
            (piece.starts_with("input") || piece.starts_with("select"))
                && !piece.contains("type=\"hidden\"")
        }) {
            let id = piece
                .split("id=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let id = id.unwrap_or_else(|| panic!("{name}: <{piece}"));
            assert!(page.contains(&format!("for=\"{id}\"")), "{name}: {id}");
        }
        for button in page.split("<button").skip(1) {
            let inside = button.split_once('>').map_or("", |(_, rest)| rest);
            let inside = inside.split("</button>").next().unwrap_or_default();
            let words = inside.rsplit("</svg>").next().unwrap_or_default().trim();
            assert!(!words.is_empty(), "{name}: a button without a word");
        }
    }
}
