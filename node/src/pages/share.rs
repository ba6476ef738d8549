//! Sharing by page: choose, see what would flow and why the rest would not, decide once.

use super::{
    Page, PageError,
    done::Done,
    frame::{Frame, Section},
    render, words,
};
use crate::{
    api::shares::Given,
    app::App,
    http::problem::Failure,
    shares::{
        plan::Ask,
        preview::{self, Preview},
        recall::{self, What},
        send,
    },
    store,
};
use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    http::Uri,
    response::Redirect,
};
use policy::{FieldClass, Purpose};
use protocol::{channel::Channel, id::EntryId, problem::ProblemKind, time::Moment};
use url::form_urlencoded;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "share.html")]
pub struct Share {
    frame: Frame,
    lists: Vec<String>,
    members: Vec<Member>,
    form: Form,
    /// Why there is no answer.
    refused: Option<String>,
    answer: Option<Answer>,
}

/// Somebody to share with.
#[derive(Debug)]
struct Member {
    id: String,
    name: String,
}

/// What somebody chose. A field of several boxes comes several times, which one structure of plain
/// fields cannot hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Form {
    list: String,
    to: Vec<String>,
    purpose: String,
    fields: Vec<String>,
    channel: String,
    expires: String,
    /// What is given in return, and what proves it.
    consideration: String,
    evidence: String,
    equal_terms: bool,
}

/// What would flow to everybody chosen.
#[derive(Debug)]
struct Answer {
    recipients: Vec<Recipient>,
    /// "120 people with Green Table", of each to whom anybody flows.
    decision: Vec<String>,
}

/// What would flow to one.
#[derive(Debug)]
struct Recipient {
    name: String,
    people: String,
    flow: String,
    fields: Vec<(String, String)>,
    unreachable: Option<String>,
    withheld: Vec<Withheld>,
}

/// What one rule withholds.
#[derive(Debug)]
struct Withheld {
    people: String,
    rule: String,
    reason: String,
    fix: Option<String>,
}

/// Shows the form, and what would flow where its address holds a choice.
pub async fn show(State(app): State<App>, uri: Uri, RawQuery(query): RawQuery) -> Page {
    let frame = Frame::read(&app, Section::Shares, &uri).await;
    let mut db = app.store.read("naming the lists").await?;
    let lists = store::list::all(&mut db).await?;
    drop(db);
    let form = Form::read(query.as_deref().unwrap_or_default());
    let mut page = Share {
        lists: lists.into_iter().map(|list| list.name).collect(),
        members: members(&app).await,
        refused: None,
        answer: None,
        form,
        frame,
    };
    if !page.form.list.is_empty() {
        match look(&app, &page.form).await {
            Ok(previews) => page.answer = Some(Answer::new(previews)),
            Err(failure) => page.refused = Some(words::why(&failure)),
        }
    }
    render(&page)
}

async fn look(app: &App, form: &Form) -> Result<Vec<Preview>, Failure> {
    preview::preview(app, form.ask()?, form.list.as_str()).await
}

/// Shares what may flow.
pub async fn send(State(app): State<App>, body: String) -> Result<Redirect, PageError> {
    let form = Form::read(&body);
    let sent = send::send(&app, form.ask()?, form.list.as_str()).await?;
    if let Some(note) = sent.iter().find_map(|sent| sent.note.clone()) {
        return Err(conflict(format!("a share did not take effect: {note}")).into());
    }
    if sent.iter().all(|sent| sent.state == "nothing") {
        return Err(conflict("nothing was sent: the rules withhold everybody".to_owned()).into());
    }
    let waits = sent.iter().any(|sent| sent.state == "waiting");
    let done = if waits {
        Done::ShareWaits
    } else {
        Done::Shared
    };
    Ok(done.at("/shares"))
}

/// Takes a whole share back.
pub async fn revoke(
    State(app): State<App>,
    Path(share): Path<String>,
) -> Result<Redirect, PageError> {
    let share: EntryId = share
        .parse()
        .map_err(|_| Failure::not_found("no share has that id"))?;
    take_back(&app, &What::Share(share), "/shares").await
}

