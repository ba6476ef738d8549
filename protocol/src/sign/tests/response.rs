//! Responses: bound to their request, and as unchangeable as that.

use super::*;
use crate::identity::Signature;

fn head() -> ShownHead {
    ShownHead {
        log: seen().log.unwrap(),
        log_time: NOW,
        signature: Signature([8; 64]),
    }
}

/// A response with its headers, owned.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Answer {
    fn signed(
        by: &RequestSigner,
        request: &Message,
        body: Option<&[u8]>,
        head: Option<&ShownHead>,
    ) -> Self {
        let headers = [("content-type", "application/cbor")];
        let view = ResponseView {
            status: 200,
            headers: &headers,
            body,
        };
        let added = request.with_view(|request| {
            sign_response(
                by,
                &view,
                &Answered::received(request)?,
                head,
                NOW,
                Nonce([6; 16]),
            )
        });
        let mut all = vec![("content-type".to_owned(), "application/cbor".to_owned())];
        all.extend(
            added
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        Self {
            status: 200,
            headers: all,
            body: body.map(<[u8]>::to_vec),
        }
    }

    fn verify(&self, request: &Message) -> Result<VerifiedResponse, SignatureError> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let view = ResponseView {
            status: self.status,
            headers: &headers,
            body: self.body.as_deref(),
        };
        request.with_view(|request| {
            verify_response(&view, &Answered::received(request)?, keeper(), roster)
        })
    }
}

fn exchanges() -> [(Message, Answer); 2] {
    let (append, read) = (Message::append().signed(), Message::read().signed());
    let with_content = Answer::signed(&signer(9), &append, Some(b"positions"), Some(&head()));
    let without = Answer::signed(&signer(9), &read, None, Some(&head()));
    [(append, with_content), (read, without)]
}

#[test]
fn an_answer_shows_the_head_and_the_keepers_clock() {
    for (request, answer) in exchanges() {
        let verified = answer.verify(&request).unwrap();
        assert_eq!(verified.head, Some(head()));
        assert_eq!(verified.created, Moment(1_700_000_000_000));
    }
}

#[test]
fn the_lists_are_those_of_the_profile() {
    let [(_, with), (_, without)] = exchanges();
    let end = "\"commonturf-head\" \"@method\";req \"@path\";req \"@query\";req \"signature\";req;key=\"ct\");";
    let input = |answer: &Answer| {
        answer
            .headers
            .iter()
            .find(|(name, _)| name == SIGNATURE_INPUT)
            .unwrap()
            .1
            .clone()
    };
    assert!(input(&with).starts_with(&format!(
        "ct=(\"@status\" \"content-digest\" \"content-type\" {end}"
    )));
    assert!(input(&without).starts_with(&format!("ct=(\"@status\" {end}")));
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let [(append, answer), (read, _)] = exchanges();
    assert!(answer.verify(&append).is_ok());
    assert!(answer.verify(&read).is_err());
    let mut same_but_later = append.clone();
    let later = same_but_later
        .header(SIGNATURE_INPUT)
        .replace("nonce=\"Bw", "nonce=\"Cw");
    let same_but_later = append.clone().resigned(|_| later.clone());
    assert!(same_but_later.verify().is_ok());
    assert_eq!(
        answer.verify(&same_but_later),
        Err(SignatureError::Signature)
    );
    for change in [(0, "PUT"), (1, "/v1/c/abc/logx"), (2, "relay=0")] {
        let mut changed = append.clone();
        match change {
            (0, method) => changed.method = method.into(),
            (1, path) => changed.path = path.into(),
            (_, query) => changed.query = Some(query.into()),
        }
        assert_eq!(answer.verify(&changed), Err(SignatureError::Signature));
    }
}

#[test]
fn an_answer_of_another_member_is_refused() {
    let request = Message::append().signed();
    let answer = Answer::signed(&signer(1), &request, None, None);
    assert_eq!(answer.verify(&request), Err(SignatureError::OtherKeeper));
}

#[test]
fn a_request_cannot_be_played_back_as_an_answer() {
    let request = Message::append().signed();
    let answer = Answer {
        status: 200,
        headers: request.headers.clone(),
        body: request.body.clone(),
    };
    assert!(answer.verify(&request).is_err());
}

#[test]
fn a_refusal_without_a_head_is_signed_too() {
    let request = Message::append().signed();
    let answer = Answer::signed(&signer(9), &request, Some(b"{}"), None);
    assert_eq!(answer.verify(&request).unwrap().head, None);
}

#[test]
fn nothing_of_an_answer_can_be_changed_or_taken_away() {
    for (request, answer) in exchanges() {
        let mut changed = answer.clone();
        changed.status = 201;
        assert_eq!(changed.verify(&request), Err(SignatureError::Signature));
        for at in 0..answer.headers.len() {
            if answer.body.is_none() && answer.headers[at].0 == CONTENT_TYPE {
                continue; // not covered, because there is no content
            }
            let mut removed = answer.clone();
            removed.headers.remove(at);
            assert!(
                removed.verify(&request).is_err(),
                "without {}",
                answer.headers[at].0
            );
            for bit in 0..answer.headers[at].1.len() * 8 {
                let mut bytes = answer.headers[at].1.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(flipped) = String::from_utf8(bytes) else {
                    continue;
                };
                let mut changed = answer.clone();
                changed.headers[at].1 = flipped;
                assert!(
                    changed.verify(&request).is_err(),
                    "bit {bit} of {}",
                    answer.headers[at].0
                );
            }
        }
    }
    let [(request, mut answer), _] = exchanges();
    answer.body = Some(b"positionz".to_vec());
    assert_eq!(answer.verify(&request), Err(SignatureError::Digest));
    answer.body = None;
    assert_eq!(answer.verify(&request), Err(SignatureError::Components));
}

#[test]
fn the_client_finds_the_signature_that_it_sent() {
    let message = Message::append();
    message.with_view(|view| {
        let added = sign_request(&signer(1), view, keeper(), &seen(), NOW, Nonce([7; 16])).unwrap();
        let signed = Message::append().signed();
        signed.with_view(|received| {
            let (sent, received) = (
                Answered::sent(view, &added).unwrap(),
                Answered::received(received).unwrap(),
            );
            assert_eq!(
                (sent.signature, sent.path),
                (received.signature, received.path)
            );
        });
        assert!(Answered::sent(view, &Vec::new()).is_err());
    });
}
