//! `commonturf people` and `commonturf lists`: who is on the organization's own lists.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Find people of the own lists.
#[derive(Debug, Subcommand)]
pub enum People {
    /// Find people by name or e-mail address.
    Search {
        /// A part of it.
        text: String,
        /// On this list only.
        #[arg(long)]
        list: Option<String>,
    },
    /// Show one person: contact points, consents, suppressions, contacts.
    Show {
        /// The beginning of the person's id, SYSTEM:ID such as van:123, or the whole name.
        person: String,
    },
}

impl People {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = match self {
            Self::Search { text, list } => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("search", text);
                if let Some(list) = list {
                    query.append_pair("list", list);
                }
                desk.get(&format!("/people?{}", query.finish())).await?
            }
            Self::Show { person } => {
                let person: String = url::form_urlencoded::byte_serialize(person.as_bytes())
                    .map(|part| part.replace('+', "%20"))
                    .collect();
                desk.get(&format!("/people/{person}")).await?
            }
        };
        output::json(&answer);
        Ok(())
    }
}

/// Show the own lists with their counts.
#[derive(Debug, Args)]
pub struct Lists {}

impl Lists {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = desk.get("/lists").await?;
        output::json(&answer);
        Ok(())
    }
}
