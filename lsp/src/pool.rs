//! The threads that answer requests.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

/// How many requests are answered at the same time.
const THREADS: usize = 3;

/// Something to do.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// The threads; they end when this is dropped and what they do is done.
#[derive(Debug)]
pub(crate) struct Pool(Sender<Work>);

impl Pool {
    pub(crate) fn start() -> anyhow::Result<Pool> {
        let (sender, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 1..=THREADS {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("request {number}"))
                .spawn(move || run(&queue))
                .context("start a thread that answers requests")?;
        }
        Ok(Pool(sender))
    }

    /// Does it when a thread is free, in the order of asking.
    pub(crate) fn post(&self, work: Work) {
        if self.0.send(work).is_err() {
            tracing::error!("the threads that answer requests have ended");
        }
    }
}

fn run(queue: &Mutex<Receiver<Work>>) {
    loop {
        let work = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match work {
            Ok(work) => work(),
            Err(_) => return,
        }
    }
}
