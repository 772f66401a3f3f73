//! The Debug Adapter Protocol's schema and the Rust types made from it.
//!
//! `cargo xtask dap-types` writes `adapter/src/dap/types.rs` from the committed schema.
//! `cargo xtask dap-types --schema` first makes the schema again from Microsoft's TypeScript types, which
//! needs npm.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

const PROTOCOL_VERSION: &str = "1.68.0";
const GENERATOR_VERSION: &str = "2.4.0";
const SCHEMA: &str = "protocol-tests/schema/debugProtocol.json";
const TYPES: &str = "adapter/src/dap/types.rs";

/// The requests of a client that the adapter answers and that carry arguments or have an answer.
const REQUESTS: &[&str] = &[
    "BreakpointLocations",
    "Cancel",
    "Completions",
    "Continue",
    "DataBreakpointInfo",
    "Disconnect",
    "Evaluate",
    "ExceptionInfo",
    "Goto",
    "GotoTargets",
    "Initialize",
    "LoadedSources",
    "Modules",
    "Next",
    "Pause",
    "Restart",
    "RestartFrame",
    "ReverseContinue",
    "RunInTerminal",
    "Scopes",
    "SetBreakpoints",
    "SetDataBreakpoints",
    "SetExceptionBreakpoints",
    "SetFunctionBreakpoints",
    "SetVariable",
    "Source",
    "StackTrace",
    "StepBack",
    "StepIn",
    "StepOut",
    "Terminate",
    "Threads",
    "Variables",
];

/// The events that the adapter sends and that carry a body.
const EVENTS: &[&str] = &[
    "Breakpoint",
    "Continued",
    "Exited",
    "Output",
    "Process",
    "ProgressEnd",
    "ProgressStart",
    "ProgressUpdate",
    "Stopped",
    "Terminated",
];

/// Properties that are numbers with a fraction; all others of the protocol are whole.
const FRACTIONS: &[&str] = &["percentage"];

/// Runs the subcommand with its arguments.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = root();
    let path = root.join(TYPES);
    match arguments {
        [] => {}
        [only] if only == "--schema" => write_schema(&root)?,
        [only] if only == "--check" => {
            let current = std::fs::read_to_string(&path)?;
            if current != generate(&read_schema(&root)?)? {
                bail!("{TYPES} is not current: run cargo xtask dap-types");
            }
            return Ok(());
        }
        _ => bail!("usage: cargo xtask dap-types [--schema | --check]"),
    }
    let types = generate(&read_schema(&root)?)?;
    std::fs::write(&path, types).with_context(|| format!("write {}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read_schema(root: &Path) -> Result<Value> {
    let path = root.join(SCHEMA);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
}

/// Installs the two npm packages below the target folder and writes the schema without its texts, one
/// definition a line.
fn write_schema(root: &Path) -> Result<()> {
    let folder = root.join("target/dap-types");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let status = Command::new("npm")
        .args(["install", "--silent", "--no-save"])
        .arg(format!("@vscode/debugprotocol@{PROTOCOL_VERSION}"))
        .arg(format!("ts-json-schema-generator@{GENERATOR_VERSION}"))
        .current_dir(&folder)
        .status()
        .context("run npm (Node.js 20 or later is needed)")?;
    if !status.success() {
        bail!("npm could not install the protocol's types: {status}");
    }
    let output = Command::new("node_modules/.bin/ts-json-schema-generator")
        .args([
            "-p",
            "node_modules/@vscode/debugprotocol/lib/debugProtocol.d.ts",
        ])
        .args(["-t", "*", "--no-type-check", "--additional-properties"])
        .current_dir(&folder)
        .output()
        .context("run ts-json-schema-generator")?;
    if !output.status.success() {
        bail!(
            "ts-json-schema-generator failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let made: Value = serde_json::from_slice(&output.stdout)?;
    let path = root.join(SCHEMA);
    std::fs::write(&path, schema_text(&made)?).with_context(|| format!("write {}", path.display()))
}

fn schema_text(made: &Value) -> Result<String> {
    let definitions = made["definitions"]
        .as_object()
        .context("the schema has no definitions")?;
    let comment = format!(
        "The Debug Adapter Protocol, made by `cargo xtask dap-types --schema` from \
         @vscode/debugprotocol {PROTOCOL_VERSION}, Copyright (c) Microsoft Corporation, MIT License"
    );
    let mut text = format!(
        "{{\n\"$comment\": {},\n\"$schema\": {},\n\"definitions\": {{\n",
        Value::from(comment),
        made["$schema"]
    );
    let lines: Vec<String> = definitions
        .iter()
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, definition)| {
            let stripped = without_texts(definition, false);
            format!("{}: {stripped}", Value::from(name.as_str()))
        })
        .collect();
    text.push_str(&lines.join(",\n"));
    text.push_str("\n}\n}\n");
    Ok(text)
}

/// The schema without its `description` texts; a property that is called so stays.
fn without_texts(schema: &Value, in_properties: bool) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| in_properties || *name != "description")
            .map(|(name, member)| {
                let properties = name == "properties" && !in_properties;
                (name.clone(), without_texts(member, properties))
            })
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items
            .iter()
            .map(|item| without_texts(item, false))
            .collect::<Vec<_>>()
            .into(),
        other => other.clone(),
    }
}

