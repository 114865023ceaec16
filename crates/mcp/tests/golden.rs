//! What agents are told, as it is: the tools, and an answer of each, over a store in memory. What
//! changes here changes the contract.

use std::sync::Arc;
use std::time::Duration;

use jerry_application::{Ports, Watch};
use jerry_conformance::{ManualClock, MemoryCursors, MemoryStore, deaf};
use jerry_domain::{Actor, Prefix, SessionName};
use jerry_mcp::{Desk, Server};
use rmcp::model::{CallToolRequestParams, PaginatedRequestParams, ReadResourceRequestParams, Tool};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceError, ServiceExt};
use serde_json::{Value, json};

/// A client of the SDK and its server, in one process.
struct Agent {
    client: RunningService<RoleClient, ()>,
    clock: Arc<ManualClock>,
    transcript: String,
}

impl Agent {
    async fn new(store: &MemoryStore, session: &str) -> Self {
        let MemoryStore { items, ids, locks, clock } = store.clone();
        let (lookout, ports) =
            (items.clone(), Ports { items, ids, locks, clock, gates: Default::default() });
        let desk = Desk {
            watch: Watch::new(ports.clone(), lookout, deaf(), Arc::new(MemoryCursors::default())),
            ports,
            prefix: Prefix::new("WORK").expect("valid"),
            lease: Duration::from_secs(60 * 60),
            actor: Actor::new("bob").expect("valid"),
            session: SessionName::new(session).expect("valid"),
            find_file: Arc::new(|path| Ok(path.to_owned())),
        };
        let (theirs, ours) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let running = Server::new(desk).serve(ours).await.expect("a client");
            running.waiting().await.expect("no panic")
        });
        let client = ().serve(theirs).await.expect("a server");
        Self { client, clock: store.clock.clone(), transcript: String::new() }
    }

    async fn try_call(&self, tool: &str, arguments: Value) -> Result<(bool, Value), ServiceError> {
        self.clock.advance(Duration::from_secs(60));
        let Value::Object(given) = arguments else { panic!("no object: {arguments}") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(given);
        let result = self.client.call_tool(request).await?;
        let answer = result.structured_content.expect("structured");
        let text = result.content[0].as_text().expect("text").text.clone();
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), answer);
        Ok((result.is_error == Some(true), answer))
    }

    /// Calls a tool and keeps what it says, laid out for the eye.
    async fn call(&mut self, tool: &str, arguments: Value) {
        let said = format!("{tool} {arguments}");
        let (is_error, answer) = self.try_call(tool, arguments).await.expect("an answer");
        assert_eq!(answer["schema"], 1);
        assert_eq!(is_error, answer["kind"] == "error");
        self.keep(&said, &answer);
    }

    fn keep(&mut self, said: &str, answer: &Value) {
        self.transcript.push_str(&format!("> {said}\n{answer:#}\n\n"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_there_is() {
    let mut agent = Agent::new(&MemoryStore::new(), "s").await;
    let info = serde_json::to_value(agent.client.peer_info()).expect("JSON");
    agent.keep("initialize", &info);
    let tools = agent.client.list_tools(None).await.expect("tools");
    agent.keep("tools/list", &serde_json::to_value(tools).expect("JSON"));
    let templates = agent.client.list_resource_templates(None).await.expect("templates");
    agent.keep("resources/templates/list", &serde_json::to_value(templates).expect("JSON"));
    insta::assert_snapshot!(agent.transcript);
}

/// A typing error in a name is not passed over, however deep it is.
#[tokio::test(flavor = "current_thread")]
async fn every_object_says_all_that_it_takes() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if schema["properties"].is_object() && schema["additionalProperties"] != json!(false) {
            found.push(path.to_owned());
        }
        let Some(inner) = schema.as_object() else { return };
        for (name, value) in inner {
            open(value, &format!("{path}/{name}"), found);
        }
    }
    let agent = Agent::new(&MemoryStore::new(), "s").await;
    let mut found = Vec::new();
    for tool in agent.client.list_all_tools().await.expect("tools") {
        open(&Value::Object(tool.input_schema.as_ref().clone()), &tool.name, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test(flavor = "current_thread")]
async fn an_item_from_its_making_to_its_end() {
    let mut agent = Agent::new(&MemoryStore::new(), "s").await;
    for (tool, arguments) in [
        ("watch", json!({ "timeout_seconds": 0 })),
        ("create", json!({ "title": "Find out", "priority": "high", "criteria": ["It holds"] })),
        (
            "create",
            json!({
                "title": "Prove it", "type": "research", "labels": ["proof"], "needs": ["3"],
                "due": "2026-02-01", "request_id": "r-1",
            }),
        ),
        ("ready", json!({})),
        ("claim", json!({ "lease_minutes": 30 })),
        ("note", json!({ "id": "3", "text": "Half of it." })),
        (
            "update",
            json!({ "id": "WORK-003", "check": [{ "id": "AC-003.1", "evidence": "seen" }] }),
        ),
        ("update", json!({ "id": "5", "due": null, "add_labels": ["area/cli"], "phase": "P1" })),
        ("complete", json!({ "id": "work-3", "note": "It was easy.", "reason": "done" })),
        ("claim", json!({ "id": "5" })),
        ("release", json!({ "id": "5", "note": "Not today." })),
        ("search", json!({ "text": "easy", "all": true })),
        ("show", json!({ "id": "3", "history": true })),
    ] {
        agent.call(tool, arguments).await;
    }
    insta::assert_snapshot!(agent.transcript);
}

#[tokio::test(flavor = "current_thread")]
async fn what_goes_wrong() {
    let store = MemoryStore::new();
    let mut agent = Agent::new(&store, "s").await;
    let other = Agent::new(&store, "t").await;
    agent.try_call("create", json!({ "title": "One" })).await.expect("an answer");
    other.try_call("claim", json!({})).await.expect("an answer");
    for (tool, arguments) in [
        ("claim", json!({})),
        ("note", json!({ "id": "3", "text": "Mine." })),
        ("note", json!({ "id": "3", "text": "Mine.", "fence": 1 })),
        ("note", json!({ "id": "3", "text": " ", "fence": 2 })),
        ("update", json!({ "id": "3", "title": "Two", "if_version": 1, "fence": 2 })),
        ("update", json!({ "id": "3", "status": "pending", "reaso": "no" })),
        ("update", json!({ "id": "3" })),
        ("update", json!({ "id": "3", "due": "tomorrow" })),
        ("show", json!({ "id": "99" })),
        ("show", json!({ "id": "../x" })),
        ("show", json!({})),
        ("show", json!({ "id": 3.5 })),
        ("show", json!({ "id": 99 })),
        ("claim", json!({ "lease_minutes": 99_999_999 })),
        ("ready", json!({ "limit": "x" })),
        ("ready", json!({ "limit": -1 })),
        ("update", json!({ "id": "3", "check": ["AC-003.1"] })),
        ("update", json!({ "id": "3", "check": [{ "id": "AC-003.1", "evidance": "seen" }] })),
        ("watch", json!({ "timeout_seconds": 3601 })),
        ("create", json!({ "title": "" })),
        ("create", json!({ "title": "x", "priority": "urgent" })),
        ("create", json!({ "title": "x", "fence": 2 })),
        ("claim", json!({ "id": "3", "labels": ["x"] })),
        ("claim", json!({ "fence": 3 })),
        ("claim", json!({ "lease_minutes": 0 })),
        ("search", json!({ "text": " " })),
        ("watch", json!({ "since": "no such" })),
    ] {
        agent.call(tool, arguments).await;
    }
    for uri in ["jerry://item/WORK-099", "jerry://item/x", "file:///etc/passwd"] {
        let refused = agent.client.read_resource(ReadResourceRequestParams::new(uri)).await;
        agent.keep(uri, &refusal(refused.map(drop)));
    }
    let page = PaginatedRequestParams::default().with_cursor(Some("x".to_owned()));
    let refused = agent.client.list_resources(Some(page)).await;
    agent.keep("resources/list x", &refusal(refused.map(drop)));
    let refused = agent.try_call("no_such_tool", json!({})).await;
    agent.keep("no_such_tool", &refusal(refused.map(drop)));
    insta::assert_snapshot!(agent.transcript);
}

fn refusal(outcome: Result<(), ServiceError>) -> Value {
    match outcome {
        Err(ServiceError::McpError(error)) => serde_json::to_value(error).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_has_changed() {
    let mut agent = Agent::new(&MemoryStore::new(), "s").await;
    let (_, begun) = agent.try_call("watch", json!({ "timeout_seconds": 0 })).await.expect("begun");
    agent.try_call("create", json!({ "title": "One", "labels": ["area"] })).await.expect("made");
    agent.call("watch", json!({ "since": begun["cursor"], "timeout_seconds": 0 })).await;
    agent
        .call("watch", json!({ "since": begun["cursor"], "labels": ["x"], "timeout_seconds": 0 }))
        .await;
    insta::assert_snapshot!(agent.transcript);
}

/// The pages together are every open item, each once, also when there are more than one page has.
#[tokio::test(flavor = "current_thread")]
async fn every_open_item_is_a_resource() {
    let agent = Agent::new(&MemoryStore::new(), "s").await;
    for number in 0..250 {
        let title = format!("item {number}");
        agent.try_call("create", json!({ "title": title })).await.expect("an answer");
    }
    let mut uris = Vec::new();
    let mut cursor = None;
    loop {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let page = agent.client.list_resources(Some(page)).await.expect("a page");
        assert!(page.resources.len() <= 100);
        uris.extend(page.resources.into_iter().map(|resource| resource.uri));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(uris.len(), 250);
    let uri = uris[249].clone();
    uris.dedup();
    assert_eq!(uris.len(), 250);
    let read =
        agent.client.read_resource(ReadResourceRequestParams::new(&uri)).await.expect("read");
    let contents = serde_json::to_value(&read.contents[0]).expect("JSON");
    let text: Value = serde_json::from_str(contents["text"].as_str().expect("text")).expect("JSON");
    assert_eq!(text["item"]["title"], "item 249");
    assert_eq!(contents["uri"], uri.as_str());
}

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mcp.md");

/// `docs/mcp.md` lists the tools and their arguments. After a change of them, write it anew:
/// `JERRY_WRITE_DOCS=1 cargo test -p jerry-mcp --test golden`.
#[tokio::test(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "writes documentation, not a store")]
async fn docs_mcp_md_lists_every_tool() {
    let agent = Agent::new(&MemoryStore::new(), "s").await;
    let tools = agent.client.list_all_tools().await.expect("tools");
    let listed: String = tools.iter().map(listed).collect();
    let page = std::fs::read_to_string(DOCS).expect("docs/mcp.md");
    let (before, rest) = page.split_once("<!-- tools -->\n").expect("a beginning");
    let (_, after) = rest.split_once("<!-- end of tools -->").expect("an end");
    let anew = format!("{before}<!-- tools -->\n{listed}<!-- end of tools -->{after}");
    if std::env::var_os("JERRY_WRITE_DOCS").is_some() {
        std::fs::write(DOCS, &anew).expect("written");
    }
    let kept = std::fs::read_to_string(DOCS).expect("docs/mcp.md");
    assert!(
        kept == anew,
        "docs/mcp.md is stale: run JERRY_WRITE_DOCS=1 cargo test -p jerry-mcp --test golden"
    );
}

fn listed(tool: &Tool) -> String {
    let schema = Value::Object(tool.input_schema.as_ref().clone());
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let about = tool.description.as_deref().unwrap_or_default();
    let mut listed = format!("\n### `{}`\n\n{about}\n\n", tool.name);
    for (name, argument) in schema["properties"].as_object().expect("an object") {
        let needed = if required.contains(&json!(name)) { ", required" } else { "" };
        let values = argument["enum"].as_array().or(argument["items"]["enum"].as_array());
        let values = values.map(|values| {
            let names: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            format!(" One of {}.", names.join(", "))
        });
        let about = argument["description"].as_str().map(|about| format!(" {about}"));
        listed.push_str(&format!(
            "- `{name}` ({}{needed}):{}{}\n",
            kind(argument),
            about.unwrap_or_default(),
            values.unwrap_or_default()
        ));
    }
    listed.replace("):\n", ")\n")
}

fn kind(argument: &Value) -> String {
    match &argument["type"] {
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        Value::String(kind) if kind == "array" => format!("list of {}s", kind_of_items(argument)),
        kind => kind.as_str().unwrap_or_default().to_owned(),
    }
}

fn kind_of_items(argument: &Value) -> &str {
    let kind = &argument["items"]["type"];
    // An id is a text, or its number.
    kind.as_str().or(kind[0].as_str()).unwrap_or_default()
}
