//! Whether values of two recordings are the same, and which part of them is not.

use std::collections::HashSet;

use retrostep_trace::{Content, ObjectId, ObjectKind, Position, Recording, Value};

use crate::{Datum, Result, Snapshot};

/// Most parts of two values that are compared; what lies beyond is taken to be the same.
const MAX_PARTS: u32 = 5_000;

/// Deepest nesting that is compared.
const MAX_DEPTH: u32 = 12;

/// Longest text of a value in a difference.
const TEXT_LIMIT: usize = 40;

/// A value of a recording at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) recording: &'a Recording,
    pub(super) at: Position,
}

impl Moment<'_> {
    pub(super) fn text(&self, value: Option<&Value>) -> Result<String> {
        let Some(value) = value else {
            return Ok("no value".to_owned());
        };
        let snapshot = Snapshot::new(self.recording, self.at);
        Ok(snapshot.text(&Datum::from(value), TEXT_LIMIT)?)
    }
}

/// Two values that are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unequal {
    /// Which part of the values it is: ``, `[2].price`.
    pub(super) part: String,
    /// The part as text in each recording.
    pub(super) texts: [String; 2],
}

/// The first part in which two values differ, as far as they were recorded.
///
/// Small values are told whole; of what does not fit, or looks the same, the part that differs.
pub(super) fn unequal(
    a: (Moment<'_>, Option<&Value>),
    b: (Moment<'_>, Option<&Value>),
) -> Result<Option<Unequal>> {
    let (Some(value_a), Some(value_b)) = (a.1, b.1) else {
        let missing = |value: Option<&Value>| matches!(value, Some(Value::Unavailable(_)));
        if a.1.is_none() && b.1.is_none() || missing(a.1) || missing(b.1) {
            return Ok(None);
        }
        return Ok(Some(Unequal {
            part: String::new(),
            texts: [a.0.text(a.1)?, b.0.text(b.1)?],
        }));
    };
    let mut comparison = Comparison {
        a: a.0,
        b: b.0,
        parts: 0,
        met: HashSet::new(),
        path: Vec::new(),
    };
    let Some(texts) = comparison.values(value_a, value_b)? else {
        return Ok(None);
    };
    let whole = [a.0.text(a.1)?, b.0.text(b.1)?];
    let is_clear = whole[0] != whole[1] && !whole.iter().any(|text| text.contains('…'));
    if is_clear || comparison.path.is_empty() {
        return Ok(Some(Unequal {
            part: String::new(),
            texts: if is_clear { whole } else { texts },
        }));
    }
    Ok(Some(Unequal {
        part: comparison.path.concat(),
        texts,
    }))
}

struct Comparison<'a> {
    a: Moment<'a>,
    b: Moment<'a>,
    parts: u32,
    /// Pairs of objects that were met: the same, unless found otherwise.
    met: HashSet<(ObjectId, ObjectId)>,
    /// Where the comparison stands; where it ended if it found a difference.
    path: Vec<String>,
}

/// The texts of two parts that differ.
type Texts = Option<[String; 2]>;

impl Comparison<'_> {
    fn values(&mut self, a: &Value, b: &Value) -> Result<Texts> {
        self.parts += 1;
        if self.parts > MAX_PARTS || self.path.len() as u32 > MAX_DEPTH {
            return Ok(None);
        }
        let same = match (a, b) {
            (Value::Unavailable(_), _) | (_, Value::Unavailable(_)) => true,
            (Value::Float(a), Value::Float(b)) => is_same_float(*a, *b),
            (Value::Complex(a, b), Value::Complex(c, d)) => {
                is_same_float(*a, *c) && is_same_float(*b, *d)
            }
            (Value::Str(a), Value::Str(b)) | (Value::Bytes(a), Value::Bytes(b)) => {
                // The two recordings may keep different lengths of one text.
                let kept = a.kept.len().min(b.kept.len());
                a.len == b.len && a.kept.get(..kept) == b.kept.get(..kept)
            }
            (Value::Object(a), Value::Object(b)) => return self.objects(*a, *b),
            _ => a == b,
        };
        if same {
            return Ok(None);
        }
        self.differ(a, b)
    }

    fn differ(&self, a: &Value, b: &Value) -> Result<Texts> {
        let texts = [self.a.text(Some(a))?, self.b.text(Some(b))?];
        if texts[0] != texts[1] {
            return Ok(Some(texts));
        }
        // Long texts that begin alike.
        let len = |value: &Value| match value {
            Value::Str(text) => format!("{} characters", crate::render::count(text.len)),
            Value::Bytes(text) => crate::render::counted(text.len, "byte"),
            _ => "another value".to_owned(),
        };
        let [first, second] = texts;
        Ok(Some([
            format!("{first} ({})", len(a)),
            format!("{second} ({})", len(b)),
        ]))
    }

    fn objects(&mut self, a: ObjectId, b: ObjectId) -> Result<Texts> {
        if !self.met.insert((a, b)) {
            return Ok(None);
        }
        let content = |moment: Moment<'_>, object| -> Result<_> {
            let found = moment.recording.object(object, moment.at)?;
            Ok(found.map(|(content, _)| content))
        };
        let (Some(content_a), Some(content_b)) = (content(self.a, a)?, content(self.b, b)?) else {
            return Ok(None);
        };
        let whole = (&Value::Object(a), &Value::Object(b));
        self.contents(whole, &content_a, &content_b)
    }

    fn contents(&mut self, whole: (&Value, &Value), a: &Content, b: &Content) -> Result<Texts> {
        let type_a = self.a.recording.type_of(a.type_id)?;
        let type_b = self.b.recording.type_of(b.type_id)?;
        let same_type =
            type_a.module == type_b.module && type_a.qualified_name == type_b.qualified_name;
        if a.kind != b.kind || !same_type {
            return self.differ(whole.0, whole.1);
        }
        let has_text = matches!(
            a.kind,
            ObjectKind::ByteArray
                | ObjectKind::Function
                | ObjectKind::Class
                | ObjectKind::Module
                | ObjectKind::Generator
                | ObjectKind::Enum
                | ObjectKind::Literal
                | ObjectKind::Array
        );
        if a.len != b.len || (has_text && a.text != b.text) {
            let texts = self.differ(whole.0, whole.1)?;
            let same = texts.as_ref().is_some_and(|[a, b]| a == b);
            let items = |content: &Content| crate::render::counted(content.len, "item");
            let lengths = [items(a), items(b)];
            return Ok(if same || is_cut(&texts) && lengths[0] != lengths[1] {
                Some(lengths)
            } else {
                texts
            });
        }
        if matches!(
            a.kind,
            ObjectKind::Function | ObjectKind::Class | ObjectKind::Module | ObjectKind::Generator
        ) {
            return Ok(None);
        }
        if matches!(a.kind, ObjectKind::Set | ObjectKind::FrozenSet) {
            return self.sets(whole, a, b);
        }
        for (index, (a, b)) in a.items.iter().zip(&b.items).enumerate() {
            let texts = self.part(format!("[{index}]"), a, b)?;
            if texts.is_some() {
                return Ok(texts);
            }
        }
        for ((key_a, a), (key_b, b)) in a.entries.iter().zip(&b.entries) {
            let name = format!("[{}]", self.a.text(Some(key_a))?);
            // Entries in another order are another order of everything that goes through them.
            let texts = self.part(".keys()".to_owned(), key_a, key_b)?;
            if texts.is_some() {
                return Ok(texts);
            }
            let texts = self.part(name, a, b)?;
            if texts.is_some() {
                return Ok(texts);
            }
        }
        for (name, value_a) in &a.attributes {
            let found = b.attributes.iter().find(|(other, _)| other == name);
            let Some((_, value_b)) = found else {
                if b.attributes_omitted > 0 {
                    continue;
                }
                self.path.push(format!(".{name}"));
                return Ok(Some([self.a.text(Some(value_a))?, "no value".to_owned()]));
            };
            let texts = self.part(format!(".{name}"), value_a, value_b)?;
            if texts.is_some() {
                return Ok(texts);
            }
        }
        let extra = (b.attributes.iter())
            .find(|(name, _)| !a.attributes.iter().any(|(known, _)| known == name));
        if let Some((name, value)) = extra
            && a.attributes_omitted == 0
        {
            self.path.push(format!(".{name}"));
            return Ok(Some(["no value".to_owned(), self.b.text(Some(value))?]));
        }
        Ok(None)
    }

    /// A part of both values; the path keeps its name if it differs.
    fn part(&mut self, name: String, a: &Value, b: &Value) -> Result<Texts> {
        self.path.push(name);
        let texts = self.values(a, b)?;
        if texts.is_none() {
            self.path.pop();
        }
        Ok(texts)
    }

    /// Sets have no order of their own: it differs from run to run.
    fn sets(&mut self, whole: (&Value, &Value), a: &Content, b: &Content) -> Result<Texts> {
        if (a.items.len() as u64) < a.len || (b.items.len() as u64) < b.len {
            return Ok(None);
        }
        let sorted = |moment: Moment<'_>, items: &[Value]| -> Result<Vec<String>> {
            let texts = items.iter().map(|item| moment.text(Some(item)));
            let mut texts = texts.collect::<Result<Vec<String>>>()?;
            texts.sort_unstable();
            Ok(texts)
        };
        let (of_a, of_b) = (sorted(self.a, &a.items)?, sorted(self.b, &b.items)?);
        if of_a == of_b {
            return Ok(None);
        }
        let only = |these: &[String], others: &[String]| {
            let only = these.iter().find(|text| !others.contains(text)).cloned();
            only.map_or_else(
                || "no other element".to_owned(),
                |text| format!("has {text}"),
            )
        };
        let texts = self.differ(whole.0, whole.1)?;
        Ok(if is_cut(&texts) {
            Some([only(&of_a, &of_b), only(&of_b, &of_a)])
        } else {
            texts
        })
    }
}

fn is_cut(texts: &Texts) -> bool {
    let mut all = texts.iter().flatten();
    all.any(|text| text.contains('…'))
}

fn is_same_float(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}
