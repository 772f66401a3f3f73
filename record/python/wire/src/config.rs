//! What the host tells the recorder, serialised as `key NUL value NUL` pairs.

use std::path::PathBuf;

/// Which part of the program is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All of it, but of a program that imports the package `retrostep` only what it marks, from the
    /// import on.
    #[default]
    Automatic,
    /// From its first line to its end, marked or not.
    Whole,
    /// Only inside `retrostep.record(...)`.
    Marked,
}

/// How the recorder learns what the program's frames hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It reads them from memory, unless its self-check finds them laid out in another way.
    #[default]
    Direct,
    /// It asks the interpreter's own functions: slow.
    Asked,
}

/// What the host tells the recorder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Which part of the program is recorded.
    pub mode: Mode,
    /// How frames are read.
    pub access: Access,
    /// Folders whose code is recorded, absolute, without a slash at the end. Code below a
    /// `site-packages` or `dist-packages` folder, the interpreter's own library and the folders of a
    /// virtual environment is not, unless `include` names it.
    pub roots: Vec<String>,
    /// Globs over absolute paths: code that is recorded besides. Relative globs were made absolute
    /// by the host.
    pub include: Vec<String>,
    /// Globs over absolute paths: code that is not recorded. Wins over `roots` and `include`.
    pub exclude: Vec<String>,
    /// Names whose values are redacted, lower case. A name is redacted when it contains one of them
    /// as a whole run of words: `api_key` matches `API_KEY`, `stripe_api_key`, `apiKey`.
    pub redact: Vec<String>,
    /// Longest text kept, in characters.
    pub max_string: u64,
    /// Most children kept of one container.
    pub max_children: u64,
    /// Deepest nesting captured at first sight.
    pub depth: u64,
    /// The folder to put on `sys.path` so that `import retrostep` finds the package; empty when the
    /// program has it installed.
    pub package_folder: PathBuf,
    /// The value of `LD_PRELOAD` to give back to the program, or `None` if it had none.
    pub original_preload: Option<String>,
}

impl Config {
    /// The pairs, in a fixed order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |key: &str, value: &str| {
            out.extend_from_slice(key.as_bytes());
            out.push(0);
            out.extend_from_slice(value.as_bytes());
            out.push(0);
        };
        put(
            "mode",
            match self.mode {
                Mode::Automatic => "automatic",
                Mode::Whole => "whole",
                Mode::Marked => "marked",
            },
        );
        if self.access == Access::Asked {
            put("access", "asked");
        }
        for (key, values) in [
            ("root", &self.roots),
            ("include", &self.include),
            ("exclude", &self.exclude),
            ("redact", &self.redact),
        ] {
            values.iter().for_each(|value| put(key, value));
        }
        put("max_string", &self.max_string.to_string());
        put("max_children", &self.max_children.to_string());
        put("depth", &self.depth.to_string());
        put("package_folder", &self.package_folder.to_string_lossy());
        if let Some(preload) = &self.original_preload {
            put("original_preload", preload);
        }
        out
    }

    /// Reads what [`Config::to_bytes`] wrote; unknown keys are left out.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Config {
        let mut config = Config::default();
        let mut parts = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            let value = value.into_owned();
            match key.as_ref() {
                "mode" => {
                    config.mode = match value.as_str() {
                        "marked" => Mode::Marked,
                        "whole" => Mode::Whole,
                        _ => Mode::Automatic,
                    }
                }
                "access" if value == "asked" => config.access = Access::Asked,
                "root" => config.roots.push(value),
                "include" => config.include.push(value),
                "exclude" => config.exclude.push(value),
                "redact" => config.redact.push(value),
                "max_string" => config.max_string = value.parse().unwrap_or(0),
                "max_children" => config.max_children = value.parse().unwrap_or(0),
                "depth" => config.depth = value.parse().unwrap_or(0),
                "package_folder" => config.package_folder = value.into(),
                "original_preload" => config.original_preload = Some(value),
                _ => {}
            }
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_survives_the_way_to_the_recorder() {
        let config = Config {
            mode: Mode::Marked,
            access: Access::Asked,
            roots: vec!["/a".into(), "/b c".into()],
            redact: vec!["token".into()],
            max_string: 10_000,
            max_children: 100,
            depth: 8,
            original_preload: Some(String::new()),
            ..Config::default()
        };
        assert_eq!(Config::from_bytes(&config.to_bytes()), config);
    }
}
