//! Which names hide their values.

use std::collections::HashMap;

/// The rules, and what they said about the names seen so far.
#[derive(Debug)]
pub(super) struct Redaction {
    patterns: Vec<Vec<String>>,
    decided: HashMap<Box<[u8]>, bool>,
}

/// More distinct names than a program has; mapping keys can be made without end.
const DECIDED_MAX: usize = 100_000;

impl Redaction {
    pub(super) fn new(names: &[String]) -> Redaction {
        Redaction {
            patterns: names
                .iter()
                .map(|name| words(name))
                .filter(|words| !words.is_empty())
                .collect(),
            decided: HashMap::new(),
        }
    }

    /// Whether a name contains one of the rules as a whole run of words.
    pub(super) fn hides(&mut self, name: &[u8]) -> bool {
        if self.patterns.is_empty() || name.len() > 256 {
            return false;
        }
        if let Some(decided) = self.decided.get(name) {
            return *decided;
        }
        let decided = self.decide(&String::from_utf8_lossy(name));
        if self.decided.len() >= DECIDED_MAX {
            self.decided.clear();
        }
        self.decided.insert(name.into(), decided);
        decided
    }

    fn decide(&self, name: &str) -> bool {
        let words = words(name);
        self.patterns.iter().any(|pattern| {
            words
                .windows(pattern.len())
                .any(|window| window == pattern.as_slice())
                || words
                    .iter()
                    .any(|word| pattern.len() > 1 && *word == pattern.concat())
        })
    }
}

/// The words of a name in lower case: `stripeApiKey`, `STRIPE_API_KEY` and `stripe-api-key` are
/// `stripe`, `api`, `key`.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let after = characters.get(index + 1);
        let starts = character.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || (before.is_some_and(|before| before.is_uppercase())
                    && after.is_some_and(|after| after.is_lowercase())));
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(character.to_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        let mut rules = Redaction::new(&[pattern.to_owned()]);
        assert_eq!(
            rules.hides(name.as_bytes()),
            expected,
            "{pattern} in {name}"
        );
        assert_eq!(rules.hides(name.as_bytes()), expected, "asked again");
    }

    #[test]
    fn a_name_is_hidden_by_a_whole_run_of_words() {
        for name in [
            "api_key",
            "API_KEY",
            "stripe_api_key",
            "apiKey",
            "StripeAPIKey",
            "x-api-key",
            "apikey",
            "_api_key_",
            "api key",
        ] {
            check("api_key", name, true);
        }
        for name in [
            "key",
            "api",
            "api_keys_of",
            "apiary_key",
            "key_api",
            "rapid_api_keyboard",
        ] {
            check("api_key", name, false);
        }
        check("token", "csrfToken", true);
        check("token", "HTTPToken2", false);
        check("token", "tokenizer", false);
        check("secret", "secretary", false);
        check("password", "user.password", true);
        check("password", "passwordHash", true);
    }
}
