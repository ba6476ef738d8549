//! Rows and files that are not taken, and what is said about them.

use crate::support::alone::{list, pairs, stores};
use commonturf::people::request::Request;
use protocol::id::Hash;
use serde_json::{Value, json};

const HEAD: &str = "First Name,Last Name,Zip,=Phone\n";

#[tokio::test]
async fn rows_that_are_left_out_are_reported_with_line_and_reason() {
    let file =
        format!("{HEAD}Ada,Okafor,44622,\nBea,Lindqvist\nCem,Diaz,44622,1,2\nEve,Diaz,44622,\n");
    for node in stores().await {
        let report = node.import(file.as_bytes(), &[]).await;
        assert_eq!(
            (report.rows, report.counts.imported, report.counts.rejected),
            (4, 2, 2)
        );
        let lines: Vec<i64> = report.rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, [3, 4]);
        assert!(
            report.rejects[0].reason.contains("2 values"),
            "{:?}",
            report.rejects
        );
        let path = format!("/imports/{}", report.import_id);
        assert_eq!(node.get(&path).await["rejects"][1]["line"], 4);
        let (status, table) = node
            .desk("GET", &format!("{path}/rejects.csv"), Vec::new())
            .await;
        assert_eq!(status, 200);
        assert!(table.starts_with("line,column,reason\r\n3,"), "{table}");
        assert_eq!(table.lines().count(), 3);
        assert!(!table.contains("Lindqvist"), "nothing of the row itself");
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_leaves_nobody_behind_but_a_note() {
    // Twelve hundred good rows before the quote that never closes: more than two batches.
    let file = HEAD.to_owned() + &"Ada,Okafor,44622,\n".repeat(1_200) + "\"Bea,Lindqvist,44622,\n";
    for node in stores().await {
        let refused = node
            .send(&list(&[("name", "cut.csv")]), file.as_bytes())
            .await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("line 1202"), "{said}");
        assert_eq!(node.get("/people").await, json!([]));
        assert_eq!(node.get("/lists").await, json!([]));
        let imports = node.get("/imports").await;
        assert_eq!(imports[0]["state"], "failed");
        assert_eq!(imports[0]["file_name"], "cut.csv");
        assert!(
            imports[0]["refused"]
                .as_str()
                .unwrap()
                .contains("line 1202")
        );
    }
}

#[tokio::test]
async fn a_file_that_changed_on_its_way_is_refused() {
    for node in stores().await {
        let hash = Hash::of(b"another file").to_string();
        let request = list(&[("sha256", hash.as_str())]);
        let refused = node.send(&request, HEAD.as_bytes()).await.unwrap_err();
        assert!(refused.to_string().contains("not the file that was sent"));
    }
}

#[tokio::test]
async fn a_list_is_no_history_and_a_history_no_list() {
    let history = b"VANID,Result,DateCanvassed\n1,CV,10/02/2026\n";
    let people = b"First Name,Last Name,Zip\nAda,Okafor,44622\n";
    for node in stores().await {
        let refused = node.send(&list(&[]), history).await.unwrap_err();
        assert!(refused.to_string().contains("contacts import"), "{refused}");
        let contacts = Request::for_contacts(&pairs(&[])).unwrap();
        let refused = node.send(&contacts, people).await.unwrap_err();
        assert!(refused.to_string().contains("list of people"), "{refused}");
        assert_eq!(node.get("/people").await, json!([]));
    }
}

#[tokio::test]
async fn the_desk_takes_files_beyond_its_usual_body_and_says_what_is_wrong() {
    let row = format!("Ada,Okafor,44622,\"{}\"\n", "x".repeat(3_000));
    let large = HEAD.to_owned() + &row.repeat(500);
    for node in stores().await {
        let (status, said) = node
            .desk(
                "POST",
                "/imports?list=Neighbors&name=large.csv",
                large.clone().into_bytes(),
            )
            .await;
        assert_eq!(status, 200, "{said}");
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            (&report["rows"], &report["state"]),
            (&json!(500), &json!("done"))
        );
        for (path, expected, part) in [
            ("/imports", 400, "name the list"),
            ("/imports?list=a&basis=hearsay", 400, "public_record"),
            ("/imports?list=a", 422, "empty"),
            ("/contacts/imports?basis=consent", 400, "import of a list"),
        ] {
            let (status, said) = node.desk("POST", path, Vec::new()).await;
            assert_eq!(status, expected, "{path}: {said}");
            assert!(said.contains(part), "{path}: {said}");
        }
        assert_eq!(node.desk("GET", "/imports/none", Vec::new()).await.0, 404);
    }
}
