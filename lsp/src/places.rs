//! Where hints come from: kept here under a number, so that thousands of hints need not say it each.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ls_types::Uri;

use crate::context::DocumentContext;
use crate::view::View;

/// How many are kept: hints of older ones are not on any screen.
const MOST: usize = 64;

/// Where all hints of an answer come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) uri: Uri,
    pub(crate) recording: PathBuf,
    /// Where the replay stood, and its thread.
    pub(crate) moment: Option<(u64, u32)>,
}

impl Place {
    pub(crate) fn of(ctx: &DocumentContext, view: &View) -> Place {
        Place {
            uri: ctx.document.uri.clone(),
            recording: view.facts.entry.path.clone(),
            moment: view.moment.map(|(position, thread)| (position.0, thread.0)),
        }
    }
}

/// The places of the last answers, shared by all threads that answer requests.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<Store>);

#[derive(Debug, Default)]
struct Store {
    last: u64,
    kept: VecDeque<(u64, Arc<Place>)>,
}

impl Places {
    /// The number of a place, which is kept for a while.
    pub(crate) fn keep(&self, place: &Arc<Place>) -> u64 {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = store.kept.iter().position(|(_, known)| known == place);
        let entry = match known.and_then(|at| store.kept.remove(at)) {
            Some(entry) => entry,
            None => {
                store.last += 1;
                (store.last, place.clone())
            }
        };
        let number = entry.0;
        store.kept.push_back(entry);
        if store.kept.len() > MOST {
            store.kept.pop_front();
        }
        number
    }

    /// The place with this number, if it is still kept.
    pub(crate) fn get(&self, number: u64) -> Option<Arc<Place>> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = store.kept.iter();
        kept.find(|(known, _)| *known == number)
            .map(|(_, place)| place.clone())
    }
}
