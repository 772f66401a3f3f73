//! The arguments of `launch` and `attach`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retrostep_trace::Position;
use serde::Deserialize;
use serde_json::Value;

use crate::error::RequestError;
use crate::launcher::{RecordConsole, RecordRequest, RecordTarget};

/// The arguments of `launch` as the client sends them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LaunchArguments {
    program: Option<PathBuf>,
    module: Option<String>,
    args: Option<Vec<String>>,
    cwd: Option<PathBuf>,
    env: Option<BTreeMap<String, Option<String>>>,
    python: Option<String>,
    stop_on_entry: Option<bool>,
    stop_at: Option<String>,
    console: Option<String>,
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    redact: Option<Vec<String>>,
    max_size: Option<Value>,
    out: Option<PathBuf>,
}

/// The arguments of `attach` as the client sends them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct AttachArguments {
    recording: Option<String>,
    position: Option<Value>,
    cwd: Option<PathBuf>,
}

/// Where a replay begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StartAt {
    /// At the last uncaught exception, or at the end if there was none.
    #[default]
    Exception,
    /// At the start.
    Entry,
    /// At the end.
    End,
    /// At a known position.
    Position(Position),
}

/// What a launch asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) record: RecordRequest,
    pub(crate) console: RecordConsole,
    /// Whether a terminal outside the editor is wanted.
    pub(crate) external: bool,
    pub(crate) start_at: StartAt,
}

/// What an attach asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attach {
    pub(crate) recording: String,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) start_at: StartAt,
}

