//! The table of street words, directions and unit labels, norm version 1. Section 6.5.
//!
//! Abbreviations are those that the postal service recommends (USPS Publication 28, appendices B
//! and C); the spellings before them are what lists contain.

/// A compass direction as one or two letters.
pub(super) fn direction(word: &str) -> Option<&'static str> {
    Some(match word {
        "n" | "no" | "north" => "n",
        "s" | "so" | "south" => "s",
        "e" | "east" => "e",
        "w" | "west" => "w",
        "ne" | "northeast" => "ne",
        "nw" | "northwest" => "nw",
        "se" | "southeast" => "se",
        "sw" | "southwest" => "sw",
        _ => return None,
    })
}

/// The kind of street: its recommended abbreviation.
pub(super) fn street_type(word: &str) -> Option<&'static str> {
    TYPES
        .iter()
        .find(|(_, spellings)| spellings.split(' ').any(|spelling| spelling == word))
        .map(|(short, _)| *short)
}

/// Recommended abbreviation, then every spelling of it, itself included.
const TYPES: &[(&str, &str)] = &[
    ("aly", "aly alley allee ally"),
    ("anx", "anx annex annx anex"),
    ("arc", "arc arcade"),
    ("ave", "ave avenue av aven avenu avn avnue"),
    ("bch", "bch beach"),
    ("bnd", "bnd bend"),
    ("blf", "blf bluff bluf"),
    ("blvd", "blvd boulevard boul boulv bvd bl blv bd"),
    ("br", "br branch brnch"),
    ("brg", "brg bridge brdge"),
    ("brk", "brk brook"),
    ("bg", "bg burg"),
    ("byp", "byp bypass bypa bypas byps"),
    ("cp", "cp camp cmp"),
    ("cyn", "cyn canyon canyn cnyn"),
    ("cpe", "cpe cape"),
    ("cswy", "cswy causeway causwa"),
    ("ctr", "ctr center centre cent cntr cen"),
    ("cir", "cir circle circ circl crcl crcle ci"),
    ("clf", "clf cliff"),
    ("clb", "clb club"),
    ("cmn", "cmn common"),
    ("cmns", "cmns commons"),
    ("cor", "cor corner"),
    ("cors", "cors corners"),
    ("crse", "crse course"),
    ("ct", "ct court crt"),
    ("cts", "cts courts"),
    ("cv", "cv cove"),
    ("crk", "crk creek"),
    ("cres", "cres crescent crsent crsnt"),
    ("crst", "crst crest"),
    ("xing", "xing crossing crssng"),
    ("xrd", "xrd crossroad"),
    ("curv", "curv curve"),
    ("dl", "dl dale"),
    ("dm", "dm dam"),
    ("dv", "dv divide div dvd"),
    ("dr", "dr drive driv drv"),
    ("drs", "drs drives"),
    ("est", "est estate"),
    ("ests", "ests estates"),
    ("expy", "expy expressway exp expr express expw"),
    ("ext", "ext extension extn extnsn"),
    ("fall", "fall"),
    ("fls", "fls falls"),
    ("fry", "fry ferry frry"),
    ("fld", "fld field"),
    ("flds", "flds fields"),
    ("flt", "flt flat"),
    ("flts", "flts flats"),
    ("frd", "frd ford"),
    ("frst", "frst forest forests"),
    ("frg", "frg forge forg"),
    ("frk", "frk fork"),
    ("frks", "frks forks"),
    ("fwy", "fwy freeway freewy frway frwy"),
    ("gdn", "gdn garden gardn grden grdn"),
    ("gdns", "gdns gardens grdns"),
    ("gtwy", "gtwy gateway gatewy gatway gtway"),
    ("gln", "gln glen"),
    ("grn", "grn green"),
    ("grv", "grv grove grov"),
    ("hbr", "hbr harbor harb harbr hrbor"),
    ("hvn", "hvn haven"),
    ("hts", "hts heights ht"),
    ("hwy", "hwy highway highwy hiway hiwy hway"),
    ("hl", "hl hill"),
    ("hls", "hls hills"),
    ("holw", "holw hollow hllw hollows holws"),
    ("inlt", "inlt inlet"),
    ("is", "is island islnd"),
    ("isle", "isle isles"),
    ("jct", "jct junction jction jctn junctn juncton"),
    ("knl", "knl knoll knol"),
    ("knls", "knls knolls"),
    ("lk", "lk lake"),
    ("lks", "lks lakes"),
    ("lndg", "lndg landing lndng"),
    ("ln", "ln lane la"),
    ("lgt", "lgt light"),
    ("loop", "loop loops lp"),
    ("mall", "mall"),
    ("mnr", "mnr manor"),
    ("mdw", "mdw meadow"),
    ("mdws", "mdws meadows medows"),
    ("mews", "mews"),
    ("ml", "ml mill"),
    ("mls", "mls mills"),
    ("msn", "msn mission missn mssn"),
    ("mtwy", "mtwy motorway"),
    ("mtn", "mtn mountain mntain mntn mountin mtin"),
    ("nck", "nck neck"),
    ("orch", "orch orchard orchrd"),
    ("oval", "oval ovl"),
    ("opas", "opas overpass"),
    ("park", "park prk pk parks"),
    ("pkwy", "pkwy parkway parkwy pkway pky parkways pkwys"),
    ("pass", "pass"),
    ("psge", "psge passage"),
    ("path", "path paths"),
    ("pike", "pike pikes"),
    ("pne", "pne pine"),
    ("pnes", "pnes pines"),
    ("pl", "pl place"),
    ("pln", "pln plain"),
    ("plns", "plns plains"),
    ("plz", "plz plaza plza"),
    ("pt", "pt point"),
    ("pts", "pts points"),
    ("prt", "prt port"),
    ("pr", "pr prairie prr"),
    ("radl", "radl radial rad radiel"),
    ("ramp", "ramp"),
    ("rnch", "rnch ranch ranches rnchs"),
    ("rpds", "rpds rapids"),
    ("rst", "rst rest"),
    ("rdg", "rdg ridge rdge"),
    ("rdgs", "rdgs ridges"),
    ("riv", "riv river rvr rivr"),
    ("rd", "rd road"),
    ("rds", "rds roads"),
    ("rte", "rte route rt"),
    ("row", "row"),
    ("run", "run"),
    ("shl", "shl shoal"),
    ("shr", "shr shore shoar"),
    ("shrs", "shrs shores shoars"),
    ("skwy", "skwy skyway"),
    ("spg", "spg spring spng sprng"),
    ("spgs", "spgs springs spngs sprngs"),
    ("spur", "spur spurs"),
    ("sq", "sq square sqr sqre squ"),
    ("sta", "sta station statn stn"),
    ("stra", "stra stravenue strav straven stravn strvn strvnue"),
    ("strm", "strm stream streme"),
    ("st", "st street str strt"),
    ("sts", "sts streets"),
    ("smt", "smt summit sumit sumitt"),
    ("ter", "ter terrace terr"),
    ("trwy", "trwy throughway thruway thwy"),
    ("trce", "trce trace traces"),
    ("trak", "trak track tracks trk trks"),
    ("trl", "trl trail trails trls tr"),
    ("tunl", "tunl tunnel tunel tunls tunnels tunnl"),
    ("tpke", "tpke turnpike trnpk turnpk tpk"),
    ("upas", "upas underpass"),
    ("un", "un union"),
    ("vly", "vly valley vally vlly"),
    ("via", "via viaduct viadct vdct"),
    ("vw", "vw view"),
    ("vws", "vws views"),
    ("vlg", "vlg village vill villag villg"),
    ("vl", "vl ville"),
    ("vis", "vis vista vist vst vsta"),
    ("walk", "walk walks wlk"),
    ("wall", "wall"),
    ("way", "way wy"),
    ("ways", "ways"),
    ("wl", "wl well"),
    ("wls", "wls wells"),
];

