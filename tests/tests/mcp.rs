//! `jerry mcp` as a process: driven by a client of the SDK and over bare pipes, beside commands on
//! the same store.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;

use jerry_tests::strace::{can_inject, inject};
use jerry_tests::{HeldLock, Jerry, list};
use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

/// A server, and its other end: two pipes and nothing that knows the protocol.
struct Pipes {
    server: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    asked: u64,
}

impl Pipes {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("starts");
        let stdin = server.stdin.take();
        let stdout = BufReader::new(server.stdout.take().expect("a pipe"));
        Self { server, stdin, stdout, asked: 0 }
    }

    /// A server that knows its client.
    fn of(jerry: &Jerry) -> Self {
        Self::begun(&mut jerry.command(["mcp"]))
    }

    fn begun(command: &mut Command) -> Self {
        let mut pipes = Self::start(command);
        let client = json!({ "name": "pipes", "version": "0" });
        let info = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client,
        });
        let info = pipes.ask("initialize", info);
        assert_eq!(info["result"]["serverInfo"]["name"], "jerry", "{info}");
        pipes.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        pipes
    }

    fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("open");
        stdin.write_all(line.as_bytes()).expect("it reads");
        stdin.write_all(b"\n").expect("it reads");
    }

    /// The next message. Whatever stands on standard output is one.
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe");
        assert!(line.ends_with('\n'), "a whole line: {line:?}");
        let message: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(message["jsonrpc"], "2.0");
        message
    }

    /// Asks and does not wait for the answer.
    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.asked += 1;
        let id = self.asked;
        self.write(
            &json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        );
        id
    }

    fn send_call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.send("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let answer = self.read();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// What a tool answers, as the contract has it.
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let answer = &answer["result"];
        assert_eq!(answer["isError"], answer["structuredContent"]["kind"] == "error", "{answer}");
        answer["structuredContent"].clone()
    }

    /// Closes its input; answers how it ended, what it said until then, and what on standard error.
    fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        drop(self.stdin.take());
        let lines = self.stdout.by_ref().lines().map(|line| line.expect("text"));
        let said = lines.map(|line| serde_json::from_str(&line).expect("JSON")).collect();
        let mut complaints = String::new();
        let mut stderr = self.server.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut complaints).expect("text");
        // It says once where its store lies, if that is no place for one.
        let of_place = |line: &&str| line.starts_with("warning: the store is on ");
        let complaints = complaints.lines().filter(|line| !of_place(line)).collect();
        (self.server.wait().expect("a process of this one"), said, complaints)
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn sdk_client(jerry: &Jerry) -> (RunningService<RoleClient, ()>, tokio::process::Child) {
    let mut command = tokio::process::Command::from(jerry.command(["mcp"]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = command.spawn().expect("starts");
    let (output, input) = (server.stdout.take(), server.stdin.take());
    let pipes = (output.expect("a pipe"), input.expect("a pipe"));
    (().serve(pipes).await.expect("a server"), server)
}

async fn called(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Value {
    let Value::Object(arguments) = arguments else { panic!("no object") };
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    let result = client.call_tool(request).await.expect("an answer");
    result.structured_content.expect("structured")
}

#[tokio::test]
async fn a_client_of_the_sdk_works_an_item_from_end_to_end() {
    let jerry = Jerry::new();
    let (client, mut server) = sdk_client(&jerry).await;
    let tools = client.list_all_tools().await.expect("tools");
    assert!(tools.iter().all(|tool| tool.input_schema["type"] == "object"));
    assert!(tools.len() >= 9);

    let first = called(&client, "create", json!({ "title": "First", "priority": "high" })).await;
    let id = first["item"]["id"].as_str().expect("an id").to_owned();
    called(&client, "create", json!({ "title": "Second", "needs": [id] })).await;
    let ready = called(&client, "ready", json!({})).await;
    assert_eq!(ready["total"], 1);
    let claimed = called(&client, "claim", json!({})).await;
    assert_eq!(claimed["item"]["id"], id.as_str());
    called(&client, "note", json!({ "id": id, "text": "half of it" })).await;
    let done = called(&client, "complete", json!({ "id": id })).await;
    assert_eq!(done["item"]["status"], "completed");
    assert_eq!(called(&client, "ready", json!({})).await["items"][0]["title"], "Second");

    let resources = client.list_all_resources().await.expect("resources");
    assert_eq!(resources.len(), 1, "of what is open");
    let uri = format!("jerry://item/{id}");
    let read = client.read_resource(ReadResourceRequestParams::new(uri)).await.expect("read");
    let read = serde_json::to_value(&read.contents[0]).expect("JSON");
    let text: Value = serde_json::from_str(read["text"].as_str().expect("text")).expect("JSON");
    // The command line shows the same.
    assert_eq!(text, jerry.ok(["show", &id]));
    client.cancel().await.expect("ends");
    assert!(server.wait().await.expect("a process of this one").success());
    jerry.assert_sound();
}

/// Five servers and five loops of commands claim at once until there is nothing left.
#[test]
fn servers_and_commands_claim_each_item_once() {
    const ITEMS: usize = 60;
    let jerry = Jerry::new();
    let titles: Vec<_> = (0..ITEMS).map(|number| format!("item number {number}")).collect();
    jerry.ok(std::iter::once("create").chain(titles.iter().map(String::as_str)));

    let by_server = |agent: usize| {
        let mut server = Pipes::of(&jerry);
        let mut claimed = Vec::new();
        loop {
            let answer = server.call("claim", json!({}));
            if answer["kind"] == "error" {
                assert_eq!(answer["error"]["code"], "nothing_ready", "{answer}");
                assert!(server.end().0.success());
                return (format!("server {agent}"), claimed);
            }
            let id = answer["item"]["id"].as_str().expect("an id").to_owned();
            let noted = server.call("note", json!({ "id": id, "text": "mine" }));
            assert_eq!(noted["kind"], "item", "{noted}");
            claimed.push(id);
        }
    };
    let by_commands = |agent: usize| {
        let session = format!("loop {agent}");
        let mut claimed = Vec::new();
        loop {
            let outcome = jerry.json(["claim", "--next", "--session", &session]);
            if outcome.code() == Some(7) {
                return (session, claimed);
            }
            assert!(outcome.is_ok(), "{outcome}");
            let id = outcome.json()["item"]["id"].as_str().expect("an id").to_owned();
            jerry.ok(["note", &id, "mine", "--session", &session]);
            claimed.push(id);
        }
    };
    let claims: Vec<_> = thread::scope(|scope| {
        let agents: Vec<_> = (0..5)
            .flat_map(|agent| {
                [scope.spawn(move || by_server(agent)), scope.spawn(move || by_commands(agent))]
            })
            .collect();
        agents.into_iter().map(|agent| agent.join().expect("no panic")).collect()
    });

    let mut owners = BTreeMap::new();
    for (agent, ids) in claims {
        for id in ids {
            if let Some(other) = owners.insert(id.clone(), agent.clone()) {
                panic!("{id} was claimed by {other} and by {agent}");
            }
        }
    }
    assert_eq!(owners.len(), ITEMS);
    for item in jerry.items().values() {
        assert_eq!(list(&item["notes"]).len(), 1, "{item}");
    }
    jerry.assert_sound();
}

#[test]
fn what_a_server_claims_is_its_own() {
    let jerry = Jerry::new();
    let id = jerry.create("one of two");
    let (mut one, mut other) = (Pipes::of(&jerry), Pipes::of(&jerry));
    let fence = one.call("claim", json!({ "id": id }))["item"]["claim"]["fence"].clone();
    let refused = other.call("note", json!({ "id": id, "text": "not mine" }));
    assert_eq!(refused["error"]["code"], "claimed");
    assert_eq!(jerry.refused(5, ["note", &id, "nor mine"])["code"], "claimed");
    let shown = other.call("note", json!({ "id": id, "text": "in its name", "fence": fence }));
    assert_eq!(shown["kind"], "item");
    assert_eq!(one.call("complete", json!({ "id": id }))["item"]["status"], "completed");
}

#[test]
fn a_session_that_is_given_is_kept() {
    let jerry = Jerry::new();
    let id = jerry.create("claimed before");
    jerry.ok(["claim", &id, "--session", "s"]);
    let mut server = Pipes::begun(&mut jerry.command(["mcp", "--session", "s"]));
    assert_eq!(server.call("note", json!({ "id": id, "text": "mine" }))["kind"], "item");
    let mut server = Pipes::begun(jerry.command(["mcp"]).env("JERRY_SESSION", "s"));
    assert_eq!(server.call("release", json!({ "id": id }))["kind"], "item");
}

#[test]
fn a_call_that_waits_for_a_lock_holds_nobody_up() {
    let jerry = Jerry::new();
    let id = jerry.create("being written by somebody else");
    let mut server = Pipes::of(&jerry);
    let held = HeldLock::of(&jerry, &id);
    let waiting: Vec<_> =
        (0..20).map(|_| server.send_call("note", json!({ "id": id, "text": "at last" }))).collect();
    assert_eq!(server.call("show", json!({ "id": id }))["item"]["version"], 1);
    assert_eq!(server.call("create", json!({ "title": "another" }))["kind"], "item");
    drop(held);
    let mut answered: Vec<_> =
        waiting.iter().map(|_| server.read()["id"].as_u64().expect("an id")).collect();
    answered.sort_unstable();
    assert_eq!(answered, waiting);
    assert_eq!(list(&jerry.item(&id)["notes"]).len(), 20);
}

#[test]
fn who_watches_is_told_and_holds_nobody_up() {
    let jerry = Jerry::new();
    let mut server = Pipes::of(&jerry);
    let begun = server.call("watch", json!({ "timeout_seconds": 0 }));
    assert_eq!(begun["changes"], json!([]));
    let watching = json!({ "since": begun["cursor"], "timeout_seconds": 3600, "labels": [] });
    let watching = server.send_call("watch", watching);
    assert_eq!(server.call("ready", json!({}))["total"], 0);
    let id = jerry.create("made by a command");
    let answer = server.read();
    assert_eq!(answer["id"], watching);
    let change = &answer["result"]["structuredContent"]["changes"][0];
    assert_eq!((&change["change"], &change["id"]), (&json!("created"), &json!(id)));
}

#[test]
fn a_description_is_replaced_by_whoever_names_the_version() {
    let jerry = Jerry::new();
    let id = jerry.create("described");
    let mut server = Pipes::of(&jerry);
    let written = server.call("update", json!({ "id": id, "description": "one" }));
    assert_eq!(written["item"]["description"], "one");
    let refused = server.call("update", json!({ "id": id, "description": "two" }));
    assert_eq!(refused["error"]["code"], "would_replace");
    let hint = refused["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("if_version") && !hint.contains("--"), "{hint}");
    let stale = server.call("update", json!({ "id": id, "description": "two", "if_version": 1 }));
    assert_eq!(stale["error"]["code"], "version_conflict");
    let two = server.call("update", json!({ "id": id, "description": "two", "if_version": 2 }));
    assert_eq!(two["item"]["description"], "two");
    let none = server.call("update", json!({ "id": id, "description": null, "if_version": 3 }));
    assert_eq!(none["item"]["description"], Value::Null);
}

/// As `jerry check` does it.
#[test]
fn evidence_shows_what_it_names_or_is_refused() {
    let jerry = Jerry::new();
    let id = jerry.create("to be shown");
    let criteria: [&str; 2] = ["--add", "it holds"];
    jerry.ok(["check", &id].into_iter().chain(criteria));
    let check = jerry.item(&id)["acceptance_criteria"][0]["id"].clone();
    let mut server = Pipes::begun(jerry.command(["mcp"]).current_dir(jerry.folder()));
    let mut tick = |more: Value| {
        let mut entry = json!({ "id": check });
        entry.as_object_mut().expect("one").extend(more.as_object().expect("one").clone());
        server.call("update", json!({ "id": id, "check": [entry] }))
    };
    for wrong in [
        json!({ "evidence": "commit:zzz" }),
        json!({ "evidence": "file:nope" }),
        json!({ "evidence": "url:nope" }),
        json!({ "evidence": "commit:1a2b3c4", "source": "page 1" }),
        json!({ "source": "page 1" }),
        json!({ "evidance": "seen" }),
    ] {
        let refused = tick(wrong.clone());
        assert_eq!(refused["error"]["code"], "usage", "{wrong}: {refused}");
    }
    fs::write(jerry.folder().join("log.txt"), "green").expect("written");
    for source in ["commit:1a2b3c4", "file:log.txt"] {
        let shown = tick(json!({ "evidence": source }));
        let evidence = list(&shown["item"]["acceptance_criteria"][0]["evidence"]);
        assert_eq!(evidence.last().expect("some")["source"], source);
    }
}

#[test]
fn a_watch_that_nobody_can_end_any_more_ends_with_the_input() {
    let jerry = Jerry::new();
    let mut server = Pipes::of(&jerry);
    let watching = server.send_call("watch", json!({ "timeout_seconds": 3600 }));
    let (status, said, complaints) = server.end();
    assert!(status.success());
    assert_eq!(complaints, "");
    assert_eq!(said[0]["id"], watching);
    assert_eq!(said[0]["result"]["structuredContent"]["changes"], json!([]));
}

#[test]
fn a_refusal_is_told_to_the_client_alone() {
    let jerry = Jerry::new();
    let mut server = Pipes::of(&jerry);
    let read = server.ask("resources/read", json!({ "uri": "jerry://item/WORK-099" }));
    assert_eq!(read["error"]["code"], -32002);
    for method in ["tools/call", "resources/read"] {
        server.asked += 1;
        let id = server.asked;
        server.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method }).to_string());
        assert_eq!(server.read()["error"]["code"], -32602, "{method}");
        assert_eq!(server.ask(method, json!({}))["error"]["code"], -32602, "{method}");
    }
    assert_eq!(server.end().2, "");
}

#[test]
fn a_lock_that_is_not_to_be_had_in_time_is_an_error_of_the_tool() {
    let jerry = Jerry::new();
    let id = jerry.create("being written by somebody else");
    let mut server = Pipes::begun(&mut jerry.command(["mcp", "--lock-timeout", "1ms"]));
    let held = HeldLock::of(&jerry, &id);
    let error = server.call("note", json!({ "id": id, "text": "now" }))["error"].clone();
    assert_eq!(error["code"], "busy");
    assert_eq!(error["retry_after_ms"], 1000);
    drop(held);
    assert_eq!(server.call("note", json!({ "id": id, "text": "now" }))["kind"], "item");
}

#[test]
fn the_end_of_its_input_ends_it_once_everything_is_answered() {
    let jerry = Jerry::new();
    let id = jerry.create("being written by somebody else");
    let mut server = Pipes::of(&jerry);
    let held = HeldLock::of(&jerry, &id);
    let last = server.send_call("note", json!({ "id": id, "text": "the last" }));
    drop(server.stdin.take());
    drop(held);
    assert_eq!(server.read()["id"], last);
    let (status, said, complaints) = server.end();
    assert!(status.success());
    assert_eq!((said.len(), complaints.as_str()), (0, ""));
    assert_eq!(list(&jerry.item(&id)["notes"]).len(), 1);
}

#[test]
fn what_is_cancelled_is_not_answered() {
    let jerry = Jerry::new();
    let id = jerry.create("being written by somebody else");
    let mut server = Pipes::of(&jerry);
    let held = HeldLock::of(&jerry, &id);
    let given_up = server.send_call("note", json!({ "id": id, "text": "too slow" }));
    let cancelled = json!({ "requestId": given_up, "reason": "too slow" });
    let cancelled =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled });
    server.write(&cancelled.to_string());
    assert_eq!(server.call("show", json!({ "id": id }))["kind"], "item");
    drop(held);
    assert_eq!(server.call("note", json!({ "id": id, "text": "after it" }))["kind"], "item");
    let (status, said, _) = server.end();
    assert!(status.success());
    assert!(said.is_empty(), "{said:?}");
    jerry.assert_sound();
}

