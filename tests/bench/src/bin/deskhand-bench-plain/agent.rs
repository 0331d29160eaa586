//! The least that a model needs to work on files: the same HTTP library, a request and a reply at a time, three tools, and
//! nothing to keep anything safe. What was said is kept as the bytes that go out again.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Do what the model at `url` says (Anthropic Messages) with the files of `folder`, until it calls nothing.
pub(crate) fn work(url: &str, folder: &Path) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let calls = runtime.block_on(converse(&format!("{url}/v1/messages"), folder))?;
    Ok(format!("calls {calls}"))
}

async fn converse(endpoint: &str, folder: &Path) -> Result<usize> {
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).tls_certs_only([]).build()?;
    let tool = |name: &str| json!({"name": name, "description": name, "input_schema": {"type": "object"}});
    let tools = Value::from(vec![tool("list"), tool("read"), tool("write")]);
    let asked = json!({"role": "user", "content": "Take notes of what is in here."});
    let mut body =
        format!(r#"{{"model":"scripted","max_tokens":4096,"stream":true,"tools":{tools},"messages":[{asked}"#);
    let mut made = 0;
    loop {
        let request = client.post(endpoint).header("content-type", "application/json");
        let request = request.header("anthropic-version", "2023-06-01").body(format!("{body}]}}"));
        let said = read(request.send().await?.error_for_status()?).await?;
        let calls = said.iter().filter(|block| block["type"] == json!("tool_use"));
        let results: Vec<Value> = calls.map(|call| call_one(folder, call)).collect::<Result<_>>()?;
        if results.is_empty() {
            return Ok(made);
        }
        made += results.len();
        let said = json!({"role": "assistant", "content": said});
        let results = json!({"role": "user", "content": results});
        body.push_str(&format!(",{said},{results}"));
    }
}

/// The blocks of a reply, from its events, read to the end of the body.
async fn read(mut response: reqwest::Response) -> Result<Vec<Value>> {
    let (mut blocks, mut input, mut unread) = (Vec::new(), String::new(), Vec::new());
    while let Some(piece) = response.chunk().await? {
        unread.extend_from_slice(&piece);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data: ") {
                take(serde_json::from_slice(data)?, &mut blocks, &mut input)?;
            }
        }
    }
    Ok(blocks)
}

fn take(mut event: Value, blocks: &mut Vec<Value>, input: &mut String) -> Result<()> {
    match event["type"].as_str() {
        Some("content_block_start") => blocks.push(event["content_block"].take()),
        Some("content_block_delta") => {
            let delta = &event["delta"];
            let block = blocks.last_mut().context("a delta without a block")?;
            if let Some(part) = delta["partial_json"].as_str() {
                input.push_str(part);
            } else if let Some(part) = delta["text"].as_str() {
                block["text"] = json!(block["text"].as_str().unwrap_or_default().to_owned() + part);
            }
        }
        Some("content_block_stop") if !input.is_empty() => {
            blocks.last_mut().context("an end without a block")?["input"] = serde_json::from_str(input)?;
            input.clear();
        }
        _ => {}
    }
    Ok(())
}

fn call_one(folder: &Path, call: &Value) -> Result<Value> {
    let input = &call["input"];
    let path = folder.join(input["path"].as_str().context("a call without a path")?);
    let text = match call["name"].as_str() {
        Some("list") => {
            let mut names: Vec<String> = fs::read_dir(path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<_>>()?;
            names.sort();
            names.join("\n")
        }
        Some("read") => fs::read_to_string(path)?,
        Some("write") => {
            fs::create_dir_all(path.parent().context("a file without a folder")?)?;
            fs::write(path, input["text"].as_str().context("no text to write")?)?;
            "written".to_owned()
        }
        other => bail!("there is no tool {other:?}"),
    };
    Ok(json!({"type": "tool_result", "tool_use_id": call["id"], "content": text}))
}
