//! A textual id for each place, the same in every run: what a client keeps of a data breakpoint.

use std::fmt::Write as _;

use retrostep_trace::{FrameId, ObjectId, Text, Value};

use crate::{Error, Place, Result};

impl Place {
    /// The textual id: `local:12:3`, `attribute:7:total`, `item:4:2`, `entry:9:str:6b6579`,
    /// `object:5`. `None` for an entry whose key has no stable text.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(match self {
            Place::Local { frame, slot } => format!("local:{frame}:{slot}"),
            Place::Attribute { object, name } => format!("attribute:{object}:{name}"),
            Place::Item { object, index } => format!("item:{object}:{index}"),
            Place::Entry { object, key } => format!("entry:{object}:{}", key_text(key)?),
            Place::Object { object } => format!("object:{object}"),
        })
    }

    /// The place with this textual id.
    ///
    /// # Errors
    ///
    /// [`Error::BadPlace`].
    pub fn parse(text: &str) -> Result<Place> {
        parse(text).ok_or_else(|| Error::BadPlace {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Place> {
    let (kind, rest) = text.split_once(':')?;
    if kind == "object" {
        return Some(Place::Object {
            object: ObjectId(rest.parse().ok()?),
        });
    }
    let (id, rest) = rest.split_once(':')?;
    let id: u64 = id.parse().ok()?;
    let object = ObjectId(id);
    Some(match kind {
        "local" => Place::Local {
            frame: FrameId(id),
            slot: rest.parse().ok()?,
        },
        "attribute" => Place::Attribute {
            object,
            name: rest.into(),
        },
        "item" => Place::Item {
            object,
            index: rest.parse().ok()?,
        },
        "entry" => Place::Entry {
            object,
            key: parse_key(rest)?,
        },
        _ => return None,
    })
}

fn key_text(key: &Value) -> Option<String> {
    Some(match key {
        Value::None => "none:".to_owned(),
        Value::Ellipsis => "ellipsis:".to_owned(),
        Value::Bool(value) => format!("bool:{}", u8::from(*value)),
        Value::Int(value) => format!("int:{value}"),
        Value::BigInt(bytes) => format!("bigint:{}", hexadecimal(bytes)),
        Value::Float(value) => format!("float:{:x}", value.to_bits()),
        Value::Complex(real, imaginary) => {
            format!("complex:{:x}:{:x}", real.to_bits(), imaginary.to_bits())
        }
        Value::Str(text) => format!("str:{}:{}", text.len, hexadecimal(&text.kept)),
        Value::Bytes(text) => format!("bytes:{}:{}", text.len, hexadecimal(&text.kept)),
        Value::Object(object) => format!("object:{object}"),
        Value::NotImplemented | Value::Unavailable(_) => return None,
    })
}

fn parse_key(text: &str) -> Option<Value> {
    let (kind, rest) = text.split_once(':')?;
    Some(match kind {
        "none" => Value::None,
        "ellipsis" => Value::Ellipsis,
        "bool" => Value::Bool(rest == "1"),
        "int" => Value::Int(rest.parse().ok()?),
        "bigint" => Value::BigInt(bytes_of(rest)?.into()),
        "float" => Value::Float(float_of(rest)?),
        "complex" => {
            let (real, imaginary) = rest.split_once(':')?;
            Value::Complex(float_of(real)?, float_of(imaginary)?)
        }
        "str" => Value::Str(text_of(rest)?),
        "bytes" => Value::Bytes(text_of(rest)?),
        "object" => Value::Object(ObjectId(rest.parse().ok()?)),
        _ => return None,
    })
}

fn float_of(text: &str) -> Option<f64> {
    Some(f64::from_bits(u64::from_str_radix(text, 16).ok()?))
}

fn text_of(text: &str) -> Option<Text> {
    let (len, kept) = text.split_once(':')?;
    Some(Text {
        kept: bytes_of(kept)?.into(),
        len: len.parse().ok()?,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let pairs = hexadecimal.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_places() {
        let text = |text: &str| {
            Value::Str(Text {
                kept: text.as_bytes().into(),
                len: text.chars().count() as u64,
            })
        };
        let entry = |key| Place::Entry {
            object: ObjectId(9),
            key,
        };
        let places = [
            Place::Local {
                frame: FrameId(12),
                slot: 3,
            },
            Place::Attribute {
                object: ObjectId(7),
                name: "a:b".into(),
            },
            Place::Item {
                object: ObjectId(4),
                index: 2,
            },
            Place::Object {
                object: ObjectId(5),
            },
            entry(text("key: ü")),
            entry(Value::None),
            entry(Value::Ellipsis),
            entry(Value::Bool(true)),
            entry(Value::Int(-3)),
            entry(Value::BigInt([0; 9].into())),
            entry(Value::Float(-0.5)),
            entry(Value::Complex(1.0, -2.0)),
            entry(Value::Object(ObjectId(8))),
        ];
        for place in places {
            let id = place.id().unwrap();
            assert_eq!(Place::parse(&id).unwrap(), place, "{id}");
        }
        assert!(entry(Value::NotImplemented).id().is_none());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "local",
            "local:1",
            "local:x:1",
            "entry:1:str:1:6",
            "entry:1:é:",
            "x:1:2",
        ] {
            assert!(Place::parse(text).is_err(), "{text:?}");
        }
    }
}
