//! Walking through a recording with plain DAP requests, noting what each stop shows.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::client::Client;

/// One place where the replay stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The position in the recording.
    pub position: u64,
    /// The source file.
    pub path: String,
    /// The function as the top frame names it.
    pub function: String,
    /// The line, 1-based.
    pub line: u64,
    /// How many frames are on the stack, if the adapter said so.
    pub depth: Option<u64>,
    /// The line of the frame below.
    pub caller: Option<u64>,
    /// The variables of the top frame, if they were asked for.
    pub variables: Option<BTreeMap<String, String>>,
}

/// Where a move ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The thread that stopped.
    pub thread: u64,
    /// Why, in the protocol's word.
    pub reason: String,
    /// Why, in words for people.
    pub description: String,
    /// More about it: what was written.
    pub text: String,
}

impl Landing {
    /// Whether the move ran into the start or the end of the recording or of a thread.
    pub fn at_an_end(&self) -> bool {
        self.description.starts_with("Start of") || self.description.starts_with("End of")
    }
}

/// How often the variables of a stop are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// At every n-th stop.
    pub every: usize,
}

/// Opens a conversation that replays `recording`, standing at its start.
pub fn open(binary: &Path, recording: &Path) -> Result<Client> {
    let dir = recording.parent().unwrap_or(Path::new("."));
    let mut client = Client::start(binary, dir)?;
    client.ignore(&[
        "continued",
        "output",
        "retrostep/position",
        "thread",
        "module",
        "loadedSource",
    ]);
    client.request(
        "initialize",
        &json!({
            "adapterID": "retrostep", "clientID": "protocol-tests", "linesStartAt1": true,
            "columnsStartAt1": true, "pathFormat": "path", "supportsVariableType": true,
            "supportsVariablePaging": true,
        }),
    )?;
    let attach = client.send("attach", &json!({"recording": recording, "position": 0}))?;
    client.event("initialized")?;
    client.request("configurationDone", &Value::Null)?;
    if let crate::client::Answer::Refusal(response) = client.response(attach)? {
        return Err(client.failure(&format!("attach was refused: {response}")));
    }
    client.event("stopped")?;
    Ok(client)
}

/// Sends a request that moves and waits until the replay stands again.
pub fn go(client: &mut Client, command: &str, arguments: &Value) -> Result<Landing> {
    client.request(command, arguments)?;
    let body = client.event("stopped")?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Ok(Landing {
        thread: body["threadId"].as_u64().unwrap_or_default(),
        reason: text("reason"),
        description: text("description"),
        text: text("text"),
    })
}

/// The present position and the end of the recording.
pub fn position(client: &mut Client) -> Result<(u64, u64)> {
    let body = client.request("retrostep/position", &Value::Null)?;
    let number = |name: &str| {
        body[name]
            .as_u64()
            .with_context(|| format!("{name} in {body}"))
    };
    Ok((number("position")?, number("end")?))
}

/// Goes to a position.
pub fn seek(client: &mut Client, position: u64) -> Result<Landing> {
    go(client, "retrostep/seek", &json!({"position": position}))
}

/// The threads by name.
pub fn threads(client: &mut Client) -> Result<BTreeMap<String, u64>> {
    let body = client.request("threads", &Value::Null)?;
    let threads = body["threads"].as_array().context("threads")?;
    Ok(threads
        .iter()
        .filter_map(|thread| Some((thread["name"].as_str()?.to_owned(), thread["id"].as_u64()?)))
        .collect())
}

/// What `thread` shows at the present position.
pub fn look(client: &mut Client, thread: u64, with_variables: bool) -> Result<Stop> {
    let (position, _) = position(client)?;
    let stack = client.request(
        "stackTrace",
        &json!({"threadId": thread, "startFrame": 0, "levels": 2}),
    )?;
    let top = &stack["stackFrames"][0];
    let path = top["source"]["path"].as_str();
    let path = path
        .with_context(|| format!("no source of the top frame: {stack}"))?
        .to_owned();
    let line = top["line"]
        .as_u64()
        .with_context(|| format!("no line: {stack}"))?;
    let variables = if with_variables {
        Some(variables_of_frame(client, &top["id"])?)
    } else {
        None
    };
    Ok(Stop {
        position,
        path,
        function: top["name"].as_str().unwrap_or_default().to_owned(),
        line,
        depth: stack["totalFrames"].as_u64(),
        caller: stack["stackFrames"][1]["line"].as_u64(),
        variables,
    })
}

/// The locals of a frame: the scopes Locals and Closure, or Globals when there is no Locals.
pub fn variables_of_frame(client: &mut Client, frame: &Value) -> Result<BTreeMap<String, String>> {
    let body = client.request("scopes", &json!({"frameId": frame}))?;
    let scopes = body["scopes"].as_array().context("scopes")?;
    let has_locals = scopes.iter().any(|scope| scope["name"] == "Locals");
    let mut all = BTreeMap::new();
    for scope in scopes {
        let wanted = match scope["name"].as_str().unwrap_or_default() {
            "Locals" | "Closure" => true,
            "Globals" => !has_locals,
            _ => false,
        };
        let reference = &scope["variablesReference"];
        if !wanted || reference == 0 {
            continue;
        }
        let body = client.request("variables", &json!({"variablesReference": reference}))?;
        for variable in body["variables"].as_array().context("variables")? {
            let text = |name: &str| variable[name].as_str().unwrap_or_default().to_owned();
            let name = text("name");
            if !(name.starts_with("__") && name.ends_with("__")) {
                all.insert(name, text("value"));
            }
        }
    }
    Ok(all)
}

/// Steps `thread` in one direction until its end, noting every stop.
pub fn walk(
    client: &mut Client,
    thread: u64,
    command: &str,
    sampling: Sampling,
    limit: usize,
) -> Result<Vec<Stop>> {
    let mut stops: Vec<Stop> = Vec::new();
    loop {
        let landing = go(client, command, &json!({"threadId": thread}))?;
        if landing.at_an_end() {
            return Ok(stops);
        }
        if landing.thread != thread {
            return Err(client.failure(&format!("{command} of thread {thread} stopped another")));
        }
        let stop = look(client, thread, stops.len().is_multiple_of(sampling.every))?;
        if stops
            .last()
            .is_some_and(|last| last.position == stop.position)
        {
            return Err(client.failure("a step did not move"));
        }
        stops.push(stop);
        if stops.len() > limit {
            bail!("{command} of thread {thread} does not come to an end");
        }
    }
}

/// Sets breakpoints on these lines of a file, replacing all others there; returns the lines they
/// stand on.
pub fn set_breakpoints(client: &mut Client, path: &str, lines: &[u64]) -> Result<Vec<u64>> {
    let breakpoints: Vec<Value> = lines.iter().map(|line| json!({"line": line})).collect();
    let body = client.request(
        "setBreakpoints",
        &json!({"source": {"path": path}, "breakpoints": breakpoints}),
    )?;
    let set = body["breakpoints"].as_array().context("breakpoints")?;
    set.iter()
        .map(|breakpoint| {
            if breakpoint["verified"] != true {
                bail!("a breakpoint at {path} {lines:?} is not verified: {breakpoint}");
            }
            breakpoint["line"]
                .as_u64()
                .context("a breakpoint without a line")
        })
        .collect()
}