/// Takes back, and says on a page how far it has come.
///
/// # Errors
/// As [`recall::revoke`].
pub(super) async fn take_back(app: &App, what: &What, at: &str) -> Result<Redirect, PageError> {
    let recall = recall::revoke(app, what, false).await?;
    let waits = recall.notices.iter().any(|notice| notice.state != "done");
    let done = if waits {
        Done::RevocationWaits
    } else {
        Done::Revoked
    };
    Ok(done.at(at))
}

fn conflict(why: String) -> Failure {
    Failure::new(ProblemKind::Conflict, why)
}

/// Everybody else in the coalition.
async fn members(app: &App) -> Vec<Member> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Vec::new();
    };
    let others = coalition
        .state
        .roster()
        .filter(|(node, _)| **node != app.me);
    others
        .map(|(node, member)| Member {
            id: node.to_string(),
            name: member.name.clone(),
        })
        .collect()
}

impl Form {
    fn read(text: &str) -> Self {
        let mut form = Self {
            channel: Channel::Door.name().to_owned(),
            consideration: policy::Consideration::None.name().to_owned(),
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "list" => form.list = value,
                "to" => form.to.push(value),
                "purpose" => form.purpose = value,
                "fields" => form.fields.push(value),
                "channel" => form.channel = value,
                "expires" => form.expires = value,
                "consideration" => form.consideration = value,
                "evidence" => form.evidence = value,
                "equal_terms" => form.equal_terms = true,
                _ => {}
            }
        }
        form
    }

    fn ask(&self) -> Result<Ask, Failure> {
        if self.to.is_empty() {
            return Err(Failure::input("choose at least one organization"));
        }
        let word =
            |what: &str, error: &dyn std::fmt::Display| Failure::input(format!("{what}: {error}"));
        let fields = self.fields.iter().map(|field| field.parse());
        let expires = (!self.expires.is_empty()).then(|| end_of(&self.expires));
        Ok(Ask {
            to: self.to.clone(),
            purpose: self
                .purpose
                .parse()
                .map_err(|error| word("purpose", &error))?,
            channel: self
                .channel
                .parse()
                .map_err(|error| word("channel", &error))?,
            fields: fields
                .collect::<Result<Vec<FieldClass>, _>>()
                .map_err(|error| word("fields", &error))?,
            expires: expires.transpose()?,
            consideration: self.given().read()?,
        })
    }

    /// An invoice without anything paid for would be kept for nothing, and is left out.
    fn given(&self) -> Given {
        let nothing = self.consideration == policy::Consideration::None.name();
        let evidence = (!nothing && !self.evidence.is_empty()).then(|| self.evidence.clone());
        Given {
            consideration: Some(self.consideration.clone()),
            evidence,
            equal_terms: self.equal_terms && !nothing,
        }
    }
}

fn end_of(day: &str) -> Result<Moment, Failure> {
    crate::api::shares::end_of("last day", day)
}

impl Share {
    fn is_to(&self, member: &Member) -> bool {
        self.form.to.contains(&member.id)
    }

    fn is_class(&self, class: &str) -> bool {
        self.form.fields.iter().any(|field| field == class)
    }

    fn purposes(&self) -> Vec<(&'static str, String)> {
        let names = Purpose::NAMES.iter();
        names.map(|name| (*name, words::spaced(name))).collect()
    }

    fn is_given(&self) -> bool {
        self.form.consideration != policy::Consideration::None.name()
    }

    fn considerations(&self) -> Vec<(&'static str, String)> {
        let names = policy::Consideration::NAMES.iter();
        names
            .map(|name| (*name, words::consideration(name)))
            .collect()
    }

    fn classes(&self) -> &'static [&'static str] {
        FieldClass::NAMES
    }

    fn channels(&self) -> [(&'static str, &'static str); 4] {
        Channel::ALL.map(|channel| (channel.name(), words::channel(channel)))
    }
}