impl LaunchArguments {
    /// Checks the arguments.
    pub(crate) fn check(self) -> Result<Launch, RequestError> {
        let start_at = match (self.stop_at.as_deref(), self.stop_on_entry) {
            (None, Some(true)) => StartAt::Entry,
            (None, _) => StartAt::Exception,
            (Some(text), _) => start_named(text).ok_or_else(|| {
                RequestError::user(format!(
                    "launch: \"stopAt\" is {text:?}; it can be \"exception\", \"entry\" or \"end\""
                ))
            })?,
        };
        let (console, external) = match self.console.as_deref() {
            None | Some("internalConsole") => (RecordConsole::Internal, false),
            Some("integratedTerminal") => (RecordConsole::Terminal, false),
            Some("externalTerminal") => (RecordConsole::Terminal, true),
            Some(other) => {
                return Err(RequestError::user(format!(
                    "launch: \"console\" is {other:?}; it can be \"internalConsole\", \
                     \"integratedTerminal\" or \"externalTerminal\""
                )));
            }
        };
        let max_size = match self.max_size {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => {
                return Err(RequestError::user(
                    "launch: \"maxSize\" must be a number of bytes or a text such as \"500M\"",
                ));
            }
        };
        let cwd = self.cwd.filter(|cwd| !cwd.as_os_str().is_empty());
        if let Some(cwd) = &cwd
            && !cwd.is_dir()
        {
            return Err(RequestError::user(format!(
                "the working directory {} does not exist: correct \"cwd\"",
                cwd.display()
            )));
        }
        let python = self.python.filter(|python| !python.is_empty());
        if let Some(python) = &python {
            check_python(python, cwd.as_deref())?;
        }
        let target = match (self.program, self.module) {
            (Some(program), None) => program_target(program, cwd.as_deref())?,
            (None, Some(module)) => RecordTarget::Module(module),
            (None, None) => {
                return Err(RequestError::user(
                    "launch needs a \"program\" or a \"module\" to record",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(RequestError::user(
                    "launch takes a \"program\" or a \"module\", not both",
                ));
            }
        };
        Ok(Launch {
            record: RecordRequest {
                target,
                args: self.args.unwrap_or_default(),
                cwd,
                env: self.env.unwrap_or_default(),
                python,
                include: self.include.unwrap_or_default(),
                exclude: self.exclude.unwrap_or_default(),
                redact: self.redact.unwrap_or_default(),
                max_size,
                out: self.out,
            },
            console,
            external,
            start_at,
        })
    }
}

fn program_target(program: PathBuf, cwd: Option<&Path>) -> Result<RecordTarget, RequestError> {
    let path = match cwd {
        Some(cwd) => cwd.join(&program),
        None => program.clone(),
    };
    if !path.exists() {
        return Err(RequestError::user(format!(
            "the program {} does not exist: correct \"program\"",
            path.display()
        )));
    }
    Ok(RecordTarget::Program(program))
}

/// An interpreter that is given by its path has to be there; a name is looked up when it is started.
fn check_python(python: &str, cwd: Option<&Path>) -> Result<(), RequestError> {
    let path = cwd.unwrap_or(Path::new("")).join(python);
    if python.contains(std::path::is_separator) && !path.exists() {
        return Err(RequestError::user(format!(
            "the interpreter {} does not exist: correct \"python\"",
            path.display()
        )));
    }
    Ok(())
}

impl AttachArguments {
    /// Checks the arguments.
    pub(crate) fn check(self) -> Result<Attach, RequestError> {
        let recording = self
            .recording
            .filter(|recording| !recording.is_empty())
            .ok_or_else(|| {
                RequestError::user("attach needs a \"recording\": a file or a name in the library")
            })?;
        Ok(Attach {
            recording,
            folder: self.cwd,
            start_at: start_at(self.position.as_ref())?,
        })
    }
}

fn start_at(position: Option<&Value>) -> Result<StartAt, RequestError> {
    let wrong = || {
        RequestError::user(
            "attach: \"position\" must be a number, \"start\", \"end\" or \"exception\"",
        )
    };
    match position {
        None | Some(Value::Null) => Ok(StartAt::default()),
        Some(Value::Number(number)) => number
            .as_u64()
            .map(|position| StartAt::Position(Position(position)))
            .ok_or_else(wrong),
        Some(Value::String(text)) => match text.parse() {
            Ok(position) => Ok(StartAt::Position(Position(position))),
            Err(_) => start_named(text).ok_or_else(wrong),
        },
        Some(_) => Err(wrong()),
    }
}

fn start_named(name: &str) -> Option<StartAt> {
    match name {
        "exception" => Some(StartAt::Exception),
        "entry" | "start" => Some(StartAt::Entry),
        "end" => Some(StartAt::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::value::Error;
    use serde::de::{Error as _, Visitor};
    use serde::{Deserializer, forward_to_deserialize_any};
    use serde_json::json;

    /// Deserializes nothing, but fails with the names of the fields that are asked for.
    struct FieldNames;

    impl<'de> Deserializer<'de> for FieldNames {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
            Err(Error::custom("no struct"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            _visitor: V,
        ) -> Result<V::Value, Error> {
            Err(Error::custom(fields.join(" ")))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    #[test]
    fn the_schema_for_vs_code_names_the_arguments_that_are_read() {
        let description = include_str!("../../extensions/vscode/package.json");
        let description: Value = serde_json::from_str(description).unwrap();
        let debugger = &description["contributes"]["debuggers"][0];
        let check = |request: &str, read: Error| {
            let read = read.to_string();
            let mut read: Vec<&str> = read.split(' ').collect();
            let schema = &debugger["configurationAttributes"][request]["properties"];
            let mut described: Vec<&str> = schema
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            read.sort_unstable();
            described.sort_unstable();
            assert_eq!(described, read, "{request}");
        };
        check(
            "launch",
            LaunchArguments::deserialize(FieldNames).unwrap_err(),
        );
        check(
            "attach",
            AttachArguments::deserialize(FieldNames).unwrap_err(),
        );
    }

    fn launch(arguments: Value) -> Result<Launch, String> {
        serde_json::from_value::<LaunchArguments>(arguments)
            .unwrap()
            .check()
            .map_err(|error| error.message)
    }

    #[test]
    fn a_launch_keeps_what_it_was_given() {
        let launch = launch(json!({
            "module": "shop.replay_orders", "args": ["-v"], "env": {"A": "1", "B": null},
            "python": "python3.12", "console": "externalTerminal", "stopOnEntry": true,
            "maxSize": 1000, "redact": ["iban"], "name": "a client's own", "noDebug": false,
        }))
        .unwrap();
        assert_eq!(
            launch.record.target,
            RecordTarget::Module("shop.replay_orders".into())
        );
        assert_eq!(launch.record.args, ["-v"]);
        assert_eq!(launch.record.env["B"], None);
        assert_eq!(launch.record.max_size.as_deref(), Some("1000"));
        assert_eq!(launch.console, RecordConsole::Terminal);
        assert!(launch.external);
        assert_eq!(launch.start_at, StartAt::Entry);
    }

    #[test]
    fn what_is_wrong_with_a_launch_is_named() {
        let check = |arguments, expected: &str| {
            let error = launch(arguments).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(json!({}), "\"program\" or a \"module\"");
        check(json!({"program": "/a", "module": "b"}), "not both");
        check(
            json!({"program": "/there/is/no/such.py"}),
            "/there/is/no/such.py does not exist",
        );
        check(json!({"module": "a", "cwd": "/no/such"}), "/no/such");
        check(
            json!({"module": "a", "python": "/no/such/python"}),
            "the interpreter /no/such/python does not exist",
        );
        check(json!({"module": "a", "stopAt": "noon"}), "\"noon\"");
        check(json!({"module": "a", "console": "tv"}), "\"tv\"");
        check(json!({"module": "a", "maxSize": true}), "\"maxSize\"");
    }

    #[test]
    fn an_attach_names_where_it_begins() {
        let check = |position: Value, expected| {
            let arguments = json!({"recording": "a", "position": position});
            let attach = serde_json::from_value::<AttachArguments>(arguments)
                .unwrap()
                .check();
            assert_eq!(attach.ok().map(|attach| attach.start_at), expected);
        };
        check(Value::Null, Some(StartAt::Exception));
        check(json!(12), Some(StartAt::Position(Position(12))));
        check(json!("12"), Some(StartAt::Position(Position(12))));
        check(json!("start"), Some(StartAt::Entry));
        check(json!("end"), Some(StartAt::End));
        check(json!(-1), None);
        check(json!("noon"), None);
        check(json!([]), None);
    }
}
