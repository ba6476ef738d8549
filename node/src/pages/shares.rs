//! Shares: what was given to whom and what became of it, what was received, and receipts.

use super::{
    Page, PageError,
    cut::Cut,
    frame::{self, Frame, Section},
    render,
    uses::Uses,
    when::When,
    words,
};
use crate::{
    app::App,
    coalition::members,
    shares::{
        dispute,
        setting::Setting,
        view::{self, GivenShare, Receipt as Answer, ReceivedShare},
    },
};
use askama::Template;
use axum::{extract::State, http::Uri};
use protocol::time::Moment;
use serde_json::Value;

/// The most rows that one table shows.
const ROWS: usize = 100;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "shares.html")]
pub struct Shares {
    frame: Frame,
    revoke: String,
    given: Cut<Given>,
    received: Cut<Received>,
    receipts: Cut<Receipt>,
    owed: Cut<Owed>,
    disputes: Cut<Dispute>,
}

/// A share that this organization gave.
#[derive(Debug)]
struct Given {
    id: String,
    /// How many rows are left to take back; none where there are none.
    left: Option<String>,
    to: String,
    purpose: String,
    channel: String,
    fields: String,
    people: String,
    state: String,
    at: When,
    taken_back: Option<String>,
    until: Option<When>,
    withheld: Vec<Withheld>,
}

/// Why people were withheld.
#[derive(Debug)]
struct Withheld {
    count: String,
    rule: String,
    reason: String,
}

/// A share that an ally gave.
#[derive(Debug)]
struct Received {
    from: String,
    purpose: String,
    channel: String,
    announced: String,
    held: String,
    resting: Option<String>,
    state: String,
    at: When,
    until: Option<When>,
    dropped: Vec<Withheld>,
    uses: Option<Uses>,
}

/// A revocation that this organization gave.
#[derive(Debug)]
struct Receipt {
    to: String,
    kind: String,
    rows: String,
    state: &'static str,
    overdue: bool,
    due: Option<When>,
    distance: Option<String>,
}

/// A dispute that is open.
#[derive(Debug)]
struct Dispute {
    by: String,
    from: String,
    rows: String,
    what: &'static str,
    code: &'static str,
    at: When,
}

/// A receipt that this organization owes.
#[derive(Debug)]
struct Owed {
    to: String,
    rows: String,
    why: &'static str,
    due: When,
    distance: String,
}

/// Shows the page.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Shares, &uri).await;
    let mut page = Shares {
        revoke: frame::command(&app, "revoke --person ID"),
        given: Cut::first([], ROWS),
        received: Cut::first([], ROWS),
        receipts: Cut::first([], ROWS),
        owed: Cut::first([], ROWS),
        disputes: Cut::first([], ROWS),
        frame,
    };
    if page.frame.is_active() || page.frame.is_paused() {
        page.fill(&app).await?;
    }
    render(&page)
}

impl Shares {
    /// Whether rows of any share may leave this node now.
    fn any_in_use(&self) -> bool {
        let mut rows = self.received.rows.iter();
        rows.any(|share| share.uses.as_ref().is_some_and(|uses| uses.open))
    }

    async fn fill(&mut self, app: &App) -> Result<(), PageError> {
        let given = view::given(app).await?;
        let received = view::received(app).await?;
        let receipts = view::receipts(app, false).await?;
        // Without an agreement in force the rules have no words; their ids are shown all the same.
        let setting = Setting::current(app).await.ok();
        let frame = &self.frame;
        let given = given.into_iter();
        self.given = Cut::first(
            given.map(|share| Given::new(frame, setting.as_ref(), share)),
            ROWS,
        );
        let received = received.into_iter();
        self.received = Cut::first(
            received.map(|share| Received::new(frame, setting.as_ref(), share)),
            ROWS,
        );
        let receipts = receipts.into_iter();
        self.receipts = Cut::first(receipts.map(|answer| Receipt::new(frame, answer)), ROWS);
        self.owed = owed(app, frame).await;
        self.disputes = disputes(app, frame).await;
        Ok(())
    }
}

