//! Zip archives and workbooks, made here, good and bad.

use crate::tables::{SAMPLES, auto, import};
use commonturf::import::Format;
use std::io::{Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .expect("an entry");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

fn refusal(bytes: Vec<u8>) -> String {
    let error = import(bytes, &auto())
        .map(|outcome| outcome.summary)
        .expect_err("a refusal");
    format!("{}: {error}", error.code())
}

#[test]
fn a_zipped_export_reads_as_the_export() {
    for sample in SAMPLES {
        let plain = import(sample.bytes, &auto()).expect("a sample");
        let archive = zipped(&[
            ("__MACOSX/._export.xls", b"x"),
            ("Export.XLS", sample.bytes),
            ("readme.pdf", b"x"),
        ]);
        let unpacked = import(archive, &auto()).expect("an archive");
        assert_eq!(unpacked.items, plain.items, "{}", sample.format);
    }
}

#[test]
fn archives_with_anything_but_one_list_are_refused() {
    let list = SAMPLES[0].bytes;
    for (entries, why) in [
        (vec![("a.csv", list), ("b.csv", list)], "more than one list"),
        (vec![("a.pdf", list)], "no .csv"),
        (vec![("folder/a.csv", list)], "path"),
        (vec![("../a.csv", list)], "path"),
        (vec![("/etc/a.csv", list)], "path"),
        (vec![("C:\\a.csv", list)], "path"),
        (vec![("..\\a.csv", list)], "path"),
    ] {
        let refusal = refusal(zipped(&entries));
        assert!(
            refusal.starts_with("import/archive") && refusal.contains(why),
            "{entries:?}: {refusal}"
        );
    }
    assert!(refusal(zipped(&[])).starts_with("import/archive"));
}

#[test]
fn an_archive_in_an_archive_is_refused() {
    let inner = zipped(&[("a.csv", SAMPLES[0].bytes)]);
    assert!(refusal(zipped(&[("a.csv", &inner)])).contains("archive inside an archive"));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked_whole() {
    let zeros = vec![b' '; 24 << 20];
    assert!(refusal(zipped(&[("a.csv", &zeros)])).contains("far larger than the archive"));
}

#[test]
fn a_cut_archive_is_refused() {
    let mut archive = zipped(&[("a.csv", SAMPLES[0].bytes)]);
    archive.truncate(archive.len() / 2);
    assert!(refusal(archive).starts_with("import/archive"));
}

/// A workbook with one sheet whose rows are given as XML.
pub(crate) fn workbook(rows: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let types = format!("<Types xmlns=\"{package}/content-types\"/>");
    let root = format!(
        "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"List\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let book_relations = format!(
        "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let sheet = format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
    zipped(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", book_relations.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

/// A row of a sheet; blank cells are left out, as spreadsheet programs do.
pub(crate) fn row(number: u32, values: &[&str]) -> String {
    let mut cells = String::new();
    for (letter, value) in ('A'..='Z').zip(values) {
        if value.is_empty() {
            continue;
        }
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            cells += &format!("<c r=\"{letter}{number}\"><v>{value}</v></c>");
        } else {
            cells +=
                &format!("<c r=\"{letter}{number}\" t=\"inlineStr\"><is><t>{value}</t></is></c>");
        }
    }
    format!("<row r=\"{number}\">{cells}</row>")
}

#[test]
fn a_van_workbook_with_a_row_about_the_export_is_read_below_it() {
    let rows = [
        row(1, &["Exported for Dover Neighbors"]),
        row(
            2,
            &[
                "Voter File VANID",
                "FirstName",
                "LastName",
                "Address",
                "City",
                "Pref Phone",
            ],
        ),
        row(
            3,
            &[
                "100001",
                "Ada",
                "Okafor",
                "12 \"Elm\" St",
                "Dover",
                "6145550101",
            ],
        ),
        row(5, &["100002", "Bea", "Lindqvist"]),
        row(6, &["", "Chidi", "Brown"]),
    ];
    let outcome = import(workbook(&rows.concat()), &auto()).expect("a workbook");
    assert_eq!(outcome.summary.format, Format::VanSavedList);
    let [ada, bea] = outcome.people()[..] else {
        panic!("two people")
    };
    assert_eq!(ada.identifiers[0].id, "100001", "no fraction");
    assert_eq!(ada.address.line1, "12 \"Elm\" St");
    assert_eq!(ada.phones[0].raw, "6145550101");
    assert_eq!(bea.name.surname, "Lindqvist");
    let rejected = outcome.rejected()[0];
    assert_eq!(rejected.line, 6, "the row that people see");
    assert_eq!(rejected.column.as_deref(), Some("Voter File VANID"));
}

#[test]
fn damaged_and_hostile_workbooks_are_refused() {
    let whole = workbook(&row(1, &["VanID", "FirstName", "LastName"]));
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 30);
    assert!(refusal(cut).starts_with("import/"));
    assert!(refusal(workbook("")).starts_with("import/empty"));
    let backwards = row(5, &["VanID", "FirstName", "LastName"]) + &row(2, &["1", "Ada", "Okafor"]);
    assert!(refusal(workbook(&backwards)).starts_with("import/workbook"));
    let wide = "<row r=\"1\"><c r=\"XFD1\" t=\"inlineStr\"><is><t>VanID</t></is></c></row>";
    assert!(refusal(workbook(wide)).starts_with("import/too-many-columns"));
    assert!(
        refusal(workbook(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>7</v></c></row>"
        ))
        .starts_with("import/")
    );
}

#[test]
fn other_kinds_of_files_are_named_with_what_to_do() {
    for (bytes, what) in [
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(),
            "old Excel workbook",
        ),
        (b"%PDF-1.7", "PDF"),
        (b"\x1F\x8B\x08\0", "gzip"),
        (b"  <html><table>", "web page"),
        (b"\xEF\xBB\xBF<?xml version=\"1.0\"?>", "web page"),
        (b"{\"people\": []}", "JSON"),
    ] {
        let refusal = refusal(bytes.to_vec());
        assert!(
            refusal.starts_with("import/wrong-kind") && refusal.contains(what),
            "{refusal}"
        );
        assert!(
            refusal.contains("CSV") || refusal.contains("Unpack"),
            "{refusal}"
        );
    }
    let open_document = zipped(&[("mimetype", b"x".as_slice()), ("content.xml", b"x")]);
    assert!(refusal(open_document).contains("OpenDocument"));
}
