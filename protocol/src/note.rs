//! Signed heads of the log tree as text (C2SP signed-note, tlog-checkpoint and tlog-cosignature).
//!
//! A note says how many entries a log has and which root they hash to. The keeper signs it; members
//! who found the same root cosign it. Anybody can check a note with tools that know the format, and
//! two notes of one keeper about the same size with different roots prove that it showed two
//! histories. Spec: protocol.md, section 3.

use crate::{
    id::{CoalitionId, Hash, Lineage, NodeId},
    identity::{PublicKey, Signature, SigningKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// The most bytes of a note.
pub const NOTE_BYTES: usize = 4_096;
/// The most signatures of a note.
pub const NOTE_SIGNATURES: usize = 16;
/// What begins a line with a signature: an em dash and a space.
const SIGNATURE_LINE: &str = "\u{2014} ";
/// The kind of a plain Ed25519 signature over the text.
const ED25519: u8 = 0x01;
/// The kind of a cosignature with the time at which it was made.
const COSIGNATURE: u8 = 0x04;

/// How many entries a log has, and their root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Which log: see [`origin`].
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the log tree over them.
    pub root: Hash,
}

/// The name of a log in its notes: a new numbering is another log.
#[must_use]
pub fn origin(coalition: CoalitionId, lineage: Lineage) -> String {
    format!("{coalition}/{}", crate::id::to_base32(&lineage.0))
}

impl TreeHead {
    /// What is signed: three lines.
    #[must_use]
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root.0);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// The keeper's note, by its key for heads.
    #[must_use]
    pub fn signed(self, head_key: &SigningKey) -> Note {
        let signature = head_key.sign(self.text().as_bytes());
        let line = NoteSignature {
            key: key_hash(&self.origin, ED25519, &head_key.public()),
            name: self.origin.clone(),
            time: None,
            signature,
        };
        Note {
            head: self,
            signatures: vec![line],
        }
    }

    /// A member's cosignature, by its statement key. `seconds` is the log time at the head, in
    /// seconds since 1970.
    #[must_use]
    pub fn cosigned(&self, statement_key: &SigningKey, seconds: u64) -> Signature {
        statement_key.sign(self.cosigned_text(seconds).as_bytes())
    }

    /// Whether a cosignature holds.
    #[must_use]
    pub fn is_cosigned(&self, key: &PublicKey, seconds: u64, signature: &Signature) -> bool {
        key.verifies(self.cosigned_text(seconds).as_bytes(), signature)
    }

    fn cosigned_text(&self, seconds: u64) -> String {
        format!("cosignature/v1\ntime {seconds}\n{}", self.text())
    }
}

/// One signature under a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who: the origin for the keeper, a node id for a member.
    pub name: String,
    /// Four bytes that tell keys of one name apart.
    pub key: [u8; 4],
    /// When, in seconds since 1970: a member's cosignature has it, the keeper's signature not.
    pub time: Option<u64>,
    /// The signature.
    pub signature: Signature,
}

impl NoteSignature {
    /// A member's cosignature as a line.
    #[must_use]
    pub fn member(node: NodeId, key: &PublicKey, seconds: u64, signature: Signature) -> Self {
        let name = node.to_string();
        Self {
            key: key_hash(&name, COSIGNATURE, key),
            name,
            time: Some(seconds),
            signature,
        }
    }
}

/// A head and the signatures under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub head: TreeHead,
    /// By whom.
    pub signatures: Vec<NoteSignature>,
}

/// Why a text is no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Over the limit.
    #[error("a note has at most {NOTE_BYTES} bytes and {NOTE_SIGNATURES} signatures")]
    TooLong,
    /// Not the lines of a note, or not their one spelling.
    #[error("this is not a signed note: {0}")]
    Syntax(&'static str),
}

impl Note {
    /// Whether the keeper with this key for heads signed it.
    #[must_use]
    pub fn is_signed_by_keeper(&self, head_key: &PublicKey) -> bool {
        let key = key_hash(&self.head.origin, ED25519, head_key);
        self.signatures.iter().any(|line| {
            line.time.is_none()
                && line.name == self.head.origin
                && line.key == key
                && head_key.verifies(self.head.text().as_bytes(), &line.signature)
        })
    }

    /// When a member cosigned it, in seconds since 1970; none when it did not.
    #[must_use]
    pub fn cosigned_by(&self, node: NodeId, statement_key: &PublicKey) -> Option<u64> {
        let name = node.to_string();
        let key = key_hash(&name, COSIGNATURE, statement_key);
        self.signatures.iter().find_map(|line| {
            let time = line.time?;
            (line.name == name
                && line.key == key
                && self.head.is_cosigned(statement_key, time, &line.signature))
            .then_some(time)
        })
    }
}

/// The four bytes that name a key in a line (C2SP signed-note).
fn key_hash(name: &str, kind: u8, key: &PublicKey) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::new_with_prefix(name.as_bytes())
        .chain_update([b'\n', kind])
        .chain_update(key.0)
        .finalize()
        .into();
    let (first, _) = digest
        .split_first_chunk::<4>()
        .expect("a digest has 32 bytes");
    *first
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head.text())?;
        for line in &self.signatures {
            let mut bytes = line.key.to_vec();
            bytes.extend(line.time.map(u64::to_be_bytes).into_iter().flatten());
            bytes.extend(line.signature.0);
            writeln!(
                f,
                "{SIGNATURE_LINE}{} {}",
                line.name,
                STANDARD.encode(bytes)
            )?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        if text.len() > NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        let (body, lines) = text
            .split_once("\n\n")
            .ok_or(NoteError::Syntax("no blank line before the signatures"))?;
        let head = head(body)?;
        let mut signatures = Vec::new();
        for line in lines.split_terminator('\n') {
            if signatures.len() == NOTE_SIGNATURES {
                return Err(NoteError::TooLong);
            }
            signatures.push(signature(line)?);
        }
        let note = Self { head, signatures };
        if note.signatures.is_empty() || note.to_string() != text {
            return Err(NoteError::Syntax("no signature, or another spelling"));
        }
        Ok(note)
    }
}