impl Given {
    fn new(frame: &Frame, setting: Option<&Setting>, share: GivenShare) -> Self {
        let state = match (share.state.as_str(), share.accepted, share.dropped) {
            ("announced", Some(accepted), Some(0)) => {
                format!("taken: {}, or nearly all", words::natural(accepted))
            }
            ("announced", Some(accepted), dropped) => format!(
                "taken: about {}; not taken: at least {}",
                words::natural(accepted),
                words::natural(dropped.unwrap_or_default())
            ),
            ("announced", None, _) => "not fetched yet".to_owned(),
            ("queued", ..) => "waits for the keeper".to_owned(),
            (state, ..) => match &share.note {
                Some(note) => format!("{state}: {note}"),
                None => state.to_owned(),
            },
        };
        let taken_back = (share.taken_back > 0).then(|| {
            format!(
                "{} taken back, {} confirmed gone",
                words::natural(share.taken_back),
                words::natural(share.confirmed)
            )
        });
        let left = share.people.saturating_sub(share.taken_back);
        let given = matches!(share.state.as_str(), "announced" | "queued");
        Self {
            id: share.share.to_string(),
            left: (given && left > 0).then(|| words::natural(left)),
            to: share.name,
            purpose: words::spaced(&share.purpose),
            channel: share.channel,
            fields: words::listed(&share.fields),
            people: words::natural(share.people),
            state,
            at: frame.calendar.day(Moment(share.created_at)),
            taken_back,
            until: share.expires_at.map(|at| frame.calendar.day(Moment(at))),
            withheld: withheld(setting, &share.withheld),
        }
    }
}

impl Received {
    fn new(frame: &Frame, setting: Option<&Setting>, share: ReceivedShare) -> Self {
        let state = match (share.state.as_str(), &share.note) {
            ("announced", _) => "being fetched".to_owned(),
            ("stored", _) => "taken".to_owned(),
            (state, Some(note)) => format!("{state}: {note}"),
            (state, None) => state.to_owned(),
        };
        let usable = share.state == "stored" && share.held > 0;
        let standing = share.uses.as_ref().filter(|_| usable);
        Self {
            uses: standing.map(|standing| Uses::new(frame, share.share, standing)),
            from: share.name,
            purpose: words::spaced(&share.purpose),
            channel: share.channel,
            announced: words::natural(share.announced),
            held: words::natural(share.held),
            resting: (share.resting > 0).then(|| words::natural(share.resting)),
            state,
            at: frame.calendar.day(share.at),
            until: share.expires_at.map(|at| frame.calendar.day(Moment(at))),
            dropped: withheld(setting, share.dropped.get("people").unwrap_or(&Value::Null)),
        }
    }
}

impl Receipt {
    fn new(frame: &Frame, answer: Answer) -> Self {
        let open = answer.receipt_at.is_none() && answer.exception.is_none();
        let due = answer.due.filter(|_| open);
        Self {
            to: answer.name,
            kind: words::spaced(&answer.kind),
            rows: words::natural(answer.rows),
            state: match answer.state {
                "queued" => "waits for the keeper",
                "told" => "told, no answer yet",
                "acknowledged" => "use has stopped, receipt to come",
                "erased" => "signed: erased",
                "not_found" => "signed: was not held",
                "restricted" => "signed: at rest",
                "rectified" => "signed: corrected",
                "partly_retained" => "signed: erased in part",
                "refused" => "signed: refused",
                "excepted" => "nobody waits for it",
                other => other,
            },
            overdue: answer.overdue,
            due: due.map(|due| frame.calendar.moment(due)),
            distance: due.map(|due| frame.calendar.distance(due)),
        }
    }
}

async fn owed(app: &App, frame: &Frame) -> Cut<Owed> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Cut::first([], ROWS);
    };
    let state = &coalition.state;
    let open = state
        .notices
        .iter()
        .map(|(_, notice)| notice)
        .filter(|notice| notice.to == app.me && notice.receipt.is_none());
    Cut::first(
        open.map(|notice| Owed {
            to: members::name(state, notice.from),
            rows: words::natural(notice.count),
            why: words::revocation(notice.kind),
            due: frame.calendar.moment(notice.due),
            distance: frame.calendar.distance(notice.due),
        }),
        ROWS,
    )
}