impl Answer {
    fn new(previews: Vec<Preview>) -> Self {
        let flows = previews.iter().filter(|preview| preview.flow > 0);
        Self {
            decision: flows
                .map(|preview| format!("{} with {}", words::natural(preview.flow), preview.name))
                .collect(),
            recipients: previews.into_iter().map(Recipient::new).collect(),
        }
    }
}

impl Recipient {
    fn new(preview: Preview) -> Self {
        let unreachable = (preview.unreachable > 0).then(|| words::natural(preview.unreachable));
        let fields = preview.fields.iter();
        let withheld = preview.withheld.into_iter();
        Self {
            name: preview.name,
            people: words::natural(preview.people),
            flow: words::natural(preview.flow),
            fields: fields
                .map(|(class, count)| (class.name().to_owned(), words::natural(*count)))
                .collect(),
            unreachable,
            withheld: withheld
                .filter(|rule| rule.people > 0)
                .map(|rule| Withheld {
                    people: words::natural(rule.people),
                    rule: rule.rule,
                    reason: rule.reason,
                    fix: rule.fix,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
impl Share {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Shares, text);
        let text = || text.to_owned();
        Self {
            lists: vec![text()],
            members: vec![Member {
                id: text(),
                name: text(),
            }],
            form: Form {
                list: text(),
                to: vec![text()],
                purpose: text(),
                fields: vec![text()],
                channel: text(),
                expires: text(),
                consideration: text(),
                evidence: text(),
                equal_terms: true,
            },
            refused: Some(text()),
            answer: Some(Answer {
                recipients: vec![Recipient {
                    name: text(),
                    people: text(),
                    flow: text(),
                    fields: vec![(text(), text())],
                    unreachable: Some(text()),
                    withheld: vec![Withheld {
                        people: text(),
                        rule: text(),
                        reason: text(),
                        fix: Some(text()),
                    }],
                }],
                decision: vec![text()],
            }),
            frame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_of_one_name_are_all_read() {
        let form = Form::read("list=Elm+Street&to=a&to=b%26c&fields=postal&fields=phone&x=1");
        assert_eq!(form.to, ["a", "b&c"]);
        assert_eq!(form.fields, ["postal", "phone"]);
        assert_eq!(
            (form.list.as_str(), form.channel.as_str()),
            ("Elm Street", "door")
        );
    }

    #[test]
    fn what_is_given_in_return_goes_with_its_proof() {
        let given = |text: &str| Form::read(text).ask().unwrap().consideration;
        let good = "to=a&purpose=gotv&fields=postal";
        let paid = format!("{good}&consideration=fmv_paid&evidence=INV-7&equal_terms=on");
        assert_eq!(
            (
                given(&paid).kind.as_str(),
                given(&paid).evidence.as_deref(),
                given(&paid).equal_terms
            ),
            ("fmv_paid", Some("INV-7"), true)
        );
        let nothing = format!("{good}&consideration=none&evidence=INV-7&equal_terms=on");
        assert_eq!(
            given(&nothing),
            protocol::entry::share::Consideration::none()
        );
    }

    #[test]
    fn a_choice_that_is_none_is_refused_in_words() {
        let refused = |text: &str| Form::read(text).ask().unwrap_err().0.detail;
        assert!(refused("list=x").contains("at least one organization"));
        let good = "to=a&purpose=gotv&fields=postal";
        assert!(Form::read(good).ask().is_ok());
        for (change, what) in [
            ("to=a&purpose=gossip&fields=postal", "purpose"),
            ("to=a&purpose=gotv&fields=secrets", "fields"),
            ("to=a&purpose=gotv&fields=postal&channel=fax", "channel"),
            ("to=a&purpose=gotv&fields=postal&expires=soon", "last day"),
            (
                "to=a&purpose=gotv&fields=postal&consideration=fmv_paid",
                "evidence",
            ),
            (
                "to=a&purpose=gotv&fields=postal&consideration=favour&evidence=1",
                "consideration",
            ),
        ] {
            assert!(refused(change).contains(what), "{change}");
        }
    }
}