/// Makes the Rust types of all messages in [`REQUESTS`] and [`EVENTS`].
fn generate(schema: &Value) -> Result<String> {
    let mut generator = Generator {
        definitions: schema["definitions"]
            .as_object()
            .context("the schema has no definitions")?,
        wanted: VecDeque::new(),
        seen: BTreeSet::new(),
        types: BTreeMap::new(),
    };
    generator.messages()?;
    let mut text = format!(
        "// Generated by `cargo xtask dap-types` from {SCHEMA}. Do not edit.\n\n\
         //! Types of the Debug Adapter Protocol, as far as the adapter speaks it.\n\n\
         use std::collections::BTreeMap;\n\n\
         use serde::{{Deserialize, Serialize}};\n"
    );
    for definition in generator.types.values() {
        text.push('\n');
        text.push_str(definition);
    }
    Ok(text)
}

struct Generator<'a> {
    definitions: &'a Map<String, Value>,
    wanted: VecDeque<String>,
    seen: BTreeSet<String>,
    types: BTreeMap<String, String>,
}

impl<'a> Generator<'a> {
    fn messages(&mut self) -> Result<()> {
        for request in REQUESTS {
            let arguments =
                &self.definition(&format!("{request}Request"))?["properties"]["arguments"];
            if arguments["$ref"].is_string() {
                self.rust_type(arguments, "", "arguments")?;
            }
            self.body(&format!("{request}Response"))?;
        }
        for event in EVENTS {
            self.body(&format!("{event}Event"))?;
        }
        self.want("Message");
        while let Some(name) = self.wanted.pop_front() {
            let definition = self.definition(&name)?;
            self.emit(&name, definition)?;
        }
        Ok(())
    }

