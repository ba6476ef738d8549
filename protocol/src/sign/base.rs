//! The signature base: the exact bytes that are signed (RFC 9421, section 2.5).

use super::SignatureError;
use std::{borrow::Cow, fmt::Write};

/// A covered component: its identifier as `Signature-Input` writes it, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component<'a> {
    /// With quotes and parameters, such as `"@method";req`.
    pub identifier: &'static str,
    /// One line of ASCII.
    pub value: Cow<'a, str>,
}

impl<'a> Component<'a> {
    /// A component whose value can be signed.
    ///
    /// # Errors
    /// [`SignatureError::Characters`]: a line break in a value could pass for another component.
    pub fn new(
        identifier: &'static str,
        value: impl Into<Cow<'a, str>>,
    ) -> Result<Self, SignatureError> {
        let value = value.into();
        let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !plain || value.trim_matches(' ').len() != value.len() {
            return Err(SignatureError::Characters { what: identifier });
        }
        Ok(Self { identifier, value })
    }
}

/// The signature base of components and parameters. The parameters begin with `;`.
#[must_use]
pub fn signature_base(components: &[Component<'_>], parameters: &str) -> String {
    let mut base = String::new();
    for Component { identifier, value } in components {
        writeln!(base, "{identifier}: {value}").expect("writing to memory cannot fail");
    }
    let list = component_list(components);
    write!(base, "\"@signature-params\": {list}{parameters}")
        .expect("writing to memory cannot fail");
    base
}

/// The identifiers as an inner list (RFC 9651, section 3.1.1).
pub(super) fn component_list(components: &[Component<'_>]) -> String {
    let identifiers: Vec<_> = components
        .iter()
        .map(|component| component.identifier)
        .collect();
    format!("({})", identifiers.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_could_pass_for_another_line_is_refused() {
        for value in ["a\nb", "a\rb", "\u{e9}", "\t", " a", "a ", "\0", "\u{7f}"] {
            let error = Component::new("\"@path\"", value).unwrap_err();
            assert_eq!(
                error,
                SignatureError::Characters { what: "\"@path\"" },
                "{value:?}"
            );
        }
        assert!(Component::new("\"@query\"", "?a=b%20c").is_ok());
    }
}
