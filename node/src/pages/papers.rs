//! Papers that are handed to a person: one file each, without scripts or outside hosts, to print or send.

use super::{when::Calendar, words};
use crate::{
    http::problem::Failure,
    papers::{
        receipt::Receipt,
        statement::{Recipient, Statement},
    },
};
use askama::Template;
use protocol::time::Moment;

#[derive(Debug, Template)]
#[template(path = "paper_statement.html")]
struct StatementPaper<'a> {
    statement: &'a Statement,
    calendar: Calendar,
}

#[derive(Debug, Template)]
#[template(path = "paper_receipts.html")]
struct ReceiptsPaper<'a> {
    receipts: &'a [Receipt],
    calendar: Calendar,
}

/// A person's statement as a file of its own.
///
/// # Errors
/// When a value cannot be written, which the templates do not do.
pub fn statement(statement: &Statement, zone: Option<&str>) -> Result<String, Failure> {
    let calendar = Calendar::new(zone, Moment(statement.made_at));
    let paper = StatementPaper {
        statement,
        calendar,
    };
    paper.render().map_err(Failure::internal)
}

/// Consent receipts as a file of their own.
///
/// # Errors
/// When a value cannot be written, which the templates do not do.
pub fn receipts(receipts: &[Receipt], zone: Option<&str>) -> Result<String, Failure> {
    let made_at = receipts.first().map_or(0, |receipt| receipt.made_at);
    let calendar = Calendar::new(zone, Moment(made_at));
    let paper = ReceiptsPaper { receipts, calendar };
    paper.render().map_err(Failure::internal)
}

impl StatementPaper<'_> {
    fn day(&self, at: &i64) -> String {
        self.calendar.whole_day(Moment(*at)).text().to_owned()
    }

    fn spaced(&self, word: &str) -> String {
        words::spaced(word)
    }

    /// How it stands with a recipient, as a sentence.
    fn status(&self, recipient: &Recipient) -> String {
        let holder = &recipient.holder;
        let due = holder.due.map(|due| self.day(&due.0)).unwrap_or_default();
        match holder.status {
            "queued" => "It is on its way.".to_owned(),
            "not_found" => "It has signed that it does not hold this data.".to_owned(),
            "held" => "It may use this data.".to_owned(),
            "expired" => "Its time is over: it must not use this data any more.".to_owned(),
            "overdue" => {
                format!(
                    "It was told to {} this data by {due} and has not confirmed it.",
                    asked(holder)
                )
            }
            "revoked" => format!("It was told to {} this data by {due}.", asked(holder)),
            "erased" => "It has signed that this data is gone.".to_owned(),
            "restricted" => "It has signed that it keeps this data without using it.".to_owned(),
            "partly_retained" => {
                "It has signed that this data is gone but for what is named here.".to_owned()
            }
            "refused" => "It has signed that it does not delete this data.".to_owned(),
            "excepted" => "We do not wait for its confirmation any more.".to_owned(),
            other => words::spaced(other),
        }
    }

    fn fields(&self, recipient: &Recipient) -> String {
        words::listed(&recipient.holder.fields)
    }
}

/// What the recipient was told to do.
fn asked(holder: &crate::shares::view::Holder) -> &'static str {
    match holder.revoked_for.as_deref() {
        Some("restriction") => "stop using",
        Some("lift") => "use again",
        _ => "delete",
    }
}

impl ReceiptsPaper<'_> {
    fn day(&self, at: &i64) -> String {
        self.calendar.whole_day(Moment(*at)).text().to_owned()
    }

    fn spaced(&self, word: &str) -> String {
        words::spaced(word)
    }

    fn names<T: Copy>(&self, all: &[T], name: impl Fn(T) -> &'static str) -> String {
        let names: Vec<String> = all.iter().map(|one| words::spaced(name(*one))).collect();
        names.join(", ")
    }

    fn recipients(&self, clause: &policy::consent::PurposeClause) -> String {
        let to = &clause.recipient_third_parties;
        let to: Vec<String> = to
            .party_ids
            .iter()
            .cloned()
            .chain(to.x_classes.iter().map(|class| words::kind(class)))
            .collect();
        if to.is_empty() {
            "nobody else".to_owned()
        } else {
            to.join(", ")
        }
    }
}