    fn definition(&self, name: &str) -> Result<&'a Value> {
        self.definitions
            .get(&format!("DebugProtocol.{name}"))
            .with_context(|| format!("the schema has no {name}"))
    }

    fn body(&mut self, message: &str) -> Result<()> {
        let body = &self.definition(message)?["properties"]["body"];
        if body["$ref"].is_string() {
            self.rust_type(body, message, "body")?;
        } else if body["properties"].is_object() {
            self.emit(&format!("{message}Body"), body)?;
        }
        Ok(())
    }

    fn want(&mut self, name: &str) {
        if self.seen.insert(name.to_owned()) {
            self.wanted.push_back(name.to_owned());
        }
    }

    fn emit(&mut self, name: &str, schema: &Value) -> Result<()> {
        let text = if let Some(values) = schema["enum"].as_array() {
            enumeration(name, values)?
        } else if schema["type"] == "string" {
            format!("pub type {name} = String;\n")
        } else {
            self.structure(name, schema)?
        };
        self.types.insert(name.to_owned(), text);
        Ok(())
    }

    fn structure(&mut self, name: &str, schema: &Value) -> Result<String> {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut text = String::from(
            "#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\n\
             #[serde(rename_all = \"camelCase\")]\n",
        );
        if properties.is_empty() {
            writeln!(text, "pub struct {name} {{}}")?;
            return Ok(text);
        }
        writeln!(text, "pub struct {name} {{")?;
        for (property, schema) in properties.iter().collect::<BTreeMap<_, _>>() {
            let mut rust_type = self.rust_type(schema, name, property)?;
            if !required.contains(property.as_str()) {
                text.push_str("    #[serde(default, skip_serializing_if = \"Option::is_none\")]\n");
                rust_type = format!("Option<{rust_type}>");
            }
            let field = snake_case(property);
            if camel_case(&field) != *property {
                writeln!(text, "    #[serde(rename = \"{property}\")]")?;
            }
            let field = if field == "type" { "r#type" } else { &field };
            writeln!(text, "    pub {field}: {rust_type},")?;
        }
        text.push_str("}\n");
        Ok(text)
    }

    fn rust_type(&mut self, schema: &Value, owner: &str, property: &str) -> Result<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference
                .strip_prefix("#/definitions/DebugProtocol.")
                .with_context(|| format!("unknown reference {reference}"))?;
            self.want(name);
            return Ok(name.to_owned());
        }
        let rust_type = match &schema["type"] {
            Value::String(simple) => match simple.as_str() {
                "string" => "String".to_owned(),
                "boolean" => "bool".to_owned(),
                "number" if FRACTIONS.contains(&property) => "f64".to_owned(),
                "number" => "i64".to_owned(),
                "array" => format!(
                    "Vec<{}>",
                    self.rust_type(&schema["items"], owner, property)?
                ),
                "object" if schema["additionalProperties"].is_object() => {
                    let value = self.rust_type(&schema["additionalProperties"], owner, property)?;
                    format!("BTreeMap<String, {value}>")
                }
                "object" if schema["properties"].is_object() => {
                    let name = format!("{owner}{}", capitalised(property));
                    self.emit(&name, schema)?;
                    name
                }
                other => bail!("{owner}.{property} has the unknown type {other}"),
            },
            Value::Array(types) if types.iter().eq(["string", "null"].iter()) => {
                "Option<String>".to_owned()
            }
            _ => "serde_json::Value".to_owned(),
        };
        Ok(rust_type)
    }
}

fn enumeration(name: &str, values: &[Value]) -> Result<String> {
    let mut text = format!(
        "#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]\n\
         pub enum {name} {{\n"
    );
    for (index, value) in values.iter().enumerate() {
        let value = value
            .as_str()
            .context("an enumeration of something else than strings")?;
        if index == 0 {
            text.push_str("    #[default]\n");
        }
        writeln!(text, "    #[serde(rename = \"{value}\")]")?;
        writeln!(text, "    {},", capitalised(value))?;
    }
    text.push_str("}\n");
    Ok(text)
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_capital = true;
    for character in name.chars() {
        if character.is_ascii_uppercase() && !after_capital {
            snake.push('_');
        }
        after_capital = character.is_ascii_uppercase();
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| camel + &capitalised(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_types_are_those_of_the_committed_schema() {
        let root = root();
        let committed = std::fs::read_to_string(root.join(TYPES)).unwrap();
        let made = generate(&read_schema(&root).unwrap()).unwrap();
        assert!(
            committed == made,
            "{TYPES} is out of date: run `cargo xtask dap-types`"
        );
    }

    #[test]
    fn names_are_converted_and_back() {
        for (camel, snake) in [
            ("threadId", "thread_id"),
            ("linesStartAt1", "lines_start_at1"),
            ("line", "line"),
        ] {
            assert_eq!(snake_case(camel), snake);
            assert_eq!(camel_case(snake), camel);
        }
    }

    #[test]
    fn texts_are_left_out_of_the_schema_but_not_properties_called_so() {
        let schema = serde_json::json!({
            "description": "Something.",
            "properties": {"description": {"description": "A text.", "type": "string"}}
        });
        assert_eq!(
            without_texts(&schema, false),
            serde_json::json!({"properties": {"description": {"type": "string"}}})
        );
    }
}