fn head(body: &str) -> Result<TreeHead, NoteError> {
    let mut lines = body.split('\n');
    let mut next = || lines.next().ok_or(NoteError::Syntax("a line is missing"));
    let (name, size, root) = (next()?, next()?, next()?);
    if lines.next().is_some() || name.is_empty() {
        return Err(NoteError::Syntax("it has other lines than three"));
    }
    let root = STANDARD
        .decode(root)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    Ok(TreeHead {
        origin: name.to_owned(),
        size: size
            .parse()
            .map_err(|_| NoteError::Syntax("its size is no number"))?,
        root: root
            .map(Hash)
            .ok_or(NoteError::Syntax("its root has not 32 bytes"))?,
    })
}

fn signature(line: &str) -> Result<NoteSignature, NoteError> {
    let wrong = NoteError::Syntax("a line is no signature");
    let (name, bytes) = line
        .strip_prefix(SIGNATURE_LINE)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(wrong)?;
    let bytes = STANDARD.decode(bytes).map_err(|_| wrong)?;
    let (key, rest) = bytes.split_first_chunk::<4>().ok_or(wrong)?;
    let (time, rest) = match rest.len() {
        64 => (None, rest),
        72 => {
            let (time, rest) = rest.split_first_chunk::<8>().ok_or(wrong)?;
            (Some(u64::from_be_bytes(*time)), rest)
        }
        _ => return Err(wrong),
    };
    Ok(NoteSignature {
        name: name.to_owned(),
        key: *key,
        time,
        signature: Signature(rest.try_into().map_err(|_| wrong)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper() -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    fn head(size: u64) -> TreeHead {
        TreeHead {
            origin: origin(CoalitionId([3; 16]), Lineage([4; 16])),
            size,
            root: Hash([5; 32]),
        }
    }

    fn note() -> Note {
        let (member, node) = (SigningKey::from_seed(&[2; 32]), NodeId([7; 32]));
        let mut note = head(12).signed(&keeper());
        let signature = note.head.cosigned(&member, 99);
        let line = NoteSignature::member(node, &member.public(), 99, signature);
        note.signatures.push(line);
        note
    }

    /// The example of the C2SP specification of signed notes: a key's four bytes.
    #[test]
    fn a_key_has_the_four_bytes_that_its_published_form_names() {
        // PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
        let bytes = STANDARD
            .decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .unwrap();
        let key = PublicKey(bytes[1..].try_into().unwrap());
        assert_eq!(bytes[0], ED25519);
        assert_eq!(
            key_hash("PeterNeumann", ED25519, &key),
            [0xc7, 0x4f, 0x20, 0xa3]
        );
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let line = signature(&format!("{SIGNATURE_LINE}PeterNeumann {line}")).unwrap();
        assert!(key.verifies(text.as_bytes(), &line.signature));
    }

    #[test]
    fn a_note_is_read_back_and_its_signatures_hold() {
        let read: Note = note().to_string().parse().unwrap();
        let member = SigningKey::from_seed(&[2; 32]).public();
        assert!(read.is_signed_by_keeper(&keeper().public()));
        assert_eq!(read.cosigned_by(NodeId([7; 32]), &member), Some(99));
        assert_eq!(read, note());
    }

    #[test]
    fn a_signature_counts_for_its_head_key_name_and_kind_alone() {
        let (keeper, member) = (keeper().public(), SigningKey::from_seed(&[2; 32]).public());
        let mut other = note();
        other.head.size = 13;
        assert!(!other.is_signed_by_keeper(&keeper));
        assert_eq!(other.cosigned_by(NodeId([7; 32]), &member), None);
        assert!(!note().is_signed_by_keeper(&member));
        assert_eq!(note().cosigned_by(NodeId([8; 32]), &member), None);
        assert_eq!(note().cosigned_by(NodeId([7; 32]), &keeper), None);
        let mut later = note();
        later.signatures[1].time = Some(100);
        assert_eq!(later.cosigned_by(NodeId([7; 32]), &member), None);
    }

    #[test]
    fn another_spelling_or_a_cut_is_refused() {
        let good = note().to_string();
        for (from, to) in [
            ("\n12\n", "\n012\n"),
            ("\n12\n", "\n+12\n"),
            ("\n12\n", "\n-1\n"),
            ("\n12\n", "\n12\n12\n"),
            ("\n\n", "\n"),
            ("\n\n", "\nmore\n\n"),
            ("\u{2014} ", "- "),
            ("\u{2014} ", "\u{2014}  "),
            ("=\n", "\n"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good);
            assert!(text.parse::<Note>().is_err(), "{text}");
        }
        for end in 0..good.len() {
            if let Some(cut) = good.get(..end) {
                let shorter = cut.parse::<Note>();
                assert!(shorter.is_err() || cut.ends_with('\n'), "{cut}");
            }
        }
        let line = format!("{}\n", good.lines().last().unwrap());
        let many = format!("{good}{}", line.repeat(NOTE_SIGNATURES));
        assert_eq!(many.parse::<Note>(), Err(NoteError::TooLong));
        assert_eq!(
            "x".repeat(NOTE_BYTES + 1).parse::<Note>(),
            Err(NoteError::TooLong)
        );
    }
}
