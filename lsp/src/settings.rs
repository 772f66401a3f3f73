//! What the user chose: the section `retrostep` of the client's settings.
//!
//! A wrong value is left at its default and logged; it never keeps the others from being used.

use std::ops::RangeInclusive;

use serde_json::Value;

/// What the client's settings are called.
pub(crate) const SECTION: &str = "retrostep";
/// How long a line's hints may be, in characters: what editors show of them.
const LENGTHS: RangeInclusive<u64> = 10..=43;

/// The user's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `values.show`
    pub(crate) show: Show,
    /// `values.scope`
    pub(crate) scope: Scope,
    /// `values.maxLength`, in characters.
    pub(crate) max_length: usize,
    /// `lenses`
    pub(crate) lenses: Lenses,
    /// `diagnostics`
    pub(crate) diagnostics: Diagnostics,
    /// `dimUnexecuted`
    pub(crate) dim_unexecuted: bool,
}

/// Where values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Show {
    /// As inlay hints.
    #[default]
    Hints,
    /// As inline values, where the client's own debugger would show them.
    Debugger,
    Off,
}

/// Whose values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Of all lines of a function.
    #[default]
    Function,
    File,
    Line,
}

/// Which functions have a lens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lenses {
    #[default]
    Functions,
    /// Only functions in which something was raised.
    Failures,
    Off,
}

/// Which exceptions are diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Diagnostics {
    #[default]
    Uncaught,
    Off,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            show: Show::default(),
            scope: Scope::default(),
            max_length: 40,
            lenses: Lenses::default(),
            diagnostics: Diagnostics::default(),
            dim_unexecuted: false,
        }
    }
}

impl Settings {
    /// Reads the section; returns with it a sentence for each value that is wrong.
    pub(crate) fn read(section: &Value) -> (Settings, Vec<String>) {
        let mut reader = Reader {
            section,
            wrong: Vec::new(),
        };
        let settings = Settings {
            show: reader.word(
                "values.show",
                &[
                    ("hints", Show::Hints),
                    ("debugger", Show::Debugger),
                    ("off", Show::Off),
                ],
            ),
            scope: reader.word(
                "values.scope",
                &[
                    ("function", Scope::Function),
                    ("file", Scope::File),
                    ("line", Scope::Line),
                ],
            ),
            max_length: reader.length("values.maxLength"),
            lenses: reader.word(
                "lenses",
                &[
                    ("functions", Lenses::Functions),
                    ("failures", Lenses::Failures),
                    ("off", Lenses::Off),
                ],
            ),
            diagnostics: reader.word(
                "diagnostics",
                &[
                    ("uncaught", Diagnostics::Uncaught),
                    ("off", Diagnostics::Off),
                ],
            ),
            dim_unexecuted: reader.flag("dimUnexecuted"),
        };
        (settings, reader.wrong)
    }

    /// As [`Settings::read`] for what holds the section `retrostep`, or nothing of ours.
    pub(crate) fn read_all(all: &Value) -> (Settings, Vec<String>) {
        Settings::read(all.get(SECTION).unwrap_or(&Value::Null))
    }
}

struct Reader<'a> {
    section: &'a Value,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// The value at a dotted name; absent and `null` are the same.
    fn value(&self, name: &str) -> Option<&Value> {
        let mut value = self.section;
        for part in name.split('.') {
            value = value.get(part)?;
        }
        Some(value).filter(|value| !value.is_null())
    }

    fn word<T: Copy + Default>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let Some(value) = self.value(name) else {
            return T::default();
        };
        let chosen = words.iter().find(|(word, _)| value == word);
        if let Some((_, chosen)) = chosen {
            return *chosen;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let known = known.join(", ");
        self.wrong
            .push(format!("{SECTION}.{name} is {value}, it can be {known}"));
        T::default()
    }

    fn length(&mut self, name: &str) -> usize {
        let default = Settings::default().max_length;
        let Some(value) = self.value(name) else {
            return default;
        };
        let length = value.as_u64().filter(|length| LENGTHS.contains(length));
        match length.and_then(|length| usize::try_from(length).ok()) {
            Some(length) => length,
            None => {
                let (least, most) = LENGTHS.into_inner();
                self.wrong.push(format!(
                    "{SECTION}.{name} is {value}, it can be a number from {least} to {most}"
                ));
                default
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(value) => {
                let sentence = format!("{SECTION}.{name} is {value}, it can be true or false");
                self.wrong.push(sentence);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_from_the_section() {
        let (settings, wrong) = Settings::read_all(&json!({"retrostep": {
            "values": {"show": "debugger", "scope": "line", "maxLength": 12},
            "lenses": "failures", "diagnostics": "off", "dimUnexecuted": true,
            "path": "another's",
        }}));
        assert!(wrong.is_empty());
        let expected = Settings {
            show: Show::Debugger,
            scope: Scope::Line,
            max_length: 12,
            lenses: Lenses::Failures,
            diagnostics: Diagnostics::Off,
            dim_unexecuted: true,
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn wrong_values_stay_at_their_default_and_are_named() {
        let (settings, wrong) = Settings::read(&json!({
            "values": {"show": "shout", "scope": 3, "maxLength": 44},
            "lenses": "off", "dimUnexecuted": "yes",
        }));
        let expected = Settings {
            lenses: Lenses::Off,
            ..Settings::default()
        };
        assert_eq!(settings, expected);
        assert_eq!(
            wrong,
            [
                "retrostep.values.show is \"shout\", it can be hints, debugger, off",
                "retrostep.values.scope is 3, it can be function, file, line",
                "retrostep.values.maxLength is 44, it can be a number from 10 to 43",
                "retrostep.dimUnexecuted is \"yes\", it can be true or false",
            ]
        );
        for nothing in [json!(null), json!([]), json!({"values": 3}), json!("x")] {
            assert_eq!(Settings::read(&nothing).0, Settings::default());
        }
    }
}