/// What all members report of shares.
async fn disputes(app: &App, frame: &Frame) -> Cut<Dispute> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Cut::first([], ROWS);
    };
    let open = dispute::open(app, &coalition.state).into_iter();
    Cut::first(
        open.map(|open| Dispute {
            by: open.by,
            from: open.from,
            rows: words::natural(open.rows),
            what: match open.code {
                "W_OVERSHARE" => "more than agreement and law let through",
                _ => "people who had been taken back",
            },
            code: open.code,
            at: frame.calendar.day(open.at),
        }),
        ROWS,
    )
}

/// Counts by rule, the largest first, with each rule's own words.
fn withheld(setting: Option<&Setting>, counts: &Value) -> Vec<Withheld> {
    let mut counts: Vec<(&String, u64)> = counts
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(rule, count)| Some((rule, count.as_u64()?)))
        .filter(|(_, count)| *count > 0)
        .collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
        .into_iter()
        .map(|(rule, count)| Withheld {
            count: words::natural(count),
            rule: rule.clone(),
            reason: setting
                .and_then(|setting| setting.gate.rule(rule))
                .map(|text| text.reason.clone())
                .unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
impl Dispute {
    fn sample(text: impl Fn() -> String, at: When) -> Self {
        Self {
            by: text(),
            from: text(),
            rows: text(),
            what: "people who had been taken back",
            code: "E_ERASED_RESURFACED",
            at,
        }
    }
}

#[cfg(test)]
impl Shares {
    /// The page with one text in every place that others can fill.
    #[expect(clippy::too_many_lines, reason = "a place after the other")]
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Shares, text);
        let when = frame.calendar.moment(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        let withheld = || Withheld {
            count: text(),
            rule: text(),
            reason: text(),
        };
        Self {
            revoke: text(),
            given: Cut {
                rows: vec![Given {
                    id: text(),
                    left: Some(text()),
                    to: text(),
                    purpose: text(),
                    channel: text(),
                    fields: text(),
                    people: text(),
                    state: text(),
                    at: when.clone(),
                    taken_back: Some(text()),
                    until: Some(when.clone()),
                    withheld: vec![withheld()],
                }],
                more: 1,
            },
            received: Cut {
                rows: vec![Received {
                    from: text(),
                    purpose: text(),
                    channel: text(),
                    announced: text(),
                    held: text(),
                    resting: Some(text()),
                    state: text(),
                    at: when.clone(),
                    until: Some(when.clone()),
                    dropped: vec![withheld()],
                    uses: Some(Uses::sample(text())),
                }],
                more: 1,
            },
            receipts: Cut {
                rows: vec![Receipt {
                    to: text(),
                    kind: text(),
                    rows: text(),
                    state: "told, no answer yet",
                    overdue: true,
                    due: Some(when.clone()),
                    distance: Some(text()),
                }],
                more: 1,
            },
            owed: Cut {
                rows: vec![Owed {
                    to: text(),
                    rows: text(),
                    why: "they were recalled",
                    due: when.clone(),
                    distance: text(),
                }],
                more: 1,
            },
            disputes: Cut {
                rows: vec![Dispute::sample(text, when)],
                more: 1,
            },
            frame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn withheld_counts_come_with_the_largest_first_and_zero_left_out() {
        let counts = json!({ "law.minor": 3, "ag.postal": 1200, "con.state": 0 });
        let lines = withheld(None, &counts);
        let lines: Vec<_> = lines
            .iter()
            .map(|line| (line.rule.as_str(), line.count.as_str()))
            .collect();
        assert_eq!(lines, [("ag.postal", "1,200"), ("law.minor", "3")]);
        assert!(withheld(None, &Value::Null).is_empty());
    }
}
