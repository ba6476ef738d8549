//! Whom a person at the desk means: an id or its end, an id of another system, or a whole name.

use crate::{
    http::problem::Failure,
    store::{people, person::Found},
};
use sqlx::AnyConnection;

/// What to do about a reference that leads nowhere.
pub const NOBODY: &str = "nobody on your lists is meant by this; give the end of an id, SYSTEM:ID such as van:123, \
    or the whole name";
const SEVERAL: &str =
    "several people are meant by this; name one by the id that `people search` shows";

/// The id of the one person that a reference means.
///
/// # Errors
/// [`Failure`] when it means nobody or several, or the database fails.
pub async fn one(db: &mut AnyConnection, reference: &str) -> Result<String, Failure> {
    match people::resolve(db, reference).await? {
        Found::One(id) => Ok(id),
        Found::Nobody => Err(Failure::not_found(NOBODY)),
        Found::Several => Err(Failure::input(SEVERAL)),
    }
}
