//! The signature base against RFC 9421, appendix B.2.6 (Ed25519), with the test key of B.1.4.

use super::*;
use crate::identity::Signature;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

fn key_bytes(text: &str) -> [u8; 32] {
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_example_of_the_rfc_has_the_same_base_and_the_same_signature() {
    let component = |identifier, value| Component::new(identifier, value).unwrap();
    let covered = [
        component("\"date\"", "Tue, 20 Apr 2021 02:07:55 GMT"),
        component("\"@method\"", "POST"),
        component("\"@path\"", "/foo"),
        component("\"@authority\"", "example.com"),
        component("\"content-type\"", "application/json"),
        component("\"content-length\"", "18"),
    ];
    let base = signature_base(&covered, ";created=1618884473;keyid=\"test-key-ed25519\"");
    assert_eq!(
        base,
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
         \"@method\": POST\n\
         \"@path\": /foo\n\
         \"@authority\": example.com\n\
         \"content-type\": application/json\n\
         \"content-length\": 18\n\
         \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
         ;created=1618884473;keyid=\"test-key-ed25519\""
    );
    let public = PublicKey(key_bytes("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"));
    let published = ":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    let signature = Signature(content::read_bytes(published, "signature").unwrap());
    assert!(public.verifies(base.as_bytes(), &signature));

    let key = SigningKey::from_seed(&key_bytes("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"));
    assert_eq!(key.public(), public);
    assert_eq!(
        content::print_bytes(&key.sign(base.as_bytes()).0),
        published
    );
    assert!(!public.verifies(base.replace("POST", "PUT").as_bytes(), &signature));
}