#[test]
fn whatever_it_is_sent_it_goes_on() {
    let jerry = Jerry::new();
    let mut server = Pipes::of(&jerry);
    for garbage in ["", "garbage", "{", "\u{1b}[2J", "nul\u{0}"] {
        server.write(garbage);
    }
    server.write(&"x".repeat(33 << 20));
    assert_eq!(server.ask("ping", json!({}))["result"], json!({}));

    for strange in [r#"{"jsonrpc":"2.0"}"#, "[]", "42", r#"{"jsonrpc":"1.0","id":1}"#] {
        server.write(strange);
        assert_eq!(server.read()["error"]["code"], -32600, "{strange}");
    }
    let unknown = server.ask("tools/call", json!({ "name": "rm", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602);
    assert_eq!(server.ask("no/such/method", json!({}))["error"]["code"], -32601);
    assert_eq!(server.call("show", json!({ "id": "99" }))["error"]["code"], "not_found");
    assert_eq!(server.call("show", json!({ "id": [] }))["error"]["code"], "usage");
    let deep = "[".repeat(100_000);
    server.write(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"show","arguments":{deep}"#
    ));
    assert_eq!(server.ask("ping", json!({}))["result"], json!({}));
    let (status, said, complaints) = server.end();
    assert!(status.success(), "{complaints}");
    assert!(said.is_empty(), "{said:?}");
    assert!(complaints.contains("maximum line length"), "{complaints}");
}

/// It opened the store when there was nothing to complete.
#[test]
fn what_a_killed_plan_has_left_is_completed_before_anything_is_decided() {
    if !can_inject() {
        return;
    }
    let plan = json!([{ "name": "a", "title": "one" }, { "title": "two", "needs": ["a"] }]);
    let mut left = 0;
    for nth in 1..500 {
        let jerry = Jerry::new();
        jerry.ok(["ready"]);
        let mut server = Pipes::of(&jerry);
        server.call("ready", json!({}));
        let file = jerry.folder().join("plan.json");
        fs::write(&file, plan.to_string()).expect("written");
        let apply = ["apply", &file.display().to_string(), "--request-id", "r-1"];
        let Some(call) = inject(&jerry, "renameat2", "signal=KILL", nth, &apply).call else {
            break;
        };
        left += usize::from(fs::metadata(jerry.path("data/journal.json")).is_ok());
        let again = server.call("apply", json!({ "items": plan, "request_id": "r-1" }));
        assert_eq!((&again["kind"], &again["created"]), (&json!("applied"), &json!(2)), "{call}");
        assert_eq!(jerry.items().len(), 2, "{call}");
    }
    assert!(left >= 2, "{left}");
}

#[test]
fn it_ends_with_a_client_that_never_spoke() {
    let jerry = Jerry::new();
    for spoken in [&b""[..], b"garbage\n", b"{\"jsonrpc\":"] {
        let mut server = Pipes::start(&mut jerry.command(["mcp"]));
        server.stdin.as_mut().expect("open").write_all(spoken).expect("it reads");
        let (status, said, complaints) = server.end();
        assert!(status.success(), "{complaints}");
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn without_a_store_it_does_not_begin() {
    let jerry = Jerry::without_store();
    let (status, said, complaints) = Pipes::start(&mut jerry.command(["mcp"])).end();
    assert_eq!(status.code(), Some(3));
    assert!(said.is_empty() && complaints.contains("jerry init"), "{complaints}");
}