/// Words that announce a unit and are followed by its number or letter.
pub(super) fn is_unit_label(word: &str) -> bool {
    const LABELS: &str = "# apt apartment aptmt unit unt ste suite rm room lot spc space sp trlr trailer bldg building fl \
                          flr floor no num number slip dept hngr hangar ofc office dorm tower twr condo villa flat";
    LABELS.split(' ').any(|label| label == word)
}

/// Words that are a unit by themselves.
pub(super) fn bare_unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "bsmt" | "basement" | "bsmnt" => "bsmt",
        "frnt" | "front" => "frnt",
        "lbby" | "lobby" => "lbby",
        "lowr" | "lower" | "down" | "downstairs" => "lowr",
        "ph" | "penthouse" => "ph",
        "rear" | "back" => "rear",
        "uppr" | "upper" | "up" | "upstairs" => "uppr",
        _ => return None,
    })
}

/// The order that a word spells out, as a number with its ending.
pub(super) fn ordinal(word: &str) -> Option<&'static str> {
    Some(match word {
        "first" => "1st",
        "second" => "2nd",
        "third" => "3rd",
        "fourth" => "4th",
        "fifth" => "5th",
        "sixth" => "6th",
        "seventh" => "7th",
        "eighth" => "8th",
        "ninth" => "9th",
        "tenth" => "10th",
        "eleventh" => "11th",
        "twelfth" => "12th",
        "thirteenth" => "13th",
        "fourteenth" => "14th",
        "fifteenth" => "15th",
        "sixteenth" => "16th",
        "seventeenth" => "17th",
        "eighteenth" => "18th",
        "nineteenth" => "19th",
        "twentieth" => "20th",
        _ => return None,
    })
}

/// Words of a street's name that are also written short, at its beginning.
pub(super) fn leading_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "saint" => "st",
        "fort" => "ft",
        "mount" => "mt",
        _ => return None,
    })
}

/// Words that make a number after them the name of a road: `County Rd 5`.
pub(super) fn is_numbered_road(word: &str) -> bool {
    const ROADS: &str = "hwy rte sr cr us fm rr i interstate county co state old twp township loop pike ranch rural \
                         forest service farm private parish";
    ROADS.split(' ').any(|road| road == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_spelling_means_one_type_and_every_abbreviation_itself() {
        let mut seen = BTreeSet::new();
        for (short, spellings) in TYPES {
            assert_eq!(street_type(short), Some(*short));
            for spelling in spellings.split(' ') {
                assert!(seen.insert(spelling), "{spelling} stands for two types");
            }
        }
    }

    #[test]
    fn a_direction_is_no_street_type() {
        for word in ["n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "west"] {
            assert_eq!(street_type(word), None);
        }
    }
}
