//! Papers that an organization owes its people: what it has and who was given it, and a receipt for
//! their consent; and the list of those whose consent ends.

pub mod receipt;
pub mod renewals;
pub mod statement;

use crate::{
    app::App,
    http::problem::Failure,
    store::{self, person::Found},
};

const NOBODY: &str = "nobody on your lists is meant by this; look with `commonturf people search`";

/// The id of the person that a reference means.
async fn person(app: &App, reference: &str) -> Result<String, Failure> {
    let mut db = app.store.read("looking for a person").await?;
    match store::people::resolve(&mut db, reference).await? {
        Found::One(id) => Ok(id),
        Found::Nobody => Err(Failure::not_found(NOBODY)),
        Found::Several => Err(Failure::input(
            "several people are meant by this; name one by the id that `people search` shows",
        )),
    }
}
